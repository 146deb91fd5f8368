"""A portal of a few known contacts, its clients, and a model client: all in-process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from tierwise_sandbox.app import hubspot
from tierwise_sandbox.latency import Latency
from tierwise_sandbox.model_server import models
from tierwise_sandbox.portal import Portal
from tierwise_sandbox.store import Store

START = 1_795_000_000.0
"""Seconds; the portal's clock starts here and moves only when a test moves it."""


class Clock:
    def __init__(self) -> None:
        self.seconds = START

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def portal(clock: Clock) -> Portal:
    portal = Portal(store=Store(now=clock))
    first = int(START * 1000) - 60_000
    portal.store.load(
        (
            {"email": f"p{n}@acme-{n}.example", "firstname": f"Person {n}", "annualrevenue": str(n * 1000)},
            first + n * 1000,
            first + n * 1000,
            None,
        )
        for n in range(12)
    )
    return portal


class Caller:
    """Requests to an application in this process, one at a time."""

    def __init__(self, app: ASGIApp, headers: dict[str, str]) -> None:
        self.app = app
        self.headers = headers

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def call() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://sandbox", headers=self.headers) as http:
                return await http.request(method, path, **more)

        return asyncio.run(call())

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self.request("POST", path, **more)

    def patch(self, path: str, **more: Any) -> httpx.Response:
        return self.request("PATCH", path, **more)

    def put(self, path: str, **more: Any) -> httpx.Response:
        return self.request("PUT", path, **more)

    def delete(self, path: str, **more: Any) -> httpx.Response:
        return self.request("DELETE", path, **more)


@pytest.fixture
def caller() -> type[Caller]:
    """For clients of other applications than the portal's."""
    return Caller


@pytest.fixture
def client(portal: Portal) -> Caller:
    return Caller(hubspot(portal), {"Authorization": f"Bearer {portal.token}"})


@pytest.fixture
def stranger(portal: Portal) -> Caller:
    """A client without a token."""
    return Caller(hubspot(portal), {})


@pytest.fixture
def model(portal: Portal) -> Caller:
    return Caller(models(portal, Latency()), {"Authorization": "Bearer any", "x-api-key": "any"})


Search = Callable[..., dict[str, Any]]


@pytest.fixture
def search(client: Caller) -> Search:
    """Search for filters (AND), with any other part of the body; the answer's JSON."""

    def searched(*filters: dict[str, Any], status: int = 200, **body: Any) -> dict[str, Any]:
        if filters:
            body["filterGroups"] = [{"filters": list(filters)}]
        answer = client.post("/crm/objects/2026-09/contacts/search", json=body)
        assert answer.status_code == status, answer.text
        found: dict[str, Any] = answer.json()
        return found

    return searched
