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


def test_old_slots_are_forgotten(desk: Any) -> None:
    desk.store.slots.claim("poll", "crm", desk.now, by="a", now=desk.now)
    later = desk.wait(60)
    desk.store.slots.claim("poll", "crm", later, by="a", now=later)
    assert desk.store.slots.prune(before=later) == 1
    assert desk.store.slots.prune(before=later) == 0
    assert not desk.store.slots.claim("poll", "crm", later, by="b", now=later)
