from __future__ import annotations

from tierwise_sandbox.salesforce import refusals
from tierwise_sandbox.salesforce.refusals import Refusal


def test_a_request_is_refused_with_a_list_and_a_row_without_an_id() -> None:
    refusal = Refusal("STRING_TOO_LONG", "too long", fields=["Title"])
    assert refusal.body() == [{"message": "too long", "errorCode": "STRING_TOO_LONG", "fields": ["Title"]}]
    entry = {"statusCode": "STRING_TOO_LONG", "message": "too long", "fields": ["Title"]}
    assert refusal.row() == {"success": False, "errors": [entry]}
    assert refusal.text() == "STRING_TOO_LONG:too long:Title"
    assert Refusal("X", "y").text() == "X:y:--"
    assert Refusal("X", "y").body() == [{"message": "y", "errorCode": "X"}]


def test_an_unknown_column_is_pointed_at() -> None:
    query = "SELECT Id, Foo__c FROM Lead"
    message = refusals.no_column("Foo__c", "Lead", query=query, at=11).message
    _, line, arrow, place, *_ = message.split("\n")
    assert line[arrow.index("^") :].startswith("Foo__c")
    assert place == "ERROR at Row:1:Column:12"


def test_statuses_are_those_that_clients_act_on() -> None:
    assert (refusals.session_invalid().status, refusals.session_invalid().code) == (401, "INVALID_SESSION_ID")
    assert (refusals.too_many_requests().status, refusals.too_many_requests().code) == (403, "REQUEST_LIMIT_EXCEEDED")
    assert refusals.not_found().status == 404
    assert refusals.locked().code == "UNABLE_TO_LOCK_ROW"
    assert refusals.malformed("x").code == "MALFORMED_QUERY"
