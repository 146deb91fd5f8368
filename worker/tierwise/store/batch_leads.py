"""Leads of the queue in batches, inside the transactions of `batches`: locked, placed, held, let go. By work id."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tierwise.ports.batches import Batch
from tierwise.store import batch_waits, columns, engine, schema, works

WAIT = schema.batch_wait
WORK = schema.work


def lock(transaction: sa.Connection, ids: Collection[int], *, now: datetime) -> set[int]:
    """Those that wait still and are in no batch."""
    found: set[int] = set()
    for some in columns.chunks(sorted(ids)):
        unplaced = sa.select(WAIT.c.work_id).where(WAIT.c.work_id == WORK.c.id, WAIT.c.batch_id.is_(None))
        mine = sa.update(WORK).where(WORK.c.id.in_(some), WORK.c.state == "ready", unplaced.exists())
        # Whoever claims a lead just now has it. One that is due by now, after an outage, is so no more: it would be
        # asked about live as well.
        values = {"run_after": now + batch_waits.HORIZON, "updated_at": now}
        found |= set(transaction.execute(mine.values(values).returning(WORK.c.id)).scalars())
    return found


def place(transaction: sa.Connection, keys: Mapping[int, str], batches: Mapping[str, int]) -> None:
    """They wait for the batches of their keys."""
    rows = [{"key": work_id, "hash": key, "batch": batches[key]} for work_id, key in sorted(keys.items())]
    if rows:
        statement = sa.update(WAIT).where(WAIT.c.work_id == sa.bindparam("key"))
        values: dict[str, Any] = {"batch_id": sa.bindparam("batch"), "content_hash": sa.bindparam("hash")}
        transaction.execute(statement.values(values), rows)


def postpone(transaction: sa.Connection, batch_id: int, *, until: datetime, now: datetime) -> None:
    """Leads that wait for the batch are due then. What is due already is somebody's: an inbound change, a cancel."""
    mine = sa.select(WAIT.c.work_id).where(WAIT.c.batch_id == batch_id)
    statement = sa.update(WORK).where(WORK.c.id.in_(mine), WORK.c.state == "ready", WORK.c.run_after > now)
    transaction.execute(statement.values(run_after=until, error="", updated_at=now))


def due(transaction: sa.Connection, batch_id: int, *, now: datetime) -> None:
    """Leads that wait for the batch are decided live."""
    ids = transaction.execute(sa.select(WAIT.c.work_id).where(WAIT.c.batch_id == batch_id)).scalars().all()
    for some in columns.chunks(sorted(ids)):
        mine = sa.update(WORK).where(WORK.c.id.in_(some), WORK.c.state == "ready", WORK.c.run_after > now)
        transaction.execute(mine.values(run_after=now, updated_at=now))


def hold(transaction: sa.Connection, ids: Collection[int], *, until: datetime, why: str, now: datetime) -> None:
    """They wait for money: visibly, and asked again once there may be some."""
    again = max(now + batch_waits.HORIZON, until + batch_waits.HORIZON)
    for some in columns.chunks(sorted(ids)):
        mine = sa.update(WORK).where(WORK.c.id.in_(some), WORK.c.state == "ready")
        transaction.execute(mine.values(run_after=again, error=f"{works.HELD}{why}", updated_at=now))
        transaction.execute(sa.update(WAIT).where(WAIT.c.work_id.in_(some)).values(since=until))


def drop(transaction: sa.Connection, batch_id: int, keys: Sequence[str], *, now: datetime) -> None:
    """The batch does not ask these any more: their leads are decided live."""
    mine = (WAIT.c.batch_id == batch_id, WAIT.c.content_hash.in_(keys))
    waiting = transaction.execute(sa.select(WAIT.c.work_id).where(*mine)).scalars().all()
    batch_waits.release(transaction, waiting, now=now)


def let_go(_: engine.Database, transaction: sa.Connection, batch: Batch, answered: set[str], *, now: datetime) -> None:
    """The batch ended: those it answered are looked at again by whoever gathers, the others are decided live."""
    waiting = transaction.execute(
        sa.select(WAIT.c.work_id, WAIT.c.content_hash, WAIT.c.answered, WORK.c.run_after)
        .join(WORK, WORK.c.id == WAIT.c.work_id)
        .where(WAIT.c.batch_id == batch.id)
    ).all()
    again = {
        row.work_id: [*(row.answered or ()), row.content_hash]
        for row in waiting
        if row.content_hash in answered and row.run_after > now
    }
    batch_waits.release(transaction, {row.work_id for row in waiting} - again.keys(), now=now)
    if again:
        rows = [{"key": work_id, "hashes": hashes} for work_id, hashes in sorted(again.items())]
        held = sa.update(WAIT).where(WAIT.c.work_id == sa.bindparam("key"))
        transaction.execute(held.values(answered=sa.bindparam("hashes", type_=WAIT.c.answered.type)), rows)
    for some in columns.chunks(sorted(again)):
        # A second model may have to be asked, in a batch of its own.
        unplaced = sa.update(WAIT).where(WAIT.c.work_id.in_(some))
        transaction.execute(unplaced.values(batch_id=None, content_hash=None, since=batch.created_at))
        mine = sa.update(WORK).where(WORK.c.id.in_(some), WORK.c.state == "ready")
        transaction.execute(mine.values(run_after=now + batch_waits.HORIZON, updated_at=now))
