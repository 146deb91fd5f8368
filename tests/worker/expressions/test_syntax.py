from __future__ import annotations

import pytest

from tierwise.expressions import syntax
from tierwise.expressions.environments import check_environment


def tree(expression: str) -> syntax.Tree:
    return syntax.read(check_environment("guardrail").compile(expression).serialize())


def test_reads_and_guards() -> None:
    read = tree("!has(lead.job_title) || lead.region == 'na' && result.fit > 1 || lead.region == 'emea'")
    assert read.reads == ("lead.region", "result.fit")
    assert read.guarded == {"lead.job_title"}


@pytest.mark.parametrize(
    "expression",
    [
        "['a', 'b'].exists(x, x == lead.region)",
        "{'k': lead.region}.size() == 1",
        "[lead.region] == ['na']",
        "(lead.region == 'na' ? 1 : 2) == 1",
        "-size(lead.region) < 0",
        "lead.region.startsWith('n')",
    ],
)
def test_fields_are_found_wherever_they_stand(expression: str) -> None:
    assert tree(expression).reads == ("lead.region",)


def test_comparisons_have_the_place_of_the_literal() -> None:
    expression = "lead.region == 'na' || 'x' != lead.source || lead.source in ['a', lead.company, 'b']"
    found = tree(expression).comparisons
    assert [(item.field, item.literal.text) for item in found] == [
        ("lead.region", "na"),
        ("lead.source", "x"),
        ("lead.source", "a"),
        ("lead.source", "b"),
    ]
    for item in found:
        assert expression[item.literal.offset :].startswith(f"'{item.literal.text}'")


def test_a_variable_that_stands_alone_is_seen() -> None:
    assert [item.text for item in tree("lead == null || result.fit > 1").whole] == ["lead"]
    assert tree("result.fit > 1 && lead.region == 'na'").whole == ()


def test_patterns() -> None:
    assert [item.text for item in tree("lead.company.matches('(?i)gmbh')").patterns] == ["(?i)gmbh"]
    assert tree("lead.company.matches(lead.email)").patterns == ()


@pytest.mark.parametrize(
    ("expression", "scales"),
    [
        (
            "lead.employee_count >= 50 && lead.employee_count < 10 || 50 == lead.employee_count",
            {"lead.employee_count": (10, 50)},
        ),
        ("result.confidence < 0.5 && !has(lead.employee_count)", {"result.confidence": (0.5,)}),
        ("[1, 2].exists(x, lead.employee_count > 7)", {"lead.employee_count": (7,)}),
        ("lead.employee_count > 5 && lead.employee_count + 1 < 9", {}),
        ("lead.employee_count in [1, 2] || lead.employee_count == 3", {}),
        ("double(lead.employee_count) > 5.0", {}),
        ("lead.annual_revenue > lead.monthly_volume", {}),
        ("lead.region == 'na'", {}),
    ],
)
def test_numbers_that_a_field_is_only_compared_with(expression: str, scales: dict[str, tuple[float, ...]]) -> None:
    assert tree(expression).scales == scales


@pytest.mark.parametrize(
    ("expression", "lengths"),
    [
        ("size(lead.message) < 80 || 3 <= lead.message.size()", {"lead.message": (3, 80)}),
        ("has(lead.message) && size(lead.message) == 5", {"lead.message": (5,)}),
        ("size(lead.message) < 80 && lead.message != 'x'", {}),
        ("size(lead.message) < size(lead.company)", {}),
        ("size(lead.message) + 1 < 80", {}),
    ],
)
def test_lengths_that_a_text_is_only_compared_with(expression: str, lengths: dict[str, tuple[float, ...]]) -> None:
    assert tree(expression).lengths == lengths
    assert tree(expression).scales == {}
