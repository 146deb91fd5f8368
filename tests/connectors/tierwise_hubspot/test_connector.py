from __future__ import annotations

import email.utils
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tierwise.sdk import testing
from tierwise_hubspot import client
from tierwise_sandbox import kinds


def test_now_is_the_portals_clock_and_costs_one_cheap_call(crm: Any) -> None:
    assert crm.connector().now() == datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
    assert [path for _, path, _ in crm.calls] == ["/account-info/2026-09/details"]


def test_now_is_ours_where_answers_carry_no_time(crm: Any) -> None:
    crm.instead = lambda method, path, body: (200, {})
    assert abs(crm.connector().now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_describe_tells_the_portals_types(crm: Any) -> None:
    described = crm.connector().describe()
    assert described["annualrevenue"] == "number"
    assert described["lifecyclestage"] == "enumeration"
    assert described[crm.client().settings.modified] == "datetime"


def test_a_connection_is_one_pool(crm: Any) -> None:
    made = crm.connector()
    made.close()
    assert made._reader._client is made._writer._client
    assert isinstance(made._client, client.Client)


def test_listing_the_type_imports_neither_the_client_library_nor_http() -> None:
    code = (
        "import sys, tierwise_hubspot; tierwise_hubspot.tierwise_connector_types();"
        "print(sorted({'hubspot', 'requests', 'urllib3', 'opentelemetry'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.strip() == "[]"


def test_opening_imports_only_what_is_used_of_the_client_library() -> None:
    """All of it is 60 MB; its request builder is a few modules."""
    code = (
        "import sys, tierwise_hubspot.connector;"
        "print(len([name for name in sys.modules if name.split('.')[0] == 'hubspot']))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert int(found.stdout) < 20


@pytest.mark.parametrize("object_type", ["contacts", "companies", "0-136"])
def test_each_object_is_provisioned_read_written_and_checked(crm: Any, object_type: str) -> None:
    (contact,) = crm.load([int(crm.clock.now * 1000)])
    made = {
        "contacts": contact,
        "companies": crm.add(kinds.COMPANIES, {"name": "Acme"}),
        "0-136": crm.add(kinds.LEADS, {"hs_lead_name": "Ann"}, (kinds.CONTACTS, contact), primary=True),
    }
    kind = kinds.find(object_type)
    crm.date = lambda: email.utils.formatdate(usegmt=True)
    connector = crm.connector(object_type=object_type)
    assert {step.action for step in connector.provision(testing.fields(), dry_run=False)} == {"create"}
    owners = {
        name for name in kinds.KINDS if "tierwise_score" in crm.portal.shelf(kinds.KINDS[name]).definitions.types()
    }
    assert owners == {kind.name}, "the fields are on that object and no other"
    names = sorted(kind.shown)[:1]
    assert [line for line in connector.check(properties=names, fields=testing.fields()) if not line.ok] == []
    since = datetime.fromtimestamp(crm.clock.now - 60, UTC)
    (page,) = connector.changes(since, datetime.fromtimestamp(crm.clock.now + 60, UTC), properties=names)
    assert [record.id for record in page.records] == [made[object_type]]
    (written,) = connector.write([testing.update(made[object_type], testing.EXAMPLE)])
    assert written.outcome == "written"
    (record,) = connector.read([made[object_type]], properties=names)
    assert record.own["tierwise_score"] == testing.EXAMPLE["tierwise_score"]
    shown = crm.send("GET", f"/{kind.name}/{made[object_type]}")
    assert shown.status_code == 200
    assert '<section class="card advice"' in shown.text
    assert str(testing.EXAMPLE["tierwise_score"]) in shown.text
    assert made[object_type] in crm.send("GET", f"/{kind.name}").text
