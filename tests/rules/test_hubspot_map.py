"""The map that ships for HubSpot: its own tests, and its agreement with the portal's properties."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tierwise.domain import mapping
from tierwise.domain.lead import CATALOGUE, LIFECYCLES
from tierwise.domain.mapping import FieldMap
from tierwise_hubspot import associations
from tierwise_sandbox import catalogue, kinds, other_objects

FOLDER = Path(__file__).parents[2] / "rules" / "maps"
FILE = FOLDER / "hubspot.yaml"


@pytest.fixture(scope="module")
def written() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(FILE)
    return loaded


@pytest.fixture(scope="module")
def field_map(written: dict[str, Any]) -> FieldMap:
    return FieldMap.model_validate(written)


@pytest.fixture(params=["contacts", "companies", "leads"])
def each(request: pytest.FixtureRequest) -> tuple[kinds.Kind, FieldMap]:
    """The map of each object type, with it."""
    name = "hubspot.yaml" if request.param == "contacts" else f"hubspot-{request.param}.yaml"
    return kinds.KINDS[request.param], FieldMap.model_validate(YAML(typ="safe").load(FOLDER / name))


def test_its_own_tests_pass(each: tuple[kinds.Kind, FieldMap]) -> None:
    assert mapping.run_tests(each[1]) == []


def test_its_tests_would_notice_a_broken_rule(each: tuple[kinds.Kind, FieldMap]) -> None:
    """Dropping any one field breaks a test of the file: no line of the map is unguarded."""
    field_map = each[1]
    for name in field_map.fields:
        rest = {other: rule for other, rule in field_map.fields.items() if other != name}
        assert mapping.run_tests(field_map.model_copy(update={"fields": rest})), f"nothing guards {name}"
    assert mapping.run_tests(field_map.model_copy(update={"require": ()}))


def test_it_reads_properties_that_a_portal_has(each: tuple[kinds.Kind, FieldMap]) -> None:
    kind, field_map = each
    wanted = associations.split(mapping.properties(field_map))
    for one, names in (
        (kind, wanted.own),
        *((kinds.KINDS[associations.PREFIXES[key]], names) for key, names in wanted.others.items()),
    ):
        assert set(names) <= {definition["name"] for definition in other_objects.definitions(one)}, one.name


def test_it_knows_every_stage_that_hubspot_ships(field_map: FieldMap) -> None:
    stages = next(one for one in catalogue.contact_definitions() if one["name"] == "lifecyclestage")["options"]
    record = {"email": "jo@acme.com"}
    found = {
        stage["value"]: mapping.apply(field_map, {**record, "lifecyclestage": stage["value"]}).lead.lifecycle
        for stage in stages
    }
    assert set(found.values()) <= set(LIFECYCLES)
    assert {stage for stage, lifecycle in found.items() if lifecycle == "other"} == {"other"}


def test_it_fills_every_field_but_those_that_follow_from_others(field_map: FieldMap) -> None:
    left = {name for name, info in CATALOGUE.items() if not info.derived} - set(field_map.fields)
    assert left == {"region"}
