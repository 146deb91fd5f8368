"""What a decision table leaves out, decides twice or never decides, proved over all that can be told apart.

Each column is cut where a cell draws a line; between two lines all values are alike. No solver is needed: a search
column by column that never looks twice at the same open rows.
"""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from tierwise import expressions
from tierwise.domain import cells, tables
from tierwise.domain.cells import Cell
from tierwise.domain.lead import Kind
from tierwise.domain.tables import Table

MOST = 100_000
"""Steps of all searches of one table; one that takes more is not analysed."""

Value = str | bool | Decimal | None
_TOPS = {"result.score": 100, "result.fit": 100, "result.intent": 100, "result.confidence": 1}
_BOUND = ("result.tier", "result.score")
"""One bounds the other, so they are one column."""
_FEW = 32
"""Values of a column among which those are dropped that can do no more than another."""


class Grid(NamedTuple):
    """What was found; rows by their number."""

    gap: Mapping[str, Value] | None = None
    """Of each input a value, none of them absent; together they find no row."""
    never: tuple[int, ...] = ()
    """Rows that hold for nothing at all."""
    hidden: tuple[int, ...] = ()
    """Rows that an earlier one always comes before."""
    overlaps: tuple[tuple[int, int, Mapping[str, Value]], ...] = ()
    """Of a table that is hit unique: pairs of rows that hold for the same, each with what shows it."""
    analysed: bool = True


class _Atom(NamedTuple):
    """Values that no cell of the column tells apart."""

    values: Mapping[str, Value]
    """By input."""
    bits: int
    """The rows whose cell holds, and above them all those whose cell holds or cannot tell, the value being absent."""


class _TooLargeError(Exception):
    """More would have to be looked at than is reasonable."""


def search(table: Table, tiers: Mapping[str, int]) -> Grid:
    """All of it, for a table whose every cell can be read. `tiers` are the rubric's cut-offs."""
    rows = range(len(table.rows))
    space = _Space(table, tiers, asks=table.on_unknown == "review")
    try:
        gap = space.find(0, (1 << len(rows)) - 1, there=True)
        never = tuple(row for row in rows if space.find(1 << row, 0) is None)
        hidden = tuple(row for row in rows if row not in never and space.first(row) is None)
        overlaps = tuple(space.overlaps()) if table.hit == "unique" else ()
    except _TooLargeError:
        return Grid(analysed=False)
    return Grid(gap, never, hidden, overlaps)


def differ(one: Table, other: Table, tiers: Mapping[str, int]) -> bool:
    """Whether two tables of the same inputs and as many rows ever decide by different rows; True where that is open."""
    try:
        return _departs(one, other, tiers) or _departs(other, one, tiers)
    except _TooLargeError:
        return True


def _departs(one: Table, other: Table, tiers: Mapping[str, int]) -> bool:
    """Whether a row of the one table decides where that row of the other does not."""
    rows = range(len(one.rows))
    both = one.model_copy(update={"rows": (*one.rows, *other.rows)})
    asks = [table.on_unknown == "review" and one.hit != "collect" for table in (one, other)]
    space = _Space(both, tiers, asks=any(asks))
    changed = [row for row in rows if asks[0] != asks[1] or one.rows[row].when != other.rows[row].when]
    theirs = [1 << len(rows) + row for row in rows]
    if one.hit == "collect":
        return any(space.find(1 << row, theirs[row]) is not None for row in changed)
    for row in rows:
        before = space.before(row, asks=asks[0])
        # It fails in the other table, or one that comes before it there holds or cannot tell.
        if row in changed and space.find(1 << row, before | theirs[row]) is not None:
            return True
        ahead = [space.opens(theirs[earlier]) if asks[1] else theirs[earlier] for earlier in changed if earlier < row]
        if any(space.find(1 << row | held, before) is not None for held in ahead):
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


