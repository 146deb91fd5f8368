from __future__ import annotations

import random
from typing import Any

import pytest

from tierwise import errors, sdk
from tierwise.sdk import testing

NOW = 1_795_000_000_000
URL = "/batch/update"


def _updates(ids: list[str], **values: Any) -> list[sdk.Update]:
    return [testing.update(key, {"tierwise_score": number, **values}) for number, key in enumerate(ids)]


def _outcomes(results: list[sdk.Written]) -> list[str]:
    return [one.outcome for one in results]


@pytest.fixture
def ready(crm: Any) -> Any:
    return crm.connector(provisioned=True)


@pytest.fixture
def ids(crm: Any) -> list[str]:
    return crm.load(range(NOW, NOW + 100))


def _result(one: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": one["id"], "properties": {}, **more}


def test_a_hundred_updates_are_one_call_of_text(crm: Any, ready: Any, ids: list[str]) -> None:
    results = ready.write([testing.update(key, testing.EXAMPLE) for key in ids])
    assert _outcomes(results) == ["written"] * 100
    ((_, path, body),) = crm.calls
    assert path == "/crm/objects/2026-09/contacts/batch/update"
    assert {type(value) for one in body["inputs"] for value in one["properties"].values()} == {str}
    assert len({one["objectWriteTraceId"] for one in body["inputs"]}) == 100
    assert not [one for one in body["inputs"] if "idProperty" in one]
    assert body["inputs"][0]["properties"]["tierwise_reason_codes"] == "BIG_COMPANY;DEMO_REQUEST"


def test_complete_without_results_means_that_nothing_was_written(crm: Any, ready: Any, ids: list[str]) -> None:
    """rudder-transformer#5147, hubspot-api-nodejs#26."""
    crm.instead = lambda method, path, body: (200, {"status": "COMPLETE", "results": []})
    results = ready.write(_updates(ids[:5]))
    assert _outcomes(results) == ["retry"] * 5
    assert all(one.error for one in results)


def test_a_batch_of_which_half_is_carried_out_silently(crm: Any, ready: Any, ids: list[str]) -> None:
    crm.portal.faults.replace([{"match": {"path": URL}, "action": "partial", "share": 0.5}])
    results = ready.write(_updates(ids[:10]))
    assert _outcomes(results) == ["written"] * 5 + ["retry"] * 5


@pytest.mark.parametrize("status", [200, 207])
def test_partial_success_is_read_whatever_the_status(crm: Any, ready: Any, ids: list[str], status: int) -> None:
    """hubspot-api-php#619: the client returned the 207 as if all were well."""

    def partly(method: str, path: str, body: Any) -> tuple[int, Any]:
        good, bad, busy = body["inputs"]
        return status, {
            "status": "COMPLETE",
            "results": [_result(good, objectWriteTraceId=good["objectWriteTraceId"])],
            "numErrors": 2,
            "errors": [
                {
                    "category": "VALIDATION_ERROR",
                    "message": "bad",
                    "context": {"objectWriteTraceId": [bad["objectWriteTraceId"]]},
                    "errors": [{"code": "INVALID_INTEGER", "context": {"propertyName": ["tierwise_score"]}}],
                },
                {
                    "category": "RATE_LIMITS",
                    "message": "slow down",
                    "context": {"objectWriteTraceId": [busy["objectWriteTraceId"]]},
                },
            ],
        }

    crm.instead = partly
    results = ready.write(_updates(ids[:3]))
    assert _outcomes(results) == ["written", "refused", "retry"]
    assert results[1].error == "INVALID_INTEGER on tierwise_score"


@pytest.mark.parametrize("status", [400, 409])
@pytest.mark.parametrize("culprits", [{0}, {99}, {41}, {3, 4, 77}, set(range(0, 100, 9))])
def test_a_batch_that_is_refused_as_a_whole_is_halved_down_to_the_culprits(
    crm: Any, ready: Any, ids: list[str], status: int, culprits: set[int]
) -> None:
    """airbyte#76340, marketing-automation#174: one bad record, and a hundred stay unwritten."""
    bad = {ids[place] for place in culprits}

    def all_or_nothing(method: str, path: str, body: Any) -> tuple[int, Any] | None:
        if bad & {one["id"] for one in body["inputs"]}:
            return status, {"status": "error", "category": "VALIDATION_ERROR", "message": "Invalid input"}
        return None

    crm.instead = all_or_nothing
    results = ready.write(_updates(ids))
    assert {place for place, one in enumerate(results) if one.outcome == "refused"} == culprits
    assert {one.outcome for one in results} == {"written", "refused"}
    assert [one.record_id for one in results] == ids
    assert crm.portal.store.get(ids[50]).properties.get("tierwise_score") == ("50" if 50 not in culprits else None)
    assert crm.count(URL) <= 1 + 14 * len(culprits)


def test_an_option_that_is_missing_is_found_once_and_not_for_each_record(crm: Any, ready: Any, ids: list[str]) -> None:
    """Without trace ids of its own HubSpot refuses the batch: a new policy must not cost 199 calls a hundred leads."""

    def strict(method: str, path: str, body: Any) -> tuple[int, Any] | None:
        if any(one["properties"]["tierwise_tier"] == "E" for one in body["inputs"]):
            entry = {"code": "INVALID_OPTION", "message": "x", "context": {"propertyName": ["tierwise_tier"]}}
            return 400, {"category": "VALIDATION_ERROR", "message": "Property values were not valid", "errors": [entry]}
        return None

    crm.instead = strict
    updates = [testing.update(key, {"tierwise_tier": "E" if number % 2 else "A"}) for number, key in enumerate(ids)]
    results = ready.write(updates)
    assert _outcomes(results) == ["written", "refused"] * 50
    assert crm.count(URL) <= 16
    assert "INVALID_OPTION on tierwise_tier" in results[1].error
    assert "provision" in results[99].error


def test_a_missing_field_of_ours_pauses_the_connection(crm: Any, ids: list[str]) -> None:
    connector = crm.connector()
    with pytest.raises(errors.PauseConnection, match="tierwise_score") as caught:
        connector.write(_updates(ids))
    assert caught.value.remedy.startswith("tierwise connections provision portal-")
    assert crm.count(URL) == 1


def test_a_record_that_was_merged_lives_on_under_its_new_id(crm: Any, ready: Any, ids: list[str]) -> None:
    merged = crm.portal.store.merge(ids[0], ids[1])
    (first, other) = ready.write(_updates([ids[0], ids[2]]))
    assert (first.record_id, first.outcome, first.new_id) == (ids[0], "written", str(merged.id))
    assert (other.outcome, other.new_id) == ("written", None)


@pytest.mark.parametrize("shuffle", [False, True])
def test_answers_without_trace_ids_are_matched_by_record(crm: Any, ready: Any, ids: list[str], shuffle: bool) -> None:
    def untraced(method: str, path: str, body: Any) -> tuple[int, Any]:
        inputs = [*body["inputs"]]
        if shuffle:
            random.Random(7).shuffle(inputs)
        return 200, {"status": "COMPLETE", "results": [_result(one) for one in inputs]}

    crm.instead = untraced
    assert ready.write(_updates(ids[:7])) == [sdk.Written(key, "written") for key in ids[:7]]


def test_a_merged_record_in_an_answer_without_trace_ids_is_matched_by_place(
    crm: Any, ready: Any, ids: list[str]
) -> None:
    def untraced(method: str, path: str, body: Any) -> tuple[int, Any]:
        keys = ["500" if place == 1 else one["id"] for place, one in enumerate(body["inputs"])]
        return 200, {"results": [{"id": key, "properties": {}} for key in keys]}

    crm.instead = untraced
    results = ready.write(_updates(ids[:3]))
    assert [one.new_id for one in results] == [None, "500", None]


@pytest.mark.parametrize("key", ["ids", "id", "objectId"])
def test_errors_that_name_records_are_matched_by_record(crm: Any, ready: Any, ids: list[str], key: str) -> None:
    def unknown(method: str, path: str, body: Any) -> tuple[int, Any]:
        kept = [one for one in body["inputs"] if one["id"] != ids[1]]
        fault = {"category": "OBJECT_NOT_FOUND", "message": "gone", "context": {key: [ids[1]]}}
        return 207, {"results": [_result(one) for one in kept], "numErrors": 1, "errors": [fault]}

    crm.instead = unknown
    results = ready.write(_updates(ids[:3]))
    assert _outcomes(results) == ["written", "refused", "written"]
    assert results[1].error == "OBJECT_NOT_FOUND: the record is not there any more"


def test_an_error_that_names_nobody_is_found_by_sending_again_apart(crm: Any, ready: Any, ids: list[str]) -> None:
    def nameless(method: str, path: str, body: Any) -> tuple[int, Any]:
        kept = [one for one in body["inputs"] if one["id"] != ids[2]]
        faults = [{"category": "VALIDATION_ERROR", "message": "Something is wrong"}] * (len(body["inputs"]) - len(kept))
        return 207, {"results": [_result(one) for one in kept[1:]], "errors": faults} if faults else {
            "results": [_result(one) for one in kept]
        }

    crm.instead = nameless
    results = ready.write(_updates(ids[:4]))
    assert _outcomes(results) == ["written", "written", "refused", "written"]


def test_what_was_settled_is_not_lost_when_the_rest_must_wait(crm: Any, ready: Any, ids: list[str]) -> None:
    def sometimes(method: str, path: str, body: Any) -> tuple[int, Any] | None:
        sent = {one["id"] for one in body["inputs"]}
        if {ids[1], ids[6]} <= sent:
            return 400, {"category": "VALIDATION_ERROR", "message": "Invalid input"}
        if ids[1] in sent and len(sent) > 1:
            return 400, {"category": "VALIDATION_ERROR", "message": "Invalid input"}
        if ids[1] in sent:
            return 400, {"category": "VALIDATION_ERROR", "message": "Invalid input"}
        return (429, {"policyName": "DAILY"}) if ids[6] in sent else None

    crm.instead = sometimes
    results = ready.write(_updates(ids[:8]))
    assert _outcomes(results)[1] == "refused"
    assert _outcomes(results)[0] == "written"
    assert set(_outcomes(results)[4:]) == {"retry"}
    assert "calls" in results[6].error


def test_with_nothing_settled_the_family_is_raised(crm: Any, ready: Any, ids: list[str]) -> None:
    crm.instead = lambda method, path, body: (429, {"policyName": "DAILY", "message": "limit"})
    with pytest.raises(errors.RetryLater) as caught:
        ready.write(_updates(ids[:8]))
    assert caught.value.after == 900.0


def test_two_updates_of_one_record_are_written_one_after_the_other(crm: Any, ready: Any, ids: list[str]) -> None:
    """HubSpot refuses the batch, as when two records of ours were merged into one."""
    updates = [testing.update(ids[0], {"tierwise_score": score}) for score in (1, 2)]
    assert _outcomes(ready.write([*updates, *_updates(ids[1:5])])) == ["written"] * 6
    assert crm.portal.store.get(ids[0]).properties["tierwise_score"] == "2"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), ("A;B",), ("",)])
def test_a_value_that_hubspot_cannot_carry_is_refused_before_it_is_sent(
    crm: Any, ready: Any, ids: list[str], value: Any
) -> None:
    field = "tierwise_reason_codes" if isinstance(value, tuple) else "tierwise_score"
    bad, good = testing.update(ids[0], {field: value}), testing.update(ids[1], {"tierwise_score": 1})
    assert _outcomes(ready.write([bad, good])) == ["refused", "written"]
    assert [len(body["inputs"]) for body in crm.bodies(URL)] == [1]


def test_a_dropped_answer_is_sent_again_with_the_same_effect(crm: Any, ready: Any, ids: list[str]) -> None:
    drops: list[str] = []

    def dropped(method: str, path: str, body: Any) -> tuple[int, Any] | None:
        if not drops:
            drops.append(path)
            crm.send("POST", path, json=body, headers={"Authorization": f"Bearer {crm.portal.token}"})
            return 502, {"message": "bad gateway"}
        return None

    crm.instead = dropped
    assert _outcomes(ready.write(_updates(ids[:3]))) == ["written"] * 3
    journal = crm.portal.store.journal()
    assert [entry["changed"] for entry in journal] == [True] * 3 + [False] * 3
