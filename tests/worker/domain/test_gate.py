"""The gate is red until everything holds, and says what does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tierwise.domain import gate
from tierwise.domain.ageing import Dated, Measured
from tierwise.domain.validation import Registration

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


def test_a_staging_installation_never_automates() -> None:
    assert "staging" in computed(staging=True).why[0]


def test_labels_that_have_grown_old_leave_the_report_or_take_it_along() -> None:
    registration = Registration(
        policy=POLICY, chain=CHAIN, positive_tiers=("A",), precision=0.8, recall=0.3, cut_offs=(0.5, 0.7),
        looks=(100,), registered_at=NOW, by="ada",
    )  # fmt: skip
    young, old = (int((NOW - timedelta(days=days)).timestamp()) for days in (3, 60))

    def cells(reach: int, moment: int, right: int) -> Dated:
        return Dated("A", True, reach, 10 * right, (moment,) * right, (), 0)

    both = REPORT._replace(cut_off=0.5, measured=Measured(registration, 100, (cells(1, old, 60), cells(2, young, 60))))
    assert computed(report=both).cut_off == 0.5
    later = computed(report=both, now=NOW + timedelta(days=31))
    assert later.green, "what is left proves as much"
    few = both._replace(measured=Measured(registration, 100, (cells(2, old, 60), cells(2, young, 29))))
    assert computed(report=few).green
    found = computed(report=few, now=NOW + timedelta(days=31))
    assert "60 of the report's 89 labels are older than 90 days" in found.why[0]
    assert "29 audit labels" in found.why[0]


def test_old_labels_can_only_make_the_cut_off_stricter() -> None:
    """The lenient cut-off stood on labels that no longer count; a stricter one did not."""
    registration = Registration(
        policy=POLICY, chain=CHAIN, positive_tiers=("A",), precision=0.8, recall=0.1, cut_offs=(0.5, 0.7),
        looks=(100,), registered_at=NOW, by="ada",
    )  # fmt: skip
    young, old = (int((NOW - timedelta(days=days)).timestamp()) for days in (3, 60))
    lenient = Dated("A", True, 1, 600, (old,) * 60, (young,) * 12, 0)
    strict = Dated("A", True, 2, 600, (young,) * 60, (), 0)
    report = REPORT._replace(cut_off=0.5, measured=Measured(registration, 100, (lenient, strict)))
    assert report.measured is not None
    assert report.measured.verdict(NOW).cut_off == 0.5
    assert computed(report=report, now=NOW + timedelta(days=31)).cut_off == 0.7
    stricter = report._replace(cut_off=0.7, measured=Measured(registration, 100, (strict, lenient)))
    assert computed(report=stricter, now=NOW + timedelta(days=31)).cut_off == 0.7
