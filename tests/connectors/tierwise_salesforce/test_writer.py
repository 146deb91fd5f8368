"""What is written: one call for a thousand, owners untouched, every row's fate known by its place."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest

from tierwise import sdk
from tierwise_salesforce.writer import BATCH, Writer
from tierwise_sandbox.salesforce.org import REPS

SCORE = "Tierwise_Score__c"


@pytest.fixture(autouse=True)
def deployed(crm: Any) -> None:
    crm.deploy()


def update(key: str, **values: Any) -> sdk.Update:
    return sdk.Update(key, values or {"tierwise_score": 70}, f"trace-{key}")


def outcomes(written: list[sdk.Written]) -> list[str]:
    return [one.outcome for one in written]


def test_a_thousand_records_are_one_call(crm: Any) -> None:
    keys = crm.load(BATCH)
    assert BATCH == 1000
    written = crm.connector().write([update(key) for key in keys])
    assert outcomes(written) == ["written"] * BATCH
    assert [one.record_id for one in written] == keys
    assert crm.count("/services/data/v") == 1
    assert crm.org.used == 1
    assert {crm.value(key, SCORE) for key in keys} == {70.0}
    (body,) = crm.bodies("/composite")
    assert [len(part["body"]["records"]) for part in body["compositeRequest"]] == [200] * 5
    assert not body["allOrNone"]
    assert not any(part["body"]["allOrNone"] for part in body["compositeRequest"])


def test_owners_stay_with_assignment_rules_on(crm: Any) -> None:
    """Fault 11: an update without the header runs the rules. Inside Composite each part needs the header itself."""
    keys = crm.load(450)
    before = {key: crm.value(key, "OwnerId") for key in keys}
    assert crm.org.switches.assignment_rules
    crm.connector().write([update(key) for key in keys])
    assert {key: crm.value(key, "OwnerId") for key in keys} == before
    # The naive request, without the header in its parts, does change them.
    (body,) = crm.bodies("/composite")
    for part in body["compositeRequest"]:
        del part["httpHeaders"]
    crm.client().call("POST", "composite", body)
    assert {key: crm.value(key, "OwnerId") for key in keys} != before


@pytest.mark.parametrize("together", [False, True])
def test_owners_are_unchanged_after_ten_thousand_writes(crm: Any, together: bool) -> None:
    """By calls of a thousand and by one bulk job, assignment rules on, with an owner each and a session that ends."""
    keys = [key for number in range(10) for key in crm.load(1000, OwnerId=REPS[number % len(REPS)])]
    before = {key: crm.value(key, "OwnerId") for key in keys}
    assert crm.org.switches.assignment_rules
    connector = crm.connector()
    updates = [update(key, tierwise_score=42) for key in keys]
    if together:
        written = [one for step in connector.flush(updates) for one in step.values()]
        assert crm.count("/composite") == 0
    else:
        written = []
        for start in range(0, len(updates), BATCH):
            written += connector.write(updates[start : start + BATCH])
            if start == 3 * BATCH:
                crm.org.expire_sessions()
    assert outcomes(written) == ["written"] * 10_000
    assert {crm.value(key, SCORE) for key in keys} == {42.0}
    assert {key: crm.value(key, "OwnerId") for key in keys} == before


def test_owners_stay_when_the_session_ends_under_way(crm: Any) -> None:
    """The vendor's client loses the header on the request that it repeats after a renewal (fault 12 of the facts)."""
    keys = crm.load(3)
    before = {key: crm.value(key, "OwnerId") for key in keys}
    connector = crm.connector()
    connector.write([update(key, tierwise_score=1) for key in keys])
    crm.org.expire_sessions()
    crm.calls.clear()
    crm.headers.clear()
    assert outcomes(connector.write([update(key, tierwise_score=2) for key in keys])) == ["written"] * 3
    sent = [headers for (_, path, _), headers in zip(crm.calls, crm.headers, strict=True) if "/composite" in path]
    assert [headers["Sforce-Auto-Assign"] for headers in sent] == ["FALSE", "FALSE"]
    assert {key: crm.value(key, "OwnerId") for key in keys} == before
    assert crm.count("oauth2/token") == 1


def test_failed_rows_carry_no_id_and_are_known_by_place(crm: Any) -> None:
    """Sent in the order of ids, answered in that order, told in the order of the updates."""
    keys = crm.load(60)
    converted = set(crm.load(20, IsConverted=True))
    everyone = [*keys, *converted]
    random.Random(5).shuffle(everyone)
    written = crm.connector().write([update(key) for key in everyone])
    assert [one.record_id for one in written] == everyone
    for one in written:
        assert one.outcome == ("refused" if one.record_id in converted else "written")
        assert ("converted" in one.error) == (one.record_id in converted)
    (body,) = crm.bodies("/composite")
    sent = [record["id"] for part in body["compositeRequest"] for record in part["body"]["records"]]
    assert sent == sorted(sent), "two writers that lock in the same order never wait for each other"


