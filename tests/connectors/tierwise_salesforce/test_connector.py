"""The parts put together; the promises themselves are tested by the contract."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tierwise.sdk import testing
from tierwise_salesforce import tierwise_connector_types
from tierwise_salesforce.connector import Salesforce
from tierwise_salesforce.settings import Settings


def test_it_is_registered_by_its_name(crm: Any) -> None:
    (kind,) = tierwise_connector_types()
    assert (kind.name, kind.settings) == ("salesforce", Settings)
    assert isinstance(kind.open(crm.connection()), Salesforce)


def test_now_is_the_orgs_clock(crm: Any) -> None:
    crm.org.switches.set({"clock_skew_seconds": -400})
    assert crm.connector().now() == datetime.fromtimestamp(int(crm.clock.now) - 400, UTC)


def test_describe_names_our_fields_as_we_do(crm: Any) -> None:
    crm.deploy()
    found = crm.connector().describe()
    assert found["Email"] == "email"
    assert found["tierwise_score"] == "double"
    assert {field.name for field in testing.fields()} <= found.keys()


def test_a_thousand_leads_cost_three_calls(crm: Any) -> None:
    """Login and describe are apart: once for a process, not for a poll."""
    from tierwise import sdk

    crm.deploy()
    keys = crm.load(1000)
    connector = crm.connector()
    connector.describe()
    before = crm.org.used
    now = connector.now()
    (page,) = connector.changes(now, now, properties=("Email",))
    assert len(page.records) == 1000
    connector.write([sdk.Update(key, {"tierwise_score": 1}, key) for key in keys])
    assert crm.org.used - before == 2


def test_closing_closes(crm: Any) -> None:
    connector = crm.connector()
    connector.close()
