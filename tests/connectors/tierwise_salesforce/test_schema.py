"""Our fields against the org's: what is missing, what can never be ours, and the command for each."""

from __future__ import annotations

from typing import Any

import pytest

from tierwise import sdk
from tierwise.sdk import testing
from tierwise_salesforce import schema

FIELDS = {field.name: field for field in testing.fields()}
TIER = {"type": "picklist", "updateable": True, "picklistValues": [{"value": v, "active": True} for v in "ABCD"]}
SCORE = {"type": "double", "updateable": True}


def actions(crm: Any, *, dry_run: bool) -> dict[str, str]:
    steps = schema.provision(crm.client(), testing.fields(), dry_run=dry_run)
    return {step.name: step.action for step in steps}


@pytest.mark.parametrize(
    ("name", "held", "action", "words"),
    [
        ("tierwise_score", None, "create", "sf project deploy start"),
        ("tierwise_score", SCORE, "keep", "Tierwise_Score__c"),
        ("tierwise_score", {**SCORE, "updateable": False}, "create", "sf org assign permset"),
        ("tierwise_score", {**SCORE, "type": "string"}, "conflict", "is of type string, not double"),
        ("tierwise_score", {**SCORE, "calculated": True, "updateable": False}, "conflict", "formula"),
        ("tierwise_route", {"type": "string", "updateable": True, "length": 80}, "conflict", "fewer than 255"),
        ("tierwise_tier", TIER, "keep", "picklist"),
        ("tierwise_tier", {**TIER, "picklistValues": TIER["picklistValues"][:3]}, "update", "takes D"),
        (
            "tierwise_tier",
            {**TIER, "picklistValues": [], "restrictedPicklist": True},
            "create",
            "lacks the values A, B",
        ),
        (
            "tierwise_tier",
            {**TIER, "picklistValues": [{"value": v, "active": False} for v in "ABCD"], "restrictedPicklist": True},
            "create",
            "A, B, C, D",
        ),
    ],
)
def test_every_difference_has_its_step(name: str, held: Any, action: str, words: str) -> None:
    step = schema.compare(FIELDS[name], held)
    assert (step.action, step.name) == (action, name)
    assert words in step.detail


def test_every_kind_of_field_has_a_type() -> None:
    assert {field.kind for field in sdk.FIELDS} <= schema.TYPES.keys()


def test_nothing_is_created_by_api(crm: Any) -> None:
    assert set(actions(crm, dry_run=True).values()) == {"create"}
    assert set(actions(crm, dry_run=False).values()) == {"conflict"}, "a person must deploy: it is not done"
    assert {method for method, path, _ in crm.calls if "/data/v" in path} == {"GET"}


def test_after_the_deployment_all_is_kept(crm: Any) -> None:
    crm.deploy()
    assert set(actions(crm, dry_run=False).values()) == {"keep"}


def test_a_field_that_is_hidden_is_as_good_as_missing(crm: Any) -> None:
    crm.deploy(hidden=["Tierwise_Fit__c"], read_only=["Tierwise_Intent__c"])
    found = actions(crm, dry_run=True)
    assert {name for name, action in found.items() if action != "keep"} == {"tierwise_fit", "tierwise_intent"}


def test_what_is_remembered_is_looked_up_again_when_something_is_missing(crm: Any) -> None:
    client = crm.client()
    assert "Tierwise_Score__c" not in schema.fields(client)
    crm.deploy()
    assert "Tierwise_Score__c" not in schema.fields(client)
    assert "Tierwise_Score__c" in schema.fields(client, needed=["Tierwise_Score__c"])
    assert crm.count("/describe") == 2


def test_fields_that_are_deployed_under_way_are_seen_within_a_minute(crm: Any) -> None:
    """Until they are read back every advice would look undelivered, and would be written again."""
    client = crm.client()
    now = [1000.0]
    schema.fields(client, clock=lambda: now[0])
    crm.deploy()
    now[0] += 59
    assert "Tierwise_Score__c" not in schema.fields(client, clock=lambda: now[0])
    now[0] += 1
    assert "Tierwise_Score__c" in schema.fields(client, clock=lambda: now[0])
    now[0] += 599
    schema.fields(client, clock=lambda: now[0])
    assert crm.count("/describe") == 2
    now[0] += 1
    schema.fields(client, clock=lambda: now[0])
    assert crm.count("/describe") == 3


def test_an_object_that_the_user_does_not_see_pauses(crm: Any) -> None:
    crm.instead = lambda method, path, body: (
        (404, [{"errorCode": "NOT_FOUND", "message": "no"}]) if "describe" in path else None
    )
    with pytest.raises(sdk.PauseConnection, match="does not see Lead"):
        schema.fields(crm.client())


def test_formulas_are_found() -> None:
    held = {"A": {"calculated": True}, "B": {"calculated": False}, "C": {}}
    assert schema.calculated(held, ["B", "A", "C", "D"]) == ["A"]
    assert "A" in schema.formula_remedy(["A"])
