"""Each periodic action happens once per slot, however many beats there are."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from tierwise.store import engine, schema

TABLE = schema.schedule_slot


class Slots:
    """ports.Slots over the database."""

    def __init__(self, database: engine.Database) -> None:
        self._database = database

    def claim(self, kind: str, scope: str, slot: datetime, *, by: str, now: datetime) -> bool:
        """True for exactly one caller."""
        row = {"kind": kind, "scope": scope, "slot": slot, "by": by, "at": now}
        statement = self._database.insert(TABLE).values(row).on_conflict_do_nothing().returning(TABLE.c.kind)
        return self._database.write(lambda connection: connection.execute(statement).first() is not None)

    def claimed(self, kind: str, scope: str, *, since: datetime | None) -> int:
        """How many slots later than that are claimed; of those not pruned yet all where it is None."""
        query = sa.select(sa.func.count()).where(TABLE.c.kind == kind, TABLE.c.scope == scope)
        if since is not None:
            query = query.where(TABLE.c.slot > since)
        with self._database.read() as reader:
            return int(reader.execute(query).scalar_one())

    def prune(self, *, before: datetime) -> int:
        """Forget slots that were claimed before; how many."""
        statement = sa.delete(TABLE).where(TABLE.c.at < before)
        return self._database.write(lambda connection: connection.execute(statement).rowcount)
