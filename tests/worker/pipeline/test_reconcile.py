"""The pass behind the poll finds what search showed too late, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tierwise import errors
from tierwise.domain import mapping
from tierwise.pipeline import poll, reconcile


def follow(
    line: Any, *, pace: poll.Pace | None = None, stop: Callable[[], bool] = lambda: False, **trail: float
) -> poll.Polled | None:
    return reconcile.reconcile(
        line.store, line.crm, connection=line.name, field_map=line.field_map,
        properties=mapping.properties(line.field_map), policy=line.runnable.digest, owner="follower", clock=line.clock,
        monotonic=line.clock.monotonic, pace=pace or poll.Pace(), trail=reconcile.Trail(**trail),
        stop=stop,
    )  # fmt: skip


def test_a_late_record_is_found_once_the_pass_is_there(line: Any) -> None:
    line.crm.lag = timedelta(minutes=40)
    line.put("late")
    for _ in range(9):
        line.clock.wait(360)
        line.poll()
    assert line.stored() == {}
    assert follow(line).new == 0, "it stays behind by the lag"
    line.clock.wait(960)
    report = follow(line)
    assert (report.new, report.complete) == (1, True)
    assert set(line.stored()) == {"late"}
    assert follow(line) == poll.Polled(complete=True), "nothing is due"


def test_what_the_poll_has_is_not_decided_again(line: Any) -> None:
    for number in range(5):
        line.put(str(number))
    line.poll()
    work = line.work()
    line.clock.wait(4000)
    report = follow(line)
    assert (report.records, report.unchanged, report.new) == (5, 5, 0)
    assert line.work() == work


def test_it_reads_window_after_window_and_stops_when_time_is_up(line: Any) -> None:
    line.clock.wait(36_000)
    begun = len(line.crm.requests)
    follow(line, window=3600)
    spans = [request.until - request.since for request in line.crm.requests[begun:]]
    assert len(spans) == 10
    assert max(spans) <= timedelta(hours=1)
    line.clock.wait(36_000)
    line.clock.tick = 30.0
    begun = len(line.crm.requests)
    follow(line, window=3600)
    assert 0 < len(line.crm.requests) - begun < 3


def test_a_worker_that_ends_does_not_wait_for_the_windows_that_are_left(line: Any) -> None:
    line.clock.wait(36_000)
    begun = len(line.crm.requests)
    follow(line, window=3600, stop=lambda: len(line.crm.requests) - begun >= 2)
    assert len(line.crm.requests) - begun == 2
    follow(line, window=3600)
    assert len(line.crm.requests) - begun == 10, "the next pass goes on from there"


def test_it_and_the_poll_do_not_wait_for_each_other(line: Any) -> None:
    claim = line.store.cursors.claim(line.name, owner="poller", lease=600, now=line.clock.now)
    line.clock.wait(4000)
    assert follow(line) is not None
    line.store.cursors.release(claim, next_poll_at=line.clock.now, error="", now=line.clock.now)
    other = line.store.cursors.claim(line.name, owner="x", lease=600, now=line.clock.now, kind="reconcile")
    assert other is not None
    assert follow(line) is None


def test_an_error_leaves_its_cursor_where_it_was(line: Any) -> None:
    line.put("1")
    line.clock.wait(4000)

    def fail(_: int) -> None:
        raise errors.RetryLater("busy", after=500)

    line.crm.before_page = fail
    before = line.store.cursors.watermark(line.name, "reconcile")
    with pytest.raises(errors.RetryLater):
        follow(line)
    assert line.store.cursors.watermark(line.name, "reconcile") == before
    line.crm.before_page = lambda _: None
    assert follow(line).new == 1


def test_when_it_is_due(line: Any) -> None:
    trail = reconcile.Trail(lag=3600, window=900)
    assert not trail.due(None, now=line.clock.now)
    assert not trail.due(line.at(0), now=line.at(3600))
    assert trail.due(line.at(0), now=line.at(3601))
    assert trail.end(line.at(0), now=line.at(3700)) == line.at(100)
    assert trail.end(line.at(0), now=line.at(3600 + 9000)) == line.at(900)
    assert trail.end(line.at(0), now=line.at(3600 + 90_000)) == line.at(9000), "far behind, longer ones"


def test_a_month_is_not_read_hour_by_hour(line: Any) -> None:
    line.clock.wait(30 * 86_400)
    begun = len(line.crm.requests)
    follow(line)
    read = line.crm.requests[begun:]
    assert len(read) <= 60, "the poll shares these calls"
    assert [one.since for one in read[1:]] == [one.until for one in read[:-1]], "no gap, no overlap"
    assert read[-1].until - read[-1].since <= timedelta(hours=1)
