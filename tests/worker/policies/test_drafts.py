"""A drafted rubric orders leads as the sum of the sheet does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise.errors import Misconfigured
from tierwise.policies import drafts, sheets
from tierwise.policies.drafts import Draft


def draft(*lines: str) -> Draft:
    return drafts.draft(sheets.parse("\n".join(["Condition;Points", *lines]), place="sheet"))


def test_rows_about_one_field_are_levels_of_one_criterion() -> None:
    made = draft("Employees > 50;10", "Employees > 200;30", "Employees < 10;-10", "Has budget;10")
    size, budget = made.criteria
    assert (size.weight, size.decide, [level.id for level in size.levels]) == (
        80, "rule", ["employees_over_200", "employees_over_50", "employees_under_10", "otherwise"],
    )  # fmt: skip
    assert [level.points for level in size.levels] == [1.0, 0.5, 0.0, 0.25]
    assert size.rest == 0.25, "who says nothing has the 0 points of the sheet"
    assert (budget.weight, budget.decide, budget.fields) == (20, "model", ("message",))


def test_thresholds_become_cut_offs_on_the_new_scale() -> None:
    made = draft("Employees > 200;60", "Has budget;20", "Free email;-20", "Hot;60", "MQL;20", "Cold;0")
    assert dict(made.tiers) == {"A": 80, "B": 40, "C": 20, "D": 0}, "who is below 0 is below the coldest"
    told = {row.text: (row.became, row.detail) for row in made.made}
    assert told["Hot"] == ("cut-off", "tier A from 80 of 100 on: 60 points of the sheet, called Hot there")
    assert draft("Has budget;20", "Cold;0").made[-1].detail == "the lowest tier takes what is left"
    assert "100 points of the sheet are 100 of the rubric; a sum of 0 is 20 there" in made.notes


def test_a_threshold_that_no_lead_reaches_is_told() -> None:
    (told,) = [row for row in draft("Has budget;20", "Free email;-10", "Hot;60", "MQL;10").made if row.text == "Hot"]
    assert (told.became, told.detail) == ("no cut-off", "no lead gets so many: all rows together give at most 20")


def test_rows_that_hold_for_the_same_lead_are_told() -> None:
    made = draft(
        "Employees > 50;10", "Employees > 200;30", "Employees < 10;-10", "Employees 100-500;20", "Has budget;9"
    )
    told = [note for note in made.notes if note.startswith("lines")]
    assert told == [
        "lines 2, 3, 5 may hold for the same lead: it gets the points of one, the first in the order of the levels of "
        "employee_count, and not their sum"
    ]
    apart = draft("Employees > 200;30", "Employees 51-200;20", "Industry is retail;5", "Industry is SaaS;9")
    assert not any(note.startswith("lines") for note in apart.notes)


def test_without_thresholds_the_guess_is_told() -> None:
    made = draft("Has budget;5")
    assert dict(made.tiers) == {"A": 70, "B": 50, "C": 30, "D": 0}
    assert any("guess" in note for note in made.notes)


def test_what_loses_everything_is_a_knockout() -> None:
    made = draft("Employees > 200;60", "Has budget;30", "Competitor;-100", "Student;reject", "Free email;-20", "MQL;50")
    assert made.knockouts == (("competitor", "competitor"), ("student", "student"))
    assert {row.text: row.became for row in made.made}["Competitor"] == "question, knockout"
    assert sum(item.weight for item in made.criteria) == 100


def test_every_line_is_told_once_in_order() -> None:
    made = draft("Employees > 200;20", "nonsense;", "Has budget;5", "Hot;20", "Total;25", "Visited pricing page;1")
    assert [row.line for row in made.made] == [2, 3, 4, 5, 6, 7]
    assert "clicked" in made.made[-1].detail


def test_too_many_conditions_are_refused() -> None:
    with pytest.raises(Misconfigured, match="at most 100"):
        draft(*(f"Question number {number};1" for number in range(101)))


@given(
    st.lists(st.integers(-30, 60).filter(bool), min_size=2, max_size=8), st.data(),
)  # fmt: skip
def test_the_score_is_the_sum_on_another_scale(points: list[int], data: st.DataObject) -> None:
    """Whichever conditions hold: within what whole weights and two decimals round off."""
    sheet = sheets.Sheet(
        tuple(sheets.Row(number, f"Question number {number}", float(value)) for number, value in enumerate(points)),
        (), (),
    )  # fmt: skip
    made = drafts.draft(sheet)
    if made.knockouts:
        return
    holds: list[Any] = [data.draw(st.booleans()) for _ in points]
    low = sum(value for value in points if value < 0)
    total = sum(abs(value) for value in points)
    wanted = (sum(value for value, held in zip(points, holds, strict=True) if held) - low) * 100 / total
    scored = sum(
        item.weight * (item.levels[0].points if held else item.rest)
        for item, held in zip(made.criteria, holds, strict=True)
    )
    assert scored == pytest.approx(wanted, abs=1.0 * len(points))
    assert sum(item.weight for item in made.criteria) == 100
