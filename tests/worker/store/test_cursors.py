"""One process polls a connection at a time, and a page of anybody else is not stored."""

from __future__ import annotations

from concurrent import futures
from datetime import timedelta, timezone
from typing import Any

import pytest

from tierwise import errors


def page(desk: Any, claim: Any, *arrivals: Any, **moved: Any) -> Any:
    moved = {"position": None, "watermark": None, **moved}
    return desk.store.leads.ingest(claim, arrivals, policy="p" * 64, now=desk.now, **moved)


def test_the_second_claim_waits_for_the_first(desk: Any) -> None:
    first = desk.cursor(lease=60)
    assert (first.connection, first.until) == ("crm", desk.now + timedelta(seconds=60))
    assert desk.store.cursors.claim("crm", owner="q", lease=60, now=desk.now) is None
    desk.store.cursors.release(first, next_poll_at=desk.now, error="", now=desk.now)
    second = desk.cursor(owner="q")
    assert second.token > first.token
    assert desk.store.cursors.claim("nobody", owner="q", lease=60, now=desk.now) is None


def test_a_paused_poller_stores_nothing(desk: Any) -> None:
    """It stops for longer than its lease; another one polls; then it wakes up with a page in its hands."""
    slow = desk.cursor(owner="slow", lease=60)
    desk.wait(61)
    quick = desk.cursor(owner="quick", lease=60)
    with pytest.raises(errors.LeaseLost):
        page(desk, slow, desk.arrival("1"), watermark=desk.now)
    with pytest.raises(errors.LeaseLost):
        desk.store.cursors.open_window(slow, until=desk.now, now=desk.now)
    assert desk.store.leads.counts()["leads"] == 0
    desk.store.cursors.release(slow, next_poll_at=desk.now, error="", now=desk.now)
    assert desk.store.cursors.claim("crm", owner="third", lease=60, now=desk.now) is None  # not freed by the loser
    assert page(desk, quick, desk.arrival("1"), watermark=desk.now).new == 1


def test_a_poller_that_gets_on_keeps_its_lease(desk: Any) -> None:
    claim = desk.cursor(lease=60)
    for number in range(4):
        desk.wait(50)
        page(desk, claim, desk.arrival(str(number)), position={"after": number})
        assert desk.store.cursors.claim("crm", owner="q", lease=60, now=desk.now) is None
    desk.wait(61)
    assert desk.store.cursors.claim("crm", owner="q", lease=60, now=desk.now) is not None


def test_nobody_took_an_expired_lease_so_it_still_stands(desk: Any) -> None:
    claim = desk.cursor(lease=60)
    desk.wait(600)
    assert page(desk, claim, desk.arrival("1"), watermark=desk.now).new == 1


def test_a_released_claim_is_over(desk: Any) -> None:
    claim = desk.cursor()
    desk.store.cursors.release(claim, next_poll_at=desk.now, error="", now=desk.now)
    with pytest.raises(errors.LeaseLost):
        page(desk, claim, desk.arrival("1"))


def test_a_window_is_resumed_where_it_stopped(desk: Any) -> None:
    start = desk.now
    until = desk.wait(300)
    claim = desk.store.cursors.open_window(desk.cursor(lease=60), until=until, now=desk.now)
    assert (claim.window_until, claim.position, claim.watermark) == (until, None, start)
    page(desk, claim, desk.arrival("1"), position={"after": "1", "offset": 2})
    desk.wait(61)
    again = desk.cursor(owner="q")
    assert (again.window_until, again.position, again.watermark) == (until, {"after": "1", "offset": 2}, start)
    page(desk, again, desk.arrival("2"), watermark=until)
    desk.store.cursors.release(again, next_poll_at=desk.now, error="", now=desk.now)
    done = desk.cursor()
    assert (done.window_until, done.position, done.watermark) == (None, None, until)


def test_a_rewind_wins_over_a_poll_under_way(desk: Any) -> None:
    claim = desk.cursor()
    past = desk.now - timedelta(days=30)
    desk.store.cursors.rewind("crm", watermark=past, now=desk.now)
    with pytest.raises(errors.LeaseLost):
        page(desk, claim, watermark=desk.now)
    desk.store.cursors.release(claim, next_poll_at=desk.now + timedelta(hours=1), error="", now=desk.now)
    assert desk.cursor().watermark == past


@pytest.mark.parametrize("ahead", [timedelta(hours=5), timedelta(microseconds=1), timedelta(0)])
def test_a_rewind_never_goes_forward(desk: Any, ahead: timedelta) -> None:
    """What lies between the watermark and a later moment was never stored."""
    start = desk.cursor().watermark
    elsewhere = timezone(timedelta(hours=-7))
    desk.wait(60)
    desk.store.cursors.rewind("crm", watermark=(start + ahead).astimezone(elsewhere), now=desk.now)
    assert desk.cursor().watermark == start
    desk.wait(60)
    desk.store.cursors.rewind("crm", watermark=(start - ahead).astimezone(elsewhere), now=desk.now)
    assert desk.cursor().watermark == start - ahead


def test_only_a_known_connection_can_be_rewound(desk: Any) -> None:
    with pytest.raises(errors.Misconfigured, match="connection nobody"):
        desk.store.cursors.rewind("nobody", watermark=desk.now, now=desk.now)
    desk.store.connections.ensure("new", "hubspot", now=desk.now)
    desk.store.cursors.rewind("new", watermark=desk.now, now=desk.now)
    assert desk.store.connections.list()[1].watermark == desk.now


def test_of_many_pollers_one_gets_the_cursor(desk: Any) -> None:
    def claim(owner: int) -> Any:
        return desk.store.cursors.claim("crm", owner=str(owner), lease=60, now=desk.now)

    with futures.ThreadPoolExecutor(4) as pool:
        won = [made for made in pool.map(claim, range(12)) if made is not None]
    assert len(won) == 1
