"""A CRM's clock, of which an answer tells the whole second: bounds, and never later than the truth."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import hypothesis
import hypothesis.strategies as st

from tierwise.pipeline import clocks

START = datetime(2026, 11, 22, 12, tzinfo=UTC)


class World:
    """True time, our clock beside it, and a CRM that answers in `takes` seconds."""

    def __init__(self, *, ours: float, theirs: float, takes: float = 0.0) -> None:
        self.seconds = 0.0
        self.ours, self.theirs, self.takes = ours, theirs, takes
        self.asked = 0

    def monotonic(self) -> float:
        return self.seconds

    def clock(self) -> datetime:
        return START + timedelta(seconds=self.seconds + self.ours)

    def truly(self) -> datetime:
        """What the CRM's clock says now."""
        return START + timedelta(seconds=self.seconds + self.theirs)

    def now(self) -> datetime:
        """What it answers."""
        self.asked += 1
        self.seconds += self.takes / 2
        told = self.truly().replace(microsecond=0)
        self.seconds += self.takes / 2
        return told


_SKEW = st.floats(-600, 600)


@hypothesis.given(ours=_SKEW, theirs=_SKEW, takes=st.floats(0, 20), later=st.floats(0, 599), stepped=_SKEW)
def test_never_later_than_the_truth_and_seldom_much_before_it(
    ours: float, theirs: float, takes: float, later: float, stepped: float
) -> None:
    world = World(ours=ours, theirs=theirs, takes=takes)
    known = clocks.Clocks(monotonic=world.monotonic)
    known.ahead(world, "portal", clock=world.clock)
    world.seconds += later
    world.ours += stepped  # somebody set our clock
    ahead = known.ahead(world, "portal", clock=world.clock)
    guessed = world.clock() + ahead
    noise = timedelta(milliseconds=1)
    if ahead:
        assert world.truly() - timedelta(seconds=takes + 1) - noise <= guessed <= world.truly() + noise
    else:
        assert abs(guessed - world.truly()) <= timedelta(seconds=takes + 1) + noise
    assert world.asked == 1


def test_clocks_that_may_agree_are_taken_to_agree() -> None:
    world = World(ours=0.7, theirs=0.2, takes=0.1)
    assert clocks.Clocks(monotonic=world.monotonic).ahead(world, "portal", clock=world.clock) == timedelta()


def test_each_connection_is_asked_anew_every_ten_minutes() -> None:
    world = World(ours=0, theirs=-300)
    known = clocks.Clocks(monotonic=world.monotonic)
    for name in ("one", "other", "one"):
        assert known.ahead(world, name, clock=world.clock) == timedelta(seconds=-300)
    assert world.asked == 2
    world.seconds += 600
    world.theirs = 200
    assert known.ahead(world, "one", clock=world.clock) == timedelta(seconds=200)


def test_who_reads_has_asked_for_those_who_write() -> None:
    world = World(ours=0, theirs=-300)
    known = clocks.Clocks(monotonic=world.monotonic)
    assert known.now(world, "one", clock=world.clock) == world.truly()
    world.seconds += 60
    assert known.ahead(world, "one", clock=world.clock) == timedelta(seconds=-300)
    assert world.asked == 1
    world.theirs = 100
    assert known.now(world, "one", clock=world.clock) == world.truly(), "asked anew each time"
    assert known.ahead(world, "one", clock=world.clock) == timedelta(seconds=100)
    assert world.asked == 2
