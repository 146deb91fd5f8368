from __future__ import annotations

import itertools
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tierwise_fixtures.policies import TANGLED, tangled

from tierwise import expressions
from tierwise.domain import cells
from tierwise.domain.tables import Table, kind_of, rules_of
from tierwise.policies import grids

TIERS = {"A": 70, "B": 40, "C": 0}


def table(inputs: list[str], *rows: list[Any], stage: str = "route", hit: str = "first") -> Table:
    return Table.model_validate(
        {
            "id": "t", "stage": stage, "hit": hit, "inputs": inputs, "owner": "o", "why": "w", "reason": "R",
            "outcome": "accept", "rows": [{"id": f"row-{n}", "when": when} for n, when in enumerate(rows)],
        }
    )  # fmt: skip


SIZE = "lead.employee_count"


@pytest.mark.parametrize(
    ("rows", "gap"),
    [
        ([[">= 50"], ["< 50"]], None),
        ([[">= 50"], ["< 49"]], 49),
        ([["0..9"], ["11..99"], [">= 100"]], 10),
        ([["> 0"]], 0),
        ([[{"not": "10..20"}]], 11),
        ([["any"]], None),
    ],
)
def test_a_number_that_no_row_takes_is_found(rows: list[list[Any]], gap: int | None) -> None:
    found = grids.search(table([SIZE], *rows), TIERS).gap
    if gap is None:
        assert found is None
    else:
        assert found is not None
        facts = {**grids.witness(found)}
        made = rules_of(table([SIZE], *rows))
        assert [expressions.compile(row.when, "route")(facts).truth for row in made] == ["no_match"] * len(made)


def test_decimals_have_gaps_between_neighbours() -> None:
    found = grids.search(table(["lead.monthly_volume"], ["<= 10"], [">= 11"]), TIERS).gap
    assert found is not None
    assert grids.witness(found) == {"lead": {"monthly_volume": 10.5}, "result": {}}


def test_choices_tiers_flags_and_texts() -> None:
    assert grids.search(table(["lead.region"], [["emea", "na"]], [["latam"]]), TIERS).gap == {"lead.region": "apac"}
    assert grids.search(table(["result.tier"], ["A"], [["B", "C"]]), TIERS).gap is None
    assert grids.search(table(["lead.is_duplicate"], [True]), TIERS).gap == {"lead.is_duplicate": False}
    assert grids.search(table(["lead.company"], ["Acme"]), TIERS).gap == {"lead.company": "another"}


def test_what_is_missing_is_no_gap() -> None:
    assert grids.search(table([SIZE], [">= 10"], ["< 10"]), TIERS).gap is None
    mailbox = ["any", ["free", "business", "disposable"]]
    inputs = ["result.tier", "lead.email_kind"]
    assert grids.search(table(inputs, ["A", "missing"], mailbox), TIERS).gap is None
    assert grids.search(table(inputs, ["A", "missing"], ["any", "free"]), TIERS).gap is not None


def test_a_row_that_takes_what_is_missing_decides() -> None:
    rows = [["A", "apac"], ["A", {"not": ["apac"]}], ["A", "any"], [["B", "C"], "any"]]
    made = table(["result.tier", "lead.region"], *rows)
    assert grids.search(made, TIERS) == grids.Grid(overlaps=grids.search(made, TIERS).overlaps)
    # One that cannot tell goes to review before it: then it never decides.
    asks = made.model_copy(update={"on_unknown": "review"})
    assert grids.search(asks, TIERS).hidden == (2,)
    assert grids.differ(made, asks, TIERS)


def test_no_number_is_negative() -> None:
    assert grids.search(table([SIZE], [">= 0"]), TIERS) == grids.Grid()
    assert grids.search(table([SIZE], ["> 0"]), TIERS).gap == {SIZE: 0}
    assert grids.search(table([SIZE], [">= 0"], ["< 0"]), TIERS) == grids.Grid(never=(1,))
    assert grids.search(table(["result.fit"], [">= 0"], ["< 0"]), TIERS) == grids.Grid(never=(1,))


