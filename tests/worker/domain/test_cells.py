from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise import expressions
from tierwise.domain import cells

NAME, DECIMAL, CHOICE, FLAG = "lead.employee_count", "lead.monthly_volume", "lead.region", "lead.is_duplicate"
FORMS: list[tuple[str, str, Any, str]] = [
    # input, kind, cell, expression
    (NAME, "integer", 50, "lead.employee_count == 50"),
    (NAME, "integer", ">= 50", "lead.employee_count >= 50"),
    (NAME, "integer", "<1_000", "lead.employee_count < 1000"),
    (NAME, "integer", "10..49", "lead.employee_count >= 10 && lead.employee_count <= 49"),
    (NAME, "integer", "10..<50", "lead.employee_count >= 10 && lead.employee_count < 50"),
    (NAME, "integer", [5, "> 99"], "(lead.employee_count == 5 || lead.employee_count > 99)"),
    (NAME, "integer", {"not": "10..49"}, "!(lead.employee_count >= 10 && lead.employee_count <= 49)"),
    (NAME, "integer", "any", ""),
    (NAME, "integer", "missing", "!has(lead.employee_count)"),
    (DECIMAL, "decimal", ">= 50000", "lead.monthly_volume >= 50000.0"),
    (DECIMAL, "decimal", "0.5..1", "lead.monthly_volume >= 0.5 && lead.monthly_volume <= 1.0"),
    (CHOICE, "choice", "emea", "lead.region == 'emea'"),
    (CHOICE, "choice", ["emea", "na"], "lead.region in ['emea', 'na']"),
    (CHOICE, "choice", {"not": ["emea", "na"]}, "!(lead.region in ['emea', 'na'])"),
    ("lead.company", "text", "it's", "lead.company == 'it\\'s'"),
    (FLAG, "boolean", True, "lead.is_duplicate"),
    (FLAG, "boolean", False, "!lead.is_duplicate"),
]


@pytest.mark.parametrize(("name", "kind", "given_", "expected"), FORMS)
def test_a_cell_says_what_a_rule_would_say(name: str, kind: Any, given_: Any, expected: str) -> None:
    told = cells.read(given_, kind).expression(name, kind)
    assert told == expected
    assert not told or not expressions.check(told, "gate")


@pytest.mark.parametrize(
    ("given_", "kind", "part"),
    [
        ("50 bis 100", "integer", "10..49"), (">= 1.5", "integer", "a whole number"), ("50..10", "integer", "smaller"),
        ("10..<10", "integer", "smaller"), (True, "integer", "a number or a range"),
        ([], "choice", "the list is empty"),
        (5, "choice", "quotes"), ("yes", "boolean", "true or false"), ({"nto": 5}, "integer", "write not:"),
        ({"not": "any"}, "integer", "not: takes"), ({"not": {"not": 5}}, "integer", "not: takes"),
    ],
)  # fmt: skip
def test_what_no_cell_can_hold_is_told(given_: Any, kind: Any, part: str) -> None:
    with pytest.raises(ValueError, match=part):
        cells.read(given_, kind)


NUMBERS = st.integers(0, 40)
RANGES = st.one_of(
    NUMBERS, NUMBERS.map(">= {}".format), NUMBERS.map("< {}".format),
    st.tuples(NUMBERS, st.integers(1, 9)).map(lambda pair: f"{pair[0]}..{pair[0] + pair[1]}"),
)  # fmt: skip
CELLS = st.one_of(RANGES, st.lists(RANGES, min_size=1, max_size=3), RANGES.map(lambda inner: {"not": inner}),
                  st.sampled_from(["any", "missing"]))  # fmt: skip


@given(CELLS, st.one_of(st.none(), NUMBERS))
def test_the_cell_and_its_expression_agree(given_: Any, value: int | None) -> None:
    cell = cells.read(given_, "integer")
    told = cell.expression(NAME, "integer") or "true"
    lead = {} if value is None else {"employee_count": value}
    truth = expressions.compile(told, "gate")({"lead": lead}).truth
    assert cell.holds(None if value is None else Decimal(value)) == (truth == "match")
