from __future__ import annotations

from typing import Any

from tierwise_sandbox.portal import PORTAL_ID, SCOPES, Portal

ROOT = "/crm/properties/2026-09/contacts"


def tier(name: str = "tier", **change: Any) -> dict[str, Any]:
    options = [{"label": "A", "value": "A"}, {"label": "B", "value": "B"}]
    given = {"name": name, "label": name, "type": "enumeration", "fieldType": "checkbox", "groupName": "capture_form"}
    return {**given, "options": options, **change}


def test_properties_can_be_made_read_changed_and_removed(client: Any) -> None:
    assert client.post(ROOT, json=tier()).status_code == 201
    assert client.post(ROOT, json=tier()).status_code == 409
    assert client.get(f"{ROOT}/tier").json()["fieldType"] == "checkbox"
    assert client.patch(f"{ROOT}/tier", json={"label": "Tier!"}).json()["label"] == "Tier!"
    names = {held["name"] for held in client.get(ROOT).json()["results"]}
    assert {"tier", "email", "lastmodifieddate", "company_size"} <= names
    assert client.delete(f"{ROOT}/tier").status_code == 204
    assert client.get(f"{ROOT}/tier").status_code == 404
    assert client.delete(f"{ROOT}/email").status_code == 400


def test_a_batch_reports_each_property(client: Any) -> None:
    inputs = [tier("one"), tier("email"), tier("two", fieldType="text")]
    answer = client.post(f"{ROOT}/batch/create", json={"inputs": inputs})
    body = answer.json()
    assert (answer.status_code, [held["name"] for held in body["results"]]) == (200, ["one"])
    assert [(e["category"], e["context"]["name"]) for e in body["errors"]] == [
        ("OBJECT_ALREADY_EXISTS", ["email"]),
        ("VALIDATION_ERROR", ["two"]),
    ]
    assert client.post(f"{ROOT}/batch/create", json={"inputs": [tier("three")]}).status_code == 200
    answer = client.post(f"{ROOT}/batch/read", json={"inputs": [{"name": "one"}, {"name": "nine"}]})
    assert (answer.status_code, len(answer.json()["results"])) == (200, 1)


def test_a_new_property_takes_values_at_once_and_is_strict(client: Any) -> None:
    client.post(ROOT, json=tier())
    record = "/crm/objects/2026-09/contacts/9901"
    assert client.patch(record, json={"properties": {"tier": "A;B"}}).json()["properties"]["tier"] == "A;B"
    assert client.patch(record, json={"properties": {"tier": "A;C"}}).status_code == 400


def test_groups(client: Any) -> None:
    assert client.post(f"{ROOT}/groups", json={"name": "tiers", "label": "Tiers"}).status_code == 201
    assert client.post(f"{ROOT}/groups", json={"name": "tiers", "label": "Tiers"}).status_code == 409
    assert client.post(f"{ROOT}/groups", json={"name": "Tiers!"}).status_code == 400
    assert "tiers" in {group["name"] for group in client.get(f"{ROOT}/groups").json()["results"]}
    assert client.patch(f"{ROOT}/groups/tiers", json={"label": "T"}).json()["label"] == "T"
    assert client.delete(f"{ROOT}/groups/tiers").status_code == 204
    assert client.get(f"{ROOT}/groups/tiers").status_code == 404


def test_the_account_tells_who_it_is_and_how_much_is_used(client: Any, portal: Portal) -> None:
    assert client.get("/account-info/2026-09/details").json()["portalId"] == PORTAL_ID
    portal.limits.set({"daily": 100})
    (usage,) = client.get("/account-info/2026-09/api-usage/daily/private-apps").json()["results"]
    assert (usage["usageLimit"], usage["currentUsage"]) == (100, 2)
    assert usage["resetsAt"] > usage["collectedAt"]


def test_a_token_tells_its_scopes(stranger: Any, portal: Portal) -> None:
    path = "/oauth/v2/private-apps/get/access-token-info"
    info = stranger.post(path, json={"tokenKey": portal.token}).json()
    assert info["hubId"] == PORTAL_ID
    assert info["scopes"] == sorted(SCOPES)
    assert stranger.post(path, json={"tokenKey": "other"}).status_code == 404
