"""The row of what is to be shown: the newer version wins, whoever comes first."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise.domain import echo
from tierwise.store import desired, engine


@pytest.fixture
def put(desk: Any, store_url: str) -> Any:
    """Puts one version of record 1."""
    database = engine.Database(store_url)

    def one(version: int, *, tier: str = "A", own: Any = None, at: str = "t") -> None:
        advice = {"tierwise_tier": tier, "tierwise_status": "scored", "tierwise_scored_at": at}
        row = desired.Desired("crm", "1", advice, version, own or {})
        database.write(lambda connection: desired.put(database, connection, [row], now=desk.now))

    yield one
    database.close()


@pytest.mark.parametrize("order", list(itertools.permutations([1, 2, 3])), ids=str)
def test_the_newest_version_wins_in_any_order(desk: Any, put: Any, order: tuple[int, ...]) -> None:
    for version in order:
        put(version, tier=f"T{version}")
    assert [(row.version, row.desired["tierwise_tier"]) for row in desk.outgoing()] == [(3, "T3")]


def test_equal_content_is_not_sent_again(desk: Any, put: Any) -> None:
    put(1, at="monday")
    assert desk.send() == 1
    put(2, at="tuesday")
    assert desk.outgoing() == []
    put(3, tier="B", at="tuesday")
    assert [row.version for row in desk.outgoing()] == [3]


def test_content_that_was_delivered_stays_delivered(desk: Any, put: Any) -> None:
    put(1)
    desk.send()
    desk.wait(1)
    desk.poll(desk.arrival("1"))
    desk.wait(1)
    desk.poll(desk.arrival("1"))
    assert desk.store.leads.counts()["undelivered"] == 0
    put(2, at="later")
    assert desk.store.leads.counts()["undelivered"] == 0
    put(3, tier="B")
    assert desk.store.leads.counts()["undelivered"] == 1


def test_a_refused_row_is_tried_with_the_next_version(desk: Any, put: Any) -> None:
    put(1)
    desk.send(outcome="refused", error="read only")
    assert desk.outgoing() == []
    put(2)
    assert [row.attempt for row in desk.outgoing()] == [1]


def test_what_is_being_written_keeps_its_writer(desk: Any, put: Any) -> None:
    """Two writers of one record could overtake each other on the way to the CRM."""
    put(1, tier="A")
    (first,) = desk.outgoing()
    put(2, tier="B")
    assert desk.outgoing(owner="other") == []
    assert desk.store.outbox.intend([(first, {"tierwise_tier": "A"})], batch="b", now=desk.now) == frozenset()
    assert [row.desired["tierwise_tier"] for row in desk.outgoing(owner="other")] == ["B"]


def test_fields_of_a_lost_database_are_ours_and_other_ones_a_persons(desk: Any, put: Any) -> None:
    put(1, tier="A", own={"tierwise_tier": "C", "tierwise_status": "scored"})
    (row,) = desk.outgoing()
    assert (row.kept, row.known["tierwise_tier"]) == ((), "C")
    assert desk.changes(row)["tierwise_tier"] == "A"


def test_what_a_person_put_there_before_us_is_kept(desk: Any, put: Any) -> None:
    put(1, tier="A", own={"tierwise_tier": "mine"})
    (row,) = desk.outgoing()
    assert row.kept == ("tierwise_tier",)
    assert desk.changes(row) == {"tierwise_status": "scored", "tierwise_scored_at": "t"}


@given(st.lists(st.integers(0, 40), max_size=60))
def test_earlier_values_are_remembered_within_bounds(values: list[int]) -> None:
    written: Any = {}
    for value in values:
        written = desired.remember(written, {"tierwise_score": value})
    marks = written.get("tierwise_score", [])
    newest = list(dict.fromkeys(reversed(values)))[: desired.EARLIER_WRITES]
    assert marks == [echo.mark(value) for value in reversed(newest)]


def test_content_ignores_when_it_was_decided() -> None:
    one = {"tierwise_tier": "A", "tierwise_scored_at": "monday"}
    assert desired.content(one) == desired.content({**one, "tierwise_scored_at": "tuesday"})
    assert desired.content(one) != desired.content({**one, "tierwise_tier": "B"})
