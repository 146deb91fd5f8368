from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tierwise.sdk import calls


@pytest.fixture
def told() -> Iterator[list[calls.Call]]:
    heard: list[calls.Call] = []
    calls.listen(heard.append)
    yield heard
    calls._listeners.remove(heard.append)


def test_every_listener_is_told_once(told: list[calls.Call]) -> None:
    calls.listen(calls._listeners[-1])
    one = calls.Call("connections.portal", "search", calls.OK, 0.1)
    calls.tell(one)
    assert told == [one]


def test_waits_are_skipped_only_meanwhile() -> None:
    began = time.monotonic()
    with calls.unhurried() as asked:
        calls.wait(30.0)
        with calls.unhurried() as inner:
            calls.wait(40.0)
        calls.wait(50.0)
    assert (asked, inner) == ([30.0, 50.0], [40.0])
    calls.wait(0.02)
    assert 0.02 <= time.monotonic() - began < 10
