from __future__ import annotations

from concurrent import futures
from datetime import timedelta
from typing import Any

LATER = timedelta(minutes=3)
FAULT = {"fault": "unavailable", "error": "it is down", "remedy": "wait", "resting_until": None}


def _one(desk: Any) -> Any:
    (found,) = desk.store.health.list()
    return found


def test_failures_are_counted_since_the_first_and_forgotten_with_success(desk: Any) -> None:
    health, start = desk.store.health, desk.now
    health.failed("crm", "poll", **FAULT, now=start)
    health.failed("crm", "poll", **{**FAULT, "fault": "timeout", "error": "no answer"}, now=start + LATER)
    found = _one(desk)
    assert (found.failures, found.fault, found.failing_since, found.failed_at) == (2, "timeout", start, start + LATER)
    assert found.sentence() == "poll failed 2 times in a row (timeout): no answer"
    assert health.well("crm", "poll", now=start + 2 * LATER)
    found = _one(desk)
    assert (found.failures, found.fault, found.failing_since, found.sentence()) == (0, "", None, "")
    assert (found.ok_at, found.failed_at) == (start + 2 * LATER, start + LATER)
    assert not health.well("crm", "poll", now=start + 3 * LATER)
    health.failed("crm", "poll", **FAULT, now=start + 4 * LATER)
    assert (_one(desk).failures, _one(desk).failing_since) == (1, start + 4 * LATER)


def test_what_keeps_doing_well_is_not_noted_at_every_call(desk: Any) -> None:
    health = desk.store.health
    assert not health.well("crm", "poll", now=desk.now)
    health.well("crm", "poll", now=desk.now + timedelta(seconds=5))
    assert _one(desk).ok_at == desk.now


def test_that_it_is_left_in_peace_hides_not_why(desk: Any) -> None:
    health, rest = desk.store.health, desk.now + timedelta(seconds=30)
    health.failed("crm", "poll", **FAULT, now=desk.now)
    health.failed("crm", "poll", fault="resting", error="5 in a row", remedy="", resting_until=rest, now=desk.now)
    found = _one(desk)
    assert (found.fault, found.error, found.failures, found.resting_until) == ("unavailable", "it is down", 1, rest)
    health.well("crm", "poll", now=desk.now)
    assert _one(desk).resting_until is None


def test_each_step_has_its_own_and_strangers_have_none(desk: Any) -> None:
    health = desk.store.health
    health.failed("crm", "write_back", **FAULT, now=desk.now)
    health.well("crm", "poll", now=desk.now)
    health.failed("nobody", "poll", **FAULT, now=desk.now)
    health.well("nobody", "poll", now=desk.now)
    assert [(one.step, one.failures) for one in health.list()] == [("poll", 0), ("write_back", 1)]


def test_two_processes_may_note_at_once(desk: Any) -> None:
    with futures.ThreadPoolExecutor(4) as pool:
        for one in [pool.submit(desk.store.health.failed, "crm", "poll", **FAULT, now=desk.now) for _ in range(12)]:
            one.result()
    assert 1 <= _one(desk).failures <= 12
