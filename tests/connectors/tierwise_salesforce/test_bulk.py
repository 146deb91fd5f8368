"""A backlog as one job: every row's fate by its id, owners untouched, nobody waits for ever."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from tierwise import sdk
from tierwise_salesforce import bulk, writer

SCORE = "Tierwise_Score__c"
MANY = 6001


@pytest.fixture(autouse=True)
def deployed(crm: Any) -> None:
    crm.deploy()


def update(key: str, **values: Any) -> sdk.Update:
    return sdk.Update(key, values or {"tierwise_score": 70}, f"trace-{key}")


def writing(crm: Any, *, bulk_above: int | None = 4, job_bytes: int = bulk.MOST_BYTES, **options: Any) -> writer.Writer:
    """With jobs above four rows, so that a test needs no six thousand; their sleeps move the org's clock."""

    def sleep(seconds: float) -> None:
        crm.clock.now += seconds

    def job(of: Any, kind: str) -> bulk.Job:
        return bulk.Job(of, kind, clock=crm.clock, sleep=sleep)

    return writer.Writer(crm.client(**options), bulk_above=bulk_above, job_bytes=job_bytes, job=job)


def flush(crm: Any, updates: list[sdk.Update], **options: Any) -> list[sdk.Written]:
    """What becomes of them."""
    told: dict[int, sdk.Written] = {}
    for step in writing(crm, **options).flush(updates):
        assert not told.keys() & step.keys(), "nothing is told twice"
        told |= step
    assert sorted(told) == list(range(len(updates)))
    return [told[place] for place in range(len(updates))]


def outcomes(written: list[sdk.Written]) -> list[str]:
    return [one.outcome for one in written]


def test_above_six_thousand_rows_one_job_carries_all(crm: Any) -> None:
    keys = crm.load(MANY)
    owners = {key: crm.value(key, "OwnerId") for key in keys}
    assert crm.org.switches.assignment_rules
    updates = [update(key, tierwise_score=number % 100) for number, key in enumerate(keys)]
    written = flush(crm, updates, bulk_above=None)
    assert outcomes(written) == ["written"] * MANY
    assert [one.record_id for one in written] == keys
    assert [crm.value(key, SCORE) for key in keys] == [float(number % 100) for number in range(MANY)]
    assert {key: crm.value(key, "OwnerId") for key in keys} == owners
    assert crm.count("/composite") == 0
    assert crm.org.used <= 6
    sent = [headers for (_, path, _), headers in zip(crm.calls, crm.headers, strict=True) if "/data/v" in path]
    assert {headers["Sforce-Auto-Assign"] for headers in sent} == {"FALSE"}
    (job,) = crm.bodies("/jobs/ingest")
    assert "assignmentRuleId" not in job


def test_up_to_six_thousand_rows_are_calls_of_a_thousand(crm: Any) -> None:
    keys = crm.load(2500)
    steps = list(writer.Writer(crm.client()).flush([update(key) for key in keys]))
    assert [len(step) for step in steps] == [1000, 1000, 500], "told call by call"
    assert crm.org.used == 3
    assert crm.count("/jobs") == 0


VALUES: dict[str, Any] = {
    "tierwise_score": 82, "tierwise_tier": "A", "tierwise_confidence": 91.5,
    "tierwise_reason_codes": ("BIG_COMPANY", "DEMO_REQUEST"),
    "tierwise_reasons": '\u2022 Wants a "demo", soon;\n\u2022 200 people\r\n=1+1',
    "tierwise_scored_at": "2026-11-21T08:15:30.000Z", "tierwise_request_review": True,
}  # fmt: skip


