"""Words of the pilot's page; what it looks like was looked at in a browser."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tierwise.cli import pilot_page
from tierwise.domain.review import KINDS
from tierwise.pipeline import pilot
from tierwise.pipeline.cohort import Asked
from tierwise.ports.pilot import PilotDecision, PilotLead

SINCE = datetime(2026, 10, 1, tzinfo=UTC)


def told(*leads: PilotLead, pod: str | None = None) -> dict[str, Any]:
    asked = Asked(SINCE, SINCE + timedelta(days=30), SINCE + timedelta(days=30), within=timedelta(days=14), pod=pod)
    house = pilot.House(("A", "B"), dict.fromkeys(KINDS, timedelta(hours=8)))
    found = pilot.Found(leads=leads, before=[], items=[], watched=[], automated=[], spent_usd=None)
    return pilot.report(found, asked=asked, house=house)


def test_what_came_from_outside_is_escaped() -> None:
    made = PilotDecision(1, SINCE, "<i>", "scored", "accept", "<u>pod", ("<b>CODE",), None, False)
    lead = PilotLead("<crm>", "<id>", SINCE, SINCE, SINCE, False, False, (made,), ())
    html = pilot_page.page(told(lead, pod="<u>pod"))
    assert "&lt;u&gt;pod" in html
    assert "&lt;b&gt;CODE" in html
    for raw in ("<u>", "<b>CODE", "<i>", "<crm>", "<id>"):
        assert raw not in html


def test_an_empty_pilot_says_unknown_and_never_zero_percent() -> None:
    html = pilot_page.page(told())
    assert html.count("unknown") > 10
    assert "0%" not in html.replace("100%", "")
    assert "$0" not in html


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "not reached"), (0, "0 s"), (42.4, "42 s"), (90, "1.5 min"), (4680, "1.3 h"), (181_440, "2.1 d")],
)
def test_durations_are_told_in_words(seconds: float | None, text: str) -> None:
    assert pilot_page.lasting(seconds) == text


def test_shares_differences_and_money() -> None:
    assert (
        pilot_page.shared({"hits": 12, "n": 40, "value": 0.3, "interval": [0.18, 0.45]}) == "12 of 40, 30% (18% to 45%)"
    )
    assert pilot_page.shared({"value": None}) == "unknown (of none)"
    assert pilot_page.points({"difference": 0.1, "interval": [-0.00001, 0.2]}) == "+10.0 points (+0.0 to +20.0)"
    assert pilot_page.points({"difference": None}) == "unknown"
    assert [pilot_page.money(usd) for usd in (None, 0.0021, 1234.5)] == ["unknown", "$0.0021", "$1,234.50"]
    assert [pilot_page.met(state) for state in (None, True, False)] == ["unknown", "met", "missed"]
    assert pilot_page.between({"median": None, "interval": [None, None]}) == "not reached"
    assert pilot_page.between({"median": 60, "interval": [30, None]}) == "1.0 min (30 s to not reached)"
    assert pilot_page.amount({"amounts": {"EUR": 1500.0}, "deals_without_amount": 2}) == "1,500 EUR, 2 deals without"
