"""A prefork worker asked to end in the middle of a long pump: its children hear of it, and nothing stays claimed."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import psutil
from tierwise_fixtures.waiting import wait_until

from tierwise import wiring
from tierwise.tasks import configure, work

SLOW_MODEL = {
    "TIERWISE_MODEL__PRIMARY": "openai/gpt-6-luna",
    "TIERWISE_MODEL__TIMEOUT_SECONDS": "80",
    "TIERWISE_PUMP__LEASE_SECONDS": "9",
    "OPENAI_API_BASE": "{model}/v1",
    "OPENAI_API_KEY": "sk-test",
}


def test_a_pump_in_a_child_ends_with_its_worker_and_gives_its_leads_back(
    installation: Callable[..., wiring.Wiring], worker: Callable[..., Any]
) -> None:
    parts = installation(leads=60, env=SLOW_MODEL, latency_ms=60_000)
    assert parts.broker_url is not None
    configure(parts.settings, broker_url=parts.broker_url)
    with worker("--pool=prefork", "--concurrency=2") as process:
        work.qualify.apply_async(queue="score")
        wait_until(lambda: parts.store.works.counts()["leased"], within=60, what="a child to claim leads")
        children = psutil.Process(process.pid).children()
        process.send_signal(signal.SIGTERM)
        # Three seconds for what is under way, a third of the lease; a pump's own time would be fifty.
        assert process.wait(timeout=20) == 0
    counts = parts.store.works.counts()
    assert counts["leased"] == 0
    assert counts["ready"] > 0
    assert not any(child.is_running() for child in children)
