"""Notices go out, come again where they failed, are given up with the reason; one that hangs holds up no other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tierwise_fixtures import fakes

from tierwise import errors, store
from tierwise.pipeline import notify
from tierwise.sdk import Notice

PACE = notify.Pace(longest=0.2, attempts=3)


class Told:
    """A notifier that does as a test says."""

    def __init__(self, act: Callable[[], object] = lambda: None) -> None:
        self.notices: list[Notice] = []
        self.act = act
        self.closed = 0

    def notify(self, notice: Notice) -> None:
        self.act()
        self.notices.append(notice)

    def close(self) -> None:
        self.closed += 1


@pytest.fixture(params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[store.SqlStore]:
    """On both engines."""
    url = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    made = store.open_store(url, migrate=True)
    yield made
    made.close()


def _put(opened: store.SqlStore, clock: fakes.Clock, *names: str) -> None:
    notice = Notice("k", "warning", "A title", "a text", clock.now, event="connection_paused")
    opened.notifications.put(names, notice, quiet=timedelta(hours=1), now=clock.now)


def _deliver(opened: store.SqlStore, clock: fakes.Clock, notifiers: dict[str, Any]) -> notify.Told:
    return notify.deliver(
        opened.notifications, lambda name: notifiers[name], clock=clock, random=lambda: 0.5, pace=PACE
    )


def _raise(error: Exception) -> Callable[[], object]:
    def act() -> None:
        raise error

    return act


def test_one_that_hangs_and_one_that_breaks_hold_up_no_other(opened: store.SqlStore) -> None:
    clock, released = fakes.Clock(), threading.Event()
    notifiers = {
        "a-hangs": Told(lambda: released.wait(10)),
        "b-breaks": Told(_raise(ValueError("somebody@firm.example"))),
        "c-works": Told(),
    }
    _put(opened, clock, *notifiers)
    try:
        assert _deliver(opened, clock, notifiers) == (1, 2, 0)
        assert len(notifiers["c-works"].notices) == notifiers["c-works"].closed == 1
        rows = {one.notifier: one for one in opened.notifications.list()}
        assert rows["a-hangs"].error == "no answer within 0.2 s"
        assert rows["b-breaks"].error == "it broke with ValueError", "a stranger's words may hold anybody's data"
    finally:
        released.set()


def test_a_notice_is_tried_with_growing_pauses_and_then_given_up(opened: store.SqlStore) -> None:
    clock = fakes.Clock()
    notifiers = {"ops": Told(_raise(errors.Unreachable("nobody answers", place="notifiers.ops")))}
    _put(opened, clock, "ops")
    assert _deliver(opened, clock, notifiers) == (0, 1, 0)
    assert _deliver(opened, clock, notifiers) == (0, 0, 0), "not at once"
    clock.wait(5.1)
    assert _deliver(opened, clock, notifiers) == (0, 1, 0)
    clock.wait(5.1)
    assert _deliver(opened, clock, notifiers) == (0, 0, 0), "the pause has grown"
    clock.wait(10)
    assert _deliver(opened, clock, notifiers) == (0, 0, 1)
    (dead,) = opened.notifications.list()
    assert (dead.state, dead.attempt, dead.error) == ("dead", 3, "notifiers.ops: nobody answers")
    opened.notifications.revive("ops", now=clock.now)
    notifiers["ops"].act = lambda: None
    assert _deliver(opened, clock, notifiers) == (1, 0, 0)


def test_a_notifier_that_is_in_the_settings_no_more_is_told_of(opened: store.SqlStore) -> None:
    clock = fakes.Clock()

    def open_(name: str) -> Any:
        raise errors.Misconfigured(f"there is no notifier '{name}' in the settings")

    _put(opened, clock, "gone")
    told = notify.deliver(opened.notifications, open_, clock=clock, random=lambda: 0.5, pace=PACE)
    assert told == (0, 1, 0)
    assert "there is no notifier 'gone'" in opened.notifications.list()[0].error
