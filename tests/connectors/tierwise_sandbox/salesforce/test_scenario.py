from __future__ import annotations

from typing import Any

import pytest

from tierwise_sandbox.salesforce import scenario
from tierwise_sandbox.salesforce.org import Org


def test_switches_security_and_a_burst_come_from_one_object(org: Org) -> None:
    scenario.apply(
        org, {"lock_rows": 2, "hidden_fields": ["Lead.Title"], "read_only_fields": ["Lead.Phone"], "burst": 30}
    )
    assert org.switches.lock_rows == 2
    assert org.schema.field("Lead", "Title") is None
    assert ("Lead", "Phone") in org.schema.read_only
    stamps = [row.stamp for row in org.records.window("Lead", None, None)]
    assert stamps.count(stamps[-1]) == 30
    scenario.apply(org, {"hidden_fields": []})
    assert org.schema.field("Lead", "Title") is not None
    assert ("Lead", "Phone") in org.schema.read_only


@pytest.mark.parametrize(
    "given", [[], {"burst": 0}, {"burst": True}, {"hidden_fields": "Title"}, {"hidden_fields": ["Lead.No"]}, {"x": 1}]
)
def test_what_means_nothing_is_refused(org: Org, given: Any) -> None:
    with pytest.raises(ValueError, match=r"salesforce|Lead\.No"):
        scenario.apply(org, given)


def _write(sf: Any, leads: list[str]) -> str:
    (result,) = sf.collection([{"id": leads[0], "Title": "x"}], Sforce_Auto_Assign="FALSE")
    return "written" if result["success"] else str(result["errors"][0]["statusCode"])


def _read(sf: Any, _leads: list[str]) -> str:
    answer = sf.http.get("/services/data/v59.0/query", params={"q": "SELECT Id, Title FROM Lead"})
    return "read" if answer.status_code == 200 else f"{answer.status_code} {answer.json()[0]['errorCode']}"


# What a file can order of the org, and what then comes of the first and the second of two equal calls.
ORDERS: dict[str, tuple[dict[str, Any], Any, list[str]]] = {
    "lock errors": ({"lock_rows": 1}, _write, ["UNABLE_TO_LOCK_ROW", "written"]),
    "transient errors": ({"transient_rows": 1}, _write, ["SERVER_UNAVAILABLE", "written"]),
    "locks inside triggers": ({"trigger_lock_rows": 1}, _write, ["CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "written"]),
    "a validation rule": (
        {"required_when_written": "Phone"},
        _write,
        ["FIELD_CUSTOM_VALIDATION_EXCEPTION"] * 2,
    ),
    "hidden fields": ({"hidden_fields": ["Lead.Title"]}, _write, ["INVALID_FIELD"] * 2),
    "hidden fields in queries": ({"hidden_fields": ["Lead.Title"]}, _read, ["400 INVALID_FIELD"] * 2),
    "read-only fields": ({"read_only_fields": ["Lead.Title"]}, _write, ["INVALID_FIELD_FOR_INSERT_UPDATE"] * 2),
    "a storm of ended sessions": ({"session_storm": 1}, _read, ["401 INVALID_SESSION_ID", "read"]),
    "short sessions": ({"session_calls": 1}, _read, ["read", "401 INVALID_SESSION_ID"]),
    "a used-up allowance": ({"daily_requests": 1}, _read, ["read", "403 REQUEST_LIMIT_EXCEEDED"]),
}


@pytest.mark.parametrize("name", ORDERS)
def test_a_file_can_order_it(org: Org, sf: Any, leads: list[str], name: str) -> None:
    order, call, expected = ORDERS[name]
    scenario.apply(org, order)
    assert [call(sf, leads) for _ in expected] == expected
