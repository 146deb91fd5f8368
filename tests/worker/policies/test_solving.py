from __future__ import annotations

import random
from typing import Any

import pytest

from tierwise import content, expressions, policies
from tierwise.policies import solving

RUBRIC = policies.read(content.find(None)).rubric
EXPRESSIONS = [
    "lead.employee_count >= 100 && lead.region == 'emea'",
    "lead.employee_count >= 100 || lead.region == 'emea'",
    "!(lead.employee_count < 10) && lead.monthly_volume > 2.5",
    "has(lead.region) ? lead.region != 'na' : lead.employee_count == 7",
    "lead.email_kind in ['free', 'disposable'] || (has(lead.employee_count) && lead.employee_count + 3 <= 12)",
    "lead.monthly_volume > 2.0 * double(lead.employee_count)",
    "lead.is_duplicate || lead.region in ['latam']",
    "!lead.is_duplicate && true",
]
VALUES: dict[str, list[Any]] = {
    "employee_count": [None, 0, 7, 9, 10, 99, 100, 101],
    "region": [None, "emea", "na", "latam"],
    "monthly_volume": [None, 0.0, 2.5, 14.0, 300.0],
    "email_kind": [None, "free", "business"],
    "is_duplicate": [None, True, False],
}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_the_formulas_say_of_every_lead_what_the_expression_says(expression: str) -> None:
    space = solving.Space(RUBRIC)
    truth = space.truth(expression, "gate")
    assert truth.exact
    predicate = expressions.compile(expression, "gate")
    chance = random.Random(4)
    for _ in range(60):
        lead = {name: value for name, values in VALUES.items() if (value := chance.choice(values)) is not None}
        pinned = [fixed(space, name, lead.get(name)) for name in VALUES]
        holds = space.find(truth.holds, *pinned) is not None
        fails = space.find(truth.fails, *pinned) is not None
        found = {(True, False): "match", (False, True): "no_match", (False, False): "unknown"}[holds, fails]
        assert found == predicate({"lead": lead}).truth, lead


def fixed(space: solving.Space, name: str, value: Any) -> Any:
    """The field has exactly that value, said in an expression."""
    if value is None:
        return space.truth(f"!has(lead.{name})", "gate").holds
    literal = f"'{value}'" if isinstance(value, str) else str(value).lower()
    return space.truth(f"lead.{name} == {literal}", "gate").holds


def test_what_is_found_is_a_lead_that_shows_it() -> None:
    space = solving.Space(RUBRIC)
    expression = "lead.employee_count > 41 && lead.employee_count < 43 && lead.region == 'apac' && !has(lead.country)"
    found = space.find(space.truth(expression, "gate").holds)
    assert isinstance(found, dict)
    assert found["lead"] == {"employee_count": 42, "region": "apac"}
    assert expressions.compile(expression, "gate")(found).truth == "match"


@pytest.mark.parametrize(
    "expression",
    [
        "lead.employee_count > 10 && lead.employee_count < 5",
        "lead.region == 'emea' && lead.region == 'na'",
        "lead.message.matches('a') && !lead.message.matches('a')",
        "has(lead.country) && !has(lead.country)",
    ],
)
def test_what_cannot_be_is_proven(expression: str) -> None:
    space = solving.Space(RUBRIC)
    assert space.find(space.truth(expression, "gate").holds) is None


def test_a_look_into_a_text_is_said_to_be_no_proof_of_what_is_possible() -> None:
    space = solving.Space(RUBRIC)
    truth = space.truth("lead.message.contains('a') && !lead.message.matches('a')", "gate")
    assert not truth.exact
    assert space.find(truth.holds) is not None


def test_a_tier_is_never_above_its_cut_off() -> None:
    space = solving.Space(RUBRIC)
    best, cut = next(iter(RUBRIC.tiers.items()))
    assert space.find(space.truth(f"result.tier == '{best}' && result.score < {cut}", "route").holds) is None
    assert space.find(space.truth(f"result.tier == 'D' && result.score >= {cut}", "route").holds) is not None
