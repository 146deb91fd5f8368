"""Our own fields read back: delivered, put right again, or left to the person who changed them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tierwise.domain import echo
from tierwise.store import columns, echoes


@pytest.fixture
def sent(desk: Any) -> Any:
    """Record 1 was decided and written."""
    desk.decide(desk.arrival("1"))
    desk.send()
    desk.wait(5)
    return desk


def story(desk: Any) -> Any:
    return desk.store.leads.story("crm", "1")[0]


def test_what_was_written_is_read_back(sent: Any) -> None:
    done = sent.poll(sent.arrival("1"))
    assert (done.delivered, done.repaired, done.kept, done.unchanged) == (1, 0, 0, 1)
    first = story(sent).delivered_at
    assert first == sent.now
    sent.wait(5)
    assert sent.poll(sent.arrival("1")).delivered == 0
    assert story(sent).delivered_at == first


def test_a_page_that_was_read_before_our_write_is_no_evidence(sent: Any) -> None:
    """The CRM's search lags: a record as it was before is no reason to write again."""
    done = sent.poll(sent.arrival("1", own={}, modified_at=sent.now - timedelta(seconds=6)))
    assert (done.delivered, done.repaired) == (0, 0)
    assert sent.outgoing() == []


def test_a_crm_that_stamps_whole_seconds_shows_our_write_before_it_began(desk: Any) -> None:
    """Salesforce: what replaced our values within that second would be taken for a page of before, and stay."""
    desk.now = desk.now.replace(microsecond=633_000)
    desk.decide(desk.arrival("1"))
    desk.send()
    desk.wait(5)
    desk.decide(desk.arrival("1", company="B"), score=20, tier="D")
    second = desk.now.replace(microsecond=0)
    desk.send()
    desk.apply("1", {"tierwise_score": 80, "tierwise_tier": "A"})
    desk.wait(5)
    done = desk.poll(desk.arrival("1", company="B", modified_at=second))
    assert (done.delivered, done.repaired) == (0, 1)


def test_our_own_write_is_recognised_though_the_clocks_differ(sent: Any) -> None:
    done = sent.poll(sent.arrival("1", modified_at=sent.now - timedelta(hours=1)))
    assert done.delivered == 1


def test_an_earlier_value_of_ours_is_put_right(sent: Any) -> None:
    sent.decide(sent.arrival("1", company="B"), score=20, tier="D")
    sent.send()
    sent.wait(5)
    sent.apply("1", {"tierwise_score": 80, "tierwise_tier": "A"})  # a writer that died late, a restored backup
    done = sent.poll(sent.arrival("1", company="B"))
    assert (done.delivered, done.repaired) == (0, 1)
    assert sent.send() == 1
    assert (sent.crm["1"]["tierwise_score"], sent.crm["1"]["tierwise_tier"]) == (20, "D")
    sent.wait(5)
    assert sent.poll(sent.arrival("1", company="B")).delivered == 1


def test_an_emptied_field_is_filled_again(sent: Any) -> None:
    sent.apply("1", {"tierwise_tier": None})
    assert sent.poll(sent.arrival("1")).repaired == 1
    sent.send()
    assert sent.crm["1"]["tierwise_tier"] == "A"


def test_a_persons_value_is_kept(sent: Any) -> None:
    sent.apply("1", {"tierwise_tier": "B"})
    done = sent.poll(sent.arrival("1"))
    assert (done.kept, done.repaired, done.delivered) == (1, 0, 1)
    assert story(sent).kept == ("tierwise_tier",)
    sent.decide(sent.arrival("1", company="B"), score=20, tier="D")
    (row,) = sent.outgoing()
    assert row.kept == ("tierwise_tier",)
    assert "tierwise_tier" not in sent.changes(row)
    sent.wait(61)
    sent.send()
    assert (sent.crm["1"]["tierwise_tier"], sent.crm["1"]["tierwise_score"]) == ("B", 20)


