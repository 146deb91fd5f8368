"""Nothing that changed in the CRM is lost, whatever goes wrong while it is read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise import errors
from tierwise.pipeline import poll
from tierwise.sdk import Page

OVERLAP = poll.Pace().overlap


def _fill(line: Any, count: int) -> list[str]:
    made = [str(100 + number) for number in range(count)]
    for record_id in made:
        line.put(record_id)
    return made


def test_a_window_is_stored_page_by_page_and_the_cursor_follows(line: Any) -> None:
    made = _fill(line, 7)
    polled = line.poll()
    assert (polled.pages, polled.records, polled.new, polled.complete) == (3, 7, 7, True)
    assert set(line.stored()) == set(made)
    assert line.work() == {"ready": 7}
    state = line.cursor()
    assert (state.watermark, state.last_polled_at) == (line.clock.now, line.clock.now)
    assert state.next_poll_at == line.clock.now + timedelta(seconds=60)
    (request,) = line.crm.requests
    assert request.properties == ("company", "created", "email", "employees", "message")


def test_nothing_changed_is_a_whole_window_too(line: Any) -> None:
    assert line.poll() == poll.Polled(pages=1, complete=True)
    assert line.cursor().watermark == line.clock.now


def test_the_next_window_begins_before_the_watermark(line: Any) -> None:
    _fill(line, 2)
    line.poll()
    watermark = line.cursor().watermark
    line.clock.wait(600)
    line.put("late")
    polled = line.poll(overlap=900)
    assert line.crm.requests[-1].since == watermark - timedelta(seconds=900)
    assert (polled.new, polled.unchanged) == (1, 2)
    assert line.work() == {"ready": 3}, "what was read again is not queued again"


@pytest.mark.parametrize("skew", [-90, 0, 90])
def test_the_crms_own_clock_ends_the_window(line: Any, skew: int) -> None:
    line.crm.skew = timedelta(seconds=skew)
    line.clock.wait(100)
    _fill(line, 1)
    line.poll()
    assert line.crm.requests[0].until == line.crm.now() == line.cursor().watermark


def test_the_end_is_fixed_before_the_first_request(line: Any) -> None:
    """What changes while we read has its turn in the next window; else pages would shift under the reader."""
    _fill(line, 5)
    end = line.crm.now()

    def change(page: int) -> None:
        line.put("100", company="Globex") if page == 2 else line.clock.wait(1)

    line.crm.before_page = change
    polled = line.poll()
    assert (line.crm.requests[0].until, line.cursor().watermark) == (end, end)
    assert (polled.records, polled.changed) == (5, 0)
    assert line.story("100").lead.company == "Acme"
    line.crm.before_page = lambda _: None
    assert line.poll().changed == 1
    assert line.story("100").lead.company == "Globex"


def test_a_clock_that_goes_backwards_does_not_take_the_cursor_along(line: Any) -> None:
    line.clock.wait(100)
    line.poll()
    watermark = line.cursor().watermark
    line.crm.skew = timedelta(seconds=-50)
    line.poll()
    assert line.cursor().watermark == line.crm.requests[-1].until == watermark


@pytest.mark.parametrize(
    "error", [errors.Unreachable(), errors.RetryLater(after=9), errors.PauseConnection("token"), ValueError("a bug")]
)
def test_the_cursor_stays_before_a_page_that_was_not_stored(line: Any, error: Exception) -> None:
    made = _fill(line, 7)
    end = line.crm.now()

    def fail(page: int) -> None:
        if page == 2:
            raise error

    line.crm.before_page = fail
    with pytest.raises(type(error)):
        line.poll()
    assert sorted(line.stored()) == made[:3]
    state = line.cursor()
    assert (state.watermark, state.last_polled_at) == (line.at(0), None)
    assert state.next_poll_at == line.clock.now + timedelta(seconds=60)

    line.clock.wait(60)
    line.put("late")  # after the window's end: it has to wait
    polled = line.poll()
    first, second = line.crm.requests
    assert (second.since, second.until) == (first.since, first.until)
    assert second.until == end
    assert second.position == {"at": line.crm.modified[made[2]].isoformat(), "id": made[2]}
    assert (polled.records, polled.new, polled.complete) == (4, 4, True)
    assert sorted(line.stored()) == made
    assert line.cursor().watermark == end
    assert line.poll().new == 1


def test_a_long_poll_stops_and_goes_on_where_it_was(line: Any) -> None:
    made = _fill(line, 8)
    line.crm.before_page = lambda _: line.clock.wait(30)
    first = line.poll(longest=45)
    assert (first.pages, first.records, first.complete) == (2, 6, False)
    state = line.cursor()
    assert (state.watermark, state.next_poll_at) == (line.at(0), line.clock.now), "the rest is due at once"
    second = line.poll(longest=45)
    assert (second.pages, second.records, second.complete) == (1, 2, True)
    assert sorted(line.stored()) == made
    assert line.cursor().watermark == line.crm.requests[0].until


def test_one_poller_at_a_time(line: Any) -> None:
    _fill(line, 4)
    inner: list[Any] = []
    line.crm.before_page = lambda page: inner.append(line.poll(owner="second")) if page == 1 else None
    assert line.poll().complete
    assert inner == [None]
    assert len(line.crm.requests) == 1, "who has no lease asks the CRM nothing"


@pytest.mark.parametrize("off", ["disable", "pause"])
def test_a_connection_that_is_off_is_not_polled(line: Any, off: str) -> None:
    reason = ["no scope"] if off == "pause" else []
    getattr(line.store.connections, off)(line.name, *reason, now=line.clock.now)
    assert line.poll() is None
    assert line.crm.requests == []


def test_who_slept_past_the_lease_stores_nothing_more(line: Any) -> None:
    made = _fill(line, 7)

    def sleep(page: int) -> None:
        if page == 2:
            line.clock.wait(121)
            assert line.store.cursors.claim(line.name, owner="next", lease=120, now=line.clock.now) is not None

    line.crm.before_page = sleep
    with pytest.raises(errors.LeaseLost):
        line.poll(lease=120)
    assert sorted(line.stored()) == made[:3]
    assert line.poll(owner="third") is None, "the lease of the one who took over still stands"


def test_a_record_that_does_not_conform_is_seen_once_and_not_lost(line: Any) -> None:
    line.put("bad", email="", message="ada@private.example")
    polled = line.poll()
    assert (polled.rejected, polled.new) == (1, 0)
    (item,) = line.store.reviews.list()
    assert (item.kind, item.record_id) == ("schema", "bad")
    assert "private" not in item.reason
    fingerprint = line.stored()["bad"].fingerprint
    line.clock.wait(60)
    assert (line.poll().unchanged, len(line.store.reviews.list())) == (1, 1)
    assert line.stored()["bad"].fingerprint == fingerprint
    line.put("bad", email="ada@acme.example")
    assert line.poll().changed == 1
    assert line.store.reviews.list() == []
    assert line.work() == {"ready": 1}


def test_a_duplicate_is_the_one_that_was_submitted_later(line: Any) -> None:
    line.put("1", email="ada@acme.example", created="2026-11-02T08:30:00Z")
    line.put("2", email="Ada@Acme.example", created="2026-11-02T08:10:00Z")
    line.put("3", email="bob@acme.example")
    line.poll()
    assert {record_id: line.story(record_id).lead.is_duplicate for record_id in "123"} == {
        "1": True, "2": False, "3": False,
    }  # fmt: skip
    # Whoever came first stays first, however early another one says it was submitted.
    line.put("4", email="ada@acme.example", created="2026-11-01T00:00:00Z")
    polled = line.poll()
    assert (polled.new, polled.unchanged, line.story("4").lead.is_duplicate) == (1, 3, True)


def test_a_connector_without_a_last_page_completes_no_window(line: Any) -> None:
    now = line.crm.now

    class Endless:
        def now(self) -> Any:
            return now()

        def changes(self, *_: Any, **__: Any) -> Iterator[Page]:
            yield Page((), {"at": "here"})

    line.crm = Endless()
    with pytest.raises(AssertionError, match="last page"):
        line.poll()
    assert line.cursor().watermark == line.at(0)


# What may happen to a portal while it is polled, in any order. Numbers are records.
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 8)),
        st.tuples(st.just("wait"), st.integers(1, 400)),
        st.tuples(
            st.just("poll"),
            st.sampled_from(["well", "fail", "bug", "short", "sleep"]),
            st.integers(1, 3),  # at which page something happens
            st.one_of(st.none(), st.integers(0, 8)),  # record that changes meanwhile
        ),
    ),
    max_size=14,
)


@given(steps=STEPS, lag=st.integers(0, int(OVERLAP)))
def test_whatever_happens_nothing_before_the_cursor_is_missing(fresh: Any, steps: list[Any], lag: int) -> None:
    with fresh() as line:
        line.crm.page_size = 2
        line.crm.lag = timedelta(seconds=lag)
        current: dict[str, str] = {}
        for step in steps:
            _do(line, step, current)
            _nothing_is_missing(line, current)
        line.crm.before_page = lambda _: None
        line.clock.wait(lag + 1)
        while not line.poll().complete:
            _nothing_is_missing(line, current)
        line.poll()
        assert {record_id: line.story(record_id).lead.company for record_id in line.stored()} == current
        assert line.store.leads.counts()["leads"] == len(current)
        claimed: list[Any] = []
        while claims := line.store.works.claim(limit=50, owner="w", lease=9e9, now=line.clock.now):
            claimed += claims
        assert sorted(claim.record_id for claim in claimed) == sorted(current), "each is to be decided exactly once"


def _do(line: Any, step: Any, current: dict[str, str]) -> None:
    name, *how = step
    if name == "put":
        _put(line, how[0], current)
    elif name == "wait":
        line.clock.wait(how[0])
    else:
        _one_poll(line, how[0], how[1], how[2], current)


def _put(line: Any, number: int, current: dict[str, str]) -> None:
    """The record is created or changed, to something that it never was before."""
    current[str(number)] = f"Company {line.clock.elapsed}"
    line.put(str(number), company=current[str(number)])


def _nothing_is_missing(line: Any, current: dict[str, str]) -> None:
    """What was modified up to the watermark, less the overlap, is stored as it is now."""
    edge = line.cursor().watermark - timedelta(seconds=OVERLAP)
    for record_id, moment in line.crm.modified.items():
        if moment <= edge:
            assert line.story(record_id).lead.company == current[record_id]


def _one_poll(line: Any, how: str, at: int, meanwhile: int | None, current: dict[str, str]) -> None:
    """A poll in which something happens before its page number `at`."""
    begun = line.crm.pages

    def happen(page: int) -> None:
        if page != begun + at:
            return
        if meanwhile is not None:
            _put(line, meanwhile, current)
        if how == "fail":
            raise errors.RetryLater("503")
        if how == "bug":
            raise ValueError("a bug")
        if how == "short":
            line.clock.wait(60)
        if how == "sleep":
            line.clock.wait(121)
            claim = line.store.cursors.claim(line.name, owner="next", lease=1, now=line.clock.now)
            assert claim is not None

    line.crm.before_page = happen
    try:
        line.poll(overlap=OVERLAP)
    except (errors.RetryLater, errors.LeaseLost, ValueError):
        line.clock.wait(2)  # for the lease of whoever took over
