"""The connectors against the systems they were written for: the contract of the SDK, on real HTTP."""

from __future__ import annotations

import contextlib
import importlib.util
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
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


class SalesforceOrg:
    """The sandbox org as `testing.Crm`."""

    properties: Sequence[str] = ("Email", "Company", "Monthly_Volume__c", "CreatedDate")
    unknown_id = "00QSb0zzzzzzzzzQAA"
    refused: Mapping[str, Any] = {"tierwise_status": "no_such_option"}
    pages_of = 3

    def __init__(self, sandbox: Any, folder: Path) -> None:
        self.sandbox = sandbox
        self.secret: str = sandbox.salesforce["private_key"]
        self._folder = folder
        self._number = 0

    def deploy(self) -> None:
        """What an admin does with ops/salesforce, generated for the fields of the contract."""
        path = Path(__file__).parents[2] / "ops" / "salesforce" / "generate.py"
        spec = importlib.util.spec_from_file_location("generate_salesforce", path)
        assert spec is not None
        assert spec.loader is not None
        generator = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(generator)
        for name, text in generator.files(testing.fields()).items():
            target = self._folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        self.sandbox.org("deploy", {"folder": str(self._folder)})

    def add(self, count: int) -> list[str]:
        # All in one second, as an import does it, and in none in which something was written before.
        stamp = self._next_second()
        leads = [
            {"values": {"LastName": f"Lead {self._number + n}", "Company": "Acme", "Email": f"lead{n}@example.org",
                        "SystemModstamp": stamp}}
            for n in range(count)
        ]  # fmt: skip
        self._number += count
        return [str(one["id"]) for one in self.sandbox.org("records", leads)]

    def touch(self, record_id: str) -> None:
        self._next_second()
        self._number += 1
        self.sandbox.org("records", {"id": record_id, "values": {"Description": f"note {self._number}"}})

    def writes(self) -> int:
        return int(self.sandbox.org("stats")["writes"])

    @contextlib.contextmanager
    def broken(self, text: str) -> Iterator[None]:
        body = [{"errorCode": "MALFORMED_QUERY", "message": text}]
        self.sandbox.faults([{"match": {}, "action": "status", "status": 400, "body": body, "times": None}])
        try:
            yield
        finally:
            self.sandbox.faults([])

    def _next_second(self) -> str:
        """Wait until the org's clock shows another second; as text."""
        began = int(time.time())
        while int(time.time()) == began:
            time.sleep(0.01)
        return datetime.fromtimestamp(int(time.time()), UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


class TestSalesforce(testing.ConnectorContract):
    @pytest.fixture
    def crm(self, sandbox: Callable[..., Any], tmp_path: Path) -> SalesforceOrg:
        return SalesforceOrg(sandbox(leads=0, salesforce_port=0), tmp_path)

    @pytest.fixture
    def connector(self, crm: SalesforceOrg) -> Iterator[sdk_connector.Connector]:
        given = crm.sandbox.salesforce
        options = {
            "my_domain": given["url"],
            "client_id": given["client_id"],
            "username": given["username"],
            "page_size": crm.pages_of,
        }
        connection = sdk_connector.Connection("org", "salesforce", crm.secret, options, testing.FreeLimiter())
        with contextlib.closing(plugins.open_connector(connection)) as opened:
            yield opened

    @pytest.fixture
    def ready(self, connector: sdk_connector.Connector, crm: SalesforceOrg) -> sdk_connector.Connector:
        """Fields are deployed by an admin; provisioning only looks whether they are there."""
        crm.deploy()
        return connector

    def test_provisioning_without_a_deployment_says_what_a_person_must_do(
        self, connector: sdk_connector.Connector, crm: SalesforceOrg
    ) -> None:
        plan = connector.provision(testing.fields(), dry_run=False)
        assert {step.action for step in plan} == {"conflict"}
        assert all("sf project deploy start" in step.detail for step in plan)
        assert crm.writes() == 0
