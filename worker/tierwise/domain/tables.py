"""Decision tables: rows of cells over a few inputs. To whoever evaluates, a row is a rule like any other.

A table says in a glance what many rules say in pages, and whether anything is left out can be counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from tierwise.domain import cells
from tierwise.domain.lead import CATALOGUE, Kind
from tierwise.domain.rules import Outcome, Rule, Stage
from tierwise.domain.verdict import Frozen

HitPolicy = Literal["first", "unique", "collect"]
NONE = "none"
RESULT_KINDS: Mapping[str, Kind] = {
    "score": "integer", "fit": "integer", "intent": "integer", "tier": "text", "confidence": "decimal",
    "outcome": "choice", "route": "text",
}  # fmt: skip


class Row(Frozen):
    """One line: a cell for each input, and what follows where all of them hold."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    when: tuple[Any, ...]
    """In the order of the table's inputs: `any`, `missing`, a value, a list, a range ("10..49"), or `{not: ...}`."""
    reason: str | None = None
    """None: the table's."""
    outcome: Outcome | None = None
    route: str | None = None
    confidence: float | None = Field(default=None, ge=0, le=1)
    why: str | None = None


class TableTest(Frozen):
    """A lead and a result, and the row that must decide: `none` where no row does, `unknown` where one cannot tell."""

    name: str
    lead: Mapping[str, Any] = Field(default_factory=dict)
    result: Mapping[str, Any] = Field(default_factory=dict)
    expect: str | tuple[str, ...]
    """A list of rows where the table collects."""


class Table(Frozen):
    """Rows over the same inputs; what a row leaves out is the table's."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    stage: Stage
    hit: HitPolicy = "first"
    """first: the first row that holds; unique: at most one may hold; collect: all that hold, where all are heard."""
    inputs: tuple[str, ...] = Field(min_length=1, max_length=12)
    rows: tuple[Row, ...] = Field(min_length=1, max_length=200)
    complete: bool = True
    """Every lead must find a row, as long as nothing that the inputs name is missing."""
    reason: str | None = None
    outcome: Outcome | None = None
    route: str | None = None
    confidence: float = Field(default=1.0, ge=0, le=1)
    priority: int = 100
    on_unknown: Literal["skip", "review"] = "skip"
    owner: str
    why: str
    tests: tuple[TableTest, ...] = ()


class RowRule(Rule):
    """A row as a rule."""

    id: str
    """`table/row`."""
    table: str
    row: str
    number: int

    @property
    def order(self) -> tuple[int, str, int]:
        return self.priority, self.table, self.number

    @property
    def subject(self) -> str:
        return f"table {self.table}, row {self.row}"


def kind_of(name: str) -> Kind:
    """Of an input, dotted. KeyError where there is none of that name."""
    root, _, field = name.partition(".")
    return CATALOGUE[field].kind if root == "lead" else RESULT_KINDS[field]


def expression(table: Table, row: Row) -> str:
    """What the row asks, as a rule would say it. ValueError where a cell says nothing that can be asked."""
    pairs = zip(table.inputs, row.when, strict=True)
    parts = []
    for name, given in pairs:
        kind = kind_of(name)
        parts.append(cells.read(given, kind).expression(name, kind))
    asked = [part for part in parts if part]
    return " && ".join(asked) or "true"


def rules_of(table: Table) -> tuple[RowRule, ...]:
    """The rows as rules, in their order. ValueError or KeyError where the table was not checked."""
    return tuple(
        RowRule(
            id=f"{table.id}/{row.id}", table=table.id, row=row.id, number=number, stage=table.stage,
            when=expression(table, row), reason=row.reason or table.reason or "", outcome=row.outcome or table.outcome,
            route=row.route or table.route, confidence=table.confidence if row.confidence is None else row.confidence,
            priority=table.priority, on_unknown=table.on_unknown, owner=table.owner, why=row.why or table.why,
        )
        for number, row in enumerate(table.rows)
    )  # fmt: skip


_KEPT = 64
_made: dict[tuple[int, int], tuple[Sequence[Rule], Sequence[Table], tuple[Rule, ...]]] = {}


def with_rows(rules: tuple[Rule, ...], tables: tuple[Table, ...]) -> tuple[Rule, ...]:
    """All that is asked: the rules, and the rows of the tables; the same tuple for the same two."""
    if not tables:
        return rules
    key = (id(rules), id(tables))
    held = _made.get(key)
    if held is None or held[0] is not rules or held[1] is not tables:
        if len(_made) >= _KEPT:
            _made.clear()
        held = _made[key] = (rules, tables, (*rules, *(row for table in tables for row in rules_of(table))))
    return held[2]
