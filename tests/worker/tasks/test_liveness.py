"""Idle is alive, stuck is not."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from celery.worker import state

from tierwise import wiring
from tierwise.tasks import application, liveness, process


class Clock:
    """Seconds that a test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Request:
    """What Celery keeps of a task, as far as it is looked at."""

    def __init__(self, id_: str) -> None:
        self.id = id_


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def requests() -> Iterator[list[Request]]:
    """Requests that Celery's worker state refers to, weakly."""
    held: list[Request] = []
    yield held
    for one in held:
        state.active_requests.discard(one)
        state.reserved_requests.discard(one)


@pytest.fixture
def consumer() -> Any:
    """What the step takes from Celery's consumer."""
    calls: list[Any] = []
    timer = SimpleNamespace(call_repeatedly=lambda every, call: calls.append((every, call)) or SimpleNamespace())
    app = SimpleNamespace(amqp=SimpleNamespace(queues=SimpleNamespace(consume_from={"score": 1, "maint": 1})))
    return SimpleNamespace(timer=timer, app=app, calls=calls)


def test_many_short_tasks_are_never_overdue(clock: Clock) -> None:
    watch = liveness.Watch(clock)
    for number in range(1000):
        clock.now += 10
        assert not watch.overdue(running={f"{number}"}, waiting={f"{number + 1}"})


def test_a_task_that_does_not_end_is(clock: Clock) -> None:
    watch = liveness.Watch(clock)
    assert not watch.overdue(running={"a"}, waiting=())
    clock.now += liveness.LONGEST_RUN
    assert not watch.overdue(running={"a", "b"}, waiting=())
    clock.now += 1
    assert watch.overdue(running={"a", "b"}, waiting=()) == "a task runs for 151 s"
    assert not watch.overdue(running={"b"}, waiting=())


def test_a_task_that_does_not_begin_is(clock: Clock) -> None:
    watch = liveness.Watch(clock)
    assert not watch.overdue(running=(), waiting={"a"})
    clock.now += liveness.LONGEST_WAIT + 1
    assert watch.overdue(running=(), waiting={"a"}) == "a task waits for 301 s"
    assert not watch.overdue(running={"a"}, waiting=())


def test_a_worker_with_nothing_to_do_gives_a_sign_of_life_and_names_its_queues(
    parts: wiring.Wiring, consumer: Any
) -> None:
    step = liveness.SignOfLife(consumer)
    step.start(consumer)
    (beat,) = parts.store.heartbeats.latest()
    assert (beat.role, beat.info["queues"]) == ("worker", ["maint", "score"])
    assert (process.EVERY, step.look) in consumer.calls


def test_a_stuck_worker_gives_none(parts: wiring.Wiring, consumer: Any, clock: Clock, requests: list[Request]) -> None:
    step = liveness.SignOfLife(consumer)
    step._watch = liveness.Watch(clock)
    requests.append(Request("a"))
    state.active_requests.add(requests[0])
    step.look()
    (first,) = parts.store.heartbeats.latest()
    clock.now += liveness.LONGEST_RUN + 1
    process.current._beat_at.clear()
    step.look()
    assert parts.store.heartbeats.latest() == [first]
    state.active_requests.discard(requests[0])
    step.look()
    assert parts.store.heartbeats.latest()[0].at > first.at


def test_the_step_is_part_of_every_worker() -> None:
    assert liveness.SignOfLife in application.app.steps["consumer"]