def test_a_field_that_the_person_gave_back_is_ours_again(sent: Any) -> None:
    sent.apply("1", {"tierwise_tier": "B"})
    sent.poll(sent.arrival("1"))
    sent.wait(5)
    sent.apply("1", {"tierwise_tier": None})
    assert sent.poll(sent.arrival("1")).repaired == 1
    assert story(sent).kept == ()
    sent.send()
    assert sent.crm["1"]["tierwise_tier"] == "A"


def test_something_that_undoes_our_writes_is_answered_ever_more_slowly(sent: Any) -> None:
    waits = []
    for _ in range(5):
        sent.apply("1", {"tierwise_tier": None})
        assert sent.poll(sent.arrival("1")).repaired == 1
        started = sent.now
        while not sent.send():
            sent.wait(15)
        waits.append((sent.now - started).total_seconds())
        sent.wait(5)
    assert waits == [0, 60, 180, 420, 900]


@pytest.mark.parametrize(("repairs", "seconds"), [(0, 0), (1, 60), (2, 180), (11, 86_400), (10_000, 86_400)])
def test_pauses_grow_and_end(repairs: int, seconds: float) -> None:
    assert echoes.pause(repairs).total_seconds() == seconds


def test_a_row_that_is_being_written_is_not_overtaken_by_what_a_page_says(sent: Any) -> None:
    sent.decide(sent.arrival("1", company="B"), score=20, tier="D")
    (row,) = sent.outgoing()
    sent.apply("1", {"tierwise_route": "mine"})
    done = sent.poll(sent.arrival("1", company="B"))
    assert (done.repaired, done.kept) == (0, 1)
    # The writer planned without knowing of the person: it must look again before it sends.
    assert sent.store.outbox.intend([(row, sent.changes(row))], batch="b", now=sent.now) == frozenset()
    (again,) = sent.outgoing(owner="b2")
    assert again.kept == ("tierwise_route",)


def test_what_is_in_doubt_stays_in_doubt_while_it_is_written(sent: Any) -> None:
    sent.decide(sent.arrival("1", company="B"), score=20, tier="D")
    (row,) = sent.outgoing()
    sent.store.outbox.intend([(row, sent.changes(row))], batch="b", now=sent.now)
    sent.apply("1", {"tierwise_route": "mine"})
    sent.poll(sent.arrival("1", company="B"))
    sent.wait(61)
    (again,) = sent.outgoing(owner="b2")
    assert again.known["tierwise_tier"] == columns.UNSURE
    assert again.known["tierwise_route"] == "mine"


NOW = datetime(2026, 11, 2, tzinfo=UTC)


def row(**values: Any) -> dict[str, Any]:
    return {
        "state": "sent", "desired": {"tierwise_tier": "A"}, "known": {"tierwise_tier": "A"}, "kept": [],
        "foreign": {}, "clear": False,
        "written": {"tierwise_tier": [echo.mark("A"), echo.mark("C")]}, "generation": 3, "repairs": 0, "attempt": 0,
        "begun_at": NOW, "run_after": NOW, "delivered_at": None, **values,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "shown", "expected"),
    [
        ({}, "A", {"delivered_at"}),
        ({"delivered_at": "before"}, "A", set()),  # nothing new
        ({}, "C", {"state", "generation", "repairs", "known"}),
        ({}, "mine", {"delivered_at", "kept"}),
        ({"state": "refused"}, "C", {"known"}),  # a person has it already
        ({"state": "refused"}, "A", set()),
        ({"state": "ready"}, "C", {"known"}),  # goes out anyway
        ({"state": "leased"}, "C", {"known", "generation"}),
        ({"state": "leased"}, "A", set()),
        # Its writer may be dead, and the next one would go by this alone.
        ({"state": "leased", "known": {"tierwise_tier": columns.UNSURE}}, "mine", {"kept", "generation"}),
        ({"state": "leased", "kept": ["tierwise_tier"]}, "mine", set()),
    ],
)
def test_what_an_echo_changes(values: dict[str, Any], shown: str, expected: set[str]) -> None:
    before = row(**values)
    change = echoes.answer(before, echoes.Shown("1", NOW, {"tierwise_tier": shown}), now=NOW)
    assert {name for name in change if change[name] != before.get(name)} - {"updated_at"} >= expected
    assert bool(change) == bool(expected)
