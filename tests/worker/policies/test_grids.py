from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise import expressions
from tierwise.domain.tables import Table, rules_of
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


def test_numbers_of_a_lead_can_be_negative_and_scores_cannot() -> None:
    assert grids.search(table([SIZE], [">= 0"]), TIERS).gap == {SIZE: -1}
    assert grids.search(table([SIZE], [">= 0"], ["< 0"]), TIERS) == grids.Grid()
    assert grids.search(table([SIZE], ["> -5"], ["< -5"]), TIERS).gap == {SIZE: -5}
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
    found = grids.search(table([SIZE], ["0..10"], ["10..20"], [">= 20"]), TIERS).overlaps
    assert [(one, other, dict(values)[SIZE]) for one, other, values in found] == [(0, 1, 10), (1, 2, 20)]
    assert not grids.search(table([SIZE], ["0..<10"], ["10..<20"], [">= 20"]), TIERS).overlaps


def test_a_table_too_large_is_not_analysed() -> None:
    many = [[f"{n}..{n}", f"{n}..{n}", f"{n}..{n}"] for n in range(1, 60)]
    assert not grids.search(table([SIZE, "result.fit", "result.intent"], *many), TIERS).analysed


CELL = st.sampled_from(["any", ">= 3", "< 3", "2..4", 5, {"not": "1..3"}])


@given(st.lists(st.tuples(CELL, st.sampled_from(["any", "emea", ["na", "emea"]])), min_size=1, max_size=4))
def test_what_is_found_is_what_going_through_all_leads_finds(rows: list[tuple[Any, Any]]) -> None:
    made = table([SIZE, "lead.region"], *[list(row) for row in rows])
    predicates = [expressions.compile(row.when, "route") for row in rules_of(made)]
    firsts, gap = set(), False
    for size in (*range(-2, 9), None):
        for region in ("emea", "na", "latam", "apac", None):
            lead = {"employee_count": size, "region": region}
            facts = {"lead": {name: value for name, value in lead.items() if value is not None}, "result": {}}
            held = [n for n, asked in enumerate(predicates) if asked(facts).truth == "match"]
            firsts.update(held[:1])
            gap = gap or not (held or None in lead.values())
    found = grids.search(made, TIERS)
    assert (found.gap is not None) == gap
    assert set(range(len(rows))) - {*found.hidden, *found.never} == firsts
