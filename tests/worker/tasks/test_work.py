"""What each task wakes, and what it leaves alone."""

from __future__ import annotations

import itertools
import json
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


@pytest.mark.parametrize("task", [work.reconcile, work.outcomes])
@pytest.mark.parametrize("neglected", [True, False])
def test_a_pass_that_made_room_comes_back(
    task: Any, neglected: bool, parts: wiring.Wiring, queued: redis.Redis
) -> None:
    seconds = itertools.count(step=100)
    works = cast(ports.Works, _Works(neglected=neglected))
    turn = turns.Turn(works, clock=wiring.clock, monotonic=lambda: float(next(seconds)), wake=lambda: None)
    assert [turn.over() for _ in range(3)] == [False, False, neglected]
    work._go_on(task, "emea", turn)
    assert _woken(queued) == ({task.name} if neglected else set())


def _serves(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    queues = application.app.amqp.Queues(())
    queues.select(list(names))
    monkeypatch.setattr(application.app.amqp, "queues", queues)


def test_a_pass_calls_the_pump_for_leads_that_nobody_decides(
    parts: wiring.Wiring, queued: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    _serves(monkeypatch, "poll", "score")
    turn = work._turn(parts)
    assert turn is not None
    turn._wake()
    assert _woken(queued) == {"tierwise.qualify"}


def test_a_worker_that_decides_no_leads_makes_room_for_nobody(
    parts: wiring.Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    _serves(monkeypatch, "poll", "maint")
    assert work._turn(parts) is None


def test_tasks_with_nothing_to_do_wake_nobody(parts: wiring.Wiring, queued: redis.Redis) -> None:
    parts.store.connections.ensure("emea", "hubspot", now=wiring.clock())
    for task in (work.poll, work.reconcile, work.outcomes, work.write_back):
        task("emea")
    work.shadow()
    assert _woken(queued) == set()
