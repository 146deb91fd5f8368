"""The connectors against the systems they were written for: the contract of the SDK, on real HTTP."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from tierwise import plugins
from tierwise.sdk import connector as sdk_connector
from tierwise.sdk import testing


class HubSpotPortal:
    """The sandbox portal as `testing.Crm`."""

    properties: Sequence[str] = ("email", "company", "monthly_volume", "createdate")
    unknown_id = "987654321"
    refused: Mapping[str, Any] = {"tierwise_status": "no_such_option"}
    pages_of = 3

    def __init__(self, sandbox: Any) -> None:
        self.sandbox = sandbox
        self.secret: str = sandbox.token
        self._number = 0

    def add(self, count: int) -> list[str]:
        # All in one millisecond, as an import does it.
        stamp = str(time.time_ns() // 1_000_000)
        emails = [f"lead{self._number + number}@example.org" for number in range(count)]
        made = self.sandbox.contacts([{"properties": {"email": one, "lastmodifieddate": stamp}} for one in emails])
        self._number += count
        return [str(one["id"]) for one in made]

    def touch(self, record_id: str) -> None:
        self._number += 1
        self.sandbox.contacts([{"id": record_id, "properties": {"message": f"note {self._number}"}}])

    def writes(self) -> int:
        stats = self.sandbox.stats()
        return int(stats["writes"]) + int(stats["calls"].get("properties_write", 0))

    @contextlib.contextmanager
    def broken(self, text: str) -> Iterator[None]:
        body = {"status": "error", "message": text, "category": "VALIDATION_ERROR", "correlationId": text}
        self.sandbox.faults([{"match": {}, "action": "status", "status": 400, "body": body, "times": None}])
        try:
            yield
        finally:
            self.sandbox.faults([])


class TestHubSpot(testing.ConnectorContract):
    @pytest.fixture
    def crm(self, sandbox: Callable[..., Any]) -> HubSpotPortal:
        return HubSpotPortal(sandbox(leads=0))

    @pytest.fixture
    def connector(self, crm: HubSpotPortal) -> Iterator[sdk_connector.Connector]:
        options = {"base_url": crm.sandbox.hubspot_url, "page_size": crm.pages_of}
        connection = sdk_connector.Connection("portal", "hubspot", crm.secret, options, testing.FreeLimiter())
        with contextlib.closing(plugins.open_connector(connection)) as opened:
            yield opened
