from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tierwise_sandbox import scenario
from tierwise_sandbox.portal import Portal


def test_a_document_sets_everything_it_names(portal: Portal) -> None:
    scenario.apply(
        portal,
        {
            "faults": [{"action": "drop"}],
            "rate_limits": {"search_per_second": 5},
            "index_lag_seconds": 2,
            "scopes": ["crm.objects.contacts.read"],
        },
    )
    assert portal.limits.search_per_second == 5
    assert portal.store.index_lag == 2.0
    assert portal.scopes == {"crm.objects.contacts.read"}
    assert portal.faults.take("GET", "/") is not None
    scenario.apply(portal, [])
    assert portal.limits.search_per_second == 5


def test_unrest_and_a_burst_can_be_ordered(portal: Portal) -> None:
    scenario.apply(portal, {"while_paging": {"edits": 2}, "burst": 40})
    assert portal.unrest.edits == 2
    assert len(portal.store) == 52


def test_the_part_of_an_org_goes_to_the_org(portal: Portal) -> None:
    with pytest.raises(ValueError, match="--salesforce-port"):
        scenario.apply(portal, {"salesforce": {"lock_rows": 1}})
    taken: list[Any] = []
    portal.set_salesforce = taken.append
    scenario.apply(portal, {"salesforce": {"lock_rows": 1}})
    assert taken == [{"lock_rows": 1}]


@pytest.mark.parametrize(
    "given",
    [
        {"burst": 0},
        {"burst": True},
        {"while_paging": {"edits": -1}},
        3,
        {"weather": 1},
        {"index_lag_seconds": -1},
        {"scopes": "all"},
        {"faults": {}},
        {"rate_limits": {"x": 1}},
    ],
)
def test_what_makes_no_sense_is_refused(portal: Portal, given: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        scenario.apply(portal, given)


def test_a_broken_file_is_named_with_its_line(portal: Portal, tmp_path: Path) -> None:
    path = tmp_path / "faults.json"
    path.write_text('[\n{"action": "drop",}\n]')
    with pytest.raises(ValueError, match=r"faults\.json:2: not JSON"):
        scenario.apply_file(portal, path)
    path.write_text(json.dumps([{"action": "explode"}]))
    with pytest.raises(ValueError, match=r"faults\.json: faults\[0\]: action 'explode'"):
        scenario.apply_file(portal, path)


OBJECTS = "/crm/objects/2026-09/contacts"


def _search(client: Any) -> Any:
    return client.post(f"{OBJECTS}/search", json={"limit": 5, "sorts": ["lastmodifieddate"]})


def _update(client: Any) -> Any:
    inputs = [{"id": str(9_901 + n), "properties": {"city": f"Graz {n}"}} for n in range(4)]
    return client.post(f"{OBJECTS}/batch/update", json={"inputs": inputs})


# What a file can order of the portal, and what then comes of the first and the second of two equal calls.
ORDERS: dict[str, tuple[Any, Any, list[tuple[int, dict[str, Any]]]]] = {
    "429 that says when": (
        [{"action": "status", "status": 429, "headers": {"Retry-After": "3"}, "body": {"policyName": "SECONDLY"}}],
        _search,
        [(429, {"policyName": "SECONDLY"}), (200, {"total": 12})],
    ),
    "429 that does not": (
        [{"action": "status", "status": 429}],
        _search,
        [(429, {"message": "injected"}), (200, {"total": 12})],
    ),
    "daily quota": (
        {"rate_limits": {"daily": 1}},
        _update,
        [(200, {"status": "COMPLETE"}), (429, {"policyName": "DAILY"})],
    ),
    "search limit": (
        {"rate_limits": {"search_per_second": 1}},
        _search,
        [(200, {"total": 12}), (429, {"policyName": "SECONDLY"})],
    ),
    "5xx": ([{"action": "status", "status": 502}], _search, [(502, {}), (200, {"total": 12})]),
    "401 storm": ([{"action": "unauthorized", "times": 2}], _search, [(401, {}), (401, {})]),
    "slow body": ([{"action": "drip", "seconds": 0.01}], _search, [(200, {"total": 12}), (200, {"total": 12})]),
    "slow answer": ([{"action": "delay", "seconds": 0.01}], _search, [(200, {"total": 12}), (200, {"total": 12})]),
    "whole batch refused": (
        [{"action": "status", "status": 400, "body": {"category": "VALIDATION_ERROR"}, "match": {"path": "/batch/"}}],
        _update,
        [(400, {"category": "VALIDATION_ERROR"}), (200, {"status": "COMPLETE"})],
    ),
    "empty COMPLETE": (
        [{"action": "partial", "share": 0}],
        _update,
        [(200, {"status": "COMPLETE", "results": []}), (200, {"status": "COMPLETE"})],
    ),
    "ten thousand in one millisecond": ({"burst": 10_000}, _search, [(200, {"total": 10_012})] * 2),
    "merges while paging": ({"while_paging": {"merges": 1}}, _search, [(200, {"total": 12}), (200, {"total": 11})]),
    "deletes while paging": ({"while_paging": {"deletes": 3}}, _search, [(200, {"total": 12}), (200, {"total": 9})]),
    "a scope taken away": ({"scopes": []}, _search, [(403, {"category": "MISSING_SCOPES"})] * 2),
}


@pytest.mark.parametrize("name", ORDERS)
def test_a_file_can_order_it(client: Any, portal: Portal, tmp_path: Path, name: str) -> None:
    order, call, expected = ORDERS[name]
    path = tmp_path / "faults.json"
    path.write_text(json.dumps(order))
    scenario.apply_file(portal, path)
    for status, body in expected:
        answer = call(client)
        assert answer.status_code == status, answer.text
        assert {key: answer.json()[key] for key in body} == body


def test_index_lag_hides_an_edit_until_it_has_passed(client: Any, portal: Portal, clock: Any) -> None:
    scenario.apply(portal, {"index_lag_seconds": 30})
    before = [one["updatedAt"] for one in client.post(f"{OBJECTS}/search", json={"limit": 100}).json()["results"]]
    clock.seconds += 5
    _update(client)
    clock.seconds += 29
    assert [
        one["updatedAt"] for one in client.post(f"{OBJECTS}/search", json={"limit": 100}).json()["results"]
    ] == before
    clock.seconds += 1
    assert [
        one["updatedAt"] for one in client.post(f"{OBJECTS}/search", json={"limit": 100}).json()["results"]
    ] != before
