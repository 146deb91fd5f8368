"""A worker's process on a real broker and a database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tierwise import settings as configuration
from tierwise import wiring
from tierwise.cli import setup
from tierwise.limits import client_url
from tierwise.tasks import application, process


@pytest.fixture
def settings(home: Path) -> configuration.Settings:
    made = configuration.Settings(
        home=home, connections={"emea": {"type": "hubspot", "token": "t"}}, database_url=f"sqlite:///{home / 'x.db'}"
    )
    setup.prepare(made)
    return made


@pytest.fixture
def parts(settings: configuration.Settings, clean_valkey_url: str) -> Iterator[wiring.Wiring]:
    process.current.close()
    process.current._beat_at.clear()
    application.configure(settings, broker_url=clean_valkey_url)
    yield process.current.get()
    process.current.close()


@pytest.fixture
def queued(clean_valkey_url: str) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(client_url(clean_valkey_url))
    yield client
    client.close()
