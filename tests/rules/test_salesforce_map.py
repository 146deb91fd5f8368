"""The map that ships for Salesforce: its own tests, and its agreement with the org's fields."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tierwise.domain import mapping
from tierwise.domain.lead import CATALOGUE, LIFECYCLES, SOURCES
from tierwise.domain.mapping import FieldMap
from tierwise_sandbox.salesforce import fields

FILE = Path(__file__).parents[2] / "rules" / "maps" / "salesforce.yaml"


@pytest.fixture(scope="module")
def field_map() -> FieldMap:
    loaded: dict[str, Any] = YAML(typ="safe").load(FILE)
    return FieldMap.model_validate(loaded)


def test_its_own_tests_pass(field_map: FieldMap) -> None:
    assert mapping.run_tests(field_map) == []


def test_its_tests_would_notice_a_broken_rule(field_map: FieldMap) -> None:
    """Dropping any one field breaks a test of the file: no line of the map is unguarded."""
    for name in field_map.fields:
        rest = {other: rule for other, rule in field_map.fields.items() if other != name}
        assert mapping.run_tests(field_map.model_copy(update={"fields": rest})), f"nothing guards {name}"
    assert mapping.run_tests(field_map.model_copy(update={"require": ()}))


def test_it_reads_fields_that_an_org_has_and_no_formula(field_map: FieldMap) -> None:
    held = fields.standard()["Lead"]
    assert set(mapping.properties(field_map)) <= held.keys()
    assert not [name for name in mapping.properties(field_map) if held[name].formula]


def test_it_knows_every_status_and_source_that_salesforce_ships(field_map: FieldMap) -> None:
    held = fields.standard()["Lead"]
    for name, source, allowed in (("lifecycle", "Status", LIFECYCLES), ("source", "LeadSource", SOURCES)):
        options = [value for value, _ in held[source].options]
        assert options
        found = {
            value: getattr(mapping.apply(field_map, {"Email": "jo@acme.com", source: value}).lead, name)
            for value in options
        }
        assert set(found.values()) <= set(allowed)
        assert {value for value, canonical in found.items() if canonical == "other"} <= {"Other"}


def test_it_fills_every_field_but_those_that_follow_from_others(field_map: FieldMap) -> None:
    left = {name for name, info in CATALOGUE.items() if not info.derived} - set(field_map.fields)
    assert left == {"region"}