def test_a_tier_above_its_score_is_no_gap() -> None:
    inputs = ["result.tier", "result.score"]
    assert grids.search(table(inputs, ["A", ">= 70"], ["B", ">= 40"], ["C", "any"]), TIERS).gap is None
    assert grids.search(table(inputs, ["A", ">= 71"], ["B", ">= 40"], ["C", "any"]), TIERS).gap is not None


def test_rows_that_never_decide() -> None:
    found = grids.search(table([SIZE], [">= 10"], [">= 50"], [{"not": [">= 0", "< 0"]}], ["any"]), TIERS)
    assert (found.hidden, found.never) == ((1,), (2,))
    both = grids.search(table([SIZE], [">= 10"], ["< 20"], [{"not": "5"}], ["any"]), TIERS)
    assert both.hidden == (2,)


def test_rows_that_hold_for_the_same() -> None:
    found = grids.search(table([SIZE], ["0..10"], ["10..20"], [">= 20"], hit="unique"), TIERS).overlaps
    assert [(one, other, dict(values)[SIZE]) for one, other, values in found] == [(0, 1, 10), (1, 2, 20)]
    assert not grids.search(table([SIZE], ["0..<10"], ["10..<20"], [">= 20"], hit="unique"), TIERS).overlaps


def test_a_table_too_large_is_not_analysed() -> None:
    made = table([f"lead.{name}" for name in TANGLED], *tangled())
    assert not grids.search(made, TIERS).analysed
    assert grids.differ(made, made.model_copy(update={"on_unknown": "review"}), TIERS)


BOUNDS = {
    SIZE: 50, "lead.annual_revenue": 1e6, "lead.monthly_volume": 900, "result.fit": 40, "result.intent": 60,
    "result.confidence": 0.5, "result.score": 55, "result.tier": "A", "lead.country": "DE", "lead.industry": "retail",
    "lead.region": "emea", "lead.company_domain": "acme.example",
}  # fmt: skip


@pytest.mark.parametrize("asks", ["skip", "review"])
def test_as_many_inputs_as_there_may_be_with_a_bound_each_are_proved(asks: str) -> None:
    above = [bound if isinstance(bound, str) else f">= {bound}" for bound in BOUNDS.values()]
    below = [{"not": bound} if isinstance(bound, str) else f"< {bound}" for bound in BOUNDS.values()]
    each = [["any"] * n + [cell] + ["any"] * (len(BOUNDS) - n - 1) for n, cell in enumerate(below)]
    whole = table([*BOUNDS], above, *each)
    assert grids.search(whole.model_copy(update={"on_unknown": asks}), TIERS) == grids.Grid()
    leaves = grids.search(table([*BOUNDS], above, *each[:-1]), TIERS).gap
    assert leaves is not None
    assert leaves["lead.company_domain"] == "another"
    turned = grids.search(table([*BOUNDS], ["any"] * len(BOUNDS), above, *each), TIERS)
    assert turned.hidden == tuple(range(1, len(BOUNDS) + 2))
    assert not grids.differ(whole, whole.model_copy(update={"why": "the same"}), TIERS)
    moved = whole.model_copy(update={"rows": (whole.rows[0], table([*BOUNDS], ["any"] * len(BOUNDS)).rows[0],
                                              *whole.rows[2:])})  # fmt: skip
    assert grids.differ(whole, moved, TIERS)


CELL = st.sampled_from(["any", ">= 3", "< 3", "2..4", 5, {"not": "1..3"}])


