"""Our fields as HubSpot properties: what is there, what is missing, and creating just that.

Nothing is removed, renamed or narrowed: labels, order and further options are the portal's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tierwise import sdk
from tierwise.sdk import http
from tierwise_hubspot import refusals
from tierwise_hubspot.client import Client

GROUP = "tierwise"
GROUP_LABEL = "Tierwise"
_BATCH = 100

# Kind of field -> HubSpot's type and the control it is edited with.
SHAPES: Mapping[sdk.AdviceKind, tuple[str, str]] = {
    "number": ("number", "number"),
    "text": ("string", "text"),
    "long_text": ("string", "textarea"),
    "choice": ("enumeration", "select"),
    "multi_choice": ("enumeration", "checkbox"),
    "timestamp": ("datetime", "date"),
    "boolean": ("bool", "booleancheckbox"),
}
_YES_NO = (("true", "Yes"), ("false", "No"))


class Difference(NamedTuple):
    """A field of ours against the portal's property of that name."""

    step: sdk.PlanStep
    field: sdk.AdviceField
    body: Mapping[str, Any] | None = None
    """What to send to make it right."""


def definitions(client: Client, object_type: str | None = None) -> dict[str, dict[str, Any]]:
    """All properties of an object type, by default the connection's, by name."""
    answer = client.call("GET", client.properties(object_type=object_type))
    return {str(one["name"]): one for one in answer.get("results", ()) if not one.get("archived")}


def compare(field: sdk.AdviceField, held: Mapping[str, Any] | None) -> Difference:
    """What is to be done for one field."""
    kind, control = SHAPES[field.kind]
    shape = f"{kind}, {control}"
    if field.kind in {"choice", "multi_choice"} and not field.options:
        return _conflict(field, "the active policy gives it no options")
    if held is None:
        return Difference(sdk.PlanStep("create", field.name, shape), field, _new(field))
    if held.get("type") != kind:
        return _conflict(field, f"the portal has it as {held.get('type')}, not {kind}: rename or delete that property")
    if kind == "enumeration" and (held.get("fieldType") == "checkbox") != (control == "checkbox"):
        several = "only one value" if control == "checkbox" else "several values"
        return _conflict(field, f"the portal's property takes {several}: rename or delete that property")
    options = list(held.get("options") or ())
    there = {str(option.get("value")) for option in options}
    missing = [option for option in field.options if option[0] not in there]
    if not missing:
        return Difference(sdk.PlanStep("keep", field.name, shape), field)
    names = ", ".join(value for value, _ in missing)
    # HubSpot replaces the whole list, so the portal's own options are sent along.
    body = {"options": [*options, *_options(missing, taken=options)]}
    return Difference(sdk.PlanStep("update", field.name, f"add options {names}"), field, body)


def provision(client: Client, fields: Sequence[sdk.AdviceField], *, dry_run: bool) -> list[sdk.PlanStep]:
    """The plan, carried out unless `dry_run`; a step that HubSpot refuses becomes a conflict with its reason."""
    held = definitions(client)
    found = [compare(field, held.get(field.name)) for field in fields]
    group = _group_step(client)
    if not dry_run:
        if group.action == "create":
            _create_group(client)
        refused = {**_create(client, [one for one in found if one.step.action == "create"]), **_update(client, found)}
        found = [
            one._replace(step=sdk.PlanStep("conflict", one.field.name, refused[one.field.name]))
            if one.field.name in refused
            else one
            for one in found
        ]
    return [group, *(one.step for one in found)]


def _group_step(client: Client) -> sdk.PlanStep:
    answer = client.call("GET", client.properties("groups"))
    there = any(one.get("name") == GROUP for one in answer.get("results", ()))
    return sdk.PlanStep("keep" if there else "create", f"group {GROUP}", GROUP_LABEL)


def _create_group(client: Client) -> None:
    try:
        client.call("POST", client.properties("groups"), {"name": GROUP, "label": GROUP_LABEL, "displayOrder": -1})
    except http.HttpRefused as refused:
        if refused.status != 409:  # somebody else was quicker
            raise


def _create(client: Client, wanted: Sequence[Difference]) -> dict[str, str]:
    """Create properties; returns why not, by name."""
    told: list[str] = []
    for start in range(0, len(wanted), _BATCH):
        batch = wanted[start : start + _BATCH]
        try:
            answer = client.call("POST", client.properties("batch/create"), {"inputs": [one.body for one in batch]})
            told += [refusals.sentence_of(fault) for fault in answer.get("errors") or ()]
        except http.HttpRefused:
            # One that exists already, or is wrong, refuses all of them: each on its own.
            told += [text for one in batch if (text := _create_one(client, one))]
    if not wanted:
        return {}
    there = definitions(client)
    reason = "; ".join(dict.fromkeys(told)) or "HubSpot did not create it and does not say why"
    return {one.field.name: reason for one in wanted if compare(one.field, there.get(one.field.name)).body is not None}


def _create_one(client: Client, wanted: Difference) -> str:
    try:
        client.call("POST", client.properties(), wanted.body)
    except http.HttpRefused as refused:
        return "" if refused.status == 409 else refusals.sentence(refused)
    return ""


def _update(client: Client, found: Sequence[Difference]) -> dict[str, str]:
    refused: dict[str, str] = {}
    for one in found:
        if one.step.action != "update":
            continue
        try:
            client.call("PATCH", client.properties(one.field.name), one.body)
        except http.HttpRefused as error:
            refused[one.field.name] = refusals.sentence(error)
    return refused


def _conflict(field: sdk.AdviceField, detail: str) -> Difference:
    return Difference(sdk.PlanStep("conflict", field.name, detail), field)


def _new(field: sdk.AdviceField) -> dict[str, Any]:
    kind, control = SHAPES[field.kind]
    options = _YES_NO if field.kind == "boolean" else field.options
    return {
        "name": field.name,
        "label": field.label,
        "description": field.description,
        "groupName": GROUP,
        "type": kind,
        "fieldType": control,
        **({"options": list(_options(options, taken=()))} if options else {}),
    }


def _options(wanted: Sequence[tuple[str, str]], *, taken: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """HubSpot refuses two options with one label: the second carries its value too."""
    labels = {str(option.get("label", "")).casefold() for option in taken}
    for place, (value, label) in enumerate(wanted, start=len(taken)):
        shown = label if label.casefold() not in labels else f"{label} ({value})"
        labels.add(shown.casefold())
        yield {"label": shown, "value": value, "hidden": False, "displayOrder": place}
