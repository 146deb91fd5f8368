from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from tierwise_hubspot import client


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
