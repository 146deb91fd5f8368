"""Moves the thresholds of a rule a little and asks whether one of its own tests notices.

A rule whose threshold can move unnoticed is tested beside its edge, not at it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from tierwise import expressions
from tierwise.domain import cells
from tierwise.domain.rules import Rule, Stage
from tierwise.domain.tables import Row, RowRule, Table, kind_of, rules_of
from tierwise.errors import RejectRecord
from tierwise.expressions import Node
from tierwise.policies import grids, trials

_OTHER = {"_>=_": (">=", ">"), "_>_": (">", ">="), "_<=_": ("<=", "<"), "_<_": ("<", "<=")}
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


class Mutant(NamedTuple):
    """One expression that differs from a rule's in one threshold."""

    expression: str
    change: str
    """`100 -> 101`, `>= -> >`."""


def mutants(expression: str, stage: Stage) -> Iterator[Mutant]:
    """Every comparison with a number, moved by one in its last digit and with the other operator."""
    yield from _of(expressions.tree(expression, stage), expression)


def survivors(rule: Rule) -> list[Mutant]:
    """Mutants that no test of the rule tells from the rule itself."""
    return [mutant for mutant in mutants(rule.when, rule.stage) if not _noticed(rule, mutant.expression)]


def table_survivors(table: Table, tiers: Mapping[str, int]) -> list[tuple[str, str]]:
    """Row and change, for each bound of a cell that can be moved to another effect without a test that notices."""
    said = _deciding(table, rules_of(table))
    found = []
    for number, row in enumerate(table.rows):
        for when, change in _moved_cells(table, row):
            rows = (*table.rows[:number], row.model_copy(update={"when": when}), *table.rows[number + 1 :])
            moved = table.model_copy(update={"rows": rows})
            if _deciding(table, rules_of(moved)) == said and grids.differ(table, moved, tiers):
                found.append((row.id, change))
    return found


def _moved_cells(table: Table, row: Row) -> Iterator[tuple[tuple[Any, ...], str]]:
    """The row's cells with one bound of one of them moved, and how."""
    for column, name in enumerate(table.inputs):
        cell = cells.read(row.when[column], kind_of(name))
        for place, span in enumerate(cell.spans):
            for moved in span.moved():
                if moved.low is not None and moved.high is not None and moved.low > moved.high:
                    continue
                told: Any = [str(item) for item in (*cell.spans[:place], moved, *cell.spans[place + 1 :])]
                told = {"not": told} if cell.negated else told
                yield (*row.when[:column], told, *row.when[column + 1 :]), f"{name} {span} -> {moved}"


def _deciding(table: Table, rows: Sequence[RowRule]) -> list[tuple[str, ...]]:
    found = []
    for test in table.tests:
        try:
            found.append(trials.decided_by(table, rows, trials.given(table.stage, test)))
        except (ValueError, RejectRecord):
            found.append(())  # checking tells it
    return found


def seen(rule: Rule) -> frozenset[str]:
    """What the rule said in its own tests: match, no_match, unknown."""
    return frozenset(said for said in _said(rule, rule.when) if said)


def _said(rule: Rule, expression: str) -> list[str]:
    """What the expression says in each of the rule's tests; empty where it cannot say anything."""
    predicate = expressions.compile(expression, rule.stage)
    found = []
    for test in rule.tests:
        try:
            found.append(str(predicate(trials.facts_of(rule, test)).truth))
        except (ValueError, RejectRecord):
            found.append("")  # checking tells it
    return found


def _noticed(rule: Rule, expression: str) -> bool:
    if expressions.check(expression, rule.stage):
        return True  # no such rule could be loaded
    # Against what the rule says itself: a test that fails anyway notices nothing.
    return _said(rule, expression) != _said(rule, rule.when)


def _of(node: Node, text: str) -> Iterator[Mutant]:
    if node.kind == "call" and node.name in _OTHER:
        literals = [arg for arg in node.args if arg.kind == "literal" and type(arg.value) in {int, float}]
        if len(literals) == 1 and node.reads:
            old, new = _OTHER[node.name]
            if text.startswith(old, node.offset):
                yield Mutant(text[: node.offset] + new + text[node.offset + len(old) :], f"{old} -> {new}")
            yield from _moved(literals[0], text)
    for arg in node.args:
        yield from _of(arg, text)


def _moved(literal: Node, text: str) -> Iterator[Mutant]:
    found = _NUMBER.match(text, literal.offset)
    if found is None:
        return
    written = Decimal(found[0])
    plain = found[0].rstrip("0").rstrip(".") if "." in found[0] else found[0]
    digits = len(plain.partition(".")[2])
    places = len(found[0].partition(".")[2])
    for step in (-1, 1):
        moved = f"{written + Decimal(step).scaleb(-digits):.{places}f}"
        yield Mutant(text[: found.start()] + moved + text[found.end() :], f"{found[0]} -> {moved}")
