"""The object's fields as the user may see them, and our own fields among them against what they should be.

Fields are not created by API: without field-level security nobody would see them. They are deployed from
ops/salesforce, permission set included; this module says what is missing and with which command it comes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from tierwise import sdk
from tierwise.sdk import http
from tierwise_salesforce import values
from tierwise_salesforce.client import Client

DEPLOY = "sf project deploy start --source-dir force-app (in ops/salesforce)"
GRANT = "sf org assign permset --name Tierwise"
_KNOWN_FOR = 600.0  # seconds: a describe is an API call and some hundred kilobytes
_OTHERS_FOR = 21_600.0  # seconds, for objects that nothing of ours is in
_INCOMPLETE_FOR = 60.0  # seconds, while fields of ours are missing: they may be on their way

# Kind of field -> Salesforce's type.
TYPES: Mapping[sdk.AdviceKind, str] = {
    "number": "double",
    "text": "string",
    "long_text": "textarea",
    "choice": "picklist",
    "multi_choice": "multipicklist",
    "timestamp": "datetime",
    "boolean": "boolean",
}
LENGTHS: Mapping[sdk.AdviceKind, int] = {"text": 255, "long_text": 4000}
"""Characters that a field must at least hold."""

Fields = Mapping[str, Mapping[str, Any]]
"""Describe's entry of every visible field, by name."""

_held: dict[tuple[str, ...], tuple[float, Fields]] = {}
_guard = threading.Lock()


def fields(
    client: Client,
    *,
    object_type: str = "",
    fresh: bool = False,
    needed: Iterable[str] = (),
    clock: Callable[[], float] = time.monotonic,
) -> Fields:
    """All visible fields of the object that holds the leads, or of another one.

    Remembered for a while, unless `fresh` or one of `needed` is not among them. PauseConnection where the user does not
    see the object.
    """
    settings = client.settings
    kind = object_type or settings.object_type
    key = (settings.my_domain, settings.client_id, settings.username, kind, settings.api_version)
    with _guard:
        at, known = _held.get(key, (0.0, {}))
    good_for = _KNOWN_FOR if values.OWN.keys() <= known.keys() else _INCOMPLETE_FOR
    if kind != settings.object_type:
        good_for = _OTHERS_FOR
    if known and not fresh and clock() - at < good_for and all(name in known for name in needed):
        return known
    try:
        answer = client.call("GET", f"sobjects/{kind}/describe")
    except http.HttpRefused as refused:
        if refused.status != 404:
            raise
        raise sdk.PauseConnection(
            f"the user does not see {kind}, or the org has no API {settings.api_version}",
            place=client.place,
            remedy=f"grant the user the object by a permission set: {GRANT}; or correct api_version",
        ) from None
    found = {str(one["name"]): one for one in answer["fields"]}
    with _guard:
        _held[key] = (clock(), found)
    return found


def forget() -> None:
    """Ask anew next time: after a refusal that contradicts what is remembered."""
    with _guard:
        _held.clear()


def calculated(held: Fields, wanted: Iterable[str]) -> list[str]:
    """Formulas and roll-ups: a change of them moves no time stamp, and would never be seen."""
    return [name for name in wanted if held.get(name, {}).get("calculated")]


def formula_remedy(names: Sequence[str]) -> str:
    """What to do about them."""
    return f"map the fields that {', '.join(names)} is made of, or fill a plain field by a flow"


def compare(field: sdk.AdviceField, held: Mapping[str, Any] | None) -> sdk.PlanStep:
    """What is to be done for one field of ours."""
    theirs, kind = values.field_name(field.name), TYPES[field.kind]
    if held is None:
        told = f"{theirs} ({kind}) is missing or hidden from the user: {DEPLOY}; {GRANT}"
        return sdk.PlanStep("create", field.name, told)
    if wrong := _unfit(field, held):
        return sdk.PlanStep("conflict", field.name, f"{theirs} {wrong}: delete or rename it, then {DEPLOY}")
    if not held.get("updateable"):
        return sdk.PlanStep("create", field.name, f"{theirs} is read-only for the user: {GRANT}")
    there = {str(one.get("value")) for one in held.get("picklistValues") or () if one.get("active", True)}
    missing = ", ".join(value for value, _ in field.options if value not in there)
    if missing and held.get("restrictedPicklist"):
        return sdk.PlanStep("create", field.name, f"{theirs} lacks the values {missing}: {DEPLOY}")
    if missing:
        return sdk.PlanStep("update", field.name, f"{theirs} takes {missing}, but does not list it yet: {DEPLOY}")
    return sdk.PlanStep("keep", field.name, f"{theirs} ({kind})")


def _unfit(field: sdk.AdviceField, held: Mapping[str, Any]) -> str:
    """Why the org's field can never be ours; "" where it can."""
    if held.get("type") != TYPES[field.kind]:
        return f"is of type {held.get('type')}, not {TYPES[field.kind]}"
    if held.get("calculated"):
        return "is a formula"
    length = LENGTHS.get(field.kind, 0)
    return f"holds fewer than {length} characters" if int(held.get("length") or 0) < length else ""


def provision(client: Client, wanted: Sequence[sdk.AdviceField], *, dry_run: bool) -> list[sdk.PlanStep]:
    """The plan. What only a deployment can do is a conflict once more than a plan was asked for."""
    return list(_steps(fields(client, fresh=True), wanted, dry_run=dry_run))


def _steps(held: Fields, wanted: Sequence[sdk.AdviceField], *, dry_run: bool) -> Iterator[sdk.PlanStep]:
    for field in wanted:
        step = compare(field, held.get(values.field_name(field.name)))
        if step.action == "create" and not dry_run:
            step = step._replace(action="conflict")
        yield step
