"""Conditions in people's words become expressions only where there is no doubt what they mean."""

from __future__ import annotations

import pytest

from tierwise import expressions
from tierwise.policies import conditions

KNOWN = {
    "Employees > 200": "lead.employee_count > 200",
    "Employees ≥ 200": "lead.employee_count >= 200",
    "Number of employees: at least 1,000": "lead.employee_count >= 1000",
    "200+ employees": "lead.employee_count >= 200",
    "51–200 employees": "lead.employee_count >= 51 && lead.employee_count <= 200",
    "Company size: 1000+": "lead.employee_count >= 1000",
    "Fewer than 10 employees": "lead.employee_count < 10",
    "More than 10k orders per month": "lead.monthly_volume > 10000.0",
    "Annual revenue >= $5M": "lead.annual_revenue >= 5000000.0",
    "Industry is SaaS": "lead.industry == 'saas'",
    "Industry: Financial Services or Retail": "lead.industry in ['financial_services', 'retail']",
    "Industry is not Education": "lead.industry != 'education'",
    "Country = Germany": "lead.country == 'DE'",
    "Country in Germany, Austria": "lead.country in ['DE', 'AT']",
    "Based in the USA": "lead.country == 'US'",
    "Region EMEA": "lead.region == 'emea'",
    "Lead source = Webinar": "lead.source == 'webinar'",
    "Requested a demo": "lead.source == 'demo_request'",
    "Free email": "lead.email_kind == 'free'",
    "Business email address": "lead.email_kind == 'business'",
    "Job title contains VP or Director": r"lead.job_title.matches(r'(?i)\b(vp|vice president|director)\b')",
    "Phone number provided": "has(lead.phone)",
    "No phone": "!has(lead.phone)",
    "Existing customer": "lead.lifecycle == 'customer'",
    "Duplicate": "lead.is_duplicate",
    # What nobody can be certain of stays a question.
    "Has budget": None,
    "Decision maker": None,
    "Director or above": None,
    "Visited pricing page": None,
    "Country is Atlantis": None,
    "Lead source = our friends": None,
    "Not more than 50 employees or so": None,
    "Free shipping": None,
    "Employees are happy": None,
    "Industry's leader": None,
    "Job title contains it's": None,
}


@pytest.mark.parametrize(("text", "when"), KNOWN.items())
def test_a_condition_means_what_it_says_or_is_left_alone(text: str, when: str | None) -> None:
    found = conditions.translate(text)
    assert (found.when if found else None) == when


@pytest.mark.parametrize("text", [text for text, when in KNOWN.items() if when])
def test_its_example_fulfils_it(text: str) -> None:
    found = conditions.translate(text)
    assert found is not None
    assert expressions.compile(found.when, "gate")({"lead": dict(found.example)}).truth == "match"


def test_money_in_another_currency_is_told() -> None:
    found = conditions.translate("Revenue over €10m")
    assert found is not None
    assert (found.when, found.note[:18]) == ("lead.annual_revenue > 10000000.0", "read as US dollars")


def test_a_model_is_shown_what_the_words_speak_of() -> None:
    assert conditions.fields_for("Decision maker") == ("job_title", "message")
    assert conditions.fields_for("Is a competitor") == ("company", "message")
    assert conditions.fields_for("Urgent") == ("message",)
