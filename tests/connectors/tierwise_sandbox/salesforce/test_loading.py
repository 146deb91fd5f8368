from __future__ import annotations

import pytest

from tierwise_sandbox.leads import generator
from tierwise_sandbox.salesforce import loading
from tierwise_sandbox.salesforce.org import Org


def test_a_lead_keeps_what_it_said_under_salesforces_names(org: Org) -> None:
    held = loading.lead(
        org,
        {
            "firstname": "Ada",
            "lastname": "Byron",
            "company": "Engines Ltd",
            "email": "ada@engines.example",
            "jobtitle": "COO",
            "numemployees": "51",
            "annualrevenue": "1500000",
            "lead_touchpoint": "Demo request",
            "message": "We need it.",
            "company_size": "51-200",
            "monthly_volume": "1k-5k",
            "hs_lead_status": "OPEN",
        },
    )
    assert (held["Name"], held["Company"], held["Title"]) == ("Ada Byron", "Engines Ltd", "COO")
    assert (held["NumberOfEmployees"], held["AnnualRevenue"]) == (51, 1_500_000.0)
    assert (held["LeadSource"], held["Description"], held["Status"]) == (
        "Demo request",
        "We need it.",
        "Working - Contacted",
    )
    assert (held["Company_Size__c"], held["Monthly_Volume__c"]) == ("51-200", "1k-5k")


def test_what_a_field_cannot_hold_is_cut_or_left_out(org: Org) -> None:
    held = loading.lead(org, {"email": "not an address", "phone": "1" * 60, "numemployees": "51-200"})
    assert "Email" not in held
    assert held["Phone"] == "1" * 40
    assert "NumberOfEmployees" not in held
    assert held["Company_Size__c"] == "51-200"
    assert (held["LastName"], held["Company"]) == ("[not provided]", "[not provided]")


@pytest.mark.parametrize("seed", [1, 2])
def test_every_generated_lead_comes_in_with_its_kind_and_times(org: Org, seed: int) -> None:
    made = list(generator.generate(150, seed=seed, now_ms=1_795_000_000_000))
    ids = loading.load(org, ((one.properties, one.created_ms, one.modified_ms) for one in made), [m.kind for m in made])
    assert [org.kinds[key] for key in ids] == [one.kind for one in made]
    for key, one in zip(ids, made, strict=True):
        row = org.records.get(key)
        assert row is not None
        assert row.stamp == one.modified_ms // 1000 * 1000
        assert row.values["CreatedDate"] == one.created_ms // 1000 * 1000
        assert row.values.get("Description", "") == one.properties.get("message", "")


def test_a_burst_has_one_stamp_and_people_of_its_own(org: Org) -> None:
    ids = loading.burst(org, 20) + loading.burst(org, 20)
    rows = [org.records.get(key) for key in ids]
    assert len({row.stamp for row in rows if row}) == 1
    assert len({row.values["Email"] for row in rows if row}) == 40