def test_every_kind_of_value_arrives_as_by_any_other_call(crm: Any) -> None:
    one, two, *rest = crm.load(8)
    flush(crm, [update(one, **VALUES), *(update(key) for key in rest)])
    assert crm.count("/composite") == 0
    crm.connector().write([update(two, **VALUES)])
    first, second = (
        {found.id: found for found in crm.connector().read([key], properties=())}[key] for key in (one, two)
    )
    assert first.own == second.own
    assert len(first.own) == len(VALUES)
    # None empties a field, and what is not named stays.
    flush(crm, [update(one, tierwise_tier=None, tierwise_request_review=False), *(update(key) for key in rest)])
    (read,) = crm.connector().read([one], properties=())
    assert read.own.keys() == VALUES.keys() - {"tierwise_tier", "tierwise_request_review"}
    assert read.own["tierwise_score"] == 82


def test_what_spells_the_sign_for_empty_goes_by_a_call(crm: Any) -> None:
    key, *rest = crm.load(6)
    written = flush(crm, [update(key, tierwise_reasons="#N/A"), *(update(other) for other in rest)])
    assert outcomes(written) == ["written"] * 6
    assert crm.value(key, "Tierwise_Reasons__c") == "#N/A"


def test_a_row_that_fails_is_told_by_its_id_and_only_passing_errors_are_tried_again(crm: Any) -> None:
    locked, converted, gone, bad, *rest = crm.load(8)
    crm.edit(locked, delay=300, Company="somebody works on it")
    crm.edit(converted, IsConverted=True)
    crm.edit(gone, deleted=True)
    updates = [update(locked), update(converted), update(gone), update(bad, tierwise_status="nonsense")]
    written = flush(crm, [*updates, *(update(key) for key in rest)])
    assert outcomes(written) == ["retry", "refused", "refused", "refused", *["written"] * 4]
    assert "UNABLE_TO_LOCK_ROW" in written[0].error
    assert "converted" in written[1].error
    assert "deleted" in written[2].error
    assert written[3].error.startswith("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST")


def test_merged_twice_and_broken_ids_find_their_way(crm: Any) -> None:
    gone, master, twice, *rest = crm.load(7)
    crm.edit(gone, deleted=True, MasterRecordId=master)
    updates = [update("12345"), update(gone), update(twice), update(twice, tierwise_score=2)]
    written = flush(crm, [*updates, *(update(key) for key in rest)])
    assert outcomes(written) == ["refused", "retry", *["written"] * 6]
    assert written[1].new_id == master
    assert crm.value(twice, SCORE) == 2.0, "one record's second update comes after its first"


@pytest.mark.parametrize("switch", [{"bulk_failures": 1}, {"bulk_unprocessed_share": 0.5}])
def test_rows_that_the_job_did_not_come_to_are_sent_again(crm: Any, switch: dict[str, Any]) -> None:
    keys = crm.load(8)
    crm.org.switches.set(switch)
    written = flush(crm, [update(key) for key in keys])
    assert sorted(outcomes(written)) == ["retry"] * 4 + ["written"] * 4
    for one in written:
        assert (crm.value(one.record_id, SCORE) == 70.0) == (one.outcome == "written")
        assert bool(one.error) == (one.outcome == "retry")


def test_a_job_that_takes_too_long_is_aborted_and_what_it_did_counts(crm: Any) -> None:
    keys = crm.load(8)
    crm.org.switches.bulk_seconds = 1000
    written = flush(crm, [update(key) for key in keys], bulk_seconds=500)
    (job,) = crm.org.jobs.values()
    assert job.state == "Aborted"
    assert "written" in outcomes(written)
    assert "retry" in outcomes(written)
    for one in written:
        assert (crm.value(one.record_id, SCORE) == 70.0) == (one.outcome == "written")
    assert crm.org.used < 40, "each look costs a call of the day"


def test_whoever_stops_waiting_aborts_the_job(crm: Any) -> None:
    keys = crm.load(8)
    crm.org.switches.bulk_seconds = 100
    steps = writing(crm).flush([update(key) for key in keys])
    with contextlib.closing(steps):
        assert next(steps) == {}, "a sign of life"
    (job,) = crm.org.jobs.values()
    assert job.state == "Aborted"


