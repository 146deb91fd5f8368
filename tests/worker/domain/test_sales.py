"""A CRM's words for what sales made of a lead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tierwise.domain import sales
from tierwise.domain.sales import Told

BEGAN = datetime(2026, 10, 1, tzinfo=UTC)
END = BEGAN + timedelta(days=14)


def told(days: float, subject: str, value: str, **more: Any) -> Told:
    given = {"won": None, "amount": None, "currency": None, **more}
    return Told(subject, value, at=BEGAN + timedelta(days=days), **given)


def became(*found: Told, **more: Any) -> sales.Became:
    return sales.became(found, since=BEGAN, until=END, **more)


@pytest.mark.parametrize(
    ("subject", "value", "accepted", "converted"),
    [
        ("stage", "lead", False, False),
        ("stage", "salesqualifiedlead", True, False),
        ("stage", "opportunity", True, True),
        ("stage", "converted", True, True),
        ("status", "OPEN_DEAL", True, False),
        ("status", "Working - Contacted", True, False),
        ("status", "Closed - Converted", True, True),
        ("status", "Closed - Not Converted", False, False),
        ("status", "Open - Not Contacted", False, False),
        ("status", "UNQUALIFIED", False, False),
        ("status", "NEW", False, False),
    ],
)
def test_words_that_crms_ship_with(subject: str, value: str, accepted: bool, converted: bool) -> None:
    found = became(told(1, subject, value))
    assert (found.accepted is not None, found.converted is not None) == (accepted, converted)


def test_an_organisations_own_words_stand_in_place_of_the_usual_ones() -> None:
    ours = {"accepted": ["Taken over"]}
    assert became(told(1, "status", "taken_over"), **ours).accepted is not None
    assert became(told(1, "status", "Working"), **ours).accepted is None
    assert became(told(1, "deal:1", "new"), **ours).accepted is not None, "who makes a deal of it took it"


def test_the_first_time_counts_and_only_within_the_follow_up() -> None:
    found = became(
        told(-3, "stage", "opportunity"), told(5, "stage", "opportunity"), told(2, "status", "OPEN_DEAL"),
        told(3, "touch", "call"), told(1, "touch", "email"), told(30, "deal:1", "won", won=True),
    )  # fmt: skip
    days = [at and (at - BEGAN).days for at in (found.touched, found.accepted, found.converted, found.won)]
    assert days == [1, 2, 5, None]


def test_of_a_deal_the_last_word_counts() -> None:
    found = became(
        told(1, "deal:1", "won", won=True, amount=5.0, currency="EUR"), told(2, "deal:1", "lost", won=False),
        told(3, "deal:2", "won", won=True, amount=7.5, currency="EUR"), told(3, "deal:3", "won", won=True),
    )  # fmt: skip
    assert found.won == BEGAN + timedelta(days=3)
    assert sorted(found.amounts, key=str) == [("", None), ("EUR", 7.5)]
    assert became(told(1, "stage", "customer")).won is not None
