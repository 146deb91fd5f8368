"""What a decision table leaves out, decides twice or never decides, found by going through all that can be told apart.

Each column is cut where a cell draws a line; between two lines all values are alike. No solver is needed.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from tierwise import expressions
from tierwise.domain import cells, tables
from tierwise.domain.cells import Cell
from tierwise.domain.lead import Kind
from tierwise.domain.tables import Table

MOST = 100_000
"""Combinations that are looked at; a table with more is not analysed."""

Value = str | bool | Decimal | None
_TOPS = {"result.score": 100, "result.fit": 100, "result.intent": 100, "result.confidence": 1}


class Grid(NamedTuple):
    """What was found; rows by their number."""

    gap: Mapping[str, Value] | None = None
    """Of each input a value, none of them absent; together they find no row."""
    never: tuple[int, ...] = ()
    """Rows that hold for nothing at all."""
    hidden: tuple[int, ...] = ()
    """Rows that an earlier one always comes before."""
    overlaps: tuple[tuple[int, int, Mapping[str, Value]], ...] = ()
    """Pairs of rows that hold for the same, each with what shows it."""
    analysed: bool = True


class _Atom(NamedTuple):
    """Values that no cell of the column tells apart."""

    value: Value
    rows: int
    """Bit by bit: the rows whose cell holds."""
    open: int
    """The same, and those whose cell cannot tell since the value is absent."""


def search(table: Table, tiers: Mapping[str, int]) -> Grid:
    """All of it, for a table whose every cell can be read. `tiers` are the rubric's cut-offs."""
    columns = [_atoms(table, number, tiers) for number in range(len(table.inputs))]
    rows = len(table.rows)
    if math.prod(len(column) for column in columns) > MOST:
        return Grid(analysed=False)
    gap: Mapping[str, Value] | None = None
    ever = first = 0
    overlaps: dict[tuple[int, int], Mapping[str, Value]] = {}
    for values, mask, unsure in _combinations(columns, (), (1 << rows) - 1):
        told = dict(zip(table.inputs, values, strict=True))
        if not _possible(told, tiers):
            continue
        if mask == 0:
            gap = told if gap is None and None not in values else gap
            continue
        ever |= mask
        first |= _first(table, mask, unsure)
        if mask & (mask - 1):
            held = [number for number in range(rows) if mask >> number & 1]
            overlaps.setdefault((held[0], held[1]), told)
    return Grid(
        gap,
        tuple(number for number in range(rows) if not ever >> number & 1),
        tuple(number for number in range(rows) if ever >> number & 1 and not first >> number & 1),
        tuple((one, other, told) for (one, other), told in sorted(overlaps.items(), key=lambda item: item[0])),
    )


def differ(one: Table, other: Table, tiers: Mapping[str, int]) -> bool:
    """Whether two tables of the same inputs and as many rows ever decide by different rows; True where that is open."""
    rows = len(one.rows)
    both = one.model_copy(update={"rows": (*one.rows, *other.rows)})
    columns = [_atoms(both, number, tiers) for number in range(len(both.inputs))]
    if math.prod(len(column) for column in columns) > MOST:
        return True
    whole = (1 << rows) - 1
    for values, mask, unsure in _combinations(columns, (), (1 << 2 * rows) - 1):
        left, right = mask & whole, mask >> rows
        if one.hit != "collect":
            left, right = _first(one, left, unsure & whole), _first(other, right, unsure >> rows)
        if left != right and _possible(dict(zip(both.inputs, values, strict=True)), tiers):
            return True
    return False


def witness(values: Mapping[str, Value]) -> Mapping[str, Mapping[str, Any]]:
    """The values as a lead and a result; absent ones are left out."""
    facts: dict[str, dict[str, Any]] = {"lead": {}, "result": {}}
    for name, value in values.items():
        root, _, field = name.partition(".")
        if isinstance(value, Decimal):
            facts[root][field] = int(value) if value == value.to_integral_value() else float(value)
        elif value is not None:
            facts[root][field] = value
    return facts


def _first(table: Table, mask: int, unsure: int) -> int:
    """The row that decides, of those that hold; none where an earlier one cannot tell and asks for review."""
    if table.on_unknown == "review":
        mask &= unsure & -unsure
    return mask & -mask


def _combinations(
    columns: Sequence[Sequence[_Atom]], values: tuple[Value, ...], mask: int, unsure: int | None = None
) -> Iterator[tuple[tuple[Value, ...], int, int]]:
    """Values, the rows that hold for them, and those rows with the ones that cannot tell."""
    unsure = mask if unsure is None else unsure
    if len(values) == len(columns):
        yield values, mask, unsure
        return
    for atom in columns[len(values)]:
        yield from _combinations(columns, (*values, atom.value), mask & atom.rows, unsure & atom.open)


def _atoms(table: Table, number: int, tiers: Mapping[str, int]) -> list[_Atom]:
    """The column's values, one for each set of rows that hold for it; tiers and scores stay apart."""
    name = table.inputs[number]
    kind = tables.kind_of(name)
    column = [cells.read(row.when[number], kind) for row in table.rows]
    found: dict[Any, _Atom] = {}
    for value in _values(name, kind, column, tiers):
        held = sum(1 << row for row, cell in enumerate(column) if cell.holds(value))
        unsure = held
        if value is None:
            unsure |= sum(1 << row for row, cell in enumerate(column) if cell.kind in {"values", "spans"})
        key = (held, value) if name in {"result.tier", "result.score"} else (held, unsure)
        found.setdefault(key, _Atom(value, held, unsure))
    return list(found.values())


def _values(name: str, kind: Kind, column: Sequence[Cell], tiers: Mapping[str, int]) -> Iterator[Value]:
    if kind in cells.NUMBERS:
        lines = {
            bound for cell in column for span in cell.spans for bound in (span.low, span.high) if bound is not None
        }
        if name == "result.score":
            lines |= {Decimal(cut) for cut in tiers.values()}
        # What is negative comes last: no example shows it where another would do.
        yield from sorted(_numbers(lines, kind, top=_TOPS.get(name)), key=lambda number: number < 0)
    elif kind == "boolean":
        yield from (True, False)
    else:
        closed = tuple(tiers) if name == "result.tier" else expressions.variables("guardrail")[name].values
        named = dict.fromkeys(str(value) for cell in column for value in cell.values)
        yield from closed or (*named, "another")
    if name.startswith("lead.") or name == "result.route":
        yield None


def _numbers(lines: set[Decimal], kind: Kind, *, top: int | None) -> Iterator[Decimal]:
    """Every line, and a number between any two; from 0 to the top, or where there is none from below to above all."""
    zero = Decimal(0)
    least = zero if top is not None else min((zero, *lines)) - 1
    most = Decimal(top) if top is not None else max((zero, *lines)) + 2
    known = sorted({zero, least, most, *(line for line in lines if least <= line <= most)})
    for low, high in itertools.pairwise(known):
        yield low
        if kind == "decimal":
            yield (low + high) / 2
        elif high - low > 1:
            yield low.to_integral_value() + 1
    yield known[-1]


def _possible(told: Mapping[str, Value], tiers: Mapping[str, int]) -> bool:
    """Nothing raises a tier above the cut-off of its score."""
    tier, score = told.get("result.tier"), told.get("result.score")
    return not (isinstance(tier, str) and isinstance(score, Decimal) and score < tiers.get(tier, 0))
