"""A store of a few values that a test sets, and the console over it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import fastapi
import httpx
import pytest

from tierwise import console, errors, ports

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Fake:
    """Those parts of ports.Store that the console reads; `down` makes all of them fail."""

    def __init__(self) -> None:
        self.down: errors.TierwiseError | None = None
        self.beats: list[ports.Heartbeat] = []
        self.states: list[ports.ConnectionState] = []
        self.lead_counts: dict[str, dict[str, int]] = {}
        self.work: dict[str, int] = {}
        self.outgoing: dict[str, int] = {}
        self.open_reviews: dict[str, int] = {}
        self.activation: ports.Activation | None = None
        self.healths: list[ports.Health] = []
        self.waiting: dict[str, int] = {}
        self.batched: dict[str, int] = {}
        self.money_levels: list[ports.Level] = []
        self.spent: list[ports.Entry] = []
        self.automated: dict[tuple[str, str], int] = {}

    def __getattr__(self, name: str) -> Any:
        if name in {
            "heartbeats", "connections", "leads", "works", "outbox", "reviews", "policies", "health", "money",
            "batches", "automations",
        }:  # fmt: skip
            if self.down is not None:
                raise self.down
            return _Part(self, name)
        raise AttributeError(name)

    def beat(self, role: str, *, ago: float, instance: str = "a", queues: Sequence[str] = ()) -> None:
        info = {"queues": list(queues)} if queues else {}
        self.beats.append(ports.Heartbeat(role, f"{role}-{instance}", NOW - timedelta(seconds=ago), info))

    def fail(self, name: str, step: str, *, times: int, fault: str, error: str, resting: float = 0) -> None:
        until = NOW + timedelta(seconds=resting) if resting else None
        since = NOW - timedelta(minutes=4)
        self.healths.append(ports.Health(name, step, times, fault, error, "look <there>", since, NOW, since, until))

    def connect(self, name: str, *, counts: Mapping[str, int], paused: str | None = None, enabled: bool = True) -> None:
        polled = NOW - timedelta(minutes=3)
        self.states.append(ports.ConnectionState(name, "hubspot", enabled, paused, polled, polled, None, 0))
        self.lead_counts[name] = dict(counts)


class _Part:
    def __init__(self, fake: Fake, name: str) -> None:
        self._fake, self._name = fake, name

    def latest(self) -> list[ports.Heartbeat]:
        return self._fake.beats

    def list(self) -> list[Any]:
        return self._fake.healths if self._name == "health" else self._fake.states

    def counts(self, connection: str | None = None) -> Mapping[Any, int]:
        if self._name == "automations":
            return self._fake.automated
        if self._name == "leads":
            assert connection is not None
            return self._fake.lead_counts[connection]
        return self._fake.open_reviews

    def waiting(self) -> dict[str, int]:
        return self._fake.batched if self._name == "batches" else self._fake.work

    def due(self, *, now: datetime) -> int | dict[str, int]:
        assert now == NOW
        return self._fake.work.get("ready", 0) if self._name == "works" else self._fake.outgoing

    def held(self) -> dict[str, int]:
        return self._fake.waiting

    def levels(self, budgets: ports.Budgets, *, now: datetime) -> Sequence[ports.Level]:
        return self._fake.money_levels if budgets.any else []

    def entries(self, *, since: date) -> Sequence[ports.Entry]:
        assert since == NOW.date().replace(day=1)
        return self._fake.spent

    def active(self) -> ports.Activation | None:
        return self._fake.activation


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def fake() -> Fake:
    return Fake()


@pytest.fixture
def busy(fake: Fake) -> Fake:
    """An installation at work."""
    fake.beat("worker", ago=4)
    fake.beat("worker", ago=7, instance="b")
    fake.beat("beat", ago=2)
    fake.connect("hubspot-emea", counts={"leads": 1200, "undecided": 30, "undelivered": 12, "rejected": 1})
    fake.connect(
        "hubspot-apac", counts={"leads": 0, "undecided": 0, "undelivered": 0, "rejected": 0}, paused="scope <x>"
    )
    fake.work = {"ready": 25, "leased": 5}
    fake.outgoing = {"hubspot-emea": 12}
    fake.open_reviews = {"low_confidence": 7, "schema": 1}
    fake.activation = ports.Activation(
        1, "ab" * 32, "2026-11 <first>", "ada@example.com", "note of a person", NOW - timedelta(days=2)
    )
    return fake


@pytest.fixture
def store(fake: Fake) -> ports.Store:
    return cast(ports.Store, fake)


class Client:
    """Requests to an application in this process."""

    def __init__(self, app: fastapi.FastAPI) -> None:
        self._app = app

    def request(self, method: str, path: str) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://console") as client:
                return await client.request(method, path)

        return asyncio.run(send())

    def get(self, path: str) -> httpx.Response:
        return self.request("GET", path)


@pytest.fixture
def client(store: ports.Store) -> Client:
    return Client(console.create_app(store, broker=lambda: True, clock=lambda: NOW))
