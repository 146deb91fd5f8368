from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tierwise_sandbox.portal import Portal

ROOT = "/crm/objects/2026-09/contacts"
MODIFIED = "lastmodifieddate"


def held(client: Any, key: str, *names: str) -> dict[str, Any]:
    answer = client.get(f"{ROOT}/{key}", params={"properties": ",".join(names or ("email",))})
    assert answer.status_code == 200, answer.text
    properties: dict[str, Any] = answer.json()["properties"]
    return properties


def update(client: Any, *inputs: dict[str, Any], status: int = 200) -> dict[str, Any]:
    answer = client.post(f"{ROOT}/batch/update", json={"inputs": list(inputs)})
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_search_answers_in_hubspots_shape(search: Callable[..., dict[str, Any]]) -> None:
    window = {"propertyName": MODIFIED, "operator": "GTE", "value": "0"}
    answer = search(
        window, sorts=[{"propertyName": MODIFIED, "direction": "ASCENDING"}], limit=5, properties=["email", "phone"]
    )
    assert answer["total"] == 12
    assert answer["paging"] == {"next": {"after": "5"}}
    first = answer["results"][0]
    assert set(first["properties"]) == {"email", "phone", "hs_object_id", "createdate", MODIFIED}
    assert first["properties"]["phone"] is None
    assert first["id"] == first["properties"]["hs_object_id"] == "9901"
    assert first["properties"][MODIFIED].endswith("Z")
    assert "paging" not in search(window, limit=200)


def test_a_write_moves_last_modified_and_an_identical_one_does_not(client: Any) -> None:
    before = held(client, "9901")[MODIFIED]
    update(client, {"id": "9901", "properties": {"jobtitle": "COO"}})
    after = held(client, "9901")[MODIFIED]
    assert after > before
    update(client, {"id": "9901", "properties": {"jobtitle": "COO"}})
    assert held(client, "9901")[MODIFIED] == after
    update(client, {"id": "9901", "properties": {"jobtitle": ""}})  # clearing is a change
    assert held(client, "9901")[MODIFIED] > after
    assert held(client, "9901", "jobtitle")["jobtitle"] is None


def test_stamps_increase_strictly_even_when_the_clock_stands_still(client: Any) -> None:
    stamps = []
    for n in range(5):
        update(client, {"id": "9905", "properties": {"jobtitle": f"Job {n}"}})
        stamps.append(held(client, "9905")[MODIFIED])
    assert sorted(set(stamps)) == stamps


def test_one_bad_record_fails_the_whole_batch(client: Any) -> None:
    answer = update(
        client,
        {"id": "9901", "properties": {"jobtitle": "COO"}},
        {"id": "9902", "properties": {"nonsense": "1"}},
        status=400,
    )
    assert answer["category"] == "VALIDATION_ERROR"
    details = json.loads(answer["message"].removeprefix("Property values were not valid: "))
    assert [(d["error"], d["name"]) for d in details] == [("PROPERTY_DOESNT_EXIST", "nonsense")]
    assert held(client, "9901", "jobtitle")["jobtitle"] is None


def test_trace_ids_make_a_batch_report_each_record(client: Any) -> None:
    answer = update(
        client,
        {"id": "9901", "properties": {"jobtitle": "COO"}, "objectWriteTraceId": "t1"},
        {"id": "9902", "properties": {"annualrevenue": "1,000"}, "objectWriteTraceId": "t2"},
        {"id": "404", "properties": {"jobtitle": "COO"}, "objectWriteTraceId": "t3"},
    )
    assert [(r["id"], r["objectWriteTraceId"]) for r in answer["results"]] == [("9901", "t1")]
    assert answer["numErrors"] == 2
    assert [(e["category"], e["context"]["objectWriteTraceId"]) for e in answer["errors"]] == [
        ("VALIDATION_ERROR", ["t2"]),
        ("OBJECT_NOT_FOUND", ["t3"]),
    ]
    assert held(client, "9901", "jobtitle")["jobtitle"] == "COO"


@pytest.mark.parametrize(
    "inputs",
    [
        [
            {"id": "9901", "properties": {}, "objectWriteTraceId": "t"},
            {"id": "9902", "properties": {}, "objectWriteTraceId": "t"},
        ],
        [{"id": "9901", "properties": {}}, {"id": "9901", "properties": {}}],
        [{"id": "9901", "idProperty": "hs_object_id", "properties": {}}],
        [{"id": str(n), "properties": {}} for n in range(101)],
        [{"id": "9901"}],
        [{"id": "9901", "properties": {"createdate": "0"}}],
    ],
    ids=["same trace id", "same record", "idProperty", "too many", "no properties", "read-only"],
)
def test_malformed_batches_are_refused(client: Any, inputs: list[dict[str, Any]]) -> None:
    assert update(client, *inputs, status=400)["status"] == "error"


