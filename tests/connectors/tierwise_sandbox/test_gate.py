from __future__ import annotations

from typing import Any

import pytest

from tierwise_sandbox.gate import classify
from tierwise_sandbox.portal import SCOPES, Portal

ROOT = "/crm/objects/2026-09/contacts"
READ, WRITE = "crm.objects.contacts.read", "crm.objects.contacts.write"
SCHEMA_READ, SCHEMA_WRITE = "crm.schemas.contacts.read", "crm.schemas.contacts.write"


@pytest.mark.parametrize(
    ("method", "path", "kind", "scope"),
    [
        ("POST", f"{ROOT}/search", "search", READ),
        ("POST", f"{ROOT}/batch/read", "batch_read", READ),
        ("POST", f"{ROOT}/batch/update", "batch_update", WRITE),
        ("POST", f"{ROOT}/batch/create", "batch_create", WRITE),
        ("GET", f"{ROOT}/9901", "get", READ),
        ("PATCH", f"{ROOT}/9901", "patch", WRITE),
        ("DELETE", f"{ROOT}/9901", "delete", WRITE),
        ("GET", ROOT, "list", READ),
        ("POST", ROOT, "create", WRITE),
        ("GET", "/crm/properties/2026-09/contacts", "properties_read", SCHEMA_READ),
        ("POST", "/crm/properties/2026-09/contacts", "properties_write", SCHEMA_WRITE),
        ("POST", "/crm/properties/2026-09/contacts/batch/read", "properties_read", SCHEMA_READ),
        ("GET", "/account-info/2026-09/details", "account_info", None),
        ("POST", "/oauth/v2/private-apps/get/access-token-info", "oauth", None),
    ],
)
def test_every_call_has_its_name_and_scope(method: str, path: str, kind: str, scope: str | None) -> None:
    call = classify(method, path)
    assert call is not None
    assert (call.kind, call.scope) == (kind, scope)


def test_pages_and_the_control_door_are_no_calls() -> None:
    assert [classify("GET", path) for path in ("/", "/contacts", "/contacts/1", "/_sandbox/stats")] == [None] * 4


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic abc"}])
def test_without_the_token_there_is_hubspots_401(stranger: Any, portal: Portal, header: dict[str, str]) -> None:
    answer = stranger.post(f"{ROOT}/search", json={}, headers=header)
    assert answer.status_code == 401
    assert answer.json()["category"] == "INVALID_AUTHENTICATION"
    assert answer.json()["message"].startswith("Authentication credentials not found.")
    assert portal.token not in answer.text


def test_a_missing_scope_is_named(client: Any, portal: Portal) -> None:
    portal.scopes = frozenset(SCOPES) - {WRITE}
    assert client.post(f"{ROOT}/search", json={}).status_code == 200
    answer = client.patch(f"{ROOT}/9901", json={"properties": {"city": "Graz"}})
    assert (answer.status_code, answer.json()["category"]) == (403, "MISSING_SCOPES")
    assert answer.json()["errors"][0]["context"] == {"requiredGranularScopes": [WRITE]}


def test_an_injected_status_has_its_body_and_headers_and_is_counted(client: Any, portal: Portal) -> None:
    portal.faults.replace(
        [{"match": {"path": "search"}, "action": "status", "body": {"m": 1}, "headers": {"Retry-After": "7"}}]
    )
    answer = client.post(f"{ROOT}/search", json={})
    assert (answer.status_code, answer.json(), answer.headers["retry-after"]) == (503, {"m": 1}, "7")
    assert client.post(f"{ROOT}/search", json={}).status_code == 200
    assert portal.calls["search"] == 2


def test_a_partial_batch_carries_out_less_than_it_was_given(client: Any, portal: Portal) -> None:
    portal.faults.replace([{"match": {"path": "batch/update"}, "action": "partial", "share": 0.5}])
    inputs = [{"id": str(key), "properties": {"city": "Graz"}} for key in range(9901, 9905)]
    answer = client.post(f"{ROOT}/batch/update", json={"inputs": inputs}).json()
    assert answer["status"] == "COMPLETE"
    assert [result["id"] for result in answer["results"]] == ["9901", "9902"]
    assert "errors" not in answer
    assert portal.store.tally.writes == 2


@pytest.mark.parametrize(("after", "writes"), [(False, 0), (True, 1)])
def test_a_dropped_request_was_carried_out_or_not(client: Any, portal: Portal, after: bool, writes: int) -> None:
    portal.faults.replace([{"action": "drop", "after": after}])
    with pytest.raises(ConnectionResetError):
        client.patch(f"{ROOT}/9901", json={"properties": {"city": "Graz"}})
    assert portal.store.tally.writes == writes


def test_a_delayed_request_is_answered(client: Any, portal: Portal) -> None:
    portal.faults.replace([{"action": "delay", "seconds": 0.01}])
    assert client.post(f"{ROOT}/search", json={}).status_code == 200
    assert portal.faults.fired == 1


def test_the_control_door_never_fails(client: Any, portal: Portal) -> None:
    portal.faults.replace([{"action": "status", "status": 500, "times": None}])
    assert client.get("/_sandbox/stats").status_code == 200
    assert client.get("/contacts").status_code == 500


def test_limits_refuse_and_gets_tell_what_is_left(client: Any, portal: Portal) -> None:
    portal.limits.set({"search_per_second": 1, "burst": 2})
    assert client.post(f"{ROOT}/search", json={}).status_code == 200
    answer = client.post(f"{ROOT}/search", json={})
    assert (answer.status_code, answer.json()["policyName"]) == (429, "SECONDLY")
    assert "retry-after" not in answer.headers
    answer = client.get(f"{ROOT}/9901")
    assert answer.headers["x-hubspot-ratelimit-remaining"] == "1"
    assert "x-hubspot-ratelimit-max" not in client.post(f"{ROOT}/batch/read", json={"inputs": []}).headers
    answer = client.get(f"{ROOT}/9901")
    assert (answer.status_code, answer.json()["policyName"]) == (429, "TEN_SECONDLY_ROLLING")


def test_a_storm_of_expired_tokens_passes(client: Any, portal: Portal) -> None:
    portal.faults.replace([{"action": "unauthorized", "match": {"path": "/search"}, "times": 2}])
    answers = [client.post(f"{ROOT}/search", json={"limit": 1}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 200]
    assert answers[0].json()["category"] == "INVALID_AUTHENTICATION"


def test_a_dripping_answer_is_whole_in_the_end(client: Any, portal: Portal) -> None:
    whole = client.get(f"{ROOT}/9901").json()
    portal.faults.replace([{"action": "drip", "seconds": 0.05}])
    assert client.get(f"{ROOT}/9901").json() == whole
    assert portal.faults.fired == 1
