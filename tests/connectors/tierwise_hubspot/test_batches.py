from __future__ import annotations

from typing import Any

import pytest

from tierwise import errors
from tierwise_hubspot import batches

NOW = 1_795_000_000_000
NAMES = ("email",)


def test_a_hundred_records_a_call(crm: Any) -> None:
    ids = crm.load(range(NOW - 250, NOW))
    assert set(batches.read(crm.client(), [*ids, ids[0]], NAMES)) == set(ids)
    assert [len(body["inputs"]) for body in crm.bodies("/batch/read")] == [100, 100, 50]


def test_a_record_that_is_gone_is_left_out_and_a_merged_one_comes_under_its_new_id(crm: Any) -> None:
    ids = crm.load(range(NOW - 4, NOW))
    merged = crm.portal.store.merge(ids[0], ids[1])
    crm.portal.store.archive(crm.portal.store.get(ids[2]))
    found = batches.read(crm.client(), ids, NAMES)
    assert set(found) == {str(merged.id), ids[3]}
    assert set(batches.former(found[str(merged.id)])) == {ids[0], ids[1]}
    assert crm.count("/batch/read") == 1


def test_complete_without_results_is_no_answer(crm: Any) -> None:
    """rudder-transformer#5147, here for reads: whoever believes it, loses the records."""
    ids = crm.load(range(NOW - 4, NOW))
    crm.instead = lambda method, path, body: (200, {"status": "COMPLETE", "results": []})
    with pytest.raises(errors.RetryLater, match="says nothing of 4 records"):
        batches.read(crm.client(), ids, NAMES)
    assert crm.count("/batch/read") == 2


def test_what_an_answer_leaves_out_is_asked_for_again(crm: Any) -> None:
    ids = crm.load(range(NOW - 10, NOW))
    crm.portal.faults.replace([{"match": {"path": "/batch/read"}, "action": "partial", "share": 0.5}])
    assert set(batches.read(crm.client(), ids, NAMES)) == set(ids)
    assert [len(body["inputs"]) for body in crm.bodies("/batch/read")] == [10, 5]


def test_an_error_that_names_nobody_is_believed(crm: Any) -> None:
    ids = crm.load([NOW])
    fault = {"category": "OBJECT_NOT_FOUND", "message": "Could not get some objects"}
    crm.instead = lambda method, path, body: (207, {"results": [], "numErrors": 1, "errors": [fault]})
    assert batches.read(crm.client(), ids, NAMES) == {}


def test_ids_of_another_kind_are_not_sent(crm: Any) -> None:
    assert batches.read(crm.client(), ["abc", "", "\u0661"], NAMES) == {}
    assert crm.calls == []


def test_an_error_that_passes_does_not_mean_that_the_record_is_gone(crm: Any) -> None:
    ids = crm.load(range(NOW - 3, NOW))
    fault = {"category": "INTERNAL_ERROR", "message": "try again", "context": {"ids": ids}}
    crm.instead = lambda method, path, body: (207, {"results": [], "numErrors": 1, "errors": [fault]})
    with pytest.raises(errors.RetryLater, match="INTERNAL_ERROR"):
        batches.read(crm.client(), ids, NAMES)
