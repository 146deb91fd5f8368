"""An answer fills what is empty, is remembered, and never goes because an enricher failed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise.domain import enrichment
from tierwise.domain.enrichment import Enriched
from tierwise.domain.lead import CATALOGUE, Lead

GUESS = {"from": "email", "raw": "jo@acme.com", "transform": "derived", "note": "from email"}


def _item(**values: Any) -> Enriched:
    return Enriched(Lead(**values), {name: {"from": name, "raw": value, "transform": "text", "note": ""}
                                     for name, value in values.items()})  # fmt: skip


def test_only_what_is_empty_may_be_filled_and_what_tierwise_guessed() -> None:
    item = _item(company="Acme", email_kind="business", industry="retail")
    fields = ["company", "industry", "employee_count", "email_kind"]
    assert enrichment.open_fields(item.lead, item.provenance, fields) == ["employee_count"]
    guessed = {**item.provenance, "email_kind": GUESS}
    assert enrichment.open_fields(item.lead, guessed, fields) == ["employee_count", "email_kind"]


def test_an_enricher_is_shown_what_it_reads_or_nothing() -> None:
    lead = Lead(email="jo@acme.com", company="Acme", submitted_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert enrichment.shown(lead, ["company", "submitted_at"]) == {
        "company": "Acme", "submitted_at": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    assert enrichment.shown(lead, ["company", "phone"]) is None
    assert enrichment.shown(lead, []) == {}


def test_an_answer_stands_with_its_origin_and_what_follows_from_it() -> None:
    found = enrichment.fill(_item(company="Acme"), {"country": "de", "industry": None}, name="firms", asked="q")
    assert (found.lead.country, found.lead.region, found.lead.industry) == ("DE", "emea", None)
    assert found.provenance["country"] == {
        "from": "enricher firms", "raw": "DE", "transform": "enriched", "note": "", "asked": "q",
    }  # fmt: skip
    assert found.provenance["region"]["note"] == "from country"
    assert found.provenance["industry"]["note"] == "nothing known"
    assert found.provenance["company"]["from"] == "company"


def test_a_region_that_the_record_states_stays() -> None:
    found = enrichment.fill(_item(company="Acme", region="apac"), {"country": "DE"}, name="firms", asked="q")
    assert found.lead.region == "apac"


def test_a_domain_taken_from_an_address_that_is_no_companys_goes() -> None:
    item = _item(email="jo@mailbox.example", email_kind="business", company_domain="mailbox.example")
    guessed = Enriched(item.lead, {**item.provenance, "email_kind": GUESS, "company_domain": GUESS})
    found = enrichment.fill(guessed, {"email_kind": "free"}, name="mailbox", asked="q")
    assert (found.lead.email_kind, found.lead.company_domain) == ("free", None)
    assert "company_domain" not in found.provenance
    stated = enrichment.fill(item, {"email_kind": "free"}, name="mailbox", asked="q")
    assert stated.lead.company_domain == "mailbox.example", "a site that the record states is its own"


@pytest.mark.parametrize(
    ("field", "raw", "value"),
    [
        ("employee_count", "51-200", 126), ("employee_count", True, None), ("employee_count", "many", None),
        ("country", "Germany", "DE"), ("country", "Atlantis", None), ("industry", "Financial Services",
        "financial_services"), ("company_domain", "https://www.acme.co.uk/x", "acme.co.uk"), ("email", "no", None),
        ("email_kind", "free", "free"), ("email_kind", "odd", None), ("company_key", "ACME Inc.", "acme"),
        ("company_key", 5, None), ("is_duplicate", True, None), ("no_such_field", "x", None),
        ("message", "a\x00b", "a\ufffdb"), ("lifecycle", "customer", "customer"), ("company", object(), None),
    ],
)  # fmt: skip
def test_values_are_made_canonical_or_left_out(field: str, raw: Any, value: Any) -> None:
    if field in {"message", "company"}:
        got = enrichment.accepted(field, raw)
        assert got is None or isinstance(got, str)
    else:
        assert enrichment.accepted(field, raw) == value


def test_what_cannot_be_read_is_said_and_stored_nowhere() -> None:
    found = enrichment.fill(_item(company="Acme"), {"employee_count": {"a": object()}}, name="firms", asked="q")
    assert found.lead.employee_count is None
    assert found.provenance["employee_count"]["raw"] is None
    assert "cannot be read" in found.provenance["employee_count"]["note"]


def test_a_failure_leaves_its_reason_and_takes_nothing_away() -> None:
    item = _item(company="Acme", industry="retail")
    found = enrichment.unanswered(item, ["industry", "employee_count"], name="firms", why="no answer within 2 s")
    assert found.lead is item.lead
    assert found.provenance["industry"] == item.provenance["industry"]
    assert found.provenance["employee_count"]["note"] == "not enriched: no answer within 2 s"
    asked = enrichment.question("v1", {"company": "Acme"})
    assert enrichment.remembered(found.provenance, ["employee_count"], name="firms", asked=asked) == {}


def test_only_the_same_question_to_the_same_enricher_is_remembered() -> None:
    asked = enrichment.question("v1", {"company": "Acme"})
    stored = enrichment.fill(_item(company="Acme"), {"industry": "retail"}, name="firms", asked=asked).provenance
    assert enrichment.remembered(stored, ["industry", "country"], name="firms", asked=asked) == {"industry": "retail"}
    assert enrichment.remembered(stored, ["industry"], name="other", asked=asked) == {}
    for other in (enrichment.question("v2", {"company": "Acme"}), enrichment.question("v1", {"company": "Globex"})):
        assert enrichment.remembered(stored, ["industry"], name="firms", asked=other) == {}
    assert enrichment.remembered(_item(industry="x").provenance, ["industry"], name="firms", asked=asked) == {}


_RAW = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30), st.lists(st.text(), max_size=2),
    st.sampled_from(["51-200", "Germany", "demo_request", "list_import", "2026-03-01T09:30:00Z", "a@acme.com", "12%"]),
)  # fmt: skip


@given(st.sampled_from(sorted(CATALOGUE)), _RAW)
def test_a_canonical_value_stays_what_it_is(field: str, raw: Any) -> None:
    """A remembered answer is read again at every poll: it must not drift."""
    value = enrichment.accepted(field, raw)
    if value is not None:
        assert Lead.model_validate({field: value}).signals()[field] == value
        assert enrichment.accepted(field, value) == value
