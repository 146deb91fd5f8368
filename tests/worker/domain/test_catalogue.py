"""The catalogue as capture sources read it: complete, and true of what leads really are."""

from __future__ import annotations

from datetime import UTC, datetime

import jsonschema
import pytest

from tierwise.domain import catalogue
from tierwise.domain.canonical import IDENTIFYING
from tierwise.domain.lead import CATALOGUE, Lead

LEAD = Lead(
    email="jo@acme.com", employee_count=51, monthly_volume=3000.0, source="webinar",
    submitted_at=datetime(2026, 3, 1, tzinfo=UTC),
)  # fmt: skip


def test_the_json_schema_takes_leads_and_nothing_else() -> None:
    schema = catalogue.catalogue_json()["json_schema"]
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(LEAD.model_dump(mode="json"))
    for wrong in ({"shoe_size": 44}, {"source": "carrier pigeon"}, {"employee_count": "many"}):
        with pytest.raises(jsonschema.ValidationError):
            validator.validate(wrong)


def test_every_field_is_listed_with_what_it_accepts() -> None:
    fields = {entry["name"]: entry for entry in catalogue.catalogue_json()["fields"]}
    assert list(fields) == list(CATALOGUE)
    assert all(bool(entry["accepts"]) != entry["derived"] for entry in fields.values())
    assert fields["source"]["values"][0] == "demo_request"
    assert set(catalogue.catalogue_json()["require_one_of"]) == set(IDENTIFYING) <= set(fields)


def test_the_document_names_every_field_and_every_value() -> None:
    document = catalogue.catalogue_document()
    rows = [line for line in document.splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == [name for name, info in CATALOGUE.items() if not info.derived]
    assert all(row.count("|") - row.count("\\|") == 5 for row in rows)
    for info in CATALOGUE.values():
        assert f"`{info.name}`" in document
        if not info.derived:
            assert all(f"`{value}`" in document for value in info.values)
