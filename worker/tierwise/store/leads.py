"""Canonical leads: what is known of a record, what a page of them changes, and how many stand where."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tierwise.ports import Arrival, CursorClaim, Ingested, Known, LeadStory
from tierwise.store import columns, engine, ingest, schema, story

TABLE = schema.lead


class Leads:
    """ports.Leads over the database."""

    def __init__(self, database: engine.Database) -> None:
        self._database = database

    def known(self, connection: str, record_ids: Collection[str]) -> dict[str, Known]:
        """By record id; records never seen are left out."""
        found: dict[str, Known] = {}
        with self._database.read() as reader:
            for some in columns.chunks(sorted(set(record_ids))):
                query = sa.select(TABLE.c.record_id, TABLE.c.id, TABLE.c.fingerprint, TABLE.c.identity)
                query = query.where(TABLE.c.connection == connection, TABLE.c.record_id.in_(some))
                found.update({row[0]: Known(*row[1:]) for row in reader.execute(query)})
        return found

    def first_seen(self, connection: str, identities: Collection[str]) -> dict[str, str]:
        """Identity -> id of the record that was first seen with it."""
        found: dict[str, str] = {}
        with self._database.read() as reader:
            for some in columns.chunks(sorted(set(identities))):
                first = (
                    sa.select(sa.func.min(TABLE.c.id))
                    .where(TABLE.c.connection == connection, TABLE.c.identity.in_(some), TABLE.c.merged_into.is_(None))
                    .group_by(TABLE.c.identity)
                )
                query = sa.select(TABLE.c.identity, TABLE.c.record_id).where(TABLE.c.id.in_(first))
                found.update({row.identity: row.record_id for row in reader.execute(query)})
        return found

    def ingest(
        self,
        claim: CursorClaim,
        arrivals: Sequence[Arrival],
        *,
        policy: str,
        position: Mapping[str, Any] | None,
        watermark: datetime | None,
        now: datetime,
    ) -> Ingested:
        """A page and the moved cursor in one transaction; `watermark` with the last page. Raises LeaseLost."""
        page = ingest.Page(self._database, claim, arrivals, policy=policy, now=now)
        return self._database.write(lambda connection: page.store(connection, position=position, watermark=watermark))

    def story(self, connection: str | None, record_id: str) -> list[LeadStory]:
        """One entry per connection that knows the id."""
        with self._database.read() as reader:
            return story.tell(reader, connection, record_id)

    def counts(self, connection: str | None = None) -> dict[str, int]:
        """leads, undecided, undelivered, rejected, refused."""
        work, outbox, cursor = schema.work, schema.outbox, schema.cursor
        leads = sa.select(sa.func.coalesce(sa.func.sum(cursor.c.leads), 0))
        if connection is not None:
            leads = leads.where(cursor.c.connection == connection)
        # Each on a partial index of its own: history costs nothing.
        parts: dict[str, tuple[sa.Table, sa.ColumnElement[bool]]] = {
            "ready": (work, work.c.state == columns.literal("ready")),
            "leased": (work, work.c.state == columns.literal("leased")),
            "undelivered": (outbox, sa.and_(outbox.c.delivered_at.is_(None), outbox.c.state != "refused")),
            "rejected": (TABLE, sa.and_(TABLE.c.rejected.is_not(None), TABLE.c.merged_into.is_(None))),
            # What was refused was never delivered: that condition is the index's.
            "refused": (outbox, sa.and_(outbox.c.delivered_at.is_(None), outbox.c.state == "refused")),
        }
        with self._database.read() as reader:
            found = {"leads": int(reader.execute(leads).scalar_one())}
            for name, (table, condition) in parts.items():
                mine = sa.true() if connection is None else table.c.connection == connection
                # Not in WHERE: there it makes SQLite walk all of the connection's history.
                query = sa.select(sa.func.sum(sa.case((mine, 1), else_=0))).where(condition)
                found[name] = int(reader.execute(query).scalar_one() or 0)
        undecided = found.pop("ready") + found.pop("leased")
        return {"leads": found["leads"], "undecided": undecided, **found}
