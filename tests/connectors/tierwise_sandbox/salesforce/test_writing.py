from __future__ import annotations

from typing import Any

import pytest

from tierwise_sandbox.salesforce.org import ADMIN, Org

OFF = {"Sforce_Auto_Assign": "FALSE"}


def code(result: dict[str, Any]) -> str:
    assert result["success"] is False
    assert "id" not in result  # a failed row can be told by its place only
    found: str = result["errors"][0]["statusCode"]
    return found


def test_a_collection_is_answered_in_order_and_200_whatever_happens(sf: Any, org: Org, leads: list[str]) -> None:
    results = sf.collection(
        [{"id": leads[1], "Title": "CEO"}, {"id": leads[0], "Email": "nobody"}, {"id": leads[2], "Title": "CFO"}]
    )
    assert results[0] == {"id": leads[1], "success": True, "errors": []}
    assert code(results[1]) == "INVALID_EMAIL_ADDRESS"
    assert results[2]["id"] == leads[2]
    assert [entry["id"] for entry in org.records.journal()] == [leads[1], leads[2]]
    assert code(sf.collection([{"id": leads[0], "Foo__c": 1}])[0]) == "INVALID_FIELD"


def test_all_or_none_takes_everything_back(sf: Any, org: Org, leads: list[str]) -> None:
    results = sf.collection([{"id": leads[1], "Title": "CEO"}, {"id": leads[0], "Email": "nobody"}], every=True)
    assert [code(result) for result in results] == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "INVALID_EMAIL_ADDRESS"]
    row = org.records.get(leads[1])
    assert row is not None
    assert row.values.get("Title") is None
    assert org.stats()["writes"] == 0


def test_the_shape_of_a_collection_is_checked_before_any_row(sf: Any, org: Org, leads: list[str]) -> None:
    def refused(body: Any) -> str:
        found: str = sf.call("PATCH", "composite/sobjects", body, status=400)[0]["errorCode"]
        return found

    lead = {"attributes": {"type": "Lead"}, "id": leads[0], "Title": "x"}
    assert refused({"records": [lead] * 201}) == "EXCEEDED_ID_LIMIT"
    assert refused({"records": [{"id": leads[0]}]}) == "INVALID_INPUT"
    assert refused({"records": [{"attributes": {"type": "Leed"}}]}) == "INVALID_TYPE"
    assert refused({"records": "x"}) == "JSON_PARSER_ERROR"
    assert refused({"records": [lead, {**lead, "id": leads[1], "NumberOfEmployees": "5"}]}) == "JSON_PARSER_ERROR"
    contact = {"attributes": {"type": "Contact"}, "id": ADMIN}
    assert refused({"records": [lead, contact] * 6}) == "LIMIT_EXCEEDED"
    assert org.records.journal() == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("00Q000000000000AAA", "INVALID_CROSS_REFERENCE_KEY"),
        ("", "MALFORMED_ID"),
        (ADMIN, "MALFORMED_ID"),
    ],
)
def test_ids_that_lead_nowhere_fail_their_row(sf: Any, given: str, expected: str) -> None:
    assert code(sf.collection([{"id": given, "Title": "x"}])[0]) == expected


def test_a_row_given_twice_fails_the_second_time(sf: Any, leads: list[str]) -> None:
    results = sf.collection([{"id": leads[0], "Title": "x"}, {"id": leads[0][:15], "Title": "y"}])
    assert results[0]["success"]
    assert code(results[1]) == "DUPLICATE_VALUE"


def test_converted_and_deleted_leads_cannot_be_written(sf: Any, leads: list[str]) -> None:
    sf.door("convert", {"id": leads[0]})
    sf.door("delete", {"id": leads[1]})
    results = sf.collection([{"id": key, "Title": "x"} for key in leads[:2]])
    assert [code(result) for result in results] == ["CANNOT_UPDATE_CONVERTED_LEAD", "ENTITY_IS_DELETED"]
    answer = sf.call("PATCH", f"sobjects/Lead/{leads[0]}", {"Title": "x"}, status=400)
    assert answer[0]["errorCode"] == "CANNOT_UPDATE_CONVERTED_LEAD"


