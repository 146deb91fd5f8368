"""Who is in a period's figures, and up to when something is known of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tierwise.pipeline import cohort
from tierwise.pipeline.cohort import Asked
from tierwise.ports.pilot import PilotDecision, PilotLabel, PilotLead, Watched

SINCE = datetime(2026, 10, 1, tzinfo=UTC)
DAY = timedelta(days=1)
ASKED = Asked(SINCE, SINCE + 30 * DAY, SINCE + 50 * DAY, within=14 * DAY)
WATCHED = Watched("crm", SINCE - 60 * DAY, SINCE - 60 * DAY, SINCE + 49 * DAY, frozenset({"stage", "touch"}))


def decided(number: int, at: datetime, *, tier: str = "A", route: str = "emea") -> PilotDecision:
    return PilotDecision(number, at, tier, "scored", "accept", route, ("BIG",), 0.1, False)


def said(at: datetime, subject: str, value: str) -> PilotLabel:
    return PilotLabel("crm_outcome", subject, value, None, None, None, None, at)


def lead(*, began: datetime = SINCE + DAY, decisions: Any = (), labels: Any = (), **more: Any) -> PilotLead:
    given: dict[str, Any] = {
        "connection": "crm", "record_id": "1", "submitted_at": began, "first_seen_at": began, "shown_at": None,
        "adopted": False, "tier_kept": False, "decisions": tuple(decisions), "labels": tuple(labels), **more,
    }  # fmt: skip
    return PilotLead(**given)


def seen(one: PilotLead, *, watched: Watched = WATCHED, asked: Asked = ASKED) -> cohort.Seen:
    (found,) = cohort.seen([one], [watched], asked=asked)
    return found


def test_the_decision_that_stood_when_sales_acted_is_the_one_that_counts() -> None:
    first, second = decided(1, SINCE + DAY), decided(2, SINCE + 3 * DAY, tier="D", route="us")
    assert seen(lead(decisions=[first, second])).standing == second, "nobody acted: the newest"
    acted = seen(lead(decisions=[first, second], labels=[said(SINCE + 2 * DAY, "stage", "opportunity")]))
    assert acted.standing == first
    assert seen(lead()).standing is None


def test_a_pod_has_the_leads_that_are_routed_to_it() -> None:
    both = [
        lead(decisions=[decided(1, SINCE + DAY)]), lead(decisions=[decided(2, SINCE + DAY, route="us")]), lead(),
    ]  # fmt: skip
    assert len(cohort.seen(both, [WATCHED], asked=ASKED)) == 3
    found = cohort.seen(both, [WATCHED], asked=ASKED._replace(pod="us"))
    assert [one.standing and one.standing.id for one in found] == [2]


def test_a_lead_is_complete_when_its_whole_follow_up_was_watched() -> None:
    assert seen(lead()).complete
    assert not seen(lead(began=SINCE + 36 * DAY)).complete, "too young"
    late = WATCHED._replace(outcomes_from=SINCE + 2 * DAY)
    assert not seen(lead(), watched=late).followed, "nobody watched its first day"
    assert not seen(lead(), watched=WATCHED._replace(subjects=frozenset({"touch"}))).followed, "no stage was ever told"
    assert not seen(lead(), watched=WATCHED._replace(outcomes_from=None, outcomes_until=None)).touches_known
    (stranger,) = cohort.seen([lead(connection="other")], [WATCHED], asked=ASKED)
    assert not stranger.complete
    assert not stranger.touches_known


def test_outcomes_count_within_the_follow_up_and_touches_ever() -> None:
    late = [said(SINCE + 20 * DAY, "stage", "opportunity"), said(SINCE + 20 * DAY, "touch", "call")]
    found = seen(lead(labels=late))
    assert found.became.accepted is None
    assert found.wait(found.became.accepted) == (14 * 86_400, False), "nobody looked any further"
    assert cohort.touched(found) == SINCE + 20 * DAY
    assert found.wait(cohort.touched(found), followed=False) == (19 * 86_400, True)
    waiting = seen(lead())
    assert waiting.wait(None, followed=False) == (48 * 86_400, False), "as long as it was watched"


def test_a_connections_own_words_count() -> None:
    asked = ASKED._replace(accepted={"crm": ["Taken"]})
    assert seen(lead(labels=[said(SINCE + 2 * DAY, "status", "taken")]), asked=asked).became.accepted is not None
    assert seen(lead(labels=[said(SINCE + 2 * DAY, "status", "taken")])).became.accepted is None


def test_the_period_before_is_as_long() -> None:
    assert ASKED.before == (SINCE - 30 * DAY, SINCE)
    assert ASKED.days == 30
    assert ASKED._replace(now=SINCE + 10 * DAY).days == 10