@pytest.mark.parametrize("where", ["/batches", "state", "poll", "successfulResults"])
def test_a_step_that_breaks_leaves_no_job_behind_and_claims_nothing(crm: Any, where: str) -> None:
    keys = crm.load(8)
    refusal = 400, [{"errorCode": "INVALIDJOBSTATE", "message": "no"}]

    def broken(method: str, path: str, body: Any) -> tuple[int, Any] | None:
        hit = {
            "/batches": path.endswith("/batches"),
            "state": method == "PATCH" and body == {"state": "UploadComplete"},
            "poll": method == "GET" and "/jobs/ingest/" in path and path.count("/") == 6,
            "successfulResults": "successfulResults" in path,
        }
        return refusal if hit[where] else None

    crm.instead = broken
    with pytest.raises(sdk.RetryLater, match="bulk job"):
        flush(crm, [update(key) for key in keys])
    (job,) = crm.org.jobs.values()
    assert job.state in {"Aborted", "JobComplete"}


def test_without_a_bulk_api_calls_of_a_thousand_carry_it(crm: Any) -> None:
    keys = crm.load(8)
    refusal = [{"errorCode": "FEATURENOTENABLED", "message": "bulk api is not enabled"}]
    crm.instead = lambda method, path, body: (400, refusal) if path.endswith("/jobs/ingest") else None
    assert outcomes(flush(crm, [update(key) for key in keys])) == ["written"] * 8
    assert crm.count("/composite") == 1


def test_a_field_that_is_hidden_pauses_the_connection(crm: Any) -> None:
    """The whole job fails then, with the field's name only in its error."""
    keys = crm.load(8)
    crm.deploy(hidden=[SCORE])
    with pytest.raises(sdk.PauseConnection, match=SCORE):
        flush(crm, [update(key) for key in keys])


def test_an_answer_that_leaves_rows_out_is_not_believed(crm: Any) -> None:
    """Complete, and a table short of two rows: nobody knows of them."""
    keys = crm.load(8)
    rows = "".join(f'"{key}","false","{key}","70"\n' for key in keys[:5])
    tables = {
        "successfulResults": f'"sf__Id","sf__Created","Id","{SCORE}"\n{rows}"other","false","other","70"\n',
        "failedResults": f'"sf__Id","sf__Error","Id","{SCORE}"\n"","UNABLE_TO_LOCK_ROW:busy:--","{keys[5]}","70"\n',
        "unprocessedrecords": f'"Id","{SCORE}"\n',
    }
    crm.instead = lambda method, path, body: next(((200, text) for name, text in tables.items() if name in path), None)
    written = flush(crm, [update(key) for key in keys])
    assert outcomes(written) == ["written"] * 5 + ["retry"] * 3
    assert "does not tell" in written[7].error


def test_a_backlog_that_is_too_wide_for_one_job_takes_several(crm: Any) -> None:
    keys = crm.load(9)
    updates = [update(key, tierwise_reasons="x" * 3900) for key in keys]
    assert outcomes(flush(crm, updates, job_bytes=16_000)) == ["written"] * 9
    assert len(crm.org.jobs) == 3


def test_the_session_may_end_under_way(crm: Any) -> None:
    keys = crm.load(8)
    crm.org.switches.session_calls = 2
    assert outcomes(flush(crm, [update(key) for key in keys])) == ["written"] * 8


@pytest.mark.parametrize(
    ("text", "code", "fields"),
    [
        ("UNABLE_TO_LOCK_ROW:unable to obtain exclusive access: x:--", "UNABLE_TO_LOCK_ROW", ()),
        ("STRING_TOO_LONG:large: abc:Tierwise_Tier__c --", "STRING_TOO_LONG", ("Tierwise_Tier__c",)),
        ("INVALID_FIELD:no:A__c,B__c", "INVALID_FIELD", ("A__c", "B__c")),
        ("something else happened: so", "", ()),
        ("", "", ()),
    ],
)  # fmt: skip
def test_errors_of_a_table(text: str, code: str, fields: tuple[str, ...]) -> None:
    found = bulk.problem(text)
    assert (found.code, found.fields) == (code, fields)
