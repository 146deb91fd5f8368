from __future__ import annotations

from tierwise_sandbox.salesforce import fields

LEAD = fields.standard()["Lead"]


def test_a_lead_has_salesforces_fields_and_the_forms_two() -> None:
    words = (
        "FirstName LastName Company Email Phone Title Industry NumberOfEmployees AnnualRevenue Country Website "
        "LeadSource Description Status OwnerId IsConverted CreatedDate SystemModstamp Company_Size__c Monthly_Volume__c"
    )
    assert set(words.split()) <= set(LEAD)
    assert not any(name.startswith("Tierwise") for name in LEAD)


def test_every_object_can_be_told_by_its_prefix_and_refers_to_objects_that_exist() -> None:
    assert len(set(fields.PREFIXES.values())) == len(fields.PREFIXES) == len(fields.PLAIN_FIELDS)
    for held in fields.standard().values():
        for field in held.values():
            assert not field.to or field.to in fields.PREFIXES


def test_a_description_says_what_can_be_done_with_a_field() -> None:
    described = LEAD["Description"].describe(writable=True)
    assert (described["filterable"], described["sortable"], described["updateable"]) == (False, False, True)
    formula = LEAD["Age_Days__c"].describe(writable=False)
    assert (formula["calculated"], formula["updateable"], formula["custom"]) == (True, False, True)
    assert LEAD["OwnerId"].describe(writable=True)["relationshipName"] == "Owner"
    assert LEAD["Status"].describe(writable=True)["picklistValues"][0]["value"] == "Open - Not Contacted"
    assert LEAD["Company"].describe(writable=True)["nillable"] is False
