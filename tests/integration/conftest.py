"""An installation as an operator sets it up by the environment: a sandbox CRM, a real broker, PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tierwise import settings as configuration
from tierwise import wiring
from tierwise.cli import setup

NAME = "emea"


@pytest.fixture
def installation(
    sandbox: Callable[..., Any],
    postgres_url: str,
    clean_valkey_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[..., wiring.Wiring]]:
    """`installation(leads=20, env={...})`: its wiring, with the leads read and none decided.

    Processes of it are started with this process's environment; `{model}` in `env` is the model server's address.
    """
    opened: list[wiring.Wiring] = []

    def make(*, leads: int, env: dict[str, str], **options: object) -> wiring.Wiring:
        box = sandbox(leads=leads, **options)
        settings = {
            "TIERWISE_HOME": str(tmp_path),
            "TIERWISE_DATABASE_URL": postgres_url,
            "TIERWISE_BROKER_URL": clean_valkey_url,
            f"TIERWISE_CONNECTIONS__{NAME.upper()}__TYPE": "hubspot",
            f"TIERWISE_CONNECTIONS__{NAME.upper()}__TOKEN": box.token,
            f"TIERWISE_CONNECTIONS__{NAME.upper()}__BASE_URL": box.hubspot_url,
        }
        for name, value in (settings | env).items():
            monkeypatch.setenv(name, value.replace("{model}", box.model_url))
        loaded = configuration.load(None)
        setup.prepare(loaded)
        found = wiring.Wiring(loaded)
        opened.append(found)
        found.ensure_policy()
        now = wiring.clock()
        found.store.connections.ensure(NAME, "hubspot", now=now)
        found.store.connections.enable(NAME, watermark=now - timedelta(days=30), now=now)
        polled = found.poll(NAME)
        assert polled is not None
        assert polled.new
        return found

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def worker() -> Callable[..., Any]:
    """`with worker("--pool=prefork") as process`: a worker of the installation, killed at the end if need be."""

    @contextmanager
    def started(*options: str) -> Iterator[subprocess.Popen[bytes]]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tierwise", "worker", *options], env=dict(os.environ), start_new_session=True
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    return started
