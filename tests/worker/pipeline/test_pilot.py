"""A pilot's figures against what is true of two months that are played day by day."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tierwise_fixtures import piloted
from tierwise_fixtures.piloted import NAME, NOW, SINCE, UNTIL, Piloted

from tierwise import store
from tierwise.domain.review import KINDS
from tierwise.pipeline import pilot
from tierwise.pipeline.cohort import Asked
from tierwise.ports.automation import Automated
from tierwise.ports.pilot import PilotDecision, PilotItem, PilotLabel, PilotLead, Watched

DAY = timedelta(days=1)
HOUSE = pilot.House(("A", "B", "C", "D"), dict.fromkeys(KINDS, timedelta(hours=8)))
ASKED = Asked(SINCE, UNTIL, NOW, within=14 * DAY)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Piloted]:
    url = f"sqlite:///{tmp_path_factory.mktemp('pilot') / 'x.db'}"
    store.upgrade(url)
    opened = store.open_store(url)
    yield Piloted(opened, each=2)
    opened.close()


def told(played: Piloted, asked: Asked = ASKED, **more: Any) -> dict[str, Any]:
    period = played.store.pilots
    start, end = asked.before
    found = pilot.Found(
        leads=period.leads(since=asked.since, until=asked.until), before=period.leads(since=start, until=end),
        items=period.items(since=asked.since, until=asked.until), watched=period.watched(),
        **{"automated": [], "spent_usd": 1.25, **more},
    )  # fmt: skip
    made = pilot.report(found, asked=asked, house=HOUSE)
    assert json.loads(json.dumps(made)) == made, "plain JSON"
    return made


def test_speed_and_touch_are_those_that_were_played(played: Piloted) -> None:
    mine = played.of()
    found = told(played)
    took = [(one.shown - one.submitted).total_seconds() for one in mine]
    assert found["sla"]["measured"] == len(mine) == 60
    assert found["sla"]["to_crm"]["median"] == pytest.approx(statistics.median_low(took))
    assert found["sla"]["to_crm"]["p95"] == pytest.approx(sorted(took)[-(-60 * 95 // 100) - 1])
    assert found["sla"]["met"]["median"] is (statistics.median_low(took) <= 300)
    assert found["sla"]["to_decision"]["median"] < found["sla"]["to_crm"]["median"]
    touches = sorted((one.touched - one.submitted).total_seconds() for one in mine if one.touched is not None)
    assert (found["touch"]["n"], found["touch"]["ended"]) == (60, len(touches))
    assert found["touch"]["p25"] == pytest.approx(touches[-(-60 // 4) - 1]), "of all leads, touched or not"
    assert [one["name"] for one in found["touch"]["by_tier"]] == ["A", "B", "C", "D"]


def test_acceptance_and_conversion_are_those_that_were_played(played: Piloted) -> None:
    def right(some: Any) -> int:
        return sum(one.accepted is not None and one.accepted <= one.submitted + 14 * DAY for one in some)

    found = told(played)
    before = played.of(since=piloted.BEGIN, until=SINCE)
    accepted = found["accepted"]
    assert (accepted["period"]["hits"], accepted["period"]["n"]) == (right(played.of()), 60)
    assert (accepted["before"]["hits"], accepted["before"]["n"]) == (right(before), 60)
    assert accepted["difference"] == pytest.approx((right(played.of()) - right(before)) / 60)
    assert accepted["interval"][0] < accepted["difference"] < accepted["interval"][1]
    by_tier = {row["name"]: row for row in found["conversion"]["by_tier"]}
    for tier, row in by_tier.items():
        some = [one for one in played.of() if one.tier == tier]
        assert (row["leads"], row["accepted"]["hits"]) == (len(some), right(some))
        won = [one for one in some if one.won and one.accepted and one.accepted + 3 * DAY <= one.submitted + 14 * DAY]
        assert row["won"]["hits"] == len(won)
        assert row["amounts"].get("EUR", 0) == sum(one.won or 0 for one in won)
    asked = next(row for row in found["conversion"]["by_reason"] if row["name"] == "ASKED_FOR_SALES")
    assert (asked["leads"], asked["accepted"]) == (by_tier["A"]["leads"], by_tier["A"]["accepted"])


def test_a_pod_is_a_part_of_it(played: Piloted) -> None:
    parts = [told(played, ASKED._replace(pod=pod)) for pod in piloted.PODS]
    whole = told(played)
    assert sum(part["leads"]["n"] for part in parts) == whole["leads"]["n"]
    assert [part["leads"]["n"] for part in parts] == [len(played.of(pod=pod)) for pod in piloted.PODS]
    assert sum(part["accepted"]["period"]["hits"] for part in parts) == whole["accepted"]["period"]["hits"]
    assert sum(part["exceptions"]["opened"] for part in parts) == whole["exceptions"]["opened"]


def test_exceptions_overrides_and_cost(played: Piloted) -> None:
    found = told(played)
    items = played.store.reviews.list(state=None, limit=1000)
    mine = [item for item in items if SINCE <= item.created_at < UNTIL]
    assert found["exceptions"]["opened"] == len(mine)
    assert found["exceptions"]["per_day"] == pytest.approx(len(mine) / 30)
    assert sum(day["n"] for day in found["exceptions"]["by_day"]) == len(mine)
    assert len(found["exceptions"]["by_day"]) == 30
    (kind,) = found["exceptions"]["by_kind"]
    answered = [item for item in mine if item.answered_at is not None]
    assert (kind["kind"], kind["answered"], kind["open"]) == (
        "low_confidence",
        len(answered),
        len(mine) - len(answered),
    )
    said = {label.decision_id: label.value for label in played.store.labels.list(source="review")}
    wrong = sum(item.tier != said[item.decision_id] for item in answered)
    overrides = found["overrides"]
    assert overrides["drawn"]["hits"] + overrides["asked"]["hits"] == wrong
    assert overrides["drawn"]["n"] + overrides["asked"]["n"] == len(answered)
    assert overrides["automated"]["value"] is None, "nothing was automated"
    assert found["cost"]["per_lead_usd"] == pytest.approx(0.002)
    assert found["cost"]["spent_usd"] == 1.25
    assert told(played, ASKED._replace(pod="us"))["cost"]["spent_usd"] is None


def test_what_nobody_could_see_is_unknown_and_not_nothing(played: Piloted) -> None:
    first = Asked(piloted.BEGIN, SINCE, NOW, within=14 * DAY)
    found = told(played, first)
    assert found["accepted"]["period"]["n"] == 60
    assert (found["accepted"]["difference"], found["accepted"]["before"]["value"]) == (None, None)
    assert found["accepted"]["unknown"] == "of the period before: there are no leads"
    # Ten days after its end most leads are too young to be compared.
    young = told(played, ASKED._replace(now=UNTIL - 10 * DAY))
    assert young["accepted"]["period"]["too_young"] > 0
    assert young["accepted"]["period"]["n"] + young["accepted"]["period"]["too_young"] == young["leads"]["n"]


# -- single cases -------------------------------------------------------------------------------------------------

START = datetime(2026, 10, 2, tzinfo=UTC)
WATCHED = Watched("crm", SINCE - 60 * DAY, SINCE - 60 * DAY, NOW, frozenset({"stage", "touch"}))


def lead(key: str = "1", *, decided: float | None = 60, shown: float | None = 65, **more: Any) -> PilotLead:
    decisions = more.pop("decisions", None)
    if decisions is None:
        when = START + timedelta(seconds=decided or 0)
        made = PilotDecision(int(key), when, "A", "scored", "accept", "emea", (), 0.1, False)
        decisions = (made,) if decided is not None else ()
    at = None if shown is None else START + timedelta(seconds=shown)
    given: dict[str, Any] = {
        "submitted_at": START, "first_seen_at": START, "shown_at": at, "adopted": False, "tier_kept": False,
        "decisions": decisions, "labels": (), **more,
    }  # fmt: skip
    return PilotLead(connection=NAME, record_id=key, **given)


def of(*leads: PilotLead, **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "leads": leads, "before": [], "items": [], "watched": [WATCHED], "automated": [], "spent_usd": None, **more,
    }  # fmt: skip
    asked = given.pop("asked", ASKED)
    return pilot.report(pilot.Found(**given), asked=asked, house=HOUSE)


def test_what_still_waits_makes_the_figures_worse() -> None:
    found = of(lead("1"), lead("2", decided=None, shown=None), lead("3", decided=None, shown=None))["sla"]
    assert (found["measured"], found["waiting"]) == (3, 2)
    assert (found["to_crm"]["median"], found["met"]) == (None, {"median": False, "p95": False})
    fresh = of(lead(decided=None, shown=None), asked=ASKED._replace(now=START + timedelta(seconds=30)))["sla"]
    assert fresh["met"] == {"median": None, "p95": None}, "half a minute tells nothing yet"


def test_leads_that_say_nothing_of_our_speed_are_counted_apart() -> None:
    late = PilotDecision(9, START - DAY, "A", "scored", "accept", "emea", (), 0.1, False)
    found = of(
        lead("1"), lead("2", submitted_at=None), lead("3", decisions=(late,)), lead("4", adopted=True, decided=None),
        watched=[WATCHED],
    )["sla"]  # fmt: skip
    assert found["measured"] == 1
    assert found["left_out"] == {"without_submit_time": 1, "submitted_again": 1, "had_advice": 1}
    older = of(lead(), watched=[WATCHED._replace(known_from=START + DAY)])["sla"]
    assert (older["measured"], older["left_out"], older["to_crm"]["median"]) == (0, {"older_than_connection": 1}, None)
    assert older["unknown"]


@pytest.mark.parametrize(
    ("watched", "why"),
    [
        (WATCHED._replace(subjects=frozenset()), "told no"),
        (WATCHED._replace(outcomes_from=START + DAY), "read since 2026-10-03 only"),
        (WATCHED._replace(outcomes_from=None, outcomes_until=None, subjects=frozenset({"touch", "stage"})), "watched"),
    ],
)
def test_why_nothing_is_known_of_sales(watched: Watched, why: str) -> None:
    found = of(lead(), watched=[watched])
    assert found["touch"]["median"] is None
    assert found["accepted"]["period"]["value"] is None
    assert why in found["touch"]["unknown"]
    assert why in found["accepted"]["unknown"]


def test_one_unknown_price_makes_the_cost_unknown() -> None:
    dear = PilotDecision(2, START, "A", "scored", "accept", "emea", (), None, False)
    found = of(lead("1"), lead("2", decisions=(dear,)))["cost"]
    assert (found["usd"], found["per_lead_usd"]) == (None, None)
    assert found["unknown"] == "the price of a model is unknown for 1 of 2 leads"
    assert of()["cost"]["per_lead_usd"] is None


def test_overrides_tell_drawn_leads_and_fields_apart() -> None:
    def said(source: str, value: str, decision: int) -> PilotLabel:
        return PilotLabel(source, "tier", value, None, None, None, decision, START)

    drawn = PilotDecision(2, START, "A", "scored", "accept", "emea", (), 0.1, True)
    found = of(
        lead("1", labels=(said("review", "A", 1), said("review", "C", 1), said("rep_feedback", "too_high", 1))),
        lead("2", decisions=(drawn,), labels=(said("review", "A", 2), said("review", "B", 999)), tier_kept=True),
        automated=[
            Automated(number, NAME, str(number), number, "their_tier", None, "gold", state, "", START, START)  # type: ignore[arg-type]
            for number, state in ((1, "written"), (2, "kept"), (7, "kept"))
        ],
    )["overrides"]  # fmt: skip
    assert (found["drawn"]["hits"], found["drawn"]["n"]) == (0, 1)
    assert (found["asked"]["hits"], found["asked"]["n"]) == (1, 1), "the last word counts"
    assert found["feedback"] == {"too_high": 1}
    assert (found["our_field"]["hits"], found["our_field"]["n"]) == (1, 2)
    assert (found["automated"]["hits"], found["automated"]["n"]) == (1, 2), "of leads of this report"


def test_what_is_open_counts_in_the_resolution_time_and_the_audit_is_no_exception() -> None:
    def item(kind: Any, state: str, hours: float | None = None) -> PilotItem:
        done = None if hours is None else START + timedelta(hours=hours)
        return PilotItem(NAME, kind, state, START, done, "emea", True)

    items = [item("guardrail", "answered", 1), item("guardrail", "open"), item("guardrail", "superseded"),
             item("audit_sample", "answered", 2)]  # fmt: skip
    found = of(items=items)["exceptions"]
    assert found["opened"] == 3
    audit, guardrail = found["by_kind"]
    assert (guardrail["answered"], guardrail["open"], guardrail["superseded"]) == (1, 1, 1)
    assert (guardrail["median"], guardrail["p95"]) == (3600, None)
    assert guardrail["within_sla"] == pytest.approx(0.5)
    assert audit["kind"] == "audit_sample"
    nothing = of(items=items, asked=ASKED._replace(pod="us"))["exceptions"]
    assert (nothing["opened"], nothing["by_kind"]) == (0, [])
    early = of(watched=[WATCHED._replace(known_from=NOW)])["exceptions"]
    assert (early["per_day"], early["by_day"]) == (None, []), "before anything was set up there could be none"
