"""The worker's sign of life: written by its main loop, and only while its tasks come to an end.

A worker without a task to do lives; one whose loop hangs, or whose tasks never end or never begin, does not look alive.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection
from typing import Any

from celery import bootsteps
from celery.worker import state

from tierwise import telemetry
from tierwise.errors import TierwiseError
from tierwise.tasks import process

LONGEST_RUN = 150.0
"""Seconds that a task can run: Celery ends those of child processes after 120."""
LONGEST_WAIT = 300.0
"""Seconds that a task can wait in a worker whose tasks come to an end."""
JOIN_EVERY = 60.0
"""Seconds after which the counters of children that ended are made one."""

log = telemetry.log(__name__)


class Watch:
    """Since when tasks run and wait, by their ids."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._running: dict[str, float] = {}
        self._waiting: dict[str, float] = {}

    def overdue(self, *, running: Collection[str], waiting: Collection[str]) -> str:
        """What is wrong, in words; "" where tasks come to an end."""
        now = self._monotonic()
        self._running = {id_: self._running.get(id_, now) for id_ in running}
        self._waiting = {id_: self._waiting.get(id_, now) for id_ in waiting}
        for since, limit, what in ((self._running, LONGEST_RUN, "runs"), (self._waiting, LONGEST_WAIT, "waits")):
            longest = now - min(since.values(), default=now)
            if longest > limit:
                return f"a task {what} for {longest:.0f} s"
        return ""


class SignOfLife(bootsteps.StartStopStep):  # type: ignore[misc]
    """A step of Celery's worker: its timer is that of the loop that takes messages, and stands still with it."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._watch = Watch()
        self._queues: list[str] = []
        self._timers: list[Any] = []
        self._pid = 0
        self._told = ""

    def start(self, consumer: Any) -> None:
        """With every connection to the broker."""
        _started[:] = [self]
        self._pid = os.getpid()
        self._queues = sorted(consumer.app.amqp.queues.consume_from)
        self._timers = [
            consumer.timer.call_repeatedly(process.EVERY, self.look),
            consumer.timer.call_repeatedly(JOIN_EVERY, telemetry.join),
        ]
        self.look()

    def stop(self, _: Any) -> None:
        """The connection to the broker is gone, or the worker ends."""
        for timer in self._timers:
            timer.cancel()
        self._timers = []

    def during_task(self) -> None:
        """In the pool `solo` a task holds up the loop that the timer is of."""
        if os.getpid() == self._pid and threading.current_thread() is threading.main_thread():
            self.look()

    def look(self) -> None:
        """Give the sign of life, unless tasks are overdue."""
        running = {request.id for request in state.active_requests}
        wrong = self._watch.overdue(
            running=running, waiting={request.id for request in state.reserved_requests} - running
        )
        if wrong:
            if not self._told:
                log.error("no sign of life is given any more: restart this worker", why=wrong)
            self._told = wrong
            return
        self._told = ""
        try:
            process.current.heartbeat("worker", {"queues": self._queues})
        except TierwiseError as error:
            log.warning("heartbeat not written", error=str(error))


_started: list[SignOfLife] = []


def during_task() -> None:
    """To be called while a task works."""
    for step in _started:
        step.during_task()
