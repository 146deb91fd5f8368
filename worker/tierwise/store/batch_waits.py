"""Leads that may be asked about in a batch: put there by a backfill or a replay, taken out by whoever decides them.

The queue stays the truth. A lead that waits is a ready row that is due later, so that nothing here keeps it for ever.
"""

from __future__ import annotations

import builtins
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

import pydantic
import sqlalchemy as sa

from tierwise.domain.lead import Lead
from tierwise.ports.batches import Backfill, Gathering, Waiter
from tierwise.store import columns, connections, cursors, engine, schema

WAIT = schema.batch_wait
WORK = schema.work
LEAD = schema.lead
BACKFILL = schema.backfill
HORIZON = timedelta(minutes=30)
"""After which a lead that nobody put into a batch is decided live."""
MANY = 100_000


def wish(database: engine.Database, connection: sa.Connection, work_ids: Iterable[int], *, now: datetime) -> None:
    """These may go in a batch. Their rows of the queue are due at `now + HORIZON`, by whoever writes them."""
    insert = database.insert(WAIT).on_conflict_do_nothing()
    for some in columns.chunks(sorted(set(work_ids))):
        connection.execute(insert, [{"work_id": key, "since": now} for key in some])


def forget(connection: sa.Connection, work_ids: Iterable[int]) -> None:
    """These are decided live: they are no batch's, unless one asks about them already."""
    for some in columns.chunks(sorted(set(work_ids))):
        connection.execute(sa.delete(WAIT).where(WAIT.c.work_id.in_(some), WAIT.c.batch_id.is_(None)))


def release(connection: sa.Connection, work_ids: Iterable[int], *, now: datetime) -> None:
    """Due now, and no batch's any more."""
    for some in columns.chunks(sorted(set(work_ids))):
        mine = sa.update(WORK).where(WORK.c.id.in_(some), WORK.c.state == "ready", WORK.c.run_after > now)
        connection.execute(mine.values(run_after=now, error="", updated_at=now))
        connection.execute(sa.delete(WAIT).where(WAIT.c.work_id.in_(some)))


def until(connection: sa.Connection, name: str) -> datetime | None:
    """Before which what a poll of the connection reads is a backfill's; None where none is under way."""
    found: datetime | None = connection.execute(
        sa.select(BACKFILL.c.until).where(BACKFILL.c.connection == name)
    ).scalar_one_or_none()
    return found


def passed(connection: sa.Connection, name: str, *, watermark: datetime) -> None:
    """A poll has read all up to there."""
    connection.execute(sa.delete(BACKFILL).where(BACKFILL.c.connection == name, BACKFILL.c.until <= watermark))


class Waits:
    """The part of ports.Batches about leads."""

    def __init__(self, database: engine.Database) -> None:
        self._database = database

    def gathering(self, *, now: datetime) -> Gathering:
        """Leads that may go in a batch and are in none; counting stops at `MANY`."""
        some = _gathering(now, WAIT.c.since).limit(MANY).subquery()
        with self._database.read() as reader:
            count, oldest = reader.execute(sa.select(sa.func.count(), sa.func.min(some.c.since))).one()
        return Gathering(int(count), oldest)

    def waiters(self, *, limit: int, now: datetime) -> builtins.list[Waiter]:
        """The longest waiting first; what was decided meanwhile is swept away."""
        self._database.write(lambda transaction: _sweep(transaction, now=now))
        columns_ = (WORK.c.id, WORK.c.connection, WORK.c.record_id, WORK.c.fingerprint, LEAD.c.canonical)
        query = _gathering(now, *columns_).order_by(WAIT.c.since, WORK.c.id)
        with self._database.read() as reader:
            rows = reader.execute(query.limit(limit)).all()
        found, unreadable = [], []
        for row in rows:
            try:
                lead = Lead.model_validate(row.canonical)
                found.append(Waiter(row.id, row.connection, lead, row.record_id, row.fingerprint))
            except pydantic.ValidationError:
                unreadable.append(row.id)  # the claim sets it aside
        self.release(unreadable, now=now)
        return found

    def release(self, work_ids: Collection[int], *, now: datetime) -> None:
        """Decided live, now."""
        if work_ids:
            self._database.write(lambda transaction: release(transaction, work_ids, now=now))

    def waiting(self) -> dict[str, int]:
        """Leads that wait for a batch or to get into one, by connection."""
        query = (
            sa.select(WORK.c.connection, sa.func.count())
            .join(WAIT, WAIT.c.work_id == WORK.c.id)
            .join(LEAD, sa.and_(LEAD.c.id == WORK.c.lead_id, LEAD.c.revision == WORK.c.revision))
            .where(WORK.c.state == "ready")
            .group_by(WORK.c.connection)
        )
        with self._database.read() as reader:
            return {row[0]: int(row[1]) for row in reader.execute(query)}

    def backfill(self, connection: str, *, since: datetime, until: datetime | None, now: datetime) -> None:
        """Read again from `since`; what is read before `until` may go in batches, with None nothing of it."""

        def work(transaction: sa.Connection) -> None:
            cursors.rewind(self._database, transaction, connection, watermark=since, now=now)
            if until is None:
                transaction.execute(sa.delete(BACKFILL).where(BACKFILL.c.connection == connection))
                return
            insert = self._database.insert(BACKFILL)
            insert = insert.values(connection=connection, since=since, until=until, begun_at=now)
            new = insert.excluded
            # A backfill before the last one ended: what that had still to read is a backfill's, too.
            later = sa.case((BACKFILL.c.until > new.until, BACKFILL.c.until), else_=new.until)
            changes = {"since": new.since, "until": later, "begun_at": new.begun_at}
            transaction.execute(insert.on_conflict_do_update(index_elements=[BACKFILL.c.connection], set_=changes))

        self._database.write(work)

    def backfills(self) -> builtins.list[Backfill]:
        """Those whose leads are still being read."""
        columns_ = (BACKFILL.c.connection, BACKFILL.c.since, BACKFILL.c.until, BACKFILL.c.begun_at)
        with self._database.read() as reader:
            return [Backfill(*row) for row in reader.execute(sa.select(*columns_).order_by(BACKFILL.c.connection))]


def _gathering(now: datetime, *wanted: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return (
        sa.select(*wanted)
        .select_from(WAIT)
        .join(WORK, WORK.c.id == WAIT.c.work_id)
        .join(LEAD, LEAD.c.id == WORK.c.lead_id)
        .where(
            WAIT.c.batch_id.is_(None),
            WAIT.c.since <= now,
            WORK.c.state == "ready",
            WORK.c.revision >= LEAD.c.revision,
            connections.active(WORK.c.connection, writing=False),
        )
    )


def _sweep(transaction: sa.Connection, *, now: datetime) -> None:
    """Rows of what was decided or overtaken: nobody asks about it in a batch."""
    ended = sa.select(WORK.c.id).where(WORK.c.id == WAIT.c.work_id, WORK.c.state.not_in(("ready", "leased")))
    transaction.execute(sa.delete(WAIT).where(WAIT.c.batch_id.is_(None), ended.exists()))
    overtaken = (
        sa.select(WAIT.c.work_id)
        .join(WORK, WORK.c.id == WAIT.c.work_id)
        .join(LEAD, LEAD.c.id == WORK.c.lead_id)
        .where(WAIT.c.batch_id.is_(None), WORK.c.revision < LEAD.c.revision)
    )
    release(transaction, transaction.execute(overtaken).scalars().all(), now=now)