@pytest.mark.parametrize("switch", ["lock_rows", "transient_rows", "trigger_lock_rows"])
def test_locks_and_passing_errors_are_tried_again_and_only_they(crm: Any, switch: str) -> None:
    """A trigger wraps a lock into an error of its own, whose text alone tells."""
    keys = crm.load(5)
    crm.org.switches.set({switch: 2})
    updates = [update(key) for key in keys]
    first = crm.connector().write(updates)
    assert outcomes(first) == ["retry", "retry", "written", "written", "written"]
    again = [one for one, found in zip(updates, first, strict=True) if found.outcome == "retry"]
    assert outcomes(crm.connector().write(again)) == ["written", "written"]


def test_a_rule_of_the_customer_refuses_for_good_and_is_quoted(crm: Any) -> None:
    (key,) = crm.load(1)
    crm.org.switches.set({"required_when_written": "Rating"})
    (one,) = crm.connector().write([update(key)])
    assert one.outcome == "refused"
    assert "FIELD_CUSTOM_VALIDATION_EXCEPTION" in one.error
    assert "Rating must be filled in" in one.error


def test_a_value_that_the_field_does_not_take_names_the_field(crm: Any) -> None:
    first, second = crm.load(2)
    written = crm.connector().write([update(first, tierwise_status="no_such"), update(second)])
    assert outcomes(written) == ["refused", "written"]
    assert "Tierwise_Status__c" in written[0].error


@pytest.mark.parametrize(
    "values", [{"tierwise_score": "many"}, {"tierwise_request_review": "yes"}, {"tierwise_scored_at": "soon"},
               {"tierwise_score": True}, {"tierwise_score": float("nan")}, {"tierwise_tier": ("A",)},
               {"tierwise_reason_codes": ("A;B",)}, {"tierwise_colour": "red"}],
)  # fmt: skip
def test_what_cannot_be_expressed_is_refused_without_a_call(crm: Any, values: Mapping[str, Any]) -> None:
    (key,) = crm.load(1)
    (one,) = crm.connector().write([update(key, **values)])
    assert one.outcome == "refused"
    assert one.error
    assert crm.calls == []


def test_what_is_no_id_is_refused_and_the_rest_delivered(crm: Any) -> None:
    (key,) = crm.load(1)
    written = crm.connector().write([update("12345"), update(key)])
    assert outcomes(written) == ["refused", "written"]


def test_a_row_that_makes_its_part_unreadable_is_found_by_halves(crm: Any) -> None:
    keys = crm.load(8)
    bad = keys[5]

    def picky(method: str, path: str, body: Any) -> tuple[int, Any] | None:
        if not path.endswith("/composite"):
            return None
        answers = []
        for part in body["compositeRequest"]:
            ids = [record["id"] for record in part["body"]["records"]]
            error = [{"errorCode": "JSON_PARSER_ERROR", "message": "Cannot deserialize"}]
            rows = [{"id": key, "success": True, "errors": []} for key in ids]
            answers.append({"referenceId": part["referenceId"], "httpStatusCode": 400 if bad in ids else 200,
                            "body": error if bad in ids else rows})  # fmt: skip
        return 200, {"compositeResponse": answers}

    crm.instead = picky
    written = crm.connector().write([update(key) for key in keys])
    assert outcomes(written) == ["written"] * 5 + ["refused"] + ["written"] * 2
    assert len(crm.bodies("/composite")) == 4


@pytest.mark.parametrize(
    "answer",
    [
        {"compositeResponse": []},
        {},
        {"compositeResponse": [{"referenceId": "part0", "httpStatusCode": 200, "body": []}]},
        {"compositeResponse": [{"referenceId": "part0", "httpStatusCode": 200, "body": [{}, {}]}]},
        {"compositeResponse": [{"referenceId": "part0", "httpStatusCode": 200, "body": [
            {"success": True, "id": "00QSb000000000ZIAQ", "errors": []}, {"success": True, "id": "x", "errors": []}]}]},
        {"compositeResponse": [{"referenceId": "part0", "httpStatusCode": 503, "body": [
            {"errorCode": "SERVER_UNAVAILABLE", "message": "later"}]}]},
    ],
)  # fmt: skip
def test_an_answer_that_does_not_tell_of_every_row_is_not_believed(crm: Any, answer: Any) -> None:
    """200 with nothing in it, one row short, other records' ids: nobody knows what was written."""
    first, second = crm.load(2)
    crm.instead = lambda method, path, body: (200, answer) if path.endswith("/composite") else None
    written = crm.connector().write([update(first), update(second)])
    assert outcomes(written) == ["retry", "retry"]
    assert all(one.error for one in written)


