from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tierwise_sandbox.salesforce.control import provision
from tierwise_sandbox.salesforce.org import Org


def test_a_new_org_has_not_our_fields_until_they_are_deployed_and_granted(
    sf: Any, leads: list[str], source: Callable[..., Path]
) -> None:
    record = {"id": leads[0], "Tierwise_Score__c": 81}
    assert sf.collection([record])[0]["errors"][0]["statusCode"] == "INVALID_FIELD"
    folder = str(source())
    sf.door("deploy", {"folder": folder, "assign": False})
    assert sf.collection([record])[0]["errors"][0]["statusCode"] == "INVALID_FIELD"  # deployed, and seen by nobody
    assert sf.door("deploy", {"folder": folder}) == {"fields": ["Lead.Tierwise_Score__c"]}
    assert sf.collection([record])[0]["success"]
    source(granted=False)
    sf.door("deploy", {"folder": folder})
    assert sf.collection([record])[0]["errors"][0]["statusCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_a_broken_folder_is_refused_with_its_file(sf: Any, source: Callable[..., Path]) -> None:
    told = sf.door("deploy", {"folder": str(source("Magic"))}, status=400)["message"]
    assert "Tierwise_Score__c.field-meta.xml" in told
    assert "no such folder" in sf.door("deploy", {"folder": "/nowhere"}, status=400)["message"]
    assert sf.door("deploy", {}, status=400)


def test_the_built_in_fields_can_be_there_from_the_start(org: Org, sf: Any, leads: list[str]) -> None:
    assert len(provision(org, None)) == 16
    assert sf.collection([{"id": leads[0], "Tierwise_Tier__c": "A"}])[0]["success"]


def test_people_create_and_edit_records_with_their_own_history(sf: Any, org: Org) -> None:
    made = sf.door(
        "records",
        [
            {"values": {"LastName": "Old", "Company": "C", "CreatedDate": "2026-01-01T00:00:00Z"}},
            {"object": "Task", "values": {"Subject": "Call", "Status": "Completed"}},
        ],
    )
    assert made[0]["values"]["CreatedDate"] == made[0]["values"]["SystemModstamp"] == "2026-01-01T00:00:00.000+0000"
    assert made[1]["values"]["IsClosed"] is True
    sf.door("records", {"id": made[0]["id"], "values": {"FirstName": "Very"}})
    assert sf.ids("SELECT Id FROM Lead WHERE Name = 'Very Old'") == [made[0]["id"]]
    assert [entry["by"] for entry in sf.door("journal")["writes"]] == ["person"] * 3
    assert sf.call("GET", "/_sandbox/salesforce/journal?since=2")["writes"][0]["values"] == {"FirstName": "Very"}
    assert org.stats()["edits"] == 3
    assert sf.door("records", {"id": "00Q000000000000AAA", "values": {}}, status=400)


def test_late_commits_are_seen_when_they_are_over(sf: Any, leads: list[str], clock: Any) -> None:
    sf.door("switches", {"late_commit_seconds": 600})
    new = sf.door("records", {"values": {"LastName": "Late", "Company": "C"}})["id"]
    sf.door("records", {"id": leads[0], "values": {"City": "Graz"}})
    text = "SELECT Id FROM Lead WHERE City = 'Graz' OR LastName = 'Late'"
    assert sf.ids(text) == []
    clock.seconds += 599
    assert sf.ids(text) == []
    clock.seconds += 1
    assert set(sf.ids(text)) == {leads[0], new}
    sf.door("records", {"id": leads[1], "values": {"City": "Graz"}})
    sf.door("commit", {})
    assert len(sf.ids(text)) == 3


def test_a_converted_lead_leads_to_its_opportunity(sf: Any, leads: list[str]) -> None:
    made = sf.door("convert", {"id": leads[0], "amount": 5_000, "stage": "Closed Won"})
    text = (
        "SELECT IsConverted, ConvertedDate, ConvertedOpportunity.Amount, ConvertedOpportunity.IsWon, "
        f"ConvertedOpportunity.StageName FROM Lead WHERE Id = '{leads[0]}'"
    )
    (record,) = sf.query(text)["records"]
    assert record["ConvertedOpportunity"]["Amount"] == 5_000
    assert record["ConvertedOpportunity"]["IsWon"] is True
    assert len(record["ConvertedDate"]) == 10
    assert sf.ids(f"SELECT Id FROM Opportunity WHERE Id IN ('{made['opportunity']}')") == [made["opportunity"]]
    assert sf.ids("SELECT Id FROM Contact WHERE Email = 'p0@acme-0.example'") == [made["contact"]]
    assert sf.door("convert", {"id": leads[0]}, status=400)


def test_a_merge_deletes_the_loser_and_fills_the_masters_gaps(sf: Any, leads: list[str]) -> None:
    sf.door("records", {"id": leads[1], "values": {"Title": "CEO", "City": "Graz"}})
    sf.door("records", {"id": leads[0], "values": {"City": "Wien"}})
    sf.door("merge", {"master": leads[0], "loser": leads[1]})
    record = sf.call("GET", f"sobjects/Lead/{leads[0]}")
    assert (record["Title"], record["City"]) == ("CEO", "Wien")
    assert sf.door("merge", {"master": leads[0], "loser": leads[0]}, status=400)
    assert sf.door("delete", {"id": leads[1]}, status=400)


def test_counts_switches_kinds_and_bursts(sf: Any, org: Org) -> None:
    org.kinds["x"] = "spam"
    assert sf.door("kinds") == {"x": "spam"}
    assert len(sf.door("burst", {"leads": 25})["ids"]) == 25
    sf.call("GET", "limits")
    assert sf.door("stats")["api_calls"] == 1
    sf.door("reset_stats", {})
    assert sf.door("stats")["api_calls"] == 0
    assert sf.door("switches")["assignment_rules"] is True
    assert "known:" in sf.door("switches", {"nonsense": 1}, status=400)["message"]


@pytest.mark.parametrize("headers", [{"Origin": "http://elsewhere.example"}])
def test_the_doors_are_closed_to_web_pages(stranger_sf: Any, headers: dict[str, str]) -> None:
    stranger_sf.call("GET", "/_sandbox/salesforce/stats", status=403, **headers)
    stranger_sf.call("GET", "/_sandbox/salesforce/stats")


def test_a_converted_leads_history_becomes_the_contacts(sf: Any, org: Org, leads: list[str], clock: Any) -> None:
    task = {"Subject": "Call", "TaskSubtype": "Call", "Status": "Not Started", "WhoId": leads[0]}
    key = sf.door("records", {"object": "Task", "values": task})["id"]
    clock.seconds += 60
    sf.door("records", {"object": "Task", "id": key, "values": {"Status": "Completed"}})
    made = sf.door("convert", {"id": leads[0], "amount": 900, "stage": "Closed Won"})
    row = org.records.get(key)
    assert row is not None
    assert (row.values["WhoId"], row.values["IsClosed"]) == (made["contact"], True)
    assert row.values["CompletedDateTime"] == int(clock.seconds) * 1000
    soql = "SELECT ContactId, Opportunity.IsWon FROM OpportunityContactRole WHERE Opportunity.Amount = 900"
    (role,) = sf.query(soql)["records"]
    assert (role["ContactId"], role["Opportunity"]["IsWon"]) == (made["contact"], True)
