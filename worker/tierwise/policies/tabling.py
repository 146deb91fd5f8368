"""Everything that can be wrong with a decision table: its inputs, cells, rows, tests, and what it leaves out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tierwise import expressions
from tierwise.domain import cells, tables
from tierwise.domain.complaints import Complaint
from tierwise.domain.tables import Row, Table
from tierwise.domain.verdict import UNKNOWN
from tierwise.policies import grids, trials
from tierwise.policies.grids import Value

FEWEST_TESTS = 3
_TAKES: Mapping[str, tuple[str, ...]] = {
    "gate": ("first", "unique"), "route": ("first", "unique"),
    "contradiction": ("collect", "unique"), "guardrail": ("collect", "unique"),
}  # fmt: skip
Closed = Mapping[str, tuple[str, ...]]


def check(table: Table, closed: Closed, tiers: Mapping[str, int]) -> Iterator[tuple[str, Complaint]]:
    """What is wrong with it, with the code of the problem. `closed` are values that the rubric and the routes close."""
    wrong = list(_shape(table, closed))
    yield from wrong
    yield from _tests(table)
    if not wrong:
        yield from _searched(table, tiers)


def sound(table: Table, closed: Closed) -> bool:
    """Whether its rows can be made rules."""
    return not any(True for _ in _shape(table, closed))


def _shape(table: Table, closed: Closed) -> Iterator[tuple[str, Complaint]]:
    if table.hit not in _TAKES[table.stage]:
        text = f"a table of stage {table.stage} cannot be hit: {table.hit}"
        hint = f"write hit: {' or '.join(_TAKES[table.stage])}"
        yield "value", Complaint(("hit",), text, hint)
    known = expressions.variables(table.stage)
    for number, name in enumerate(table.inputs):
        if name not in known:
            text = f"there is no input {name} at stage {table.stage}"
            yield "unknown-field", Complaint(("inputs", number), text, word=name, choices=tuple(known))
        elif name in table.inputs[:number]:
            yield "duplicate", Complaint(("inputs", number), f"the input {name} stands twice", "remove it")
        elif known[name].kind == "timestamp":
            text = f"{name} is a moment, which no cell can hold"
            yield "type", Complaint(("inputs", number), text, "write a rule: timestamp(lead.submitted_at) < ...")
    ids = [row.id for row in table.rows]
    for number, row in enumerate(table.rows):
        here = ("rows", number)
        if row.id in ids[:number]:
            yield "duplicate", Complaint((*here, "id"), f"two rows of {table.id} are called '{row.id}'", "rename one")
        yield from _follows(here, table, row)
        if len(row.when) != len(table.inputs):
            text = f"{len(row.when)} cells for {len(table.inputs)} inputs"
            hint = f"one for each of {', '.join(table.inputs)}; any where it does not matter"
            yield "value", Complaint((*here, "when"), text, hint)
            continue
        for column, (name, given) in enumerate(zip(table.inputs, row.when, strict=True)):
            if name in known:
                yield from _cell((*here, "when", column), name, given, closed, known[name])


def _follows(here: tuple[str | int, ...], table: Table, row: Row) -> Iterator[tuple[str, Complaint]]:
    """What is wrong with what a row leads to."""
    outcome = row.outcome or table.outcome
    if row.id in {tables.NONE, UNKNOWN}:
        yield "value", Complaint((*here, "id"), f"a row cannot be called '{row.id}'", "tests use that word")
    if outcome is None and table.stage in {"gate", "route"}:
        text = f"a row of stage {table.stage} needs an outcome"
        yield "missing", Complaint(here, text, "accept, nurture, reject or review, in the row or for the table")
    if (row.reason or table.reason) is None:
        yield "missing", Complaint(here, "a row needs a reason", "name one, in the row or for the table")
    if table.stage == "contradiction" and outcome not in {None, "review"}:
        yield "value", Complaint((*here, "outcome"), "a contradiction always goes to review", "remove the outcome")


def _cell(
    path: tuple[str | int, ...], name: str, given: Any, closed: Closed, variable: expressions.Variable
) -> Iterator[tuple[str, Complaint]]:
    try:
        cell = cells.read(given, variable.kind)
    except ValueError as error:
        yield "type", Complaint(path, f"{name}: {error}")
        return
    values = closed.get(name) or variable.values
    inside = ("not",) if cell.negated else ()
    listed = isinstance(given["not"] if cell.negated else given, list | tuple)
    for number, value in enumerate(cell.values if values else ()):
        if value not in values:
            text = f"'{value}' is not a value of {name}"
            place = (*path, *inside, *((number,) if listed else ()))
            yield "not-a-value", Complaint(place, text, word=str(value), choices=(*values, cells.ANY, cells.MISSING))
    if cell.kind == "missing" and name.startswith("result.") and name != "result.route":
        yield "value", Complaint(path, f"{name} is never missing", "write any")


def _tests(table: Table) -> Iterator[tuple[str, Complaint]]:
    ids = [row.id for row in table.rows]
    names = [test.name for test in table.tests]
    seen: set[str] = set()
    for number, test in enumerate(table.tests):
        here = ("tests", number)
        if test.name in names[:number]:
            yield (
                "duplicate",
                Complaint((*here, "name"), f"two tests of {table.id} are called '{test.name}'", "rename one"),
            )
        expected = (test.expect,) if isinstance(test.expect, str) else test.expect
        seen.update(expected)
        for name in expected:
            if name not in {*ids, tables.NONE, UNKNOWN}:
                text = f"test '{test.name}': there is no row '{name}'"
                yield "test", Complaint((*here, "expect"), text, word=name, choices=(*ids, tables.NONE, UNKNOWN))
        if not isinstance(test.expect, str) and table.hit != "collect":
            yield "test", Complaint((*here, "expect"), f"test '{test.name}': one row decides", "name one row")
        try:
            trials.given(table.stage, test)
        except trials.UnfitError as error:
            for item in error.complaints:
                yield "test", item._replace(path=(*here, *item.path), text=f"test '{test.name}': {item.text}")
    if len(table.tests) < FEWEST_TESTS:
        text = f"the table {table.id} has {len(table.tests)} tests, at least {FEWEST_TESTS} are needed"
        yield "tests", Complaint(("tests",), text, "one for each row, and one at each edge", key=True)
    for number, row in enumerate(table.rows):
        if table.tests and row.id not in seen:
            text = f"no test of {table.id} expects the row '{row.id}'"
            yield "tests", Complaint(("rows", number), text, "a row that is never seen deciding may never decide")


def _searched(table: Table, tiers: Mapping[str, int]) -> Iterator[tuple[str, Complaint]]:
    grid, rows = grids.search(table, tiers), table.rows
    if not grid.analysed:
        text = f"table {table.id}: too large to be proved: it takes more than {grids.MOST:,} steps to tell all apart"
        yield "unproven", Complaint(("rows",), text, "split it: fewer inputs, or fewer values and bounds in each table")
    for number in grid.never:
        text = f"table {table.id}: the row '{rows[number].id}' can never hold"
        yield "never", Complaint(("rows", number), text, "no value fits its cells")
    for number in grid.hidden if table.hit == "first" else ():
        text = f"table {table.id}: the row '{rows[number].id}' can never decide: rows before it take all that it would"
        yield "shadowed", Complaint(("rows", number), text, "move it before them, or narrow them")
    for one, other, values in grid.overlaps if table.hit == "unique" else ():
        text = f"table {table.id}: the rows '{rows[one].id}' and '{rows[other].id}' hold for the same lead"
        hint = f"narrow one of them, or write hit: first; {_example(values)}"
        yield "overlap", Complaint(("rows", other), text, hint)
    if grid.gap is not None and table.complete:
        text = f"table {table.id}: some leads find no row although nothing is missing"
        hint = f"add a row for them, or write complete: false where later rules take them; {_example(grid.gap)}"
        yield "gap", Complaint(("rows",), text, hint)


def _example(values: Mapping[str, Value]) -> str:
    parts = []
    for root, facts in grids.witness(values).items():
        if facts:
            told = ", ".join(f"{name}: {str(v).lower() if isinstance(v, bool) else v}" for name, v in facts.items())
            parts.append(f"{root}: {{{told}}}")
    return f"for example {', '.join(parts) or 'an empty lead'}"
