"""Values of our fields as Salesforce carries them (typed JSON) and back, and the names they have there. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from tierwise import sdk

Wire = str | int | float | bool | None


def field_name(name: str) -> str:
    """API name of a field of ours: tierwise_request_review -> Tierwise_Request_Review__c."""
    return "_".join(part.capitalize() for part in name.split("_")) + "__c"


KINDS: Mapping[str, sdk.AdviceKind] = {field.name: field.kind for field in sdk.FIELDS}
_TYPES: Mapping[str, type | tuple[type, ...]] = {"boolean": bool, "number": (int, float), "multi_choice": tuple}
_TEXTS = frozenset({"text", "long_text", "choice"})
NAMES: Mapping[str, str] = {name: field_name(name) for name in KINDS}
"""Our name -> Salesforce's."""
_FOREIGN = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,254}")
OWN: Mapping[str, str] = {theirs: ours for ours, theirs in NAMES.items()}
"""Salesforce's name -> ours."""


def api_name(name: str) -> str:
    """Salesforce's name of one of our fields, or of a field of the organisation's own, which is the name itself.
    ValueError where it can be none."""
    if name in NAMES:
        return NAMES[name]
    if name.startswith("tierwise_") or not _FOREIGN.fullmatch(name) or name.lower() in ("id", "attributes"):
        raise ValueError(f"Tierwise has no field {name!r}")
    return name


def to_wire(name: str, value: sdk.AdviceValue) -> Wire:
    """Salesforce's JSON for a value; None (false for a checkbox) empties the field. ValueError where it has none."""
    kind = KINDS.get(name)
    # Most of them, and nothing to be looked at.
    if (type(value) is str and value and kind in _TEXTS) or (type(value) is int and kind == "number"):
        return value
    if value is None or value == "":
        return False if kind == "boolean" else None
    # One value of another type makes Salesforce refuse two hundred rows unread.
    if not isinstance(value, _TYPES.get(kind or "text", str)) or (isinstance(value, bool) and kind != "boolean"):
        raise ValueError(f"{name}: a {type(value).__name__} is no {kind}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{name}: {value} is no number")
    if isinstance(value, tuple):
        if any(not code or ";" in code for code in value):
            raise ValueError(f"{name}: a code is empty or holds a semicolon, which Salesforce takes for two")
        return ";".join(sorted(set(value))) or None
    if isinstance(value, str) and kind == "timestamp":
        return datetime_text(moment(value))
    return value


def from_wire(name: str, value: Any) -> sdk.AdviceValue:
    """The canonical value; None for an empty field, which an unticked checkbox is. What does not fit stays as it is."""
    if value is None or value == "" or value is False:
        return None
    try:
        return _READERS.get(KINDS.get(name, "text"), _plain)(value)
    except ValueError:
        return str(value)


def own(record: Mapping[str, Any]) -> dict[str, sdk.AdviceValue]:
    """Our fields among a record's, by our names, without empty ones."""
    found: dict[str, sdk.AdviceValue] = {}
    get = record.get
    for theirs, ours, read in _COLUMNS:
        held = get(theirs)
        # Most of most leads is empty before they are scored.
        if not held and (held is None or held is False or held == ""):
            continue
        try:
            value = read(held)
        except ValueError:
            value = str(held)
        if value is not None:
            found[ours] = value
    return found


def moment(text: str) -> datetime:
    """A moment as Salesforce (2026-11-21T08:15:30.000+0000) or we spell it, UTC. ValueError for anything else."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is UTC:
        return found
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def datetime_text(at: datetime) -> str:
    """For JSON and SOQL, and as advice spells it, so that a value read back equals the one written."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_SCALARS = (str, int, float, bool)


def _plain(value: Any) -> sdk.AdviceValue:
    return value if isinstance(value, _SCALARS) else str(value)


def _text(value: Any) -> sdk.AdviceValue:
    text = str(value)
    return text.replace("\r\n", "\n") if "\r" in text else text


def _number(value: Any) -> sdk.AdviceValue:
    """Every number is a double on the wire: 82.0."""
    return int(value) if type(value) is float and value.is_integer() else _plain(value)


_READERS: Mapping[str, Callable[[Any], sdk.AdviceValue]] = {
    "multi_choice": lambda value: tuple(sorted({code for code in str(value).split(";") if code})) or None,
    "timestamp": lambda value: datetime_text(moment(str(value))),
    "number": _number,
    "text": _text,
    "long_text": _text,
}
_COLUMNS = tuple((theirs, ours, _READERS.get(KINDS[ours], _plain)) for theirs, ours in OWN.items())
"""(Salesforce's name, ours, how it is read), looked up once for all records."""
