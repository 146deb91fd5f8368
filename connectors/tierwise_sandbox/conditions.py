"""One filter of a search: its operator, its values by the property's type, and the test it makes.

A record without the property matches NOT_HAS_PROPERTY only: NEQ and NOT_IN skip it, as HubSpot's search does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tierwise_sandbox import moments
from tierwise_sandbox.refusals import Refusal

Bounds = tuple[int | None, int | None]
_RANGES = {"GT", "GTE", "LT", "LTE", "BETWEEN", "EQ"}
_OPERATORS = _RANGES | {
    "NEQ", "IN", "NOT_IN", "HAS_PROPERTY", "NOT_HAS_PROPERTY", "CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN",
}  # fmt: skip


@dataclass(frozen=True)
class Condition:
    """`bounds`: the same test as an inclusive range of ms, where it is one over a datetime."""

    name: str
    test: Callable[[Any], bool]
    convert: Callable[[str], Any]
    on_missing: bool = False
    bounds: Bounds | None = None

    def holds(self, value: str | None) -> bool:
        if value is None or value == "":
            return self.on_missing
        converted = self.convert(value)
        return converted is not None and self.test(converted)


def build(wanted: Any, types: Mapping[str, str]) -> Condition:
    """A filter of the request -> its condition. Refusal (400) for what cannot be asked."""
    if not isinstance(wanted, dict) or "propertyName" not in wanted or "operator" not in wanted:
        raise Refusal(400, "Invalid input JSON: a filter needs propertyName and operator.")
    name, operator = str(wanted["propertyName"]), str(wanted["operator"])
    if name not in types:
        raise Refusal(
            400,
            f"There was a problem with the request: property {name} does not exist.",
            errors=[{"message": f'Property "{name}" does not exist', "code": "PROPERTY_DOESNT_EXIST"}],
        )
    if operator not in _OPERATORS:
        raise Refusal(400, f"Invalid input JSON: {operator} is not one of {sorted(_OPERATORS)}.")
    convert = _converter(types[name])
    if operator == "HAS_PROPERTY":
        return Condition(name, lambda _value: True, str)
    if operator == "NOT_HAS_PROPERTY":
        return Condition(name, lambda _value: False, str, on_missing=True)
    if operator in {"IN", "NOT_IN"}:
        values = wanted.get("values")
        if not isinstance(values, list) or not values:
            raise Refusal(400, f"operator {operator} requires values (a list).")
        several = frozenset(_value(name, item, convert) for item in values)
        inside = operator == "IN"
        return Condition(name, lambda value: (value in several) is inside, convert)
    if "TOKEN" in operator:
        return _tokens(name, operator, str(wanted.get("value") or ""))
    first = _value(name, wanted.get("value"), convert)
    second = _value(name, wanted.get("highValue"), convert) if operator == "BETWEEN" else first
    bounds = None
    if types[name] == "datetime" and operator in _RANGES:
        bounds = _bounds(operator, first, second)
    return Condition(name, _test(operator, first, second), convert, bounds=bounds)


def _converter(kind: str) -> Callable[[str], Any]:
    if kind in {"datetime", "date"}:
        return moments.parse
    if kind == "number":
        return _number
    return str.lower


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _value(name: str, given: Any, convert: Callable[[str], Any]) -> Any:
    value = convert(str(given)) if isinstance(given, (str, int, float)) else None
    if value is None:
        raise Refusal(400, f"The value {given!r} of the filter on {name} is missing or of the wrong type.")
    return value


def _bounds(operator: str, first: int, second: int) -> Bounds:
    return {
        "GT": (first + 1, None),
        "GTE": (first, None),
        "LT": (None, first - 1),
        "LTE": (None, first),
        "EQ": (first, first),
        "BETWEEN": (first, second),
    }[operator]


def _test(operator: str, first: Any, second: Any) -> Callable[[Any], bool]:
    tests: dict[str, Callable[[Any], bool]] = {
        "EQ": lambda value: bool(value == first),
        "NEQ": lambda value: bool(value != first),
        "GT": lambda value: bool(value > first),
        "GTE": lambda value: bool(value >= first),
        "LT": lambda value: bool(value < first),
        "LTE": lambda value: bool(value <= first),
        "BETWEEN": lambda value: bool(first <= value <= second),
    }
    return tests[operator]


def _tokens(name: str, operator: str, value: str) -> Condition:
    if not value:
        raise Refusal(400, f"operator {operator} requires a value.")
    words = [re.escape(word).replace(r"\*", r"\w*") for word in value.lower().split()]
    patterns = [re.compile(rf"(?<!\w){word}(?!\w)") for word in words]
    wanted = operator == "CONTAINS_TOKEN"
    return Condition(name, lambda text: all(p.search(text) for p in patterns) is wanted, str.lower)
