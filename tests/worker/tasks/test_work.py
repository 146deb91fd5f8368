"""What each task wakes, and what it leaves alone."""

from __future__ import annotations

import itertools
import json
import types
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
import redis

from tierwise import ports, wiring
from tierwise.pipeline import turns
from tierwise.pipeline.poll import Polled
from tierwise.tasks import application, work


def _woken(client: redis.Redis) -> set[str]:
    return {
        json.loads(raw)["headers"]["task"]
        for queue in application.QUEUES
        for raw in client.lrange(f"tierwise:{queue}", 0, -1)
    }


@pytest.mark.parametrize(
    ("found", "woken"),
    [
        ({"new": 1}, {"tierwise.qualify"}),
        ({"changed": 1}, {"tierwise.qualify"}),
        ({"rejected": 1}, {"tierwise.write_back"}),
        ({"repaired": 1}, {"tierwise.write_back"}),
        ({"unchanged": 3}, set()),
    ],
)
def test_what_a_poll_found_is_worked_on_at_once(
    found: dict[str, int], woken: set[str], parts: wiring.Wiring, queued: redis.Redis
) -> None:
    work._wake("emea", Polled(**found))
    assert _woken(queued) == woken


class _Works:
    def __init__(self, *, neglected: bool) -> None:
        self._neglected = neglected

    def neglected(self, **_: object) -> bool:
        return self._neglected


def _three_pages(parts: wiring.Wiring, *, neglected: bool) -> turns.Turn:
    """A turn after the pages that it takes to make room."""
    seconds = itertools.count(step=100)
    store = types.SimpleNamespace(
        works=_Works(neglected=neglected), slots=parts.store.slots, decisions=parts.store.decisions
    )
    turn = turns.Turn(
        cast(ports.Store, store), "reconcile", "emea", owner="o", clock=wiring.clock,
        monotonic=lambda: float(next(seconds)), wake=lambda: None,
    )  # fmt: skip
    assert [turn.over() for _ in range(3)] == [False, False, neglected]
    return turn


@pytest.mark.parametrize("task", [work.reconcile, work.outcomes])
@pytest.mark.parametrize("neglected", [True, False])
def test_a_pass_that_made_room_comes_back(
    task: Any, neglected: bool, parts: wiring.Wiring, queued: redis.Redis
) -> None:
    work._go_on(task, "emea", _three_pages(parts, neglected=neglected))
    assert _woken(queued) == ({task.name} if neglected else set())


def test_a_pass_that_made_room_waits_for_longer_than_pumps_take(parts: wiring.Wiring, queued: redis.Redis) -> None:
    """Whoever it made room for has the hand that it needs, and another one may have it next."""
    work._go_on(work.reconcile, "emea", _three_pages(parts, neglected=True))
    (message,) = queued.lrange("tierwise:poll", 0, -1)
    expires = datetime.fromisoformat(json.loads(message)["headers"]["expires"])
    assert expires - wiring.clock() > timedelta(seconds=3 * parts.settings.pump.seconds)


def _serves(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    # Setting them makes a copy, which forgets what was selected.
    monkeypatch.setattr(application.app.amqp, "queues", application.app.amqp.Queues(()))
    application.app.amqp.queues.select(list(names))


def test_a_pass_calls_the_pump_for_leads_that_nobody_decides(
    parts: wiring.Wiring, queued: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    _serves(monkeypatch, "poll", "score")
    turn = work._turn(parts, "poll", "emea")
    assert turn is not None
    turn._wake()
    assert _woken(queued) == {"tierwise.qualify"}


def test_a_worker_that_decides_no_leads_makes_room_for_nobody(
    parts: wiring.Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    _serves(monkeypatch, "poll", "maint")
    assert work._turn(parts, "poll", "emea") is None


def test_tasks_with_nothing_to_do_wake_nobody(parts: wiring.Wiring, queued: redis.Redis) -> None:
    parts.store.connections.ensure("emea", "hubspot", now=wiring.clock())
    for task in (work.poll, work.reconcile, work.outcomes, work.write_back):
        task("emea")
    work.shadow()
    assert _woken(queued) == set()
