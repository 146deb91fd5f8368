"""Kill -9 in the middle of the main job: the same final state as without."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from tierwise.cli import demo, stack
from tierwise.domain.advice import WRITTEN

pytestmark = [pytest.mark.timeout(400), pytest.mark.usefixtures("own_environment")]

LEADS = 400
SEED = 11


def _state(running: demo.Running) -> dict[str, dict[str, Any]]:
    """What the CRM shows in our fields, but for what contains the moment of submitting or deciding."""
    names = [name for name in WRITTEN if name not in {"tierwise_scored_at", "tierwise_fingerprint"}]
    return {record["id"]: {name: record["properties"].get(name) for name in names} for record in running.crm.contacts()}


def _wait(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.02)


def _in_the_middle(running: demo.Running) -> bool:
    """Some leads are decided, and some are not."""
    counts = running.parts.store.works.counts()
    waiting = counts["ready"] + counts["leased"]
    assert waiting or counts["done"] < LEADS * 0.9, "the leads were decided before anything could be killed"
    return bool(counts["done"] and waiting)


def _final(options: demo.Options, *, disturb: Callable[[demo.Running], None] | None = None) -> dict[str, Any]:
    with demo.running(options) as running:
        if disturb is not None:
            _wait(lambda: _in_the_middle(running))
            disturb(running)
        demo.settle(running, quiet=True)
        again = demo.poll_again(running)
        assert {again["writes"], again["to_decide"], again["model_calls"]} == {0}
        report = running.parts.store.decisions.verify(demo.NAME)
        assert report.broken_at is None
        return {"state": _state(running), "links": report.links}


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, Any]:
    before = dict(os.environ)
    try:
        return _final(demo.Options(leads=str(LEADS), seed=SEED))
    finally:
        os.environ.clear()
        os.environ.update(before)


def _kill(name: str) -> Callable[[demo.Running], None]:
    def kill(running: demo.Running) -> None:
        pid = running.supervisor.pids()[name]
        os.kill(pid, signal.SIGKILL)
        _wait(lambda: running.supervisor.restarts()[name] > 0)

    return kill


@pytest.mark.parametrize("name", ["worker", "beat", "valkey"])
def test_a_killed_process_changes_nothing(name: str, undisturbed: dict[str, Any]) -> None:
    disturbed = _final(demo.Options(leads=str(LEADS), seed=SEED), disturb=_kill(name))
    assert disturbed == undisturbed


def test_a_killed_prefork_child_on_postgresql_changes_nothing(
    postgres_url: str, valkey_url: str, undisturbed: dict[str, Any]
) -> None:
    def kill_a_child(running: demo.Running) -> None:
        parent = psutil.Process(running.supervisor.pids()["worker"])
        _wait(lambda: len(parent.children()) >= 2)
        victim = max(parent.children(), key=lambda child: sum(child.cpu_times()[:2]))
        victim.kill()
        _wait(lambda: not victim.is_running())

    options = demo.Options(
        leads=str(LEADS),
        seed=SEED,
        database_url=postgres_url,
        broker_url=valkey_url,
        pool=stack.Pool("prefork", 2),
    )
    assert _final(options, disturb=kill_a_child) == undisturbed
