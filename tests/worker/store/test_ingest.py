"""A page comes in whole: what is new is queued, what is known costs nothing, what does not conform is visible."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tierwise import errors
from tierwise.domain.lead import digest
from tierwise.store import ingest


def states(desk: Any) -> dict[str, int]:
    return {state: count for state, count in desk.store.works.counts().items() if count}


def test_new_changed_and_unchanged(desk: Any) -> None:
    first = desk.poll(desk.arrival("1"), desk.arrival("2"))
    assert (first.new, first.changed, first.unchanged, first.rejected, first.adopted) == (2, 0, 0, 0, 0)
    second = desk.poll(desk.arrival("1"), desk.arrival("2", company="Other"), desk.arrival("3"))
    assert (second.new, second.changed, second.unchanged) == (1, 1, 1)
    assert desk.store.leads.story("crm", "2")[0].revision == 2
    assert desk.store.leads.story("crm", "2")[0].lead.company == "Other"
    assert sorted((claim.record_id, claim.revision) for claim in desk.claim()) == [("1", 1), ("2", 2), ("3", 1)]
    assert states(desk) == {"leased": 3, "superseded": 1}


def test_reading_the_same_page_again_changes_nothing(desk: Any) -> None:
    page = [desk.arrival("1"), desk.arrival("2"), desk.misfit("3")]
    desk.poll(*page)
    before = [desk.store.leads.story("crm", item.record_id) for item in page]
    for _ in range(2):
        again = desk.poll(*page)
        assert (again.unchanged, again.new, again.changed, again.rejected) == (3, 0, 0, 0)
    assert [desk.store.leads.story("crm", item.record_id) for item in page] == before
    assert states(desk) == {"ready": 2}


def test_a_record_that_comes_twice_counts_as_its_newest_reading(desk: Any) -> None:
    old = desk.arrival("1", company="Old")
    new = desk.arrival("1", company="New", modified_at=desk.now + timedelta(seconds=1))
    assert desk.poll(new, old).new == 1
    assert [claim.lead.company for claim in desk.claim()] == ["New"]


def test_of_two_readings_of_one_moment_the_later_counts(desk: Any) -> None:
    assert [item.lead.company for item in ingest.once([desk.arrival("1", company=name) for name in "AB"])] == ["B"]


def test_the_claimed_lead_is_the_one_that_came_in(desk: Any) -> None:
    arrival = desk.arrival("1", message="Zoë wants 💡", annual_revenue=1.5e7, submitted_at=desk.now)
    desk.poll(arrival)
    (claim,) = desk.claim()
    assert claim.lead == arrival.lead
    assert claim.lead.fingerprint() == claim.fingerprint == arrival.fingerprint


def test_a_lead_that_comes_back_to_what_it_was_is_decided_again_at_its_new_place(desk: Any) -> None:
    desk.decide(desk.arrival("1", company="A"))
    desk.decide(desk.arrival("1", company="B"), score=20, tier="D")
    assert desk.poll(desk.arrival("1", company="A")).changed == 1
    (claim,) = desk.claim()
    assert (claim.lead.company, claim.revision, claim.attempt) == ("A", 3, 1)
    key = (claim.connection, claim.record_id, claim.fingerprint, claim.policy)
    assert key in desk.store.decisions.find([key])  # decided for free
    desk.commit([claim])
    (row,) = desk.outgoing()
    assert (row.version, row.desired["tierwise_tier"]) == (3, "A")
    assert desk.store.decisions.verify("crm").links == 2


def test_a_lead_that_flips_while_it_is_being_decided_ends_right(desk: Any) -> None:
    """A, B, A again while the first A is at the model: B must not be what the CRM shows in the end."""
    desk.poll(desk.arrival("1", company="A"))
    (first,) = desk.claim()
    desk.poll(desk.arrival("1", company="B"))
    (second,) = desk.claim()
    desk.commit([second], score=20, tier="D")
    desk.poll(desk.arrival("1", company="A"))
    assert desk.claim() == []  # it is being decided
    assert desk.commit([first]).done == {first.work_id}
    (row,) = desk.outgoing()
    assert (row.desired["tierwise_tier"], row.version) == ("A", 3)


def test_a_record_of_another_database_of_ours_is_adopted(desk: Any) -> None:
    """Our database was lost; the CRM still shows what was decided on exactly this input."""
    lead = desk.lead()
    own = {"tierwise_fingerprint": lead.fingerprint(), "tierwise_status": "scored", "tierwise_tier": "A"}
    done = desk.poll(
        desk.arrival("1", own=own),
        desk.arrival("2", own={**own, "tierwise_fingerprint": digest("older input")}),
        desk.arrival("3", own={"tierwise_fingerprint": lead.fingerprint()}),  # a write that was cut off
    )
    assert (done.adopted, done.new) == (1, 2)
    assert sorted(claim.record_id for claim in desk.claim()) == ["2", "3"]
    assert desk.store.leads.story("crm", "1")[0].own == own
    assert desk.poll(desk.arrival("1", own=own)).unchanged == 1
    assert desk.poll(desk.arrival("1", own=own, company="Changed")).changed == 1
    assert [claim.record_id for claim in desk.claim()] == ["1"]


def test_a_record_that_does_not_conform_is_visible_in_both_places(desk: Any) -> None:
    done = desk.poll(desk.misfit("1", why="no e-mail"))
    assert (done.rejected, done.new) == (1, 0)
    assert desk.claim() == []
    (item,) = desk.store.reviews.list()
    assert (item.kind, item.record_id, item.reason, item.decision_id) == ("schema", "1", "no e-mail", None)
    desk.send()
    assert desk.crm["1"]["tierwise_status"] == "not_scorable"
    assert desk.crm["1"]["tierwise_reasons"] == "no e-mail"
    assert desk.store.leads.counts() == {"leads": 1, "undecided": 0, "undelivered": 1, "rejected": 1, "refused": 0}
    story = desk.store.leads.story("crm", "1")[0]
    assert (story.lead, story.rejected, story.problems) == (None, "no e-mail", ("no e-mail",))


def test_one_item_for_each_way_of_not_conforming(desk: Any) -> None:
    desk.poll(desk.misfit("1", why="no e-mail"))
    desk.poll(desk.misfit("1", why="no e-mail"))
    desk.poll(desk.misfit("1", why="no name"))
    assert [item.reason for item in desk.store.reviews.list()] == ["no name"]
    assert [item.reason for item in desk.store.reviews.list(state="superseded")] == ["no e-mail"]


def test_a_record_that_conforms_later_needs_nobody(desk: Any) -> None:
    desk.poll(desk.misfit("1"))
    desk.send()
    assert desk.poll(desk.arrival("1")).changed == 1
    assert desk.store.reviews.list() == []
    assert desk.store.leads.counts()["rejected"] == 0
    desk.commit(desk.claim())
    desk.send()
    assert desk.crm["1"]["tierwise_status"] == "scored"


def test_a_lead_that_stops_conforming_is_not_decided_any_more(desk: Any) -> None:
    desk.poll(desk.arrival("1"))
    desk.poll(desk.misfit("1"))
    assert desk.claim() == []
    assert states(desk) == {"superseded": 1}
    (row,) = desk.outgoing()
    assert (row.version, row.desired["tierwise_status"]) == (2, "not_scorable")


def test_a_page_is_stored_whole_or_not_at_all(desk: Any) -> None:
    broken = desk.arrival("2")._replace(identity="x" * 10, provenance={"email": object()})
    claim = desk.cursor()
    with pytest.raises((TypeError, sa.exc.StatementError)):
        desk.store.leads.ingest(
            claim, [desk.arrival("1"), broken], policy="p", position={"after": 1}, watermark=None, now=desk.now
        )
    assert desk.store.leads.counts()["leads"] == 0
    assert states(desk) == {}
    desk.wait(61)
    assert desk.cursor().position is None


def test_a_page_without_records_moves_the_cursor(desk: Any) -> None:
    done = desk.poll()
    assert set(done) == {0}
    assert desk.cursor().watermark == desk.now


def test_a_page_longer_than_one_statement_may_be(desk: Any) -> None:
    page = [desk.arrival(str(number)) for number in range(1100)]
    assert desk.poll(*page).new == 1100
    assert desk.poll(*page).unchanged == 1100
    assert len(desk.store.leads.known("crm", [str(number) for number in range(1200)])) == 1100


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (timedelta(0), ingest.RANK_FRESH),
        (timedelta(hours=23), ingest.RANK_FRESH),
        (timedelta(days=2), ingest.RANK_BACKFILL),
        (timedelta(seconds=-30), ingest.RANK_FRESH),  # the CRM's clock is ahead of ours
    ],
)
def test_what_happened_today_is_more_urgent(age: timedelta, expected: int) -> None:
    now = datetime(2026, 11, 2, tzinfo=UTC)
    assert ingest.rank(now - age, now=now) == expected


@pytest.mark.parametrize(
    ("own", "conforms", "known", "expected"),
    [
        ({}, True, None, "new"),
        ({}, True, "other", "changed"),
        ({}, True, "same", "unchanged"),
        ({}, False, None, "rejected"),
        ({}, False, "other", "rejected"),
        ({}, False, "same", "unchanged"),
        ({"tierwise_fingerprint": "same", "tierwise_status": "scored"}, True, None, "adopted"),
        ({"tierwise_fingerprint": "same", "tierwise_status": "scored"}, True, "other", "changed"),
        # The item for a person is lost with the database, so it is opened again.
        ({"tierwise_fingerprint": "same", "tierwise_status": "not_scorable"}, False, None, "rejected"),
    ],
)
def test_kinds(desk: Any, own: Any, conforms: bool, known: str | None, expected: str) -> None:
    arrival = desk.arrival("1", own=own)
    own = {key: arrival.fingerprint if value == "same" else value for key, value in own.items()}
    arrival = arrival._replace(own=own, lead=arrival.lead if conforms else None)
    stored = arrival.fingerprint if known == "same" else known
    assert ingest.kind_of(arrival, stored) == expected


def test_a_lost_lease_stores_nothing(desk: Any) -> None:
    claim = desk.cursor()
    with pytest.raises(errors.LeaseLost):
        desk.store.leads.ingest(
            claim._replace(token=claim.token + 1), [desk.arrival("1")], policy="p", position=None, watermark=None,
            now=desk.now,
        )  # fmt: skip
    assert desk.store.leads.counts()["leads"] == 0


@pytest.mark.parametrize("known", [False, True])
def test_a_page_may_hold_a_merged_record_beside_what_the_search_still_shows_of_it(desk: Any, known: bool) -> None:
    """The old record was never seen, or was; either way one lead comes of both, and the page goes in."""
    if known:
        desk.decide(desk.arrival("2"))
    heir = desk.arrival("3")._replace(former_ids=("1", "2"))
    for _ in range(2):
        desk.poll(desk.arrival("1"), heir, desk.arrival("2"))
        assert [len(desk.store.leads.story("crm", key)) for key in ("1", "2", "3")] == [0, 0, 1]
        assert desk.store.leads.counts("crm")["leads"] == 1
