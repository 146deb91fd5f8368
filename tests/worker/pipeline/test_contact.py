from __future__ import annotations

from tierwise import errors, telemetry
from tierwise.pipeline.contact import Contact, Trouble, request_ended
from tierwise.sdk import Written, calls


def _metrics() -> str:
    return telemetry.exposition()[0].decode()


def test_the_last_call_that_was_work_tells() -> None:
    seen = Contact("portal-a")
    seen.ended("open", 0.1, None)
    assert not seen.worked
    seen.ended("changes", 0.1, errors.Unreachable("nothing answers", place="connections.portal-a", remedy="look"))
    seen.ended("quota", 0.0, None)
    assert seen.trouble == Trouble("unreachable", "connections.portal-a: nothing answers", "look")
    seen.ended("changes", 0.1, None)
    assert (seen.worked, seen.trouble) == (True, None)
    text = _metrics()
    for result in ("ok", "unreachable"):
        assert f'tierwise_crm_calls_total{{connection="portal-a",operation="changes",result="{result}"}} 1.0' in text
    assert 'tierwise_crm_seconds_count{connection="portal-a",operation="changes"} 2.0' in text


def test_rows_that_are_left_undone_are_trouble_although_the_call_was_answered() -> None:
    seen = Contact("portal-b")
    seen.ended("write", 0.1, None)
    seen.wrote(
        [Written("1", "written"), Written("2", "refused", error="no option"), Written("3", "retry", error="lock")]
    )
    assert seen.trouble == Trouble("partial", "1 of 3 records were left undone: lock", "")
    assert 'connection="portal-b",operation="write",result="partial"} 1.0' in _metrics()
    seen.ended("write", 0.1, None)
    seen.wrote([Written("4", "written")])
    assert seen.trouble is not None, "a good batch after it does not undo it"


def test_requests_are_counted_by_connection_and_fault() -> None:
    request_ended(calls.Call("connections.portal-c", "search", "rate_limited", 0.2))
    request_ended(calls.Call("enrichers.contact_firms", "enrich", "ok", 0.2))
    text = _metrics()
    assert 'tierwise_crm_requests_total{connection="portal-c",result="rate_limited"} 1.0' in text
    assert 'tierwise_crm_requests_total{connection="enrichers.contact_firms",result="ok"} 1.0' in text
    assert 'tierwise_crm_request_seconds_count{connection="portal-c"} 1.0' in text
