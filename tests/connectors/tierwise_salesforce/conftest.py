"""A Salesforce-shaped org in this very process: the sandbox's application behind `responses`, no socket."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import httpx
import pytest
import requests
import responses

from tierwise import sdk
from tierwise.sdk import testing
from tierwise_salesforce import schema, values
from tierwise_salesforce.client import Client
from tierwise_salesforce.connector import Salesforce
from tierwise_salesforce.settings import Settings
from tierwise_sandbox.salesforce.app import salesforce
from tierwise_sandbox.salesforce.fields import Field
from tierwise_sandbox.salesforce.org import ADMIN, Org
from tierwise_sandbox.salesforce.records import Row

_numbers = itertools.count(1)
_SHARED = Org()  # a key of 2048 bits takes a while to make; orgs differ in all else


class Clock:
    """Seconds since the epoch, moved by the test."""

    def __init__(self) -> None:
        self.now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


class Crm:
    """The org, what was sent to it, and connections to it."""

    def __init__(self, web: responses.RequestsMock) -> None:
        self.clock = Clock()
        self.org = Org(now=self.clock, key=_SHARED.key)
        # Tokens, quota and describe are remembered for each address.
        self.url = f"https://org{next(_numbers)}.my.salesforce.com"
        self.org.url = self.url
        self.limiter = testing.FreeLimiter()
        self.calls: list[tuple[str, str, Any]] = []
        """(method, path, body) of every request."""
        self.slept: list[float] = []
        """Seconds that clients (not connectors) would have waited between two tries."""
        self.headers: list[Mapping[str, str]] = []
        """Headers of every request."""
        self.instead: Callable[[str, str, Any], tuple[int, Any] | None] = lambda method, path, body: None
        """Answers (status, body) in place of the org, where it does not return None."""
        self.date: str | None = None
        """A Date header in place of the org's."""
        self._app = salesforce(self.org)
        for method in ("GET", "POST", "PATCH", "PUT"):
            web.add_callback(method, re.compile(re.escape(self.url)), callback=self._answer)

    def _answer(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        path = request.path_url
        raw = request.body or ""
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = raw
        self.calls.append((str(request.method), path, body))
        self.headers.append({name: str(value) for name, value in request.headers.items()})
        instead = self.instead(str(request.method), path, body)
        if instead is not None:
            return instead[0], {}, instead[1] if isinstance(instead[1], str) else json.dumps(instead[1])
        answer = asyncio.run(self._asked(str(request.method), path, raw, self.headers[-1]))
        given = {name: value for name, value in answer.headers.items() if name != "date"}
        date = answer.headers["date"] if self.date is None else self.date
        return answer.status_code, {**given, "Date": date}, answer.text

    async def _asked(self, method: str, path: str, content: Any, headers: Mapping[str, str]) -> httpx.Response:
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url=self.url) as client:
            return await client.request(method, path, content=content, headers=dict(headers))

    # -- the org as its people and its admin change it -----------------------------------------------------------

    def deploy(self, *, hidden: Sequence[str] = (), read_only: Sequence[str] = (), restricted: bool = True) -> None:
        """Our fields with the permission set, except for those named."""
        made = [_field(field, restricted=restricted) for field in testing.fields()]
        names = {field.name for field in made}
        self.org.schema.deploy("Lead", made, granted=names - {*hidden, *read_only}, readable=read_only)

    def load(self, count: int, *, stamp: float | None = None, **more: Any) -> list[str]:
        """Leads, all changed at one moment (epoch seconds); their ids."""
        at = int(self.clock.now if stamp is None else stamp) * 1000
        return [
            self.org.records.load(
                "Lead",
                {
                    "LastName": f"Lead {n}",
                    "Company": "Acme",
                    "Email": f"lead{n}@example.org",
                    "IsConverted": False,
                    "OwnerId": ADMIN,
                    "CreatedDate": at,
                    **more,
                },
                by=ADMIN,
            )
            for n in range(count)
        ]

    def edit(self, key: str, *, delay: float = 0.0, deleted: bool = False, **changed: Any) -> None:
        """As a person would; with `delay` in a transaction that ends so many seconds later."""
        row = self.org.records.latest(key)
        assert row is not None
        self.org.records.put(Row(row.kind, row.id, {**row.values, **changed}, deleted), by=ADMIN, delay=delay)

    def value(self, key: str, name: str) -> Any:
        """What the org holds."""
        row = self.org.records.get(key)
        assert row is not None
        return row.values.get(name)

    # -- connections to it ----------------------------------------------------------------------------------------

    def connection(self, *, token: str | None = None, **options: Any) -> sdk.Connection:
        name = f"org-{next(_numbers)}"  # a breaker of its own
        given = {"my_domain": self.url, "client_id": self.org.client_id, "username": self.org.username, **options}
        return sdk.Connection(name, "salesforce", token or self.org.private_key(), given, self.limiter)

    def connector(self, **options: Any) -> Salesforce:
        return Salesforce(self.connection(**options))

    def client(self, **options: Any) -> Client:
        connection = self.connection(**options)
        return Client(connection, Settings.model_validate(connection.options), sleep=self.slept.append)

    def count(self, part: str) -> int:
        return sum(part in path for _, path, _ in self.calls)

    def bodies(self, part: str) -> list[Any]:
        return [body for _, path, body in self.calls if path.split("?")[0].endswith(part)]


def _field(field: sdk.AdviceField, *, restricted: bool) -> Field:
    return Field(
        values.NAMES[field.name],
        field.label,
        schema.TYPES[field.kind],
        length=schema.LENGTHS.get(field.kind, 0),
        options=field.options,
        restricted=restricted and bool(field.options) and field.name != "tierwise_reason_codes",
        digits=3 if field.kind == "number" else 0,
    )


@pytest.fixture
def crm() -> Iterator[Crm]:
    schema.forget()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as web:
        yield Crm(web)
