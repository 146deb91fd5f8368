from __future__ import annotations

from typing import Any

import pytest

from tierwise_sandbox.salesforce import loading
from tierwise_sandbox.salesforce.org import Org

PAGED = "SELECT Id, SystemModstamp FROM Lead ORDER BY SystemModstamp, Id"


def test_a_query_answers_in_salesforces_shape(sf: Any, leads: list[str]) -> None:
    answer = sf.query("SELECT Id, Name FROM Lead ORDER BY Id LIMIT 1")
    assert answer == {
        "totalSize": 1,
        "done": True,
        "records": [
            {
                "attributes": {"type": "Lead", "url": f"/services/data/v59.0/sobjects/Lead/{leads[0]}"},
                "Id": leads[0],
                "Name": "Person No 0",
            }
        ],
    }
    assert sf.query("SELECT COUNT() FROM Lead") == {"totalSize": 12, "done": True, "records": []}
    assert sf.query("", status=400)[0]["errorCode"] == "MALFORMED_QUERY"


def test_pages_are_of_two_thousand_and_lead_to_every_row_once(sf: Any, org: Org) -> None:
    loading.burst(org, 4_500)
    answer = sf.query(PAGED)
    assert (answer["totalSize"], len(answer["records"]), answer["done"]) == (4_512, 2_000, False)
    seen = [record["Id"] for record in answer["records"]]
    while not answer["done"]:
        answer = sf.call("GET", answer["nextRecordsUrl"])
        seen += [record["Id"] for record in answer["records"]]
    assert len(seen) == len(set(seen)) == 4_512
    assert "nextRecordsUrl" not in answer


@pytest.mark.parametrize(
    ("asked", "got"), [("batchSize=200", 200), ("batchSize=1", 200), ("batchSize=9999", 500), ("", 500)]
)
def test_the_size_of_a_page_is_a_hint_within_limits(sf: Any, org: Org, asked: str, got: int) -> None:
    loading.burst(org, 488)
    answer = sf.query(PAGED, **({"Sforce_Query_Options": asked} if asked else {}))
    assert len(answer["records"]) == got
    org.switches.page_rows = 7
    assert len(sf.query(PAGED)["records"]) == 7


def test_a_locator_can_be_lost(sf: Any, org: Org, clock: Any) -> None:
    org.switches.page_rows = 5
    url = sf.query(PAGED)["nextRecordsUrl"]
    org.switches.broken_locators = 1
    assert sf.call("GET", url, status=400)[0]["errorCode"] == "INVALID_QUERY_LOCATOR"
    url = sf.query(PAGED)["nextRecordsUrl"]
    assert len(sf.call("GET", url)["records"]) == 5
    clock.seconds += 2 * 86_400 + 1
    assert sf.call("GET", url, status=400)[0]["errorCode"] == "INVALID_QUERY_LOCATOR"
    assert sf.call("GET", "query/01gmadeup-5", status=400)[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_rows_change_and_vanish_while_a_client_pages(sf: Any, org: Org, leads: list[str], clock: Any) -> None:
    org.switches.set({"page_rows": 6, "edits_while_paging": 2})
    clock.seconds += 5
    first = sf.query(PAGED)
    sf.door("delete", {"id": leads[11]})
    second = sf.call("GET", first["nextRecordsUrl"])
    assert [record["Id"] for record in second["records"]] == leads[6:11]
    stamps = [record["SystemModstamp"] for record in second["records"]]
    assert stamps[0] == stamps[1] > stamps[4]  # newer than the window that was asked for
    assert org.stats()["edits"] == 2


def test_a_described_object_lists_what_this_user_sees(sf: Any, org: Org) -> None:
    org.schema.secure(hidden=["Lead.Title"])
    described = {field["name"]: field for field in sf.call("GET", "sobjects/Lead/describe")["fields"]}
    assert "Title" not in described
    assert described["Age_Days__c"]["calculated"] is True
    assert sf.call("GET", "sobjects/Leed/describe", status=404)[0]["errorCode"] == "NOT_FOUND"
    assert {one["name"] for one in sf.call("GET", "sobjects")["sobjects"]} >= {"Lead", "Contact", "Task", "Event"}
    assert sf.call("GET", "sobjects/Lead")["objectDescribe"]["keyPrefix"] == "00Q"


def test_one_record_with_all_or_some_fields(sf: Any, leads: list[str]) -> None:
    record = sf.call("GET", f"sobjects/Lead/{leads[3]}")
    assert record["Company"] == "Acme 3"
    assert set(sf.call("GET", f"sobjects/Lead/{leads[3][:15]}?fields=Id,Email")) == {"attributes", "Id", "Email"}
    assert sf.call("GET", f"sobjects/Lead/{leads[3]}?fields=Foo", status=400)[0]["errorCode"] == "INVALID_FIELD"
    assert sf.call("GET", f"sobjects/Contact/{leads[3]}", status=404)[0]["errorCode"] == "NOT_FOUND"
    assert sf.call("GET", "sobjects/Lead/nonsense", status=400)[0]["errorCode"] == "MALFORMED_ID"
    sf.call("DELETE", f"sobjects/Lead/{leads[3]}", status=204)
    assert sf.call("GET", f"sobjects/Lead/{leads[3]}", status=404)[0]["errorCode"] == "ENTITY_IS_DELETED"


def test_deleted_rows_are_seen_by_query_all_only(sf: Any, leads: list[str]) -> None:
    sf.door("merge", {"master": leads[0], "loser": leads[1]})
    text = "SELECT Id, IsDeleted, MasterRecordId FROM Lead WHERE IsDeleted = true"
    assert sf.query(text)["records"] == []
    (record,) = sf.query(text, all_rows=True)["records"]
    assert (record["Id"], record["MasterRecordId"]) == (leads[1], leads[0])


def test_limits_tell_what_is_left(sf: Any) -> None:
    left = sf.call("GET", "limits")["DailyApiRequests"]
    assert left["Max"] - left["Remaining"] == 1
