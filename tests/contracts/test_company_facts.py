"""A lead is never decided without a fact of its company because a call for it went wrong."""

from __future__ import annotations

from typing import Any

import pytest
from tierwise_fixtures.portal import COMPANY_MAP

from tierwise.errors import PauseConnection, RetryLater

TIES, COMPANIES = "/crm/associations/", "/objects/2026-09/companies/batch/read"
PASSING = {"category": "INTERNAL_ERROR", "message": "try again", "context": {}}


@pytest.fixture
def line(portal_line: Any) -> Any:
    portal_line.field_map = COMPANY_MAP
    return portal_line


def _decided_with(line: Any, record_id: str) -> list[int | None]:
    return [link.decision.fields.get("employee_count") for link in line.story(record_id).decisions]


@pytest.mark.parametrize("path", [TIES, COMPANIES])
@pytest.mark.parametrize(
    "fault",
    [
        {"action": "status", "status": 503, "times": 1},
        {"action": "status", "status": 429, "times": 1},
        {"action": "status", "status": 429, "times": 1, "headers": {"Retry-After": "0"}},
        {"action": "partial", "share": 0.0, "times": 1},  # COMPLETE with nothing in it
        {"action": "status", "status": 207, "body": {"results": [], "errors": [PASSING]}, "times": 1},
    ],
    ids=["503", "429", "429 with Retry-After", "empty COMPLETE", "an error within"],
)
def test_a_fault_that_passes_changes_nothing(line: Any, path: str, fault: dict[str, Any]) -> None:
    (key,) = line.create("ann@firm.example")
    line.employ(key, people=250)
    line.portal.faults.replace([{"match": {"path": path}, **fault}])
    for _ in range(3):
        try:
            line.round()
        except RetryLater:
            line.wait(120)
    assert line.portal.faults.fired == 1
    assert _decided_with(line, key) == [250]


@pytest.mark.parametrize("path", [TIES, COMPANIES])
def test_what_lasts_holds_the_leads_back_and_loses_none(line: Any, path: str) -> None:
    keys = line.create(*(f"p{number}@firm.example" for number in range(25)))
    for key in keys:
        line.employ(key, people=40)
    line.portal.faults.replace([{"match": {"path": path}, "action": "status", "status": 400, "times": None,
                                 "body": {"category": "VALIDATION_ERROR", "message": "not now"}}])  # fmt: skip
    for _ in range(2):
        with pytest.raises(Exception, match="not now"):
            line.poll()
        line.wait(120)
    assert not line.store.leads.known(line.name, keys)
    line.portal.faults.replace([])
    line.round()
    assert {key: _decided_with(line, key) for key in keys} == {key: [40] for key in keys}


def test_a_scope_that_is_missing_pauses_and_says_which(line: Any) -> None:
    (key,) = line.create("ann@firm.example")
    line.employ(key, people=250)
    scope = "crm.objects.companies.read"
    line.portal.scopes = line.portal.scopes - {scope}
    with pytest.raises(PauseConnection) as caught:
        line.poll()
    assert scope in caught.value.remedy
    line.portal.scopes = line.portal.scopes | {scope}
    line.wait(120)
    line.round()
    assert _decided_with(line, key) == [250]


@pytest.mark.parametrize(
    "unrest", [{"edits": 3}, {"merges": 1}, {"deletes": 1}, {"edits": 2, "merges": 1, "deletes": 1}]
)
def test_people_at_work_while_we_page_hide_nobody(line: Any, unrest: dict[str, int]) -> None:
    """The sandbox's own unrest: after each page, records of the coming ones are edited, merged away or deleted."""
    keys = line.create(*(f"p{number}@firm.example" for number in range(60)))
    for key in keys:
        line.employ(key, people=40)
    line.portal.unrest.set(unrest)
    line.round()
    line.portal.unrest.set(dict.fromkeys(unrest, 0))
    assert line.portal.unrest.happened
    for _ in range(4):
        line.wait(600)
        line.round()
        line.reconcile()
        line.decide()
        line.write()
    alive = [str(record.id) for record in line.portal.store.page(0, 1_000)]
    assert set(line.store.leads.known(line.name, alive)) == set(alive)
    for key in alive:
        assert line.shown(key)["tierwise_fingerprint"] == line.fingerprint(key)
    assert max(line.decisions.values()) == 1
