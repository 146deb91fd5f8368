"""Wake-ups on a real broker, and what each family of errors means for a task."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import redis

from tierwise import errors, tasks, wiring
from tierwise import settings as configuration
from tierwise.cli import setup
from tierwise.limits import client_url

QUEUES = ("poll", "score", "writeback", "maint")


@pytest.fixture
def settings(home: Path) -> configuration.Settings:
    made = configuration.Settings(
        home=home, connections={"emea": {"type": "hubspot", "token": "t"}}, database_url=f"sqlite:///{home / 'x.db'}"
    )
    setup.prepare(made)
    return made


@pytest.fixture
def parts(settings: configuration.Settings, clean_valkey_url: str) -> Iterator[wiring.Wiring]:
    tasks._process.close()
    tasks._process._beat_at.clear()
    tasks.configure(settings, broker_url=clean_valkey_url)
    yield tasks._process.get()
    tasks._process.close()


@pytest.fixture
def queued(clean_valkey_url: str) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(client_url(clean_valkey_url))
    yield client
    client.close()


def _messages(client: redis.Redis) -> list[tuple[str, str]]:
    """(queue, task) of everything that waits."""
    found = []
    for queue in QUEUES:
        for raw in client.lrange(f"tierwise:{queue}", 0, -1):
            found.append((queue, json.loads(raw)["headers"]["task"]))
    return found


def _enable(parts: wiring.Wiring, *, days: int = 0) -> None:
    now = wiring.clock()
    parts.store.connections.ensure("emea", "hubspot", now=now)
    parts.store.connections.enable("emea", watermark=now - timedelta(days=days), now=now)


def test_a_tick_wakes_a_due_poll_and_nothing_else(parts: wiring.Wiring, queued: redis.Redis) -> None:
    _enable(parts)
    tasks._tick(parts)
    assert _messages(queued) == [("poll", "tierwise.poll")]


def test_the_passes_behind_the_poll_are_woken_once_a_slot_where_there_is_something_to_read(
    parts: wiring.Wiring, queued: redis.Redis
) -> None:
    _enable(parts, days=1)
    tasks._tick(parts)
    woken = {("poll", "tierwise.poll"), ("poll", "tierwise.reconcile"), ("poll", "tierwise.outcomes")}
    assert set(_messages(queued)) == woken
    now = wiring.clock()
    every = parts.settings.trail.every_seconds
    assert not tasks._slot(parts, "reconcile", "emea", every=every, now=now)
    trail = parts.settings.trail.model_copy(update={"reconcile": False, "outcomes": False})
    parts.settings = parts.settings.model_copy(update={"trail": trail})
    queued.flushdb()
    parts.store.slots.prune(before=now + timedelta(days=1))
    tasks._tick(parts)
    assert _messages(queued) == [("poll", "tierwise.poll")]


def test_two_beats_make_one_tick(parts: wiring.Wiring, queued: redis.Redis) -> None:
    _enable(parts)
    now = wiring.clock()
    for _ in range(5):
        tasks._slot(parts, "tick", "", every=3600, now=now)
    assert not tasks._slot(parts, "tick", "", every=3600, now=now)
    tasks._tick(parts)
    tasks._tick(parts)
    assert len(_messages(queued)) <= 1


@pytest.mark.parametrize("state", ["disabled", "paused", "not in the settings"])
def test_what_is_off_is_not_woken(state: str, parts: wiring.Wiring, queued: redis.Redis) -> None:
    _enable(parts)
    if state == "disabled":
        parts.store.connections.disable("emea", now=wiring.clock())
    elif state == "paused":
        parts.store.connections.pause("emea", "the token is refused", now=wiring.clock())
    else:
        parts.settings = parts.settings.model_copy(update={"connections": {}})
    tasks._tick(parts)
    assert _messages(queued) == []


def test_a_message_holds_no_more_than_a_name_and_expires(parts: wiring.Wiring, queued: redis.Redis) -> None:
    _enable(parts)
    tasks._tick(parts)
    (raw,) = queued.lrange("tierwise:poll", 0, -1)
    message = json.loads(raw)
    assert message["headers"]["argsrepr"] == "('emea',)"
    assert message["headers"]["expires"]
    assert len(raw) < 2048


@pytest.mark.parametrize(
    ("error", "paused"),
    [
        (errors.RetryLater("busy"), False),
        (errors.Unreachable("gone"), False),
        (errors.LeaseLost(), False),
        (errors.RejectRecord("one record"), False),
        (errors.PauseConnection("the token is refused"), True),
        (errors.Misconfigured("no map"), False),
        (ZeroDivisionError("a bug"), False),
    ],
)
def test_what_an_error_does_next(error: Exception, paused: bool, parts: wiring.Wiring) -> None:
    _enable(parts)

    def fail(_: wiring.Wiring) -> None:
        raise error

    assert tasks._run("poll", "emea", fail) is None
    (state,) = parts.store.connections.list()
    assert (state.paused is not None) == paused


def test_a_task_is_a_sign_of_life(parts: wiring.Wiring) -> None:
    tasks._run("tick", None, lambda _: None)
    assert [beat.role for beat in parts.store.heartbeats.latest()] == ["worker"]


def test_no_setting_leaves_a_worker_hanging_on_a_dead_connection(parts: wiring.Wiring) -> None:
    options = tasks.app.conf.broker_transport_options
    assert options["socket_timeout"]
    assert options["socket_connect_timeout"]
    assert options["health_check_interval"]
    assert options["retry_on_timeout"] is False
    assert tasks.app.conf.task_acks_late
    assert tasks.app.conf.task_reject_on_worker_lost
    assert tasks.app.conf.accept_content == ["json"]
    assert tasks.app.conf.result_backend is None


def test_tasks_without_settings_say_so(home: Path) -> None:
    with pytest.raises(errors.Misconfigured, match="tierwise worker"):
        tasks._Process().get()