@given(st.lists(st.tuples(CELL, st.sampled_from(["any", "emea", ["na", "emea"]])), min_size=1, max_size=4))
def test_what_is_found_is_what_going_through_all_leads_finds(rows: list[tuple[Any, Any]]) -> None:
    made = table([SIZE, "lead.region"], *[list(row) for row in rows])
    predicates = [expressions.compile(row.when, "route") for row in rules_of(made)]
    firsts, gap = set(), False
    for size in (*range(9), None):
        for region in ("emea", "na", "latam", "apac", None):
            lead = {"employee_count": size, "region": region}
            facts = {"lead": {name: value for name, value in lead.items() if value is not None}, "result": {}}
            held = [n for n, asked in enumerate(predicates) if asked(facts).truth == "match"]
            firsts.update(held[:1])
            gap = gap or not (held or None in lead.values())
    found = grids.search(made, TIERS)
    assert (found.gap is not None) == gap
    assert set(range(len(rows))) - {*found.hidden, *found.never} == firsts


COLUMNS: dict[str, list[Any]] = {
    SIZE: [0, 1, 2, 3, 4, 5, 6, None],
    "lead.region": ["emea", "na", "latam", "apac", None],
    "result.tier": ["A", "B", "C"],
    "result.score": [0, 39, 40, 69, 70, 100],
}
ROW = st.tuples(
    CELL, st.sampled_from(["any", "missing", "emea", {"not": "na"}]), st.sampled_from(["any", "A", ["B", "C"]]),
    st.sampled_from(["any", ">= 40", "< 70"]),
)  # fmt: skip


def everything(made: Table) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """All that there can be, and what each row says of it."""
    kinds = [kind_of(name) for name in made.inputs]
    read = [[cells.read(cell, kind) for cell, kind in zip(row.when, kinds, strict=True)] for row in made.rows]
    for values in itertools.product(*COLUMNS.values()):
        told = dict(zip(COLUMNS, values, strict=True))
        if told["result.score"] < TIERS[told["result.tier"]]:
            continue
        given = [Decimal(value) if type(value) is int else value for value in values]
        yield told, ["".join(_cell(cell, value) for cell, value in zip(row, given, strict=True)) for row in read]


def _cell(cell: cells.Cell, value: Any) -> str:
    return "" if cell.holds(value) else "?" if value is None and cell.kind in {"values", "spans"} else "no"


def decides(made: Table, said: list[str]) -> int | None:
    """The row that decides; a row says nothing where it holds, only "?" where it cannot tell."""
    for number, word in enumerate(said):
        if not word:
            return number
        if made.on_unknown == "review" and "no" not in word:
            return None
    return None


@given(st.lists(ROW, min_size=1, max_size=4), st.sampled_from(["skip", "review"]), ROW, st.data())
def test_a_search_finds_what_going_through_everything_finds(
    rows: list[tuple[Any, ...]], asks: str, other: tuple[Any, ...], data: st.DataObject
) -> None:
    made = table([*COLUMNS], *[list(row) for row in rows], hit="unique").model_copy(update={"on_unknown": asks})
    firsts, ever, gap, pairs, by_lead = set(), set(), False, set(), []
    for told, said in everything(made):
        held = [number for number, word in enumerate(said) if not word]
        ever.update(held)
        firsts.add(decides(made, said))
        pairs.update(itertools.combinations(held, 2))
        gap = gap or not (held or None in told.values())
        by_lead.append(decides(made, said))
    found = grids.search(made, TIERS)
    assert found.analysed
    assert (found.gap is not None) == gap
    assert set(found.never) == set(range(len(rows))) - ever
    assert set(found.hidden) == ever - firsts
    assert {(one, two) for one, two, _ in found.overlaps} == pairs
    number = data.draw(st.integers(0, len(rows) - 1))
    moved = table([*COLUMNS], *[list(other if n == number else row) for n, row in enumerate(rows)], hit="unique")
    moved = moved.model_copy(update={"on_unknown": data.draw(st.sampled_from([asks, "skip"]))})
    differs = [decides(moved, said) for _, said in everything(moved)] != by_lead
    assert grids.differ(made, moved, TIERS) == differs