class _Space:
    """All that the cells of a table tell apart. `asks`: whether a cell that cannot tell matters."""

    def __init__(self, table: Table, tiers: Mapping[str, int], *, asks: bool) -> None:
        self._count = len(table.rows)
        self._asks = asks
        self._left = MOST
        found = {name: self._atoms(table, number, tiers) for number, name in enumerate(table.inputs)}
        if all(name in found for name in _BOUND):
            tier, score = (found.pop(name) for name in _BOUND)
            pairs = [_Atom({**a.values, **b.values}, a.bits & b.bits) for a in tier for b in score]
            found["result"] = _alike(pair for pair in pairs if _possible(pair.values, tiers))
        self._columns = list(found.values())
        self._there = [[atom for atom in column if None not in atom.values.values()] for column in self._columns]

    def opens(self, rows: int) -> int:
        """The bits that say of these rows that they hold or cannot tell."""
        return rows << self._count

    def before(self, row: int, *, asks: bool) -> int:
        """The bits that must go, or an earlier row comes before this one."""
        earlier = (1 << row) - 1
        return self.opens(earlier) if asks else earlier

    def first(self, row: int) -> Mapping[str, Value] | None:
        """Values for which this row decides."""
        return self.find(1 << row, self.before(row, asks=self._asks))

    def overlaps(self) -> Iterator[tuple[int, int, Mapping[str, Value]]]:
        """Pairs of rows that hold for the same, and values that show it."""
        for one in range(self._count):
            beside = functools.reduce(
                operator.and_, (_any(atom.bits for atom in column if atom.bits >> one & 1) for column in self._columns)
            )
            for other in range(one + 1, self._count):
                if beside >> other & 1:
                    found = self.find(1 << one | 1 << other, 0)
                    if found is not None:
                        yield one, other, found

    def find(self, kept: int, gone: int, *, there: bool = False) -> Mapping[str, Value] | None:
        """Values for which all bits of `kept` and none of `gone` stand; None where there are none.

        `there`: none of them absent. Raises _TooLargeError.
        """
        columns = [
            _fewest([atom for atom in column if atom.bits & kept == kept], gone)
            for column in (self._there if there else self._columns)
        ]
        if not all(columns):
            return None
        # What the columns from each on can still take away.
        taken = [_any(gone & ~atom.bits for atom in column) for column in columns]
        after = [*itertools.accumulate(reversed(taken), operator.or_, initial=0)][::-1]
        seen: list[set[int]] = [set() for _ in columns]

        def walk(number: int, standing: int) -> Iterator[Mapping[str, Value]] | None:
            self._left -= 1
            if self._left < 0:
                raise _TooLargeError
            if not standing:
                return iter([column[0].values for column in reversed(columns[number:])])
            if standing & ~after[number] or standing in seen[number]:
                return None
            seen[number].add(standing)
            for atom in columns[number]:
                rest = walk(number + 1, standing & atom.bits)
                if rest is not None:
                    return itertools.chain(rest, [atom.values])
            return None

        found = walk(0, gone)
        return None if found is None else dict(itertools.chain(*(values.items() for values in [*found][::-1])))

    def _atoms(self, table: Table, number: int, tiers: Mapping[str, int]) -> list[_Atom]:
        """The column's values, one for each set of rows that hold for it; of tiers and scores, all."""
        name = table.inputs[number]
        kind = tables.kind_of(name)
        column = [cells.read(row.when[number], kind) for row in table.rows]
        found = []
        for value in _values(name, kind, column, tiers):
            bits = held = _any(1 << row for row, cell in enumerate(column) if cell.holds(value))
            if self._asks:
                blind = value is None
                unsure = (1 << row for row, cell in enumerate(column) if blind and cell.kind in {"values", "spans"})
                bits |= self.opens(held | _any(unsure))
            found.append(_Atom({name: value}, bits))
        return found if name in _BOUND else _alike(found)


def _any(bits: Iterable[int]) -> int:
    return functools.reduce(operator.or_, bits, 0)


def _alike(atoms: Iterable[_Atom]) -> list[_Atom]:
    """The first of those with the same bits."""
    found: dict[int, _Atom] = {}
    for atom in atoms:
        found.setdefault(atom.bits, atom)
    return list(found.values())


def _fewest(atoms: Sequence[_Atom], gone: int) -> list[_Atom]:
    """The first of those that are alike in what must go, without those that only leave more of it standing."""
    found: dict[int, _Atom] = {}
    for atom in atoms:
        found.setdefault(atom.bits & gone, atom)
    if len(found) > _FEW:
        return list(found.values())
    return [atom for bits, atom in found.items() if not any(less & bits == less != bits for less in found)]


def _values(name: str, kind: Kind, column: Sequence[Cell], tiers: Mapping[str, int]) -> Iterator[Value]:
    if kind in cells.NUMBERS:
        lines = {
            bound for cell in column for span in cell.spans for bound in (span.low, span.high) if bound is not None
        }
        if name == "result.score":
            lines |= {Decimal(cut) for cut in tiers.values()}
        yield from _numbers(lines, kind, top=_TOPS.get(name))
    elif kind == "boolean":
        yield from (True, False)
    else:
        closed = tuple(tiers) if name == "result.tier" else expressions.variables("guardrail")[name].values
        named = dict.fromkeys(str(value) for cell in column for value in cell.values)
        yield from closed or (*named, "another")
    if name.startswith("lead.") or name == "result.route":
        yield None


def _numbers(lines: set[Decimal], kind: Kind, *, top: int | None) -> Iterator[Decimal]:
    """Every line, and a number between any two; from 0 to the top, or where there is none to above all."""
    zero = Decimal(0)
    most = Decimal(top) if top is not None else max((zero, *lines)) + 2
    known = sorted({zero, most, *(line for line in lines if zero <= line <= most)})
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
