from __future__ import annotations

import email.utils
import time
from typing import Any

import pytest

from tierwise import errors, sdk
from tierwise.sdk import testing

FIELDS = testing.fields()
NAMES = ("email", "company", "annualrevenue")


@pytest.fixture
def dated(crm: Any) -> None:
    """The portal's clock is right."""
    crm.date = lambda: email.utils.formatdate(time.time(), usegmt=True)


def _lines(connector: Any, properties: Any = NAMES) -> dict[str, sdk.Check]:
    return {line.name: line for line in connector.check(properties=properties, fields=FIELDS)}


def test_all_is_green_in_four_calls_that_read(crm: Any, dated: None) -> None:
    connector = crm.connector(provisioned=True)
    lines = _lines(connector)
    assert [line for line in lines.values() if not line.ok] == []
    assert list(lines) == [
        "token", "scopes", "crm.schemas.contacts.write", "mapped properties", "own fields", "daily quota", "clock",
    ]  # fmt: skip
    assert len(crm.calls) == 4
    assert crm.portal.token not in repr(lines)


def test_a_wrong_token_is_one_line(crm: Any) -> None:
    connector = crm.connector()
    crm.portal.token = "renewed-meanwhile"
    (line,) = connector.check(properties=NAMES, fields=FIELDS)
    assert (line.name, line.ok) == ("token", False)
    assert "renew it" in line.remedy


def test_a_missing_scope_is_named_with_what_to_do(crm: Any, dated: None) -> None:
    connector = crm.connector(provisioned=True)
    crm.portal.scopes = crm.portal.scopes - {"crm.objects.contacts.write", "crm.schemas.contacts.write"}
    lines = _lines(connector)
    assert not lines["scopes"].ok
    assert "crm.objects.contacts.write" in lines["scopes"].remedy
    assert lines["crm.schemas.contacts.write"].ok, "needed to provision only"
    assert "cannot create fields" in lines["crm.schemas.contacts.write"].detail


def test_without_the_right_to_read_definitions_the_rest_is_still_checked(crm: Any, dated: None) -> None:
    connector = crm.connector(provisioned=True)
    crm.portal.scopes = crm.portal.scopes - {"crm.schemas.contacts.read"}
    lines = _lines(connector)
    assert not lines["properties"].ok
    assert "crm.schemas.contacts.read" in lines["properties"].remedy
    assert lines["daily quota"].ok


def test_a_service_key_whose_scopes_cannot_be_listed_is_fine(crm: Any, dated: None) -> None:
    crm.instead = lambda method, path, body: (404, {"message": "x"}) if path.startswith("/oauth") else None
    lines = _lines(crm.connector())
    assert lines["token"].ok
    assert lines["scopes"].ok
    assert "not listed" in lines["scopes"].detail


def test_where_scopes_cannot_be_listed_reading_is_tried(crm: Any, dated: None) -> None:
    def answer(method: str, path: str, body: Any) -> tuple[int, Any] | None:
        if path.startswith("/oauth"):
            return 404, {"message": "x"}
        return (403, {"message": "no"}) if path.endswith("/search") else None

    crm.instead = answer
    line = _lines(crm.connector())["scopes"]
    assert not line.ok
    assert line.remedy


def test_a_wrong_address_is_not_taken_for_a_wrong_token(crm: Any) -> None:
    crm.instead = lambda method, path, body: (404, {"message": "nothing here"})
    (line,) = crm.connector().check(properties=NAMES, fields=FIELDS)
    assert (line.name, line.ok) == ("address", False)
    assert "base_url" in line.remedy


@pytest.mark.parametrize(
    ("object_type", "scope"),
    [("0-1", "crm.objects.contacts.read"), ("0-136", "crm.objects.leads.read"), ("2-77", "crm.objects.custom.read")],
)
def test_each_object_type_has_scopes_of_its_own(crm: Any, object_type: str, scope: str) -> None:
    crm.instead = lambda method, path, body: (200, {"scopes": [], "results": []})
    assert scope in _lines(crm.connector(object_type=object_type))["scopes"].detail


