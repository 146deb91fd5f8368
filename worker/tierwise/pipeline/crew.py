"""Threads for a stranger's code: a call that hangs costs one of them, and nobody who waits more than they meant to.

They are daemons, unlike those of an executor: a call that never comes back must not keep a process from ending.
"""

from __future__ import annotations

import contextvars
import functools
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")
_Job = tuple["Future[Any]", Callable[[], Any]]


class Crew:
    """At most `size` threads, started when they are needed."""

    def __init__(self, name: str, *, size: int) -> None:
        self._name = name
        self._size = size
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._started = 0
        self._busy = 0
        self._unfinished = 0

    @property
    def stuck(self) -> bool:
        """Every thread is in a call: what is submitted now waits for one of them."""
        with self._lock:
            return self._busy >= self._size

    def submit(self, call: Callable[[], T]) -> Future[T]:
        """The call's future; cancelling it works until a thread takes it up. The caller's context goes along."""
        future: Future[T] = Future()
        context = contextvars.copy_context()
        self._jobs.put((future, lambda: context.run(call)))
        with self._lock:
            self._unfinished += 1
            if self._started < min(self._size, self._unfinished):
                self._started += 1
                threading.Thread(target=self._work, name=f"{self._name}-{self._started}", daemon=True).start()
        return future

    def close(self) -> None:
        """Let the threads go; whoever is in a call goes when it ends."""
        with self._lock:
            for _ in range(self._started):
                self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, call = job
            if future.set_running_or_notify_cancel():
                self._run(future, call)
            with self._lock:
                self._unfinished -= 1
            del future, call, job

    def _run(self, future: Future[Any], call: Callable[[], Any]) -> None:
        with self._lock:
            self._busy += 1
        try:
            result = call()
        except BaseException as error:
            outcome = functools.partial(future.set_exception, error)  # whoever waits decides what it means
        else:
            outcome = functools.partial(future.set_result, result)
        with self._lock:
            self._busy -= 1
        outcome()
