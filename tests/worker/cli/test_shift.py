"""One key an item, as a reviewer presses them."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from tierwise_fixtures import policies
from tierwise_fixtures.school import School

from tierwise import cli, ports
from tierwise.cli import session, shift


@pytest.fixture
def waiting(home: Path, capsys: pytest.CaptureFixture[str]) -> list[int]:
    assert cli.run(["db", "upgrade"]) == 0
    with session.opened() as parts:
        school = School(parts)
        found = [school.decide().id for _ in range(3)]
    capsys.readouterr()
    return found


def press(monkeypatch: pytest.MonkeyPatch, keys: str) -> None:
    """What is typed, key by key; then nothing comes any more."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(keys))


def _items() -> list[ports.ReviewItem]:
    with session.opened() as parts:
        return sorted(parts.store.reviews.list(state=None), key=lambda item: item.id)


def test_a_shift(waiting: list[int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    # Agree, another tier, that one back, a mistyped key, sleep on it, and the one that is left stays.
    press(monkeypatch, "a2u\nzsq")
    assert cli.run(["review", "work"]) == 0
    shown = capsys.readouterr()
    assert "tier A, outcome accept" in shown.err
    assert "tier B, outcome accept" in shown.err
    assert "is open again" in shown.err
    assert "'z' is none of a, 1, 2, 3, 4, s, u, q" in shown.err
    assert "answered: 1" in shown.err
    items = _items()
    assert sorted(item.state for item in items) == ["answered", "open", "open"]
    assert [(item.answer or {})["agree"] for item in items if item.state == "answered"] == [True]
    assert sum(item.snoozed_until is not None for item in items) == 1
    assert sum(item.reserved_by is not None for item in items if item.state == "open") == 1


def test_it_ends_with_the_terminal_with_the_queue_and_with_the_number_asked_for(
    waiting: list[int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    press(monkeypatch, "")
    assert cli.run(["review", "work"]) == 0
    assert "answered: 0" in capsys.readouterr().err
    press(monkeypatch, "aaaa")
    assert cli.run(["review", "work", "--most", "1"]) == 0
    assert "answered: 1" in capsys.readouterr().err
    assert cli.run(["review", "work"]) == 0
    said = capsys.readouterr().err
    assert "answered: 2" in said
    assert "nothing waits for you" in said
    assert cli.run(["review", "work", "--kind", "none"]) == 2


def test_who_has_not_seen_a_tier_cannot_agree() -> None:
    rubric = policies.rubric()
    assert "a" in shift.keys(rubric, blind=False)
    assert "a" not in shift.keys(rubric, blind=True)
    assert [shift.keys(rubric, blind=True)[key] for key in "1234"] == ["A", "B", "C", "D"]
