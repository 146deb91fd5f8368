"""Which rows answer a query, and what of them is shown: fields, types and parents checked against the schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Any

from tierwise_sandbox.salesforce import soql, spelling, values
from tierwise_sandbox.salesforce.fields import Field
from tierwise_sandbox.salesforce.records import Records, Row
from tierwise_sandbox.salesforce.refusals import Refusal, no_column
from tierwise_sandbox.salesforce.schema import Schema

_DAY_MS = 86_400_000
_ALLOWED = {
    "datetime": ("moment", "null"), "date": ("day", "null"), "boolean": ("boolean", "null"),
    **dict.fromkeys(values.NUMBERS, ("number", "null")),
}  # fmt: skip
_ORDERED = {"<", "<=", ">", ">="}
Test = Callable[[Row], bool]
_STAMP = "SystemModstamp"


@dataclass(frozen=True)
class Path:
    """The way to a value: references to follow, then the field."""

    steps: tuple[Field, ...]
    field: Field
    parents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A query made sure of: what to show, what to test, how to sort, and the window of change it can be cut to."""

    kind: str
    shown: tuple[Path, ...]
    test: Test
    order: tuple[tuple[Path, soql.Order], ...]
    low: int | None
    high: int | None
    limit: int | None
    offset: int


class Matcher:
    """Plans and runs queries over one org's records."""

    def __init__(self, schema: Schema, records: Records) -> None:
        self.schema = schema
        self.records = records

    def plan(self, query: soql.Query) -> Plan:
        """Refusal for objects, fields and comparisons that Salesforce would refuse."""
        kind = self.schema.queried(query.entity)
        test = self._test(kind, query.where, query.text) if query.where else lambda _row: True
        low, high = _bounds(query.where) if query.where else (None, None)
        order = tuple((self._sortable(kind, entry, query.text), entry) for entry in query.order)
        shown = tuple(self.path(kind, name, query.text) for name in query.fields)
        return Plan(kind, shown, test, order, low, high, query.limit, query.offset)

    def run(self, plan: Plan, *, deleted: bool = False) -> list[str]:
        """The ids of the rows that answer, in order."""
        rows = self.records.window(plan.kind, plan.low, plan.high)
        found = [row for row in rows if (deleted or not row.deleted) and plan.test(row)]
        by_change = [(path.field.name, entry.descending) for path, entry in plan.order if not path.steps]
        if by_change not in ([], [(_STAMP, False)], [(_STAMP, False), ("Id", False)]) or len(by_change) != len(
            plan.order
        ):
            found.sort(key=cmp_to_key(lambda one, two: self._compare(plan, one, two)))
        stop = None if plan.limit is None else plan.offset + plan.limit
        return [row.id for row in found[plan.offset : stop]]

    def show(self, paths: Sequence[Path], row: Row, root: str) -> dict[str, Any]:
        """The record of an answer; `root` is the path of the API version."""
        shown: dict[str, Any] = {"attributes": _attributes(row, root)}
        for path in paths:
            place, held = shown, row
            for step, name in zip(path.steps, path.parents, strict=True):
                parent = self._parent(held, step)
                if parent is None:
                    place[name] = None
                    break
                if not isinstance(place.get(name), dict):
                    place[name] = {"attributes": _attributes(parent, root)}
                place, held = place[name], parent
            else:
                place[path.field.name] = values.shown(path.field, self._kept(held, path.field))
        return shown

    def path(self, kind: str, name: soql.Name, text: str) -> Path:
        """Refusal (INVALID_FIELD) for what this user does not see."""
        *parents, last = name.text.split(".")
        if parents and parents[0].lower() == kind.lower():
            parents = parents[1:]
        steps, spelled = [], []
        for parent in parents:
            step = self.schema.parent(kind, parent)
            if step is None:
                raise Refusal(
                    "INVALID_FIELD",
                    f"Didn't understand relationship '{parent}' in field path. If you are attempting to use a custom "
                    "relationship, be sure to append the '__r' after the custom relationship name.",
                )
            steps.append(step)
            spelled.append(step.relationship)
            kind = step.to
        field = self.schema.field(kind, last)
        if field is None:
            raise no_column(last, kind, query=text, at=name.at)
        return Path(tuple(steps), field, tuple(spelled))

    def value(self, row: Row, path: Path) -> Any:
        held: Row | None = row
        for step in path.steps:
            held = self._parent(held, step) if held else None
        return None if held is None else self._kept(held, path.field)

    def _kept(self, row: Row, field: Field) -> Any:
        if field.formula:  # computed when it is read: its change never shows in SystemModstamp
            return float(int(self.records.now() * 1000) // _DAY_MS - int(row.values["CreatedDate"]) // _DAY_MS)
        return row.values.get(field.name, False if field.type == "boolean" else None)

    def _parent(self, row: Row, step: Field) -> Row | None:
        key = row.values.get(step.name)
        return self.records.get(key) if key else None

    def _sortable(self, kind: str, entry: soql.Order, text: str) -> Path:
        path = self.path(kind, entry.name, text)
        if path.field.long or path.field.type == "multipicklist":
            raise Refusal("MALFORMED_QUERY", f"field '{path.field.name}' can not be sorted in a query call")
        return path

    def _test(self, kind: str, where: soql.Condition, text: str) -> Test:
        if isinstance(where, soql.Junction):
            tests = [self._test(kind, part, text) for part in where.parts]
            if where.word == "NOT":
                return lambda row: not tests[0](row)
            if where.word == "AND":
                return lambda row: all(test(row) for test in tests)
            return lambda row: any(test(row) for test in tests)
        path = self.path(kind, where.name, text)
        _check_comparison(path.field, where)
        if path.steps:
            condition = _condition(path.field, where)
            return lambda row: condition(self.value(row, path))
        condition, field = _condition(path.field, where), path.field
        return lambda row: condition(self._kept(row, field))

    def _compare(self, plan: Plan, one: Row, two: Row) -> int:
        for path, entry in plan.order:
            left, right = (_folded(self.value(row, path)) for row in (one, two))
            if left == right:
                continue
            if left is None or right is None:
                return (1 if left is None else -1) * (1 if entry.nulls_last else -1)
            return (1 if left > right else -1) * (-1 if entry.descending else 1)
        return 0


def _attributes(row: Row, root: str) -> dict[str, str]:
    return {"type": row.kind, "url": f"{root}/sobjects/{row.kind}/{row.id}"}


def _folded(value: Any) -> Any:
    return value.lower() if isinstance(value, str) and len(value) != 18 else value


def _check_comparison(field: Field, where: soql.Comparison) -> None:
    if field.long:
        raise Refusal("INVALID_FIELD", f"field '{field.name}' can not be filtered in a query call")
    several = where.operator in {"INCLUDES", "EXCLUDES"}
    if several is not (field.type == "multipicklist") and (several or where.operator == "LIKE"):
        raise Refusal("INVALID_FIELD", f"invalid operator on {field.type} field {field.name}: {where.operator}")
    if where.operator == "LIKE" and field.type in {"id", "reference", *_ALLOWED}:
        raise Refusal("INVALID_FIELD", f"invalid operator on {field.type} field {field.name}: LIKE")
    if where.operator in _ORDERED and field.type == "boolean":
        raise Refusal("INVALID_FIELD", f"invalid operator on boolean field {field.name}: {where.operator}")
    allowed = _ALLOWED.get(field.type, ("text", "null"))
    literals = where.literal.value if where.literal.kind == "list" else (where.literal,)
    for literal in literals:
        if literal.kind not in allowed:
            quoted = "should be enclosed in quotes" if allowed[0] == "text" else "should not be enclosed in quotes"
            kind = {"datetime": "dateTime"}.get(field.type, field.type)
            message = f"value of filter criterion for field '{field.name}' must be of type {kind} and {quoted}"
            raise Refusal("INVALID_FIELD", message)
        if field.type in {"id", "reference"} and literal.value and not re.fullmatch(r"\w{15}(\w{3})?", literal.value):
            raise Refusal("INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {literal.value}")


def _condition(field: Field, where: soql.Comparison) -> Callable[[Any], bool]:
    """Text compares without case; null equals only null, and is unequal to every value."""
    if where.literal.kind == "list":
        wanted = {_literal(field, literal) for literal in where.literal.value}
        if field.type == "multipicklist":
            sets = [set(str(part).split(";")) for part in wanted if part is not None]
            return lambda value: any(one <= _chosen(value) for one in sets) is (where.operator == "INCLUDES")
        return lambda value: (_side(field, value) in wanted) is (where.operator == "IN")
    literal = _literal(field, where.literal)
    if where.operator == "LIKE":
        pattern = _like(str(where.literal.value))
        return lambda value: value is not None and bool(pattern.fullmatch(str(value)))
    if where.operator in {"=", "!="}:
        return lambda value: (_side(field, value) == literal) is (where.operator == "=")
    if literal is None:
        return lambda _value: False
    compare: dict[str, Callable[[Any], bool]] = {
        "<": lambda value: value < literal,
        "<=": lambda value: value <= literal,
        ">": lambda value: value > literal,
        ">=": lambda value: value >= literal,
    }
    ordered = compare[where.operator]
    return lambda value: value is not None and ordered(_side(field, value))


def _literal(field: Field, literal: soql.Literal_) -> Any:
    if literal.kind == "text":
        if field.type in {"id", "reference"}:
            return spelling.long_id(literal.value)
        return literal.value.replace("\\_", "_").replace("\\%", "%").lower() or None
    return literal.value


def _side(field: Field, value: Any) -> Any:
    return value.lower() if isinstance(value, str) and field.type not in {"id", "reference", "date"} else value


def _chosen(value: Any) -> set[str]:
    return {part.lower() for part in str(value or "").split(";")}


def _like(pattern: str) -> re.Pattern[str]:
    parts = re.findall(r"\\[_%]|[_%]|[^\\_%]+|\\", pattern)
    marks = {"_": ".", "%": ".*"}
    return re.compile("".join(marks.get(p) or re.escape(p.removeprefix("\\")) for p in parts), re.I | re.S)


def _bounds(where: soql.Condition) -> tuple[int | None, int | None]:
    """The narrowest window on SystemModstamp that holds every answer (inclusive); None = open."""
    if isinstance(where, soql.Junction):
        if where.word == "NOT":
            return None, None
        lows, highs = zip(*(_bounds(part) for part in where.parts), strict=True)
        if where.word == "AND":
            low = max((bound for bound in lows if bound is not None), default=None)
            return low, min((bound for bound in highs if bound is not None), default=None)
        return (None if None in lows else min(lows)), (None if None in highs else max(highs))
    if where.name.text.lower() != _STAMP.lower() or where.literal.kind != "moment":
        return None, None
    at: int = where.literal.value
    return {"=": (at, at), ">": (at, None), ">=": (at, None), "<": (None, at), "<=": (None, at)}.get(
        where.operator, (None, None)
    )
