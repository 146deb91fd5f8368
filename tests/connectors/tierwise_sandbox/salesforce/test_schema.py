from __future__ import annotations

import pytest

from tierwise_sandbox.salesforce.fields import Field
from tierwise_sandbox.salesforce.refusals import Refusal
from tierwise_sandbox.salesforce.schema import Schema

SCORE = Field("Tierwise_Score__c", "Tierwise score", "double", digits=5)


def names(schema: Schema) -> set[str]:
    return {field["name"] for field in schema.describe("Lead")["fields"]}


def test_a_hidden_field_is_absent_and_a_read_only_one_cannot_be_written() -> None:
    schema = Schema()
    schema.secure(hidden=["Lead.Title"], read_only=["Lead.Phone"])
    assert "Title" not in names(schema)
    assert schema.field("Lead", "title") is None
    assert "Title" in schema.every("Lead")
    phone = schema.field("Lead", "PHONE")
    assert phone is not None
    assert not schema.writable("Lead", phone)
    schema.secure(hidden=[], read_only=[])
    assert "Title" in names(schema)
    with pytest.raises(ValueError, match=r"Lead\.Nothing"):
        schema.secure(hidden=["Lead.Nothing"])


@pytest.mark.parametrize(
    ("granted", "readable", "seen", "writable"),
    [((), (), False, False), ((), ("Tierwise_Score__c",), True, False), (("Tierwise_Score__c",), (), True, True)],
)
def test_a_new_field_is_seen_by_nobody_until_a_permission_set_grants_it(
    granted: tuple[str, ...], readable: tuple[str, ...], seen: bool, writable: bool
) -> None:
    schema = Schema()
    schema.deploy("Lead", [SCORE], granted=granted, readable=readable)
    assert ("Tierwise_Score__c" in names(schema)) is seen
    assert schema.writable("Lead", SCORE) is writable or not seen


def test_unknown_objects_are_refused_in_the_words_of_their_door() -> None:
    schema = Schema()
    assert schema.kind("LEAD") == "Lead"
    with pytest.raises(Refusal) as refused:
        schema.kind("Leed")
    assert refused.value.status == 404
    with pytest.raises(Refusal, match="'Leed' is not supported"):
        schema.queried("Leed")
    assert schema.parent("Lead", "convertedopportunity") == schema.field("Lead", "ConvertedOpportunityId")
    assert schema.brief("User")["updateable"] is False