def test_batch_read_says_which_ids_are_unknown(client: Any) -> None:
    body = {"inputs": [{"id": "9901"}, {"id": "1"}], "properties": ["email"]}
    answer = client.post(f"{ROOT}/batch/read", json=body)
    assert answer.status_code == 200
    assert [r["id"] for r in answer.json()["results"]] == ["9901"]
    assert answer.json()["errors"][0]["context"] == {"ids": ["1"]}
    answer = client.post(f"{ROOT}/batch/read", json={"inputs": [{"id": "9901"}]})
    assert answer.status_code == 200
    assert "errors" not in answer.json()


def test_creating_a_known_address_conflicts(client: Any) -> None:
    answer = client.post(ROOT, json={"properties": {"email": "P3@ACME-3.example"}})
    assert answer.status_code == 409
    assert answer.json()["message"] == "Contact already exists. Existing ID: 9904"
    answer = client.post(ROOT, json={"properties": {"email": "New@Fresh.example"}})
    assert answer.status_code == 201
    assert answer.json()["properties"]["email"] == "new@fresh.example"
    inputs = [{"properties": {"email": e}, "objectWriteTraceId": e} for e in ("a@b.example", "p1@acme-1.example")]
    answer = client.post(f"{ROOT}/batch/create", json={"inputs": inputs})
    assert (answer.status_code, len(answer.json()["results"]), answer.json()["numErrors"]) == (201, 1, 1)


def test_merged_ids_lead_to_the_new_record(client: Any) -> None:
    merged = client.post("/_sandbox/merge", json={"primary": "9901", "secondary": "9902"}).json()
    assert merged["id"] not in {"9901", "9902"}
    for old in ("9901", "9902"):
        assert client.get(f"{ROOT}/{old}").json()["id"] == merged["id"]
    answer = update(client, {"id": "9902", "properties": {"jobtitle": "CEO"}, "objectWriteTraceId": "t"})
    assert answer["results"][0]["id"] == merged["id"]
    now = held(client, "9901", "firstname", "jobtitle")
    assert (now["firstname"], now["jobtitle"]) == ("Person 0", "CEO")


def test_single_records_can_be_patched_listed_and_archived(client: Any) -> None:
    assert client.patch(f"{ROOT}/9903", json={"properties": {"city": "Graz"}}).json()["properties"]["city"] == "Graz"
    assert client.get(f"{ROOT}/p3@acme-3.example", params={"idProperty": "email"}).json()["id"] == "9904"
    page = client.get(ROOT, params={"limit": 5, "after": "9904"}).json()
    assert [r["id"] for r in page["results"]] == [str(n) for n in range(9905, 9910)]
    assert page["paging"] == {"next": {"after": "9909"}}
    assert client.delete(f"{ROOT}/9903").status_code == 204
    assert client.get(f"{ROOT}/9903").status_code == 404


def test_search_lags_behind_while_reads_do_not(
    client: Any, portal: Portal, clock: Any, search: Callable[..., dict[str, Any]]
) -> None:
    portal.store.index_lag = 5.0
    update(client, {"id": "9901", "properties": {"city": "Graz"}})
    graz = {"propertyName": "city", "operator": "EQ", "value": "graz"}
    assert held(client, "9901", "city")["city"] == "Graz"
    assert search(graz)["total"] == 0
    clock.seconds += 5.0
    assert search(graz)["total"] == 1


def test_paths_that_hubspot_does_not_have(client: Any) -> None:
    assert client.post("/crm/objects/2026-09/llamas/search", json={}).status_code == 400
    assert client.post("/crm/v4/objects/contacts/search", json={}).status_code == 404
    assert client.post("/crm/objects/2024-01/contacts/search", json={}).status_code == 404
    answer = client.post(f"{ROOT}/search", content=b"{")
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Invalid input JSON")


def test_the_length_of_a_search_counts_characters(client: Any) -> None:
    for text, status in (("é" * 2_900, 200), ("é" * 3_000, 400)):
        content = f'{{"query": "{text}"}}'.encode()
        answer = client.post(f"{ROOT}/search", content=content)
        assert answer.status_code == status
