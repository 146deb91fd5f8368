"""Who waits, since when, and who does no more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tierwise import errors, store
from tierwise.store import batch_waits, engine


def wait(desk: Any, *records: str) -> None:
    now = desk.now
    desk.store.batches.backfill("crm", since=now - timedelta(days=9), until=now - timedelta(days=2), now=now)
    old = now - timedelta(days=5)
    desk.poll(*(desk.arrival(record, modified_at=old, email=f"{record}@acme.example") for record in records))


def test_the_longest_waiting_are_first_and_no_more_than_asked_for(desk: Any, opened: store.SqlStore) -> None:
    wait(desk, "a")
    desk.wait(10)
    wait(desk, "b", "c")
    gathering = opened.batches.gathering(now=desk.now)
    assert (gathering.leads, gathering.oldest) == (3, desk.now - timedelta(seconds=10))
    found = opened.batches.waiters(limit=2, now=desk.now)
    assert [item.lead.email for item in found] == ["a@acme.example", "b@acme.example"]


def test_who_is_released_is_due_and_waits_no_more(desk: Any, opened: store.SqlStore) -> None:
    wait(desk, "a", "b")
    first, _ = opened.batches.waiters(limit=9, now=desk.now)
    opened.batches.release([first.work_id], now=desk.now)
    opened.batches.release([], now=desk.now)
    assert [claim.work_id for claim in desk.claim()] == [first.work_id]
    assert opened.batches.waiting() == {"crm": 1}


def test_who_was_decided_is_swept_away(desk: Any, opened: store.SqlStore) -> None:
    wait(desk, "a", "b")
    desk.wait(batch_waits.HORIZON.total_seconds())
    claims = desk.claim(limit=1)
    assert opened.batches.gathering(now=desk.now).leads == 1, "one is being decided"
    desk.commit(claims)
    assert len(opened.batches.waiters(limit=9, now=desk.now)) == 1
    assert opened.batches.waiting() == {"crm": 1}


def test_a_lead_of_another_version_is_left_to_the_queue(desk: Any, opened: store.SqlStore, store_url: str) -> None:
    wait(desk, "a", "b")
    database = engine.Database(store_url)
    lead = batch_waits.LEAD
    broken = lead.update().where(lead.c.record_id == "a").values(canonical={"email": "a@b.example", "nobody": "knows"})
    database.write(lambda connection: connection.execute(broken))
    database.close()
    assert [item.lead.email for item in opened.batches.waiters(limit=9, now=desk.now)] == ["b@acme.example"]
    assert desk.claim() == []
    assert opened.works.counts()["quarantined"] == 1


def test_a_backfill_is_begun_whole_or_not_at_all(desk: Any, opened: store.SqlStore) -> None:
    start = desk.now
    day = timedelta(days=1)
    opened.batches.backfill("crm", since=start - 9 * day, until=start, now=start)
    assert desk.cursor().watermark == start - 9 * day
    with pytest.raises(errors.Misconfigured, match="connection nobody"):
        opened.batches.backfill("nobody", since=start - 9 * day, until=start, now=start)
    assert [found.connection for found in opened.batches.backfills()] == ["crm"]


def test_a_second_backfill_goes_on_where_the_first_had_still_to_read(desk: Any, opened: store.SqlStore) -> None:
    start = desk.now
    day = timedelta(days=1)
    opened.batches.backfill("crm", since=start - 9 * day, until=start, now=start)
    opened.batches.backfill("crm", since=start - 30 * day, until=start - 5 * day, now=desk.wait(60))
    (found,) = opened.batches.backfills()
    assert (found.since, found.until, found.begun_at) == (start - 30 * day, start, desk.now)
    opened.batches.backfill("crm", since=start, until=None, now=desk.now)
    assert opened.batches.backfills() == []


def test_a_replay_that_is_not_to_wait_takes_back_what_was_wished(desk: Any, opened: store.SqlStore) -> None:
    desk.decide(desk.arrival("a"))
    given = {"since": desk.now - timedelta(days=1), "now": desk.now}
    assert opened.works.requeue("p" * 64, batch=True, **given) == 1
    assert opened.batches.waiting() == {"crm": 1}
    opened.batches.release([item.work_id for item in opened.batches.waiters(limit=9, now=desk.now)], now=desk.now)
    desk.commit(desk.claim())
    assert opened.works.requeue("p" * 64, **given) == 1
    assert opened.batches.waiting() == {}
    assert len(desk.claim()) == 1
