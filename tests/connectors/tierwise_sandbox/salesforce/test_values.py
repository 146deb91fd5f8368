from __future__ import annotations

from typing import Any

import pytest

from tierwise_sandbox.salesforce import values
from tierwise_sandbox.salesforce.fields import Field
from tierwise_sandbox.salesforce.refusals import Refusal
from tierwise_sandbox.salesforce.schema import Schema

TIER = Field("Tierwise_Tier__c", "Tier", "picklist", length=255, options=(("A", "A"), ("B", "B")), restricted=True)
CODES = Field("Codes__c", "Codes", "multipicklist", length=40, options=TIER.options, restricted=True)
SCORE = Field("Tierwise_Score__c", "Score", "double", digits=5, scale=2)


@pytest.mark.parametrize(
    ("field", "given", "kept"),
    [
        (TIER, "A", "A"),
        (TIER, None, None),
        (CODES, "A;B", "A;B"),
        (SCORE, 12.345, 12.35),
        (Field("N", "N", "int", digits=8), 7.0, 7),
        (Field("T", "T", "datetime"), "2026-11-21T08:00:00.789+01:00", 1_795_244_400_000),
        (Field("D", "D", "date"), "2026-11-21", "2026-11-21"),
        (Field("B", "B", "boolean"), False, False),
        (Field("S", "S", length=5), " ab ", "ab"),
        (Field("O", "O", "reference", to="User"), "001D000000IRFma", "001D000000IRFmaIAH"),
    ],
)
def test_what_fits_is_kept_in_the_orgs_form(field: Field, given: Any, kept: Any) -> None:
    assert values.check(field, given) == kept


@pytest.mark.parametrize(
    ("field", "given", "code"),
    [
        (TIER, "Z", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        (CODES, "A;Z", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        (SCORE, 1_000, "NUMBER_OUTSIDE_VALID_RANGE"),
        (SCORE, "12", "JSON_PARSER_ERROR"),
        (SCORE, True, "JSON_PARSER_ERROR"),
        (Field("N", "N", "int"), 7.5, "JSON_PARSER_ERROR"),
        (Field("T", "T", "datetime"), "2026-11-21T08:00:00", "JSON_PARSER_ERROR"),
        (Field("T", "T", "datetime"), 1_795_248_000_000, "JSON_PARSER_ERROR"),
        (Field("D", "D", "date"), "21.11.2026", "JSON_PARSER_ERROR"),
        (Field("B", "B", "boolean"), "true", "JSON_PARSER_ERROR"),
        (Field("B", "B", "boolean"), None, "JSON_PARSER_ERROR"),
        (Field("S", "S", length=5), "abcdef", "STRING_TOO_LONG"),
        (Field("E", "E", "email", length=80), "nobody", "INVALID_EMAIL_ADDRESS"),
        (Field("O", "O", "reference"), "x", "MALFORMED_ID"),
        (Field("L", "L", length=5, required=True), "", "REQUIRED_FIELD_MISSING"),
    ],
)
def test_what_does_not_fit_is_refused_with_salesforces_code(field: Field, given: Any, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        values.check(field, given)
    assert refused.value.code == code


def test_fields_that_cannot_be_written_are_named_and_unknown_ones_too() -> None:
    schema = Schema()
    with pytest.raises(Refusal) as refused:
        values.accept(schema, "Lead", {"SystemModstamp": "2026-11-21T08:00:00Z", "Age_Days__c": 3, "Title": "x"})
    assert (refused.value.code, refused.value.fields) == (
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        ["SystemModstamp", "Age_Days__c"],
    )
    with pytest.raises(Refusal, match="No such column 'Foo__c' on sobject of type Lead"):
        values.accept(schema, "Lead", {"Foo__c": 1})
    schema.secure(hidden=["Lead.Title"])
    with pytest.raises(Refusal, match="No such column 'Title'"):
        values.accept(schema, "Lead", {"Title": "x"})
    assert values.accept(schema, "Lead", {"Title": "x"}, by_person=True) == {"Title": "x"}
    assert values.accept(schema, "Lead", {"attributes": {}, "id": "1"}) == {}


def test_cells_of_a_bulk_upload_become_json_values() -> None:
    assert values.from_text(SCORE, "12.5") == 12.5
    assert values.from_text(SCORE, "#N/A") is None
    assert values.from_text(SCORE, "many") == "many"
    assert values.from_text(Field("B", "B", "boolean"), "TRUE") is True
    assert values.from_text(TIER, "A") == "A"
    assert values.shown(Field("T", "T", "datetime"), 0) == "1970-01-01T00:00:00.000+0000"
    assert values.shown(Field("B", "B", "boolean"), None) is False
