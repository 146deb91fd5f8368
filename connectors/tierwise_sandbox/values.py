"""Whether a property takes a value, and the form in which the portal keeps it (always text).

Strict where HubSpot is: numbers without commas, options exactly as spelled, no unknown property.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tierwise_sandbox import moments

Problem = tuple[str, str, str]
"""Property name, error code, message."""

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_EMAIL = re.compile(r"[^@\s,;<>()\[\]]+@[^@\s,;<>()\[\]]+\.[^@\s.,;<>()\[\]]{2,}")
_DAY = 86_400_000
_MAX_TEXT = 65_536


def as_text(value: Any) -> str:
    """What HubSpot makes of a JSON value: null clears, everything else travels as text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else str(value)


def check(definition: Mapping[str, Any], value: Any) -> tuple[str, Problem | None]:
    """The value in the portal's form ("" = cleared) and what is wrong with it, if anything."""
    name = definition["name"]
    if isinstance(value, (list, dict)):
        return "", (name, "INVALID_STRING", f"{value} was not a valid value for {name}.")
    text = as_text(value)
    if text == "":
        return "", None
    kept, code, message = _CHECKS.get(definition["type"], _string)(definition, text)
    return kept, (name, code, message) if code else None


def _string(definition: Mapping[str, Any], text: str) -> tuple[str, str, str]:
    if len(text) > _MAX_TEXT:
        return "", "INVALID_STRING_LENGTH", f"The value is longer than {_MAX_TEXT} characters."
    if definition["name"] == "email":
        text = text.strip().lower()
        if not _EMAIL.fullmatch(text):
            return "", "INVALID_EMAIL", f"Email address {text} is invalid"
    return text, "", ""


def _number(_definition: Mapping[str, Any], text: str) -> tuple[str, str, str]:
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        return "", "INVALID_INTEGER", f"{text} was not a valid number."
    return text, "", ""


def _enumeration(definition: Mapping[str, Any], text: str) -> tuple[str, str, str]:
    if definition["externalOptions"]:
        if not text.isdecimal():
            return "", "INVALID_INTEGER", f"{text} was not a valid integer (for owner ID)."
        return text, "", ""
    allowed = [option["value"] for option in definition["options"]]
    several = definition["fieldType"] == "checkbox"
    chosen = [part for part in text.split(";") if part] if several else [text]
    for part in chosen:
        if part not in allowed:
            return "", "INVALID_OPTION", f"{part} was not one of the allowed options: [{', '.join(allowed)}]"
    if several:  # kept once each, in the order given; a leading ";" (append) is not supported here
        return ";".join(dict.fromkeys(chosen)), "", ""
    return text, "", ""


def _bool(_definition: Mapping[str, Any], text: str) -> tuple[str, str, str]:
    text = text.strip().lower()
    if text not in {"true", "false"}:
        return "", "INVALID_BOOLEAN", f"{text} was not a valid boolean."
    return text, "", ""


def _datetime(_definition: Mapping[str, Any], text: str) -> tuple[str, str, str]:
    milliseconds = moments.parse(text)
    if milliseconds is None:
        return "", "INVALID_LONG", f"{text} was not a valid long."
    return moments.iso(milliseconds), "", ""


def _date(_definition: Mapping[str, Any], text: str) -> tuple[str, str, str]:
    milliseconds = moments.parse(text)
    if milliseconds is None or milliseconds % _DAY:
        return "", "INVALID_DATE", f"{text} is at the wrong time of day or is not a date (midnight UTC)."
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d}", "", ""


_CHECKS = {
    "number": _number,
    "enumeration": _enumeration,
    "bool": _bool,
    "datetime": _datetime,
    "date": _date,
}
