"""Signs of life: liveness is the age of a row, never a process id or an open port."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tierwise.ports import Heartbeat
from tierwise.store import engine, schema

TABLE = schema.heartbeat
FORGOTTEN = timedelta(days=7)


class Heartbeats:
    """ports.Heartbeats over the database."""

    def __init__(self, database: engine.Database) -> None:
        self._database = database

    def beat(self, role: str, instance: str, *, info: Mapping[str, Any], now: datetime) -> None:
        """One row a process; those of processes long gone are removed."""
        row = {"role": role, "instance": instance, "at": now, "info": dict(info)}
        insert = self._database.insert(TABLE).values(row)
        statement = insert.on_conflict_do_update(
            index_elements=[TABLE.c.role, TABLE.c.instance],
            set_={"at": insert.excluded.at, "info": insert.excluded.info},
        )

        def work(connection: sa.Connection) -> None:
            connection.execute(statement)
            connection.execute(sa.delete(TABLE).where(TABLE.c.at < now - FORGOTTEN))

        self._database.write(work)

    def latest(self) -> list[Heartbeat]:
        """The youngest first."""
        query = sa.select(TABLE.c.role, TABLE.c.instance, TABLE.c.at, TABLE.c.info)
        with self._database.read() as connection:
            return [Heartbeat(*row) for row in connection.execute(query.order_by(TABLE.c.at.desc(), TABLE.c.instance))]