def test_fields_of_companies_are_checked_with_their_scopes(crm: Any, dated: None) -> None:
    names = ["email", "company.name", "company.numberofemployes"]
    connector = crm.connector(provisioned=True)
    lines = _lines(connector, names)
    assert "crm.objects.companies.read" in lines["scopes"].detail
    line = lines["property company.numberofemployes"]
    assert not line.ok
    assert "did you mean company.numberofemployees?" in line.remedy
    crm.portal.scopes = crm.portal.scopes - {"crm.objects.companies.read"}
    assert "crm.objects.companies.read" in _lines(connector, names)["scopes"].remedy
    assert _lines(connector, ["email"])["scopes"].ok, "only where the map asks"


def test_a_missing_scope_for_deals_is_told_and_no_fault(crm: Any, dated: None) -> None:
    connector = crm.connector(provisioned=True)
    assert "crm.objects.deals.read" not in _lines(connector)
    crm.portal.scopes = crm.portal.scopes - {"crm.objects.deals.read"}
    line = _lines(connector)["crm.objects.deals.read"]
    assert line.ok
    assert "deals is not told" in line.detail


def test_an_object_type_that_the_portal_does_not_have(crm: Any, dated: None) -> None:
    lines = _lines(crm.connector(object_type="2-99"))
    assert not lines["properties"].ok
    assert "object type" in lines["properties"].detail


def test_a_misspelt_property_comes_with_the_right_one(crm: Any, dated: None) -> None:
    lines = _lines(crm.connector(provisioned=True), ["email", "anualrevenue", "anualrevenue"])
    assert "mapped properties" not in lines
    assert "did you mean annualrevenue?" in lines["property anualrevenue"].remedy


def test_missing_fields_and_options_lead_to_provision(crm: Any, dated: None) -> None:
    lines = _lines(crm.connector())
    assert lines["field tierwise_score"].detail == "is missing"
    assert lines["field tierwise_score"].remedy.startswith("tierwise connections provision portal-")
    connector = crm.connector(provisioned=True)
    crm.portal.definitions.change_property("tierwise_tier", {"options": [{"label": "A", "value": "A"}]})
    lines = _lines(connector)
    assert "B, C, D" in lines["field tierwise_tier"].detail


@pytest.mark.parametrize(("used", "ok"), [(0, True), (79, True), (80, False), (100, False)])
def test_the_days_quota_needs_some_room(crm: Any, dated: None, used: int, ok: bool) -> None:
    connector = crm.connector()
    usage = {"name": "daily", "usageLimit": 1000, "currentUsage": used * 10, "resetsAt": "2026-11-22T00:00:00Z"}
    crm.instead = lambda method, path, body: (200, {"results": [usage]}) if "api-usage" in path else None
    line = _lines(connector)["daily quota"]
    assert line.ok is ok
    assert f"{1000 - used * 10:,} of 1,000" in line.detail
    assert bool(line.remedy) is not ok


@pytest.mark.parametrize("answer", [(200, {"results": []}), (200, {}), (403, {"message": "no"}), (404, {})])
def test_a_quota_that_is_not_told_is_no_failure(crm: Any, dated: None, answer: tuple[int, Any]) -> None:
    connector = crm.connector()
    crm.instead = lambda method, path, body: answer if "api-usage" in path else None
    assert _lines(connector)["daily quota"].ok


def test_a_clock_that_is_wrong_is_told(crm: Any) -> None:
    crm.date = lambda: email.utils.formatdate(time.time() - 300, usegmt=True)
    line = _lines(crm.connector())["clock"]
    assert not line.ok
    assert "+300 s" in line.detail or "+299 s" in line.detail or "+301 s" in line.detail


def test_answers_without_a_time_are_told(crm: Any) -> None:
    crm.date = lambda: ""
    line = _lines(crm.connector())["clock"]
    assert not line.ok
    assert line.remedy


def test_a_portal_that_is_down_is_no_line_but_an_error(crm: Any) -> None:
    crm.instead = lambda method, path, body: (429, {"policyName": "DAILY"})
    with pytest.raises(errors.RetryLater):
        crm.connector().check(properties=NAMES, fields=FIELDS)
