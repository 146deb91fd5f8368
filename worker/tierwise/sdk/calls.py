"""What is seen of every request to another system: who asked what, how it ended, how long it took.

Sessions tell it here, and whoever runs them listens. No listener, no cost. Nothing told holds an address, a value or
a person.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

OK, RETRIED = "ok", "retried"
"""Answered at the first attempt; answered after others had failed."""


class Call(NamedTuple):
    """One attempt of one request."""

    account: str
    """As the session was given it: `connections.NAME`."""
    operation: str
    """The route's name, of few kinds."""
    outcome: str
    """OK, RETRIED, or one of `errors.FAULTS`."""
    seconds: float


Listener = Callable[[Call], None]
_listeners: list[Listener] = []
_waits: list[Callable[[float], object]] = [time.sleep]


def listen(listener: Listener) -> None:
    """Tell it of every call of this process from now on; the same one twice is told once. It raises nothing."""
    if listener not in _listeners:
        _listeners.append(listener)


def tell(call: Call) -> None:
    """To every listener."""
    for listener in _listeners:
        listener(call)


def wait(seconds: float) -> None:
    """As `time.sleep`, unless `unhurried` is at work."""
    _waits[-1](seconds)


@contextlib.contextmanager
def unhurried() -> Iterator[list[float]]:
    """For tests: sessions of this process wait no time before they try again; the list tells how long they would."""
    asked: list[float] = []
    _waits.append(asked.append)
    try:
        yield asked
    finally:
        _waits.pop()