@pytest.mark.parametrize("how", [{"hidden": [SCORE]}, {"read_only": [SCORE]}])
def test_a_field_without_security_pauses_the_connection(crm: Any, how: Mapping[str, Any]) -> None:
    """Fields that are deployed without a permission set are seen by nobody: every update would fail alike."""
    crm.deploy(**how)
    (key,) = crm.load(1)
    crm.connector().describe()
    with pytest.raises(sdk.PauseConnection, match=SCORE) as caught:
        crm.connector().write([update(key)])
    assert "sf org assign permset" in caught.value.remedy
    crm.deploy()
    crm.calls.clear()
    crm.connector().describe()
    assert crm.count("/describe") == 1, "what was remembered is wrong, and is not believed again"


def merge(crm: Any, key: str, into: str | None) -> None:
    crm.edit(key, deleted=True, MasterRecordId=into)


def test_a_merged_record_is_told_and_where_it_lives_on_is_not_written(crm: Any) -> None:
    """Both have advice under way; the loser's, written to the master, would stand there for good."""
    gone, middle, master, deleted, late = crm.load(5)
    for key, into in ((gone, middle), (middle, master), (deleted, None), (late, deleted)):
        merge(crm, key, into)
    updates = [update(gone, tierwise_score=41), update(master, tierwise_score=90), update(deleted), update(late)]
    written = crm.connector().write(updates)
    assert (written[0].outcome, written[0].new_id) == ("retry", master)
    assert written[1] == sdk.Written(master, "written")
    assert crm.value(master, SCORE) == 90.0
    assert [(one.outcome, one.new_id) for one in written[2:]] == [("refused", None)] * 2
    assert "deleted" in written[2].error


def test_where_a_record_lives_on_is_asked_again_later_and_the_rest_is_kept(crm: Any) -> None:
    gone, master, other = crm.load(3)
    merge(crm, gone, master)
    limit = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]
    crm.instead = lambda method, path, body: (403, limit) if "/queryAll" in path else None
    written = crm.connector().write([update(gone), update(other)])
    assert outcomes(written) == ["retry", "written"]


def test_one_record_twice_takes_two_calls_and_ends_with_the_last(crm: Any) -> None:
    (key,) = crm.load(1)
    written = crm.connector().write([update(key, tierwise_score=1), update(key, tierwise_score=2)])
    assert outcomes(written) == ["written", "written"]
    assert crm.value(key, SCORE) == 2.0


def test_what_is_settled_is_not_lost_when_a_later_call_fails(crm: Any) -> None:
    keys = crm.load(BATCH + 1)
    sent: list[Any] = []

    def failing(method: str, path: str, body: Any) -> tuple[int, Any] | None:
        if not path.endswith("/composite"):
            return None
        sent.append(body)
        down = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]
        return (403, down) if len(sent) > 1 else None

    crm.instead = failing
    written = crm.connector().write([update(key) for key in keys])
    assert outcomes(written) == ["written"] * BATCH + ["retry"]


def test_nothing_known_is_an_error_for_the_whole_batch(crm: Any) -> None:
    (key,) = crm.load(1)
    down = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]
    crm.instead = lambda method, path, body: (403, down) if path.endswith("/composite") else None
    with pytest.raises(sdk.RetryLater, match="no API calls left"):
        crm.connector().write([update(key)])


def test_no_updates_are_no_call(crm: Any) -> None:
    assert crm.connector().write([]) == []
    assert crm.calls == []


@pytest.mark.parametrize("bulk", [False, True])
def test_leads_that_are_kept_as_contacts_are_written_there(crm: Any, bulk: bool) -> None:
    shown = crm.org.schema.every("Lead")
    ours = [held for name, held in shown.items() if name.startswith("Tierwise_")]
    crm.org.schema.deploy("Contact", ours, granted=[held.name for held in ours])
    keys = [crm.org.records.load("Contact", {"LastName": "Roe"}, by="x") for _ in range(6)]
    writer = Writer(crm.client(object_type="Contact"), bulk_above=5)
    updates = [update(key) for key in keys]
    if bulk:
        written = [one for step in writer.flush(updates) for one in step.values()]
    else:
        written = writer.write(updates)
    assert outcomes(written) == ["written"] * 6
    assert {crm.value(key, SCORE) for key in keys} == {70.0}
    assert (crm.count("/jobs") > 0) == bulk


def test_a_field_of_the_organisations_own_is_written_and_read(crm: Any) -> None:
    (key,) = crm.load(1, Rating="Cold")
    connector = crm.connector()
    assert outcomes(connector.write([update(key, Rating="Hot")])) == ["written"]
    (record,) = connector.read([key], properties=["Rating"])
    assert record.properties["Rating"] == "Hot"
    assert outcomes(connector.write([update(key, tierwise_nothing="x")])) == ["refused"]
