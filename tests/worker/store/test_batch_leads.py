"""Leads of the queue in a batch: locked once, held for money, and due the moment nobody answers for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tierwise import store
from tierwise.store import batch_leads, batch_waits


@pytest.fixture
def ids(desk: Any, opened: store.SqlStore) -> list[int]:
    """Three leads that a backfill read and that are in no batch."""
    now = desk.now
    opened.batches.backfill("crm", since=now - timedelta(days=9), until=now - timedelta(days=2), now=now)
    old = now - timedelta(days=5)
    desk.poll(*(desk.arrival(record, modified_at=old, email=f"{record}@acme.example") for record in "abc"))
    return [waiter.work_id for waiter in opened.batches.waiters(limit=9, now=now)]


def within(opened: store.SqlStore, work: Callable[[sa.Connection], Any]) -> Any:
    return opened._database.write(work)


def test_one_that_somebody_decides_is_not_locked(desk: Any, opened: store.SqlStore, ids: list[int]) -> None:
    desk.wait(batch_waits.HORIZON.total_seconds())
    (claim,) = desk.claim(limit=1)
    locked = within(opened, lambda transaction: batch_leads.lock(transaction, ids, now=desk.now))
    assert locked == set(ids) - {claim.work_id}
    assert desk.claim() == [], "the others are not due any more"


def test_whoever_is_held_for_money_says_so_and_is_due_after_it(
    desk: Any, opened: store.SqlStore, ids: list[int]
) -> None:
    until = desk.now + timedelta(hours=3)

    def work(transaction: sa.Connection) -> None:
        batch_leads.hold(transaction, ids[:1], until=until, why="no money", now=desk.now)

    within(opened, work)
    assert opened.works.held() == {"crm": 1}
    assert opened.batches.gathering(now=desk.now).leads == 2
    desk.wait(3 * 3600)
    assert opened.batches.gathering(now=desk.now).leads == 3, "there may be some now"
    assert [claim.work_id for claim in desk.claim()] == ids[1:]
    desk.wait(batch_waits.HORIZON.total_seconds())
    assert ids[0] in [claim.work_id for claim in desk.claim()]


def test_nobody_is_postponed_who_is_due(desk: Any, opened: store.SqlStore, ids: list[int]) -> None:
    opened.batches.release(ids[:1], now=desk.now)
    within(opened, lambda transaction: batch_leads.postpone(transaction, 1, until=desk.now, now=desk.now))
    assert [claim.work_id for claim in desk.claim()] == ids[:1]
