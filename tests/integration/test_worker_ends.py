"""A prefork worker asked to end in the middle of a long pump: its children hear of it, and nothing stays claimed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from tierwise_fixtures.waiting import wait_until

from tierwise import settings as configuration
from tierwise import wiring
from tierwise.cli import setup

NAME = "emea"
LEADS = 60


@pytest.fixture
def environment(
    sandbox: Callable[..., Any], postgres_url: str, clean_valkey_url: str, tmp_path: Path
) -> dict[str, str]:
    """What an operator would set, with a model that takes a minute to answer."""
    box = sandbox(leads=LEADS, latency_ms=60_000)
    return {
        "TIERWISE_HOME": str(tmp_path),
        "TIERWISE_DATABASE_URL": postgres_url,
        "TIERWISE_BROKER_URL": clean_valkey_url,
        "TIERWISE_MODEL__PRIMARY": "openai/gpt-6-luna",
        "TIERWISE_MODEL__TIMEOUT_SECONDS": "80",
        "TIERWISE_PUMP__LEASE_SECONDS": "9",
        f"TIERWISE_CONNECTIONS__{NAME.upper()}__TYPE": "hubspot",
        f"TIERWISE_CONNECTIONS__{NAME.upper()}__TOKEN": box.token,
        f"TIERWISE_CONNECTIONS__{NAME.upper()}__BASE_URL": box.hubspot_url,
        "OPENAI_API_BASE": f"{box.model_url}/v1",
        "OPENAI_API_KEY": "sk-test",
    }


@pytest.fixture
def parts(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[wiring.Wiring]:
    """The installation, with its leads read and none decided."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = configuration.load(None)
    setup.prepare(settings)
    found = wiring.Wiring(settings)
    found.ensure_policy()
    now = wiring.clock()
    found.store.connections.ensure(NAME, "hubspot", now=now)
    found.store.connections.enable(NAME, watermark=now - timedelta(days=30), now=now)
    polled = found.poll(NAME)
    assert polled is not None
    assert polled.new
    yield found
    found.close()


def test_a_pump_in_a_child_ends_with_its_worker_and_gives_its_leads_back(parts: wiring.Wiring) -> None:
    from tierwise.tasks import configure, work

    assert parts.broker_url is not None
    argv = [sys.executable, "-m", "tierwise", "worker", "--pool=prefork", "--concurrency=2"]
    worker = subprocess.Popen(argv, env=dict(os.environ), start_new_session=True)
    try:
        configure(parts.settings, broker_url=parts.broker_url)
        work.qualify.apply_async(queue="score")
        wait_until(lambda: parts.store.works.counts()["leased"], within=60, what="a child to claim leads")
        children = psutil.Process(worker.pid).children()
        worker.send_signal(signal.SIGTERM)
        # Three seconds for what is under way, a third of the lease; a pump's own time would be fifty.
        assert worker.wait(timeout=20) == 0
        counts = parts.store.works.counts()
        assert counts["leased"] == 0
        assert counts["ready"] > 0
        assert not any(child.is_running() for child in children)
    finally:
        worker.kill()
        worker.wait()
