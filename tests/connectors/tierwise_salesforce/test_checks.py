"""The lines of `connections check`: green, and each fault with its remedy."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tierwise import sdk
from tierwise.sdk import testing


@pytest.fixture
def lines(crm: Any) -> Any:
    def run(*properties: str, **options: Any) -> dict[str, sdk.Check]:
        token = options.pop("token", None)
        connector = crm.connector(token=token, **options)
        found = connector.check(properties=properties or ("Email",), fields=testing.fields())
        return {line.name: line for line in found}

    return run


@pytest.fixture(autouse=True)
def time_of_the_org(crm: Any) -> None:
    """The org's clock is that of this machine, unless a test says otherwise."""
    crm.clock.now = time.time()


def test_all_is_green(crm: Any, lines: Any) -> None:
    crm.deploy()
    found = lines("Email", "Company")
    assert [line for line in found.values() if not line.ok] == []
    assert found.keys() == {"login", "mapped fields", "own fields", "outcomes", "API calls", "clock"}


def test_a_missing_field_gets_a_guess_and_a_formula_its_reason(crm: Any, lines: Any) -> None:
    crm.deploy()
    found = lines("Emial", "Age_Days__c")
    assert not found["field Emial"].ok
    assert "did you mean Email?" in found["field Emial"].remedy
    assert "formula" in found["field Age_Days__c"].detail
    assert "Age_Days__c" in found["field Age_Days__c"].remedy


def test_our_fields_are_checked_for_presence_and_security(crm: Any, lines: Any) -> None:
    crm.deploy(hidden=["Tierwise_Fit__c"], read_only=["Tierwise_Tier__c"])
    found = lines()
    assert {name for name, line in found.items() if not line.ok} == {"field tierwise_fit", "field tierwise_tier"}
    assert "missing or hidden" in found["field tierwise_fit"].detail
    assert "read-only" in found["field tierwise_tier"].detail
    assert all("sf org assign permset" in line.remedy for line in found.values() if not line.ok)


def test_a_refused_login_is_the_only_line(lines: Any) -> None:
    found = lines(client_id="other")
    assert list(found) == ["login"]
    assert not found["login"].ok
    assert "client_id" in found["login"].remedy


def test_the_days_calls_are_told(crm: Any, lines: Any) -> None:
    crm.deploy()
    crm.org.switches.set({"daily_requests": 5_000})
    assert lines()["API calls"].detail == "4,996 of 5,000 calls of the last 24 hours left"
    crm.org.used = 4_500
    found = lines()
    assert not found["API calls"].ok
    assert "reserve_percent" in found["API calls"].remedy


def test_a_clock_that_is_off_is_told(crm: Any, lines: Any) -> None:
    crm.deploy()
    crm.org.switches.set({"clock_skew_seconds": 300})
    found = lines()
    assert not found["clock"].ok
    assert "-300" in found["clock"].detail or "-299" in found["clock"].detail


def test_what_cannot_be_told_of_outcomes_is_said_and_is_no_failure(crm: Any, lines: Any) -> None:
    crm.deploy()
    missing = [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]
    crm.instead = lambda method, path, body: (404, missing) if "/Opportunity/describe" in path else None
    line = lines("Email")["outcomes"]
    assert line.ok
    assert "without Opportunity" in line.detail
