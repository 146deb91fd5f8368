"""A slot is had by one."""

from __future__ import annotations

from concurrent import futures
from datetime import timedelta
from typing import Any


def test_a_slot_is_claimed_once(desk: Any) -> None:
    slots, now = desk.store.slots, desk.now
    assert slots.claim("poll", "crm", now, by="a", now=now)
    assert not slots.claim("poll", "crm", now, by="b", now=now)
    assert slots.claim("poll", "other", now, by="b", now=now)
    assert slots.claim("sweep", "crm", now, by="b", now=now)
    assert slots.claim("poll", "crm", now + timedelta(seconds=1), by="b", now=now)


def test_of_many_beats_one_wins(desk: Any) -> None:
    def claim(by: int) -> bool:
        return bool(desk.store.slots.claim("poll", "crm", desk.now, by=str(by), now=desk.now))

    with futures.ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(claim, range(12))) == 1


def test_claimed_slots_are_counted_from_a_moment_on(desk: Any) -> None:
    slots, start = desk.store.slots, desk.now
    for seconds, kind, scope in (
        (0, "room", "crm"),
        (5, "room", "crm"),
        (9, "room", "crm"),
        (9, "room", "x"),
        (9, "poll", "crm"),
    ):
        at = start + timedelta(seconds=seconds)
        assert slots.claim(kind, scope, at, by="a", now=at)
    assert slots.claimed("room", "crm", since=None) == 3
    assert slots.claimed("room", "crm", since=start) == 2
    assert slots.claimed("room", "crm", since=start + timedelta(seconds=9)) == 0
    assert slots.prune(before=start + timedelta(seconds=5)) == 1
    assert slots.claimed("room", "crm", since=None) == 2


def test_old_slots_are_forgotten(desk: Any) -> None:
    desk.store.slots.claim("poll", "crm", desk.now, by="a", now=desk.now)
    later = desk.wait(60)
    desk.store.slots.claim("poll", "crm", later, by="a", now=later)
    assert desk.store.slots.prune(before=later) == 1
    assert desk.store.slots.prune(before=later) == 0
    assert not desk.store.slots.claim("poll", "crm", later, by="b", now=later)
