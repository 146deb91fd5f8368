"""A file whose columns carry the canonical names needs no map."""

from __future__ import annotations

import pytest

from tierwise.domain import mapping
from tierwise.domain.canonical import canonical_map
from tierwise.domain.lead import CATALOGUE
from tierwise.errors import RejectRecord


def test_every_field_that_can_be_set_is_read_from_its_own_column() -> None:
    assert set(mapping.properties(canonical_map())) == {name for name, info in CATALOGUE.items() if not info.derived}


def test_a_row_is_read_as_people_write_it() -> None:
    row = {"email": "Jo@Acme.com", "employee_count": "51-200", "country": "Germany", "lifecycle": "Lead", "notes": "x"}
    lead = mapping.apply(canonical_map(), row).lead
    assert (lead.email, lead.employee_count, lead.country, lead.region, lead.lifecycle) == (
        "jo@acme.com", 126, "DE", "emea", "lead",
    )  # fmt: skip
    assert mapping.apply(canonical_map(), lead.model_dump(mode="json")).lead == lead


def test_a_row_that_identifies_nobody_is_rejected() -> None:
    with pytest.raises(RejectRecord, match="none of email, phone, company_domain, company"):
        mapping.apply(canonical_map(), {"first_name": "Jo"})
