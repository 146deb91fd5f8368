from __future__ import annotations

from typing import Any

import pytest

ROOT = "/crm/objects/2026-09/contacts"


def test_stats_count_calls_and_writes_until_they_are_reset(client: Any, stranger: Any) -> None:
    client.post(f"{ROOT}/search", json={})
    client.patch(f"{ROOT}/9901", json={"properties": {"city": "Graz"}})
    client.patch(f"{ROOT}/9901", json={"properties": {"city": "Graz"}})
    stats = stranger.get("/_sandbox/stats").json()
    assert stats["calls"] == {"search": 1, "patch": 2}
    assert (stats["writes"], stats["writes_changed"], stats["records"]) == (2, 1, 12)
    assert stranger.post("/_sandbox/reset_stats").status_code == 200
    stats = stranger.get("/_sandbox/stats").json()
    assert (stats["calls"], stats["writes"], stats["model_calls"]) == ({}, 0, 0)


def test_the_journal_tells_every_write_in_order(client: Any, stranger: Any) -> None:
    inputs = [{"id": key, "properties": {"city": "Graz"}, "objectWriteTraceId": key} for key in ("9902", "9901")]
    client.post(f"{ROOT}/batch/update", json={"inputs": inputs})
    client.patch(f"{ROOT}/9901", json={"properties": {"nonsense": "1"}})  # refused: not in the journal
    stranger.post("/_sandbox/contacts", json={"id": "9903", "properties": {"city": "Lyon"}})
    writes = stranger.get("/_sandbox/journal").json()["writes"]
    assert [(w["id"], w["objectWriteTraceId"], w["by"]) for w in writes] == [
        ("9902", "9902", "api"),
        ("9901", "9901", "api"),
        ("9903", None, "person"),
    ]
    assert writes[0]["properties"] == {"city": "Graz"}
    assert stranger.get("/_sandbox/journal?since=2").json()["writes"] == writes[2:]


def test_people_may_do_what_the_api_may_not(client: Any, stranger: Any) -> None:
    given = {"properties": {"email": "P1@acme-1.example", "recent_conversion_date": "2026-11-20T10:00:00Z"}}
    twin = stranger.post("/_sandbox/contacts", json=given).json()
    assert twin["properties"]["recent_conversion_date"] == "2026-11-20T10:00:00.000Z"
    old = {"properties": {"email": "old@acme.example", "createdate": "2020-01-01", "lastmodifieddate": "2020-01-02"}}
    old_id = stranger.post("/_sandbox/contacts", json=[old]).json()[0]["id"]
    assert client.get(f"{ROOT}/{old_id}").json()["updatedAt"] == "2020-01-02T00:00:00.000Z"


def test_people_delete_and_imports_burst(client: Any, stranger: Any) -> None:
    assert stranger.post("/_sandbox/delete", json={"id": "9901"}).status_code == 200
    assert client.get(f"{ROOT}/9901").status_code == 404
    made = stranger.post("/_sandbox/burst", json={"contacts": 3, "at": "2026-11-01T00:00:00.007Z"}).json()["ids"]
    assert {client.get(f"{ROOT}/{key}").json()["updatedAt"] for key in made} == {"2026-11-01T00:00:00.007Z"}
    assert stranger.post("/_sandbox/delete", json={"id": "9901"}).status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("burst", {"contacts": 0}),
        ("contacts", {"properties": {"nonsense": "1"}}),
        ("contacts", {"id": "9901"}),
        ("faults", [{"action": "explode"}]),
        ("faults", {"weather": "bad"}),
    ],
)
def test_what_makes_no_sense_is_refused(stranger: Any, path: str, body: Any) -> None:
    assert stranger.post(f"/_sandbox/{path}", json=body).status_code == 400


def test_pages_of_other_sites_cannot_use_the_door(stranger: Any) -> None:
    answer = stranger.post("/_sandbox/reset_stats", headers={"Origin": "http://elsewhere.example"})
    assert answer.status_code == 403
