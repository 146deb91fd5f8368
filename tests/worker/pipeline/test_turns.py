"""A pass that can wait makes room for leads that nobody decides, and for nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from tierwise.domain import mapping
from tierwise.errors import RetryLater
from tierwise.pipeline import poll, reconcile, turns


class Calls:
    """Counts how often somebody was called to decide leads."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self) -> None:
        self.number += 1


def a_turn(line: Any, wake: Calls | None = None) -> turns.Turn:
    return turns.Turn(
        line.store, "reconcile", line.name, owner="o", clock=line.clock, monotonic=line.clock.monotonic,
        wake=wake or Calls(),
    )  # fmt: skip


def follow(line: Any, turn: turns.Turn) -> poll.Polled | None:
    return reconcile.reconcile(
        line.store, line.crm, connection=line.name, field_map=line.field_map,
        properties=mapping.properties(line.field_map), policy=line.runnable.digest, owner="follower",
        clock=line.clock, monotonic=line.clock.monotonic, pace=poll.Pace(), trail=reconcile.Trail(),
        stop=turn.over,
    )  # fmt: skip


def neglect(line: Any, *names: str) -> None:
    """Leads that are due for a while, and nobody decides any."""
    for name in names:
        line.put(name)
    line.poll()
    line.clock.wait(600)


def begun(line: Any, turn: turns.Turn) -> turns.Turn:
    """The same after its first page and the least that it has."""
    assert not turn.over()
    line.clock.wait(turns.LEAST)
    return turn


def test_it_ends_where_leads_are_due_and_nobody_comes_for_them(line: Any) -> None:
    wake = Calls()
    turn = begun(line, a_turn(line, wake))
    assert not turn.over(), "there are no leads"
    line.put("1")
    line.poll()
    assert not turn.over(), "somebody may be about to take it"
    assert not wake.number
    line.clock.wait(turns.PATIENCE)
    assert not turn.over(), "whoever was called now may have a hand free"
    assert wake.number == 1
    line.clock.wait(turns.PATIENCE)
    assert turn.over()
    assert turn.gave_way
    line.pump()
    assert turn.over(), "what was promised holds"
    assert wake.number == 1


def test_somebody_who_comes_when_called_is_enough(line: Any) -> None:
    wake = Calls()
    neglect(line, "1")
    turn = begun(line, a_turn(line, wake))
    assert not turn.over()
    line.pump()
    line.clock.wait(turns.PATIENCE)
    assert not turn.over()
    line.put("2")
    line.poll()
    line.clock.wait(turns.PATIENCE)
    assert not turn.over(), "it is called for anew"
    assert wake.number == 2


def test_leads_that_are_being_decided_are_nobodys_reason_to_wait(line: Any) -> None:
    wake = Calls()
    neglect(line, "1", "2", "3")
    turn = begun(line, a_turn(line, wake))
    (claim,) = line.store.works.claim(limit=1, owner="pump", lease=60, now=line.clock.now)
    assert not turn.over(), "a pump is at it: two leads wait for a slot of its own"
    assert not wake.number
    line.store.works.release([claim], now=line.clock.now)
    assert not turn.over()
    assert wake.number == 1


def test_a_pass_gets_somewhere_where_nobody_decides_leads_at_all(line: Any) -> None:
    neglect(line, "1")
    turn = a_turn(line)
    line.clock.wait(600)  # the CRM let itself be asked for its clock
    assert not turn.over(), "it has read no page"
    line.clock.wait(turns.LEAST - 0.1)
    assert not turn.over()
    line.clock.wait(0.1 + turns.PATIENCE)
    assert not turn.over()
    line.clock.wait(turns.PATIENCE)
    assert turn.over()


def test_a_pass_that_made_room_goes_on_where_it_was(line: Any) -> None:
    line.clock.wait(30 * 86_400)
    neglect(line, "1")
    turn = begun(line, a_turn(line))
    assert not turn.over()
    line.clock.wait(turns.PATIENCE)
    before = len(line.crm.requests)

    follow(line, turn)
    assert len(line.crm.requests) - before == 1
    line.pump()
    follow(line, a_turn(line))
    read = line.crm.requests[before:]
    assert len(read) > 2, "nothing stopped the second"
    assert [one.since for one in read[1:]] == [one.until for one in read[:-1]], "no gap, no overlap"


def far_behind(line: Any, *, leads: int) -> None:
    """So many leads that nobody has read, a second of the CRM's time a page."""
    for number in range(leads):
        line.put(str(number))
    line.clock.wait(7200)
    line.crm.before_page = lambda _: line.clock.wait(1)


def caught_up(line: Any) -> bool:
    watermark = line.store.cursors.watermark(line.name, "reconcile")
    return bool(watermark >= max(line.crm.modified.values()))


@pytest.mark.parametrize("starts", [True, False])
def test_a_pass_that_makes_room_in_vain_is_not_cut_to_pieces(line: Any, starts: bool) -> None:
    """One hand, and a model that fails at once for every lead, or a pump that does not even start."""
    far_behind(line, leads=300)
    for number in range(300):
        line.judge.says[f"{number}@acme.example"] = [RetryLater("the model is down")] * 99
    seconds: list[float] = []
    while not caught_up(line):
        turn, began = a_turn(line), line.clock.monotonic()
        assert follow(line, turn) is not None
        if turn.gave_way:
            seconds.append(line.clock.monotonic() - began)
            if starts:
                line.pump()
    assert seconds, "room is made"
    assert all(long >= turns.LEAST * 2**number for number, long in enumerate(seconds)), seconds
    assert len(seconds) <= turns.MOST_DOUBLED


def test_a_decision_earns_the_leads_another_short_turn(line: Any) -> None:
    far_behind(line, leads=90)
    for number in range(90):
        line.judge.says[f"{number}@acme.example"] = [RetryLater("the model is down")]

    def length() -> float:
        turn, began = a_turn(line), line.clock.monotonic()
        follow(line, turn)
        assert turn.gave_way
        return float(line.clock.monotonic() - began)

    first = length()
    assert not line.pump().decided
    assert length() == first + turns.LEAST, "twice as long before it looks"
    line.clock.wait(60)
    assert line.pump().decided
    assert length() == first
    other = turns.Turn(
        line.store, "poll", line.name, owner="o", clock=line.clock, monotonic=line.clock.monotonic, wake=Calls()
    )
    assert not begun(line, other).over(), "it calls somebody: what another pass did in vain is not its own"
    line.clock.wait(turns.PATIENCE)
    assert other.over()
