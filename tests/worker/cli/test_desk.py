"""Times as people write them, and an empty desk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tierwise import cli
from tierwise.cli import desk
from tierwise.domain.decision import Decision
from tierwise.errors import Misconfigured

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("30m", NOW + timedelta(minutes=30)),
        ("4h", NOW + timedelta(hours=4)),
        ("2d", NOW + timedelta(days=2)),
        ("2026-11-03T08:00", datetime(2026, 11, 3, 8, tzinfo=UTC)),
    ],
)
def test_until_when(text: str, moment: datetime) -> None:
    assert desk.later(text, now=NOW) == moment


def test_no_time() -> None:
    with pytest.raises(Misconfigured, match="is no time"):
        desk.later("soon", now=NOW)


def test_nothing_to_take(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["db", "upgrade"]) == 0
    for command in (["take"], ["show", "99"], ["hand-over", "99", "--to", "bo"], ["snooze", "99", "--until", "1h"]):
        assert cli.run(["review", *command]) == 1
    assert cli.run(["review", "take", "--kind", "low"]) == 2
    assert "low_confidence" in capsys.readouterr().err
    assert cli.run(["review", "answer-all", "--kind", "low_confidence", "--reason", "x"]) == 2
    assert cli.run(["review", "answer-all", "--kind", "low_confidence", "--reason", "x", "--agree"]) == 0


def test_a_lead_that_went_back_shows_what_applies_to_it_now() -> None:
    def made(fingerprint: str, score: int) -> Decision:
        return Decision(
            connection="portal", record_id="7", fingerprint=fingerprint, policy="p", policy_version="1",
            status="scored", outcome="accept", route=None, score=score, decided_at=datetime(2026, 11, 1, tzinfo=UTC),
        )  # fmt: skip

    first, second = made("a", 10), made("b", 20)
    assert desk.applying([first, second], "a") == first
    assert desk.applying([first, second], "b") == second
    assert desk.applying([first, second], "c") == second
