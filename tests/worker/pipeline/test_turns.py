"""A pass that can wait makes room for leads that nobody decides, and for nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from tierwise.domain import mapping
from tierwise.pipeline import poll, reconcile, turns


@pytest.fixture
def turn(line: Any) -> turns.Turn:
    return turns.Turn(line.store.works, clock=line.clock, monotonic=line.clock.monotonic)


def test_it_ends_where_leads_are_due_and_nobody_decides(line: Any, turn: turns.Turn) -> None:
    line.clock.wait(turns.LEAST)
    assert not turn.over(), "there are no leads"
    line.put("1")
    line.poll()
    assert not turn.over(), "somebody may be about to take it"
    line.clock.wait(turns.PATIENCE)
    assert turn.over()
    assert turn.gave_way
    line.pump()
    assert turn.over(), "what was promised holds"


def test_leads_that_are_being_decided_are_nobodys_reason_to_wait(line: Any, turn: turns.Turn) -> None:
    for number in range(3):
        line.put(str(number))
    line.poll()
    line.clock.wait(turns.LEAST + turns.PATIENCE)
    (claim,) = line.store.works.claim(limit=1, owner="pump", lease=60, now=line.clock.now)
    assert not turn.over(), "a pump is at it: two leads wait for a slot of its own"
    assert not turn.gave_way
    line.store.works.release([claim], now=line.clock.now)
    assert turn.over(), "two are due for longer than it takes to wake somebody"


def test_a_pass_gets_somewhere_where_nobody_decides_leads_at_all(line: Any) -> None:
    line.put("1")
    line.poll()
    line.clock.wait(600)
    turn = turns.Turn(line.store.works, clock=line.clock, monotonic=line.clock.monotonic)
    assert not turn.over()
    line.clock.wait(turns.LEAST - 0.1)
    assert not turn.over()
    line.clock.wait(0.1)
    assert turn.over()


def test_a_pass_that_made_room_goes_on_where_it_was(line: Any, turn: turns.Turn) -> None:
    line.clock.wait(30 * 86_400)
    line.put("1")
    line.poll()
    line.clock.wait(turns.PATIENCE)
    begun = len(line.crm.requests)

    def follow(turn: turns.Turn) -> poll.Polled | None:
        return reconcile.reconcile(
            line.store, line.crm, connection=line.name, field_map=line.field_map,
            properties=mapping.properties(line.field_map), policy=line.runnable.digest, owner="follower",
            clock=line.clock, monotonic=line.clock.monotonic, pace=poll.Pace(), trail=reconcile.Trail(),
            stop=turn.over,
        )  # fmt: skip

    follow(turn)
    assert len(line.crm.requests) - begun == 1
    line.pump()
    follow(turns.Turn(line.store.works, clock=line.clock, monotonic=line.clock.monotonic))
    read = line.crm.requests[begun:]
    assert len(read) > 2, "nothing stopped the second"
    assert [one.since for one in read[1:]] == [one.until for one in read[:-1]], "no gap, no overlap"
