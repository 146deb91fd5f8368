"""The review queue by command; an answer's effect on the CRM is an acceptance test."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tierwise import cli
from tierwise.cli import review
from tierwise.domain.decision import Decision


@pytest.fixture(autouse=True)
def _database(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["db", "upgrade"]) == 0
    capsys.readouterr()


def test_an_empty_queue(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["review", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_an_unknown_kind_is_told_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["review", "list", "--kind", "low"]) == 2
    assert "low_confidence" in capsys.readouterr().err


def test_an_item_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["review", "answer", "99", "--agree"]) == 1
    assert "99" in capsys.readouterr().err


def test_a_lead_that_went_back_shows_what_applies_to_it_now() -> None:
    def made(fingerprint: str, score: int) -> Decision:
        return Decision(
            connection="portal", record_id="7", fingerprint=fingerprint, policy="p", policy_version="1",
            status="scored", outcome="accept", route=None, score=score, decided_at=datetime(2026, 11, 1, tzinfo=UTC),
        )  # fmt: skip

    first, second = made("a", 10), made("b", 20)
    assert review._applying([first, second], "a") == first
    assert review._applying([first, second], "b") == second
    assert review._applying([first, second], "c") == second
