"""Values of our fields as HubSpot carries them (always text) and back. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from tierwise import sdk

KINDS: Mapping[str, sdk.AdviceKind] = {field.name: field.kind for field in sdk.FIELDS}
_DIGITS = 300  # more would be no float, and as an integer a way to fill the memory
_MILLISECONDS = re.compile(r"-?\d{9,16}")


def to_wire(name: str, value: sdk.AdviceValue) -> str:
    """HubSpot's text for a value; "" empties the property. ValueError for what it cannot carry."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(name, value)
    if isinstance(value, str):
        return str(milliseconds(value)) if KINDS.get(name) == "timestamp" and value else value
    if any(not code or ";" in code for code in value):
        raise ValueError(f"{name}: a code is empty or holds a semicolon, which HubSpot takes for two")
    return ";".join(sorted(set(value)))


def from_wire(name: str, text: str | None) -> sdk.AdviceValue:
    """The canonical value; None for an empty property. What a person typed and does not fit stays text."""
    if text is None or text == "":
        return None
    try:
        return _READERS.get(KINDS.get(name, "text"), str)(text)
    except (InvalidOperation, ValueError, OverflowError):
        return text


def own(properties: Mapping[str, Any]) -> dict[str, sdk.AdviceValue]:
    """Our fields among a record's properties, without empty ones."""
    read = {name: from_wire(name, properties.get(name)) for name in KINDS}
    return {name: value for name, value in read.items() if value is not None}


def milliseconds(text: str) -> int:
    """Epoch milliseconds of an ISO 8601 text (no zone means UTC) or of a number of them. ValueError otherwise."""
    if _MILLISECONDS.fullmatch(text):
        return int(text)
    moment = datetime.fromisoformat(text)
    return stamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def stamp(moment: datetime) -> int:
    """Epoch milliseconds, rounded down, without the error of floating point."""
    return int(moment.timestamp() // 1) * 1000 + moment.microsecond // 1000


def moment(stamped: int) -> datetime:
    """The moment of epoch milliseconds, UTC."""
    return datetime.fromtimestamp(stamped // 1000, UTC).replace(microsecond=stamped % 1000 * 1000)


def read_moment(text: Any) -> datetime | None:
    """The moment that a property holds; None where it holds none."""
    try:
        return moment(milliseconds(str(text))) if text else None
    except (ValueError, OverflowError, OSError):
        return None


def read_number(text: Any) -> float | None:
    """The number that a property holds; None where it holds none."""
    try:
        return float(_plain_number(str(text))) if text not in (None, "") else None
    except (InvalidOperation, ValueError, OverflowError):
        return None


def canonical(stamped: int) -> str:
    """Epoch milliseconds in the spelling of advice, so that a value read back equals the one written."""
    return moment(stamped).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _codes(text: str) -> sdk.AdviceValue:
    return tuple(sorted({code for code in text.split(";") if code})) or None


def _plain_number(text: str) -> int | float:
    number = Decimal(text)
    if not number.is_finite() or number.adjusted() > _DIGITS:
        raise ValueError(text)
    return int(number) if number == number.to_integral_value() else float(number)


_READERS: Mapping[str, Callable[[str], sdk.AdviceValue]] = {
    "multi_choice": _codes,
    "boolean": lambda text: {"true": True, "false": False}.get(text.lower(), text),
    "number": _plain_number,
    "timestamp": lambda text: canonical(milliseconds(text)),
}


def _number(name: str, value: float) -> str:
    number = Decimal(repr(value))
    if not number.is_finite():
        raise ValueError(f"{name}: {value} is no number")
    # HubSpot takes no exponent and no comma.
    return f"{number:f}".removesuffix(".0")
