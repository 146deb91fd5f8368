from __future__ import annotations

from typing import Any

import pytest

from tierwise import errors, sdk
from tierwise.sdk import testing
from tierwise_hubspot import properties

FIELDS = testing.fields()


def _by_name(steps: list[sdk.PlanStep]) -> dict[str, sdk.PlanStep]:
    return {step.name: step for step in steps}


def _field(name: str) -> sdk.AdviceField:
    return next(field for field in FIELDS if field.name == name)


def test_an_empty_portal_gets_group_and_fields_in_five_calls(crm: Any) -> None:
    steps = properties.provision(crm.client(), FIELDS, dry_run=False)
    assert {step.action for step in steps} == {"create"}
    assert [path.rpartition("contacts")[2] for _, path, _ in crm.calls] == [
        "",
        "/groups",
        "/groups",
        "/batch/create",
        "",
    ]
    held = properties.definitions(crm.client())
    shapes = {name: (held[name]["type"], held[name]["fieldType"]) for name in (field.name for field in FIELDS)}
    assert shapes["tierwise_score"] == ("number", "number")
    assert shapes["tierwise_tier"] == ("enumeration", "select")
    assert shapes["tierwise_reason_codes"] == ("enumeration", "checkbox")
    assert shapes["tierwise_reasons"] == ("string", "textarea")
    assert shapes["tierwise_scored_at"] == ("datetime", "date")
    assert shapes["tierwise_request_review"] == ("bool", "booleancheckbox")
    assert {held[field.name]["groupName"] for field in FIELDS} == {"tierwise"}


def test_a_plan_reads_only(crm: Any) -> None:
    properties.provision(crm.client(), FIELDS, dry_run=True)
    assert {method for method, _, _ in crm.calls} == {"GET"}


def test_only_what_is_missing_is_added(crm: Any) -> None:
    client = crm.client()
    properties.provision(client, [_field("tierwise_score"), _field("tierwise_tier")], dry_run=False)
    crm.calls.clear()
    steps = _by_name(properties.provision(client, FIELDS, dry_run=False))
    assert steps["tierwise_score"].action == steps["tierwise_tier"].action == "keep"
    assert steps["tierwise_fit"].action == "create"
    (batch,) = crm.bodies("/batch/create")
    assert "tierwise_score" not in {one["name"] for one in batch["inputs"]}


def test_a_new_option_keeps_the_portals_own_and_their_labels(crm: Any) -> None:
    client = crm.client()
    properties.provision(client, FIELDS, dry_run=False)
    own = [
        {"label": "Top", "value": "A", "displayOrder": 0, "hidden": False},
        {"label": "Ours", "value": "OWN", "displayOrder": 1, "hidden": True},
    ]
    crm.portal.definitions.change_property("tierwise_tier", {"options": own, "label": "Renamed"})
    (_, step) = properties.provision(client, [_field("tierwise_tier")], dry_run=False)
    assert step == sdk.PlanStep("update", "tierwise_tier", "add options B, C, D")
    held = properties.definitions(client)["tierwise_tier"]
    assert [(option["value"], option["label"]) for option in held["options"]] == [
        ("A", "Top"), ("OWN", "Ours"), ("B", "B"), ("C", "C"), ("D", "D"),
    ]  # fmt: skip
    assert held["label"] == "Renamed"


def test_two_options_with_one_label_are_told_apart(crm: Any) -> None:
    options = (("BIG", "Large"), ("HUGE", "large"), ("VAST", "Vast"))
    field = _field("tierwise_reason_codes")._replace(options=options)
    (_, step) = properties.provision(crm.client(), [field], dry_run=False)
    assert step.action == "create"
    held = properties.definitions(crm.client())["tierwise_reason_codes"]
    assert [option["label"] for option in held["options"]] == ["Large", "large (HUGE)", "Vast"]


@pytest.mark.parametrize(
    ("name", "shape", "told"),
    [
        ("tierwise_score", {"type": "string", "fieldType": "text"}, "the portal has it as string, not number"),
        ("tierwise_reason_codes", {"type": "enumeration", "fieldType": "select"}, "takes only one value"),
        ("tierwise_tier", {"type": "enumeration", "fieldType": "checkbox"}, "takes several values"),
    ],
)
def test_a_property_of_another_kind_is_a_conflict_and_stays(
    crm: Any, name: str, shape: dict[str, str], told: str
) -> None:
    options = [{"label": "A", "value": "A"}] if shape["type"] == "enumeration" else []
    crm.portal.definitions.create_property(
        {"name": name, "label": "Theirs", "groupName": "contactinformation", "options": options, **shape}
    )
    before = crm.portal.definitions.property(name)
    steps = _by_name(properties.provision(crm.client(), FIELDS, dry_run=False))
    assert steps[name].action == "conflict"
    assert told in steps[name].detail
    assert crm.portal.definitions.property(name) == before
    assert steps["tierwise_fit"].action == "create", "the others are created all the same"


@pytest.mark.parametrize("kind", ["select", "radio"])
def test_another_control_for_the_same_values_will_do(crm: Any, kind: str) -> None:
    held = {"type": "enumeration", "fieldType": kind, "options": [{"value": tier} for tier in "ABCD"]}
    assert properties.compare(_field("tierwise_tier"), held).step.action == "keep"


def test_a_choice_without_options_is_not_created_wrong(crm: Any) -> None:
    bare = next(field for field in sdk.FIELDS if field.name == "tierwise_tier")
    (_, step) = properties.provision(crm.client(), [bare], dry_run=False)
    assert step.action == "conflict"
    assert "no options" in step.detail


def test_what_somebody_created_meanwhile_is_no_failure(crm: Any) -> None:
    """The plan says create, and by the time of the call it is there: a 409 for group and batch."""
    client = crm.client()
    properties.provision(client, FIELDS, dry_run=False)
    stale = iter([(200, {"results": []}), (200, {"results": []})])

    def race(method: str, path: str, body: Any) -> tuple[int, Any] | None:
        if path.endswith("/batch/create"):
            return 409, {"category": "OBJECT_ALREADY_EXISTS", "message": "exists"}
        return next(stale, None) if method == "GET" else None

    crm.instead = race
    steps = properties.provision(client, FIELDS, dry_run=False)
    assert "conflict" not in {step.action for step in steps}


def test_a_property_that_hubspot_refuses_is_a_conflict_with_its_reason(crm: Any) -> None:
    def full(method: str, path: str, body: Any) -> tuple[int, Any] | None:
        if method == "POST" and path.endswith("/batch/create"):
            fault = {"category": "LIMIT_EXCEEDED", "message": "You have reached the limit of custom properties"}
            return 207, {"results": [], "errors": [fault], "numErrors": 1}
        return None

    crm.instead = full
    steps = _by_name(properties.provision(crm.client(), [_field("tierwise_score")], dry_run=False))
    assert steps["tierwise_score"] == sdk.PlanStep(
        "conflict", "tierwise_score", "LIMIT_EXCEEDED: You have reached the limit of custom properties"
    )


def test_without_the_scope_the_connection_says_so(crm: Any) -> None:
    crm.portal.scopes = crm.portal.scopes - {"crm.schemas.contacts.write"}
    with pytest.raises(errors.PauseConnection, match=r"crm\.schemas\.contacts\.write"):
        properties.provision(crm.client(), FIELDS, dry_run=False)