@pytest.mark.parametrize(("headers", "kept"), [({}, False), (OFF, True), ({"Sforce_Auto_Assign": "true"}, False)])
def test_assignment_rules_take_a_lead_from_its_owner_unless_told_not_to(
    sf: Any, org: Org, leads: list[str], headers: dict[str, str], kept: bool
) -> None:
    sf.collection([{"id": leads[0], "Title": "x"}], **headers)
    sf.call("PATCH", f"sobjects/Lead/{leads[1]}", {"Title": "x"}, status=204, **headers)
    rows = [org.records.get(key) for key in leads[:2]]
    assert [row is not None and row.values["OwnerId"] == ADMIN for row in rows] == [kept, kept]


def test_without_assignment_rules_owners_stay(sf: Any, org: Org, leads: list[str]) -> None:
    org.switches.assignment_rules = False
    sf.collection([{"id": leads[0], "Title": "x"}])
    row = org.records.get(leads[0])
    assert row is not None
    assert row.values["OwnerId"] == ADMIN


def test_rows_that_are_locked_or_unlucky_fail_alone_and_work_later(sf: Any, org: Org, leads: list[str]) -> None:
    org.switches.set({"lock_rows": 1, "transient_rows": 1, "trigger_lock_rows": 1})
    rows = [{"id": key, "Title": "x"} for key in leads[:4]]
    results = sf.collection(rows, **OFF)
    codes = [code(result) for result in results[:3]]
    assert codes == ["UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"]
    assert "UNABLE_TO_LOCK_ROW" in results[2]["errors"][0]["message"]
    assert results[3]["success"]
    assert all(result["success"] for result in sf.collection(rows, **OFF))


def test_an_open_transaction_of_a_person_locks_its_row(sf: Any, org: Org, leads: list[str], clock: Any) -> None:
    org.switches.late_commit_seconds = 60
    sf.door("records", {"id": leads[0], "values": {"City": "Graz"}})
    assert code(sf.collection([{"id": leads[0], "Title": "x"}])[0]) == "UNABLE_TO_LOCK_ROW"
    clock.seconds += 60
    assert sf.collection([{"id": leads[0], "Title": "x"}])[0]["success"]
    row = org.records.get(leads[0])
    assert row is not None
    assert (row.values["City"], row.values["Title"]) == ("Graz", "x")


def test_a_validation_rule_of_the_customer(sf: Any, org: Org, leads: list[str]) -> None:
    org.switches.required_when_written = "Phone"
    assert code(sf.collection([{"id": leads[0], "Title": "x"}])[0]) == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    assert sf.collection([{"id": leads[0], "Phone": "1"}])[0]["success"]


def test_field_level_security_holds_for_writes(sf: Any, org: Org, leads: list[str]) -> None:
    org.schema.secure(read_only=["Lead.Title"], hidden=["Lead.City"])
    results = sf.collection([{"id": leads[0], "Title": "x"}, {"id": leads[1], "City": "x"}])
    assert [code(result) for result in results] == ["INVALID_FIELD_FOR_INSERT_UPDATE", "INVALID_FIELD"]


def test_records_can_be_created_and_derive_what_salesforce_derives(sf: Any, org: Org, leads: list[str]) -> None:
    made = sf.call("POST", "sobjects/Task", {"WhoId": leads[0], "Subject": "Call", "Status": "Completed"}, status=201)
    task = org.records.get(made["id"])
    assert task is not None
    assert task.values["IsClosed"] is True
    refused = sf.call("POST", "sobjects/Lead", {"FirstName": "No"}, status=400)
    assert (refused[0]["errorCode"], refused[0]["fields"]) == ("REQUIRED_FIELD_MISSING", ["LastName", "Company"])
    listed = [{"attributes": {"type": "Lead"}, "LastName": "New", "FirstName": "A", "Company": "B"}]
    (result,) = sf.call("POST", "composite/sobjects", {"records": listed})
    assert sf.query(f"SELECT Name FROM Lead WHERE Id = '{result['id']}'")["records"][0]["Name"] == "A New"


def test_an_identical_write_still_moves_the_stamp(sf: Any, org: Org, leads: list[str], clock: Any) -> None:
    for _ in range(2):
        clock.seconds += 10
        sf.collection([{"id": leads[0], "Title": "x"}], **OFF)
    row = org.records.get(leads[0])
    assert row is not None
    assert row.stamp == int(clock()) * 1000
    assert [entry["changed"] for entry in org.records.journal()] == [True, False]
