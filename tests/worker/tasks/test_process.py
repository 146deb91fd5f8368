"""A process's wiring, across a fork and to its end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tierwise import errors, wiring
from tierwise import settings as configuration
from tierwise.cli import setup
from tierwise.tasks import process


@pytest.fixture(params=["sqlite", "postgresql"])
def made(request: pytest.FixtureRequest, home: Path) -> process.Process:
    url = f"sqlite:///{home / 'x.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    settings = configuration.Settings(home=home, database_url=url)
    setup.prepare(settings)
    found = process.Process()
    found.configure(settings, "redis://127.0.0.1:1/0")
    return found


def test_tasks_without_settings_say_so() -> None:
    with pytest.raises(errors.Misconfigured, match="tierwise worker"):
        process.Process().get()


def test_a_child_opens_its_own_connections_and_leaves_its_parents_alone(made: process.Process) -> None:
    made.heartbeat("worker")
    owner = made.get().owner
    child = os.fork()
    if child == 0:
        code = 1
        try:
            made.forked()
            made.heartbeat("child")
            code = 0 if made.get().owner != owner else 2
            made.close()
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert made.get().owner == owner
    assert {beat.role for beat in made.get().store.heartbeats.latest()} == {"worker", "child"}
    made.close()


def test_without_a_fork_nothing_changes(made: process.Process) -> None:
    before = made.get()
    made.forked()
    assert made.get() is before
    made.close()


def test_a_sign_of_life_is_written_every_few_seconds_only(made: process.Process) -> None:
    made.heartbeat("worker", {"queues": ["score"]})
    (first,) = made.get().store.heartbeats.latest()
    made.heartbeat("worker")
    assert made.get().store.heartbeats.latest() == [first]
    assert first.info == {"pid": os.getpid(), "queues": ["score"]}
    assert first.at <= wiring.clock()
    made.close()
