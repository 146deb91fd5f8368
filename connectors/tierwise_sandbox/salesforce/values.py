"""Whether a field takes a value, and the form in which the org keeps it: epoch ms for moments, JSON types else."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from tierwise_sandbox.salesforce import spelling
from tierwise_sandbox.salesforce.fields import Field
from tierwise_sandbox.salesforce.refusals import Refusal, no_column
from tierwise_sandbox.salesforce.schema import Schema

_EMAIL = re.compile(r"[^@\s,;<>()\[\]]+@[^@\s,;<>()\[\]]+\.[^@\s.,;<>()\[\]]{2,}")
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?")
NUMBERS = frozenset({"int", "double", "currency", "percent"})
NOT_A_FIELD = frozenset({"attributes", "id"})


def accept(schema: Schema, kind: str, given: Mapping[str, Any], *, by_person: bool = False) -> dict[str, Any]:
    """The values in the org's form. Refusal names the field that cannot be written or the value that does not fit.

    A person's edit (the control door) sees every field, whatever the integration user may.
    """
    kept: dict[str, Any] = {}
    refused: list[str] = []
    for name, value in given.items():
        if name.lower() in NOT_A_FIELD:
            continue
        field = schema.every(kind).get(name) if by_person else schema.field(kind, name)
        if field is None:
            raise no_column(name, kind)
        if not by_person and not schema.writable(kind, field):
            refused.append(field.name)
        else:
            kept[field.name] = check(field, value)
    if refused:
        raise Refusal(
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            f"Unable to create/update fields: {', '.join(refused)}. Please check the security settings of this field "
            "and verify that it is read/write for your profile or permission set.",
            fields=refused,
        )
    return kept


def check(field: Field, value: Any) -> Any:
    """The value in the org's form; Refusal where it does not fit."""
    if value is None or value == "":
        if field.type == "boolean":
            raise _wrong_type(field, "boolean", value)
        if field.required:
            raise Refusal("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{field.name}]", fields=[field.name])
        return None
    if field.type == "boolean":
        if not isinstance(value, bool):
            raise _wrong_type(field, "boolean", value)
        return value
    if field.type in NUMBERS:
        return _number(field, value)
    if field.type == "datetime":
        moment = spelling.parse_moment(value) if isinstance(value, str) else None
        if moment is None:
            raise _wrong_type(field, "datetime", value)
        return moment // 1000 * 1000
    if field.type == "date":
        day = spelling.parse_day(value) if isinstance(value, str) else None
        if day is None:
            raise _wrong_type(field, "date", value)
        return day
    return _text(field, value)


def from_text(field: Field, text: str) -> Any:
    """A cell of a bulk upload as a JSON value; `#N/A` clears."""
    if text == "#N/A":
        return None
    if field.type == "boolean":
        return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)
    if field.type in NUMBERS and _NUMBER.fullmatch(text):
        return float(text)
    return text


def shown(field: Field, value: Any) -> Any:
    """A kept value as the API shows it."""
    if field.type == "datetime" and isinstance(value, int):
        return spelling.moment(value)
    if field.type == "boolean":
        return bool(value)
    return value


def _wrong_type(field: Field, kind: str, value: Any) -> Refusal:
    """JSON of the wrong type is refused before any row is looked at."""
    return Refusal("JSON_PARSER_ERROR", f"Cannot deserialize instance of {kind} from value {value!r} for {field.name}")


def _number(field: Field, value: Any) -> float | int:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise _wrong_type(field, field.type, value)
    if field.type == "int":
        if value != int(value):
            raise _wrong_type(field, "int", value)
        return int(value)
    whole = field.digits - field.scale
    if field.digits and abs(value) >= 10**whole:
        raise Refusal(
            "NUMBER_OUTSIDE_VALID_RANGE",
            f"{field.label}: value outside of valid range on numeric field: {value}",
            fields=[field.name],
        )
    return round(float(value), field.scale) if field.custom else float(value)


def _text(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        if field.type == "reference" or isinstance(value, (dict, list, bool)):
            raise _wrong_type(field, "string", value)
        value = str(value)
    text: str = value.strip() if field.type != "textarea" else value
    if field.length and len(text) > field.length:
        raise Refusal(
            "STRING_TOO_LONG",
            f"{field.label}: data value too large: {text[:40]} (max length={field.length})",
            fields=[field.name],
        )
    if field.type == "email" and not _EMAIL.fullmatch(text):
        raise Refusal("INVALID_EMAIL_ADDRESS", f"{field.label}: invalid email address: {text}", fields=[field.name])
    if field.type == "reference":
        found = spelling.long_id(text)
        if not found:
            raise Refusal("MALFORMED_ID", f"{field.label}: id value of incorrect type: {text}", fields=[field.name])
        return found
    if field.restricted:
        allowed = {option for option, _ in field.options}
        for part in text.split(";") if field.type == "multipicklist" else [text]:
            if part not in allowed:
                raise Refusal(
                    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                    f"{field.label}: bad value for restricted picklist field: {part}",
                    fields=[field.name],
                )
    return text
