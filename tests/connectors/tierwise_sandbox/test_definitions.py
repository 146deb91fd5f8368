from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise_sandbox.definitions import FIELD_TYPES, Definitions
from tierwise_sandbox.refusals import Refusal

TIER = {
    "name": "tier",
    "label": "Tier",
    "type": "enumeration",
    "fieldType": "select",
    "groupName": "contactinformation",
    "options": [{"label": "A", "value": "a"}, {"label": "B", "value": "b"}],
}
OPTION = [{"label": "X", "value": "x"}]


@pytest.fixture
def definitions() -> Definitions:
    return Definitions(1)


def test_a_property_exists_once(definitions: Definitions) -> None:
    made = definitions.create_property(TIER)
    assert made["options"][1] == {"label": "B", "value": "b", "description": "", "displayOrder": 1, "hidden": False}
    assert definitions.types()["tier"] == "enumeration"
    with pytest.raises(Refusal) as refused:
        definitions.create_property(TIER)
    assert (refused.value.status, refused.value.category) == (409, "OBJECT_ALREADY_EXISTS")


@given(
    kind=st.sampled_from(sorted(FIELD_TYPES)), field_type=st.sampled_from(sorted(set().union(*FIELD_TYPES.values())))
)
def test_only_matching_types_and_field_types_are_taken(kind: str, field_type: str) -> None:
    definitions = Definitions(1)
    given_ = {**TIER, "type": kind, "fieldType": field_type, "options": OPTION if kind == "enumeration" else []}
    if field_type in FIELD_TYPES[kind]:
        definitions.create_property(given_)
        assert definitions.types()["tier"] == kind
    else:
        with pytest.raises(Refusal):
            definitions.create_property(given_)
        assert "tier" not in definitions.types()


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Tier"},
        {"name": "1tier"},
        {"name": "t" * 101},
        {"label": ""},
        {"type": "text"},
        {"groupName": "nowhere"},
        {"options": []},
        {"options": [{"label": "A", "value": "a"}, {"label": "A", "value": "b"}]},
        {"options": [{"label": "A", "value": "a"}, {"label": "B", "value": "a"}]},
        {"options": [{"value": "a"}]},
    ],
    ids=str,
)
def test_broken_definitions_are_refused(definitions: Definitions, change: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refused:
        definitions.create_property({**TIER, **change})
    assert refused.value.status == 400


def test_options_can_be_added_but_the_type_stays(definitions: Definitions) -> None:
    definitions.create_property(TIER)
    definitions.change_property("tier", {"options": [*TIER["options"], {"label": "C", "value": "c"}]})  # type: ignore[misc]
    assert definitions.accept({"tier": "c"}) == {"tier": "c"}
    with pytest.raises(Refusal):
        definitions.change_property("tier", {"type": "string"})
    with pytest.raises(Refusal):
        definitions.change_property("email", {"label": "Mail"})


def test_groups_can_go_only_when_they_are_empty(definitions: Definitions) -> None:
    definitions.create_group({"name": "tiers", "label": "Tiers"})
    with pytest.raises(Refusal) as refused:
        definitions.create_group({"name": "tiers", "label": "Tiers"})
    assert refused.value.status == 409
    definitions.create_property({**TIER, "groupName": "tiers"})
    with pytest.raises(Refusal):
        definitions.remove_group("tiers")
    definitions.remove_property("tier")
    definitions.remove_group("tiers")
    with pytest.raises(Refusal):
        definitions.group("tiers")
    assert "tier" not in definitions.types()


def test_one_refusal_names_every_value_that_does_not_fit(definitions: Definitions) -> None:
    with pytest.raises(Refusal) as refused:
        definitions.accept({"nonsense": "1", "createdate": "0", "annualrevenue": "much", "city": "Graz"})
    codes = {error["context"]["propertyName"][0]: error["code"] for error in refused.value.errors}
    assert codes == {
        "nonsense": "PROPERTY_DOESNT_EXIST",
        "createdate": "READ_ONLY_VALUE",
        "annualrevenue": "INVALID_INTEGER",
    }
    assert definitions.accept({"createdate": "0"}, by_person=True) == {"createdate": "1970-01-01T00:00:00.000Z"}
