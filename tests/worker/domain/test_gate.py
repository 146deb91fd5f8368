"""The gate is red until everything holds, and says what does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tierwise.domain import gate

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
POLICY, CHAIN = "p" * 64, "c" * 64
REPORT = gate.Report("r" * 64, POLICY, CHAIN, True, 0.7, ("A",), NOW - timedelta(days=3), 90, ())
HOLDS: dict[str, Any] = {
    "report": REPORT, "policy": POLICY, "chain": CHAIN, "offline": False, "alerts": (), "now": NOW,
}  # fmt: skip


def computed(**changed: Any) -> gate.Gate:
    given = {**HOLDS, **changed}
    return gate.gate(given.pop("report"), **given)


def test_green_where_everything_holds() -> None:
    assert computed() == gate.Gate((), 0.7, ("A",), REPORT.digest)
    assert computed().green


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"report": None}, "no validation report"),
        ({"report": REPORT._replace(passed=False, cut_off=None, why=("too few",))}, "too few"),
        ({"report": REPORT._replace(cut_off=None)}, "did not pass"),
        ({"policy": "q" * 64}, "is of policy pppppppppppp, active is qqqqqqqqqqqq"),
        ({"policy": None}, "active is none"),
        ({"chain": "d" * 64}, "other models"),
        ({"chain": None}, "other models"),
        ({"offline": True}, "offline/rules"),
        ({"alerts": ("drift of industry",)}, "drift of industry"),
        ({"now": NOW + timedelta(days=88)}, "91 days old"),
        ({"now": NOW - timedelta(days=4)}, "a clock is wrong"),
        ({"report": REPORT._replace(newest_label_at=None)}, "there are none"),
    ],
)
def test_each_condition_alone_turns_it_red(changed: dict[str, Any], told: str) -> None:
    found = computed(**changed)
    assert not found.green
    assert told in " ".join(found.why)
    assert len(found.why) == 1
