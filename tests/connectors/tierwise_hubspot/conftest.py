"""A HubSpot-shaped portal in this very process: the sandbox's application behind `responses`, no socket."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import httpx
import pytest
import requests
import responses
from tierwise_fixtures import environment

from tierwise import sdk
from tierwise.sdk import testing
from tierwise_hubspot.client import Client
from tierwise_hubspot.connector import HubSpot
from tierwise_hubspot.settings import Settings
from tierwise_sandbox.app import hubspot
from tierwise_sandbox.kinds import COMPANIES, CONTACTS, Kind
from tierwise_sandbox.portal import Portal
from tierwise_sandbox.recording import recorded
from tierwise_sandbox.store import Store

BASE = "https://portal.example.test"
_numbers = itertools.count(1)


class Clock:
    """Seconds since the epoch, moved by the test."""

    def __init__(self) -> None:
        self.now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


class Crm:
    """The portal, what was sent to it, and connections to it."""

    def __init__(self, web: responses.RequestsMock) -> None:
        self.clock = Clock()
        self.portal = Portal(store=Store(now=self.clock))
        self.limiter = testing.FreeLimiter()
        self.web = web
        self.calls: list[tuple[str, str, Any]] = []
        """(method, path, body) of every request."""
        self.instead: Callable[[str, str, Any], tuple[int, Any] | None] = lambda method, path, body: None
        """Answers (status, body) in place of the portal, where it does not return None."""
        self.date: Callable[[], str] = lambda: "Sat, 21 Nov 2026 08:00:00 GMT"
        self._app = recorded(hubspot(self.portal), environment.RECORDING, vendor="hubspot")
        for method in ("GET", "POST", "PATCH"):
            web.add_callback(method, re.compile(re.escape(BASE)), callback=self._answer)

    def _answer(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        path = request.path_url
        raw = request.body or ""
        body = json.loads(raw) if raw else None
        self.calls.append((str(request.method), path, body))
        instead = self.instead(str(request.method), path, body)
        if instead is not None:
            return instead[0], {}, json.dumps(instead[1])
        headers = {name: str(value) for name, value in request.headers.items()}
        answer = self.send(str(request.method), path, content=raw, headers=headers)
        return answer.status_code, {**answer.headers, "Date": self.date()}, answer.text

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A request of somebody else's."""

        async def call() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self._app), base_url=BASE) as client:
                return await client.request(method, path, **options)

        return asyncio.run(call())

    def connection(self, **options: Any) -> sdk.Connection:
        name = f"portal-{next(_numbers)}"  # a breaker of its own
        return sdk.Connection(name, "hubspot", self.portal.token, {"base_url": BASE, **options}, self.limiter)

    def connector(self, *, provisioned: bool = False, **options: Any) -> HubSpot:
        made = HubSpot(self.connection(**options))
        if provisioned:
            made.provision(testing.fields(), dry_run=False)
            self.calls.clear()
        return made

    def client(self, **options: Any) -> Client:
        connection = self.connection(**options)
        return Client(connection, Settings.model_validate(connection.options))

    def load(self, stamps: Sequence[int], *, first_id: int | None = None) -> list[str]:
        """Records last changed at these milliseconds; their ids."""
        ids = [None if first_id is None else first_id + number for number in range(len(stamps))]
        pairs = enumerate(zip(stamps, ids, strict=True))
        rows = [({"email": f"r{n}@example.org"}, stamp, stamp, key) for n, (stamp, key) in pairs]
        return [str(key) for key in self.portal.store.load(rows)]

    def add(self, kind: Kind, values: dict[str, str], *ties: tuple[Kind, str], primary: bool = False) -> str:
        """A record of any object type, tied to others."""
        (record,) = self.portal.shelf(kind).store.create([(values, None)], by="person")
        for other, key in ties:
            self.portal.associations.link((kind, record.id), (other, int(key)), primary=primary)
        return str(record.id)

    def employ(self, contact: str, *, primary: bool = True, **values: str) -> str:
        """A company of the contact's."""
        company = self.add(COMPANIES, values)
        self.portal.associations.link((CONTACTS, int(contact)), (COMPANIES, int(company)), primary=primary)
        return company

    def count(self, part: str) -> int:
        return sum(part in path for _, path, _ in self.calls)

    def bodies(self, part: str) -> list[Any]:
        return [body for _, path, body in self.calls if part in path]


@pytest.fixture
def crm() -> Iterator[Crm]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as web:
        yield Crm(web)
