from __future__ import annotations

import threading

import pytest

from tierwise import errors
from tierwise.sdk import breaker


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def _opened(clock: Clock) -> breaker.Breaker:
    made = breaker.Breaker(failures=3, rest=30.0, clock=clock)
    for _ in range(3):
        made.admit(place="crm")
        made.failed()
    return made


def test_a_success_in_between_forgives() -> None:
    made = breaker.Breaker(failures=3, rest=30.0, clock=Clock())
    for _ in range(10):
        made.failed()
        made.failed()
        made.succeeded()
    made.admit(place="crm")
    assert not made.is_open


def test_opens_after_failures_in_a_row_and_tells_how_long() -> None:
    clock = Clock()
    made = _opened(clock)
    clock.now += 10
    with pytest.raises(errors.RetryLater) as caught:
        made.admit(place="connections.emea")
    assert caught.value.after == pytest.approx(20.0)
    assert caught.value.place == "connections.emea"


def test_after_the_rest_one_call_tries_and_success_closes() -> None:
    clock = Clock()
    made = _opened(clock)
    clock.now += 31
    made.admit(place="crm")
    with pytest.raises(errors.RetryLater):
        made.admit(place="crm")
    made.succeeded()
    made.admit(place="crm")
    made.admit(place="crm")


def test_a_trial_that_fails_opens_for_another_rest() -> None:
    clock = Clock()
    made = _opened(clock)
    clock.now += 31
    made.admit(place="crm")
    made.failed()
    clock.now += 29
    with pytest.raises(errors.RetryLater):
        made.admit(place="crm")


def test_a_trial_that_never_reports_back_blocks_nobody_for_ever() -> None:
    clock = Clock()
    made = _opened(clock)
    clock.now += 31
    made.admit(place="crm")  # its thread dies here
    clock.now += 31
    made.admit(place="crm")


def test_of_many_threads_one_is_the_trial() -> None:
    clock = Clock()
    made = _opened(clock)
    clock.now += 31
    admitted: list[int] = []
    gate = threading.Barrier(8)

    def call(number: int) -> None:
        gate.wait()
        try:
            made.admit(place="crm")
        except errors.RetryLater:
            return
        admitted.append(number)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(admitted) == 1


def test_an_account_has_one_breaker_in_the_process() -> None:
    assert breaker.of("account a") is breaker.of("account a")
    assert breaker.of("account a") is not breaker.of("account b")


def test_the_rest_of_an_account_is_known_and_can_be_ended() -> None:
    account = "connections.rested"
    assert breaker.rest_left(account) == 0.0
    other = breaker.of(f"{account}-too host")
    held = breaker.of(f"{account} host")
    for _ in range(5):
        held.failed()
        other.failed()
    assert 0 < breaker.rest_left(account) <= 30.0
    with pytest.raises(errors.RetryLater) as caught:
        held.admit(place=account)
    assert caught.value.fault == "resting"
    breaker.forget(account)
    assert breaker.rest_left(account) == 0.0
    breaker.of(f"{account} host").admit(place=account)
    assert breaker.rest_left(f"{account}-too") > 0.0, "of nobody else"
