from __future__ import annotations

import pytest

from tierwise.llm.breaker import Breaker


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(clock, failures=3, ratio=0.5, window=10, rest_seconds=30)


def fail(breaker: Breaker, times: int = 1) -> None:
    for _ in range(times):
        ticket = breaker.enter()
        assert ticket is not None
        breaker.failed(ticket)


def succeed(breaker: Breaker, times: int = 1) -> None:
    for _ in range(times):
        ticket = breaker.enter()
        assert ticket is not None
        breaker.succeeded(ticket)


def test_it_opens_after_failures_in_a_row_and_lets_one_probe_through(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 2)
    succeed(breaker)
    fail(breaker, 2)
    assert breaker.state == "closed"
    fail(breaker)
    assert breaker.state == "open"
    assert breaker.enter() is None
    clock.now = 30
    assert breaker.state == "half_open"
    probe = breaker.enter()
    assert probe is not None
    assert breaker.enter() is None, "only one probe at a time"
    breaker.succeeded(probe)
    assert breaker.state == "closed"


def test_a_failed_probe_opens_it_for_another_rest(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now = 31
    fail(breaker)
    assert breaker.state == "open"
    clock.now = 60.9
    assert breaker.enter() is None
    clock.now = 61
    assert breaker.enter() is not None


def test_half_of_the_last_calls_failing_opens_it_too(breaker: Breaker) -> None:
    for _ in range(5):
        fail(breaker)
        assert breaker.state == "closed"
        succeed(breaker)
    fail(breaker)
    assert breaker.state == "open"


def test_a_cancelled_probe_does_not_block_the_next_one(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now = 30
    probe = breaker.enter()
    assert probe is not None
    breaker.abandoned(probe)
    assert breaker.enter() is not None


def test_stragglers_of_an_earlier_time_change_nothing(breaker: Breaker, clock: Clock) -> None:
    early = [breaker.enter() for _ in range(4)]
    fail(breaker, 3)
    assert early[0] is not None
    breaker.succeeded(early[0])
    assert breaker.state == "open"
    clock.now = 30
    probe = breaker.enter()
    assert probe is not None
    for ticket in early[1:]:
        assert ticket is not None
        breaker.failed(ticket)
        breaker.abandoned(ticket)
    assert breaker.enter() is None, "the probe is still out"
    breaker.succeeded(probe)
    assert breaker.state == "closed"


def test_a_refused_key_opens_it_at_once(breaker: Breaker) -> None:
    breaker.trip()
    assert breaker.state == "open"
