from __future__ import annotations

import pytest

from tierwise import expressions
from tierwise.domain.lead import CATALOGUE, Lead
from tierwise.domain.rules import Stage

RIGHT: list[tuple[str, Stage]] = [
    ("lead.employee_count >= 100 && lead.monthly_volume >= 100.0", "gate"),
    ("lead.region in ['emea', 'na'] && 'webinar' != lead.source", "gate"),
    ("has(lead.job_title) && lead.job_title.matches('(?i)student')", "contradiction"),
    ("timestamp(lead.submitted_at) < timestamp('2026-01-01T00:00:00Z')", "gate"),
    ("lead.is_duplicate", "gate"),
    ("result.fit >= 70 && result.confidence < 0.85 && result.tier == 'A'", "route"),
    ("result.outcome == 'nurture' && result.route.startsWith('nurture')", "guardrail"),
    ("lead.country in ['DE', 'AT'] && lead.industry == 'financial_services'", "gate"),
    ("lead.company.lowerAscii().contains('gmbh')", "gate"),
    # A whole number is compared with a decimal on the other side of a conversion.
    ("double(lead.employee_count) * 2.5 < lead.monthly_volume", "gate"),
]


@pytest.mark.parametrize(("expression", "stage"), RIGHT)
def test_what_is_right_passes(expression: str, stage: Stage) -> None:
    assert expressions.check(expression, stage) == ()


WRONG: list[tuple[str, Stage, int, str, str, str]] = [
    # expression, stage, column, code, part of the message, part of the hint
    ("lead.monthly_volume >= 100", "gate", 21, "type", "decimal and a whole number", "write 100.0"),
    ("lead.employee_count > 5.0", "gate", 21, "type", "whole number and a decimal", "write 5 without"),
    ("lead.employee_count in [1.0]", "gate", 21, "type", "list of decimals", "write 1 without"),
    ("lead.employee_count > '5'", "gate", 21, "type", "whole number and text", "no quotes"),
    ("lead.company == 5", "gate", 14, "type", "text and a whole number", "quotes around"),
    ("lead.email == null", "gate", 12, "type", "text and null", "!has(lead.x)"),
    ("lead == null", "gate", 1, "type", "lead stands alone", "lead.field"),
    ("lead.email && true", "gate", 12, "type", "&& does not take", "compare the value"),
    ("lead.is_duplicate == 'true'", "gate", 19, "type", "true or false and text", "without quotes"),
    ("lead.submitted_at < timestamp('2026-01-01T00:00:00Z')", "gate", 19, "type", "point in time", "timestamp(lead."),
    ("lead['email'] == 'x'", "gate", 5, "type", "lead and text", "write lead.x"),
    ("lead.emplyee_count > 1", "gate", 5, "unknown-field", "lead.emplyee_count", "'employee_count'"),
    ("employee_count > 1", "gate", 1, "unknown-name", "stands alone", "write lead.employee_count"),
    ("employe_count > 1", "gate", 1, "unknown-name", "not known", "lead.employee_count?"),
    ("result.score > 1", "gate", 7, "unknown-name", "stage gate", "route and guardrail"),
    ("result.score > 1", "contradiction", 7, "unknown-name", "stage contradiction", "route and guardrail"),
    ("result.outcome == 'review'", "route", 7, "unknown-field", "stage route", "guardrail"),
    ("lead.region == 'emae'", "gate", 16, "not-a-value", "'emae'", "'emea'"),
    ("'emae' == lead.region", "gate", 1, "not-a-value", "'emae'", "'emea'"),
    ("lead.region != 'moon'", "gate", 16, "not-a-value", "'moon'", "apac, emea, latam, na"),
    ("lead.source in ['webinar', 'webiner']", "gate", 28, "not-a-value", "'webiner'", "'webinar'"),
    ("result.outcome == 'nurtur'", "guardrail", 19, "not-a-value", "'nurtur'", "'nurture'"),
    ("lead.country == 'de'", "gate", 17, "not-a-value", "'de'", "'DE'"),
    ("lead.industry == 'Financial Services'", "gate", 18, "not-a-value", "Financial", "financial_services"),
    ("lead.company", "gate", 1, "not-boolean", "gives text", "compare"),
    ("lead.employee_count", "gate", 1, "not-boolean", "gives a whole number", "compare"),
    ("lead.is_duplicate and lead.region == 'na'", "gate", 19, "syntax", "'and'", "write &&"),
    ("not lead.is_duplicate", "gate", 5, "syntax", "'lead'", "operator"),
    ("lead.is_duplicate & lead.is_duplicate", "gate", 19, "syntax", "'&'", "write &&"),
    ("lead.region = 'na'", "gate", 13, "syntax", "'='", "write =="),
    ("lead.employee_count >", "gate", 22, "syntax", "ends too early", "missing"),
    ("", "gate", 1, "syntax", "ends too early", "missing"),
    ("lead.message.matches('(')", "gate", 22, "pattern", "regular expression", "RE2"),
    ("lead.message.matches('(?=x)')", "gate", 22, "pattern", "regular expression", "RE2"),
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong[0])
def test_each_mistake_has_its_place_and_its_remedy(wrong: tuple[str, Stage, int, str, str, str]) -> None:
    expression, stage, column, code, message, hint = wrong
    (error,) = expressions.check(expression, stage)
    assert (error.line, error.column, error.code) == (1, column, code)
    assert message in error.message
    assert hint in error.hint


def test_all_mistakes_are_told_at_once() -> None:
    errors = expressions.check("lead.employee_count > '5' ||\n lead.zzz == 1 || lead.regoin == 'na'", "gate")
    assert [(e.line, e.column, e.code) for e in errors] == [
        (1, 21, "type"),
        (2, 6, "unknown-field"),
        (2, 23, "unknown-field"),
    ]


def test_places_count_characters_not_bytes() -> None:
    (error,) = expressions.check("lead.company == 'Müller 😀' && lead.region == 'emae'", "gate")
    assert error.column == len("lead.company == 'Müller 😀' && lead.region == '")


def test_a_domain_of_the_policy_is_closed_too() -> None:
    domains = {"result.tier": ("A", "B", "C")}
    assert expressions.check("result.tier in ['A', 'C']", "route", domains=domains) == ()
    (error,) = expressions.check("result.tier in ['A', 'E']", "route", domains=domains)
    assert (error.column, error.code) == (22, "not-a-value")
    assert "A, B, C" in error.hint


def test_an_expression_is_not_read_beyond_its_limit() -> None:
    assert expressions.check("true ||" * 200 + "true", "gate") == ()
    (error,) = expressions.check("true ||" * 300 + "true", "gate")
    assert error.code == "too-long"


def test_every_field_of_the_catalogue_can_be_asked_by_its_kind() -> None:
    literal = {"text": "'x'", "integer": "1", "decimal": "1.0", "boolean": "true"}
    forms = {"country": "'DE'", "timestamp": "'2026-01-01T00:00:00Z'"}
    for name, info in CATALOGUE.items():
        value = f"'{info.values[0]}'" if info.values else forms.get(name) or literal.get(info.kind, "'x'")
        assert expressions.check(f"has(lead.{name}) && lead.{name} == {value}", "gate") == (), name
    assert set(CATALOGUE) == set(Lead.model_fields)
