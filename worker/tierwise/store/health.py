"""How each account is doing, for whoever looks at it: kept here, because counters of processes end with them."""

from __future__ import annotations

import builtins
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tierwise.ports import Health
from tierwise.store import engine, schema

TABLE = schema.account_health
OFTEN = timedelta(seconds=30)
"""An account that does well is noted no more often."""


class AccountHealth:
    """ports.AccountHealth over the database."""

    def __init__(self, database: engine.Database) -> None:
        self._database = database

    def well(self, connection: str, step: str, *, now: datetime) -> bool:
        """The step was answered; True where it had failed before."""
        with self._database.read() as reader:
            found = reader.execute(self._one(connection, step)).first()
        if found is not None and not found.failures and found.ok_at is not None and now - found.ok_at < OFTEN:
            return False
        fresh = {"failures": 0, "fault": "", "error": "", "remedy": "", "failing_since": None, "resting_until": None}
        values = {"connection": connection, "step": step, **fresh, "ok_at": now}
        self._database.write(lambda transaction: self._put(transaction, values))
        return found is not None and found.failures > 0

    def failed(
        self,
        connection: str,
        step: str,
        *,
        fault: str,
        error: str,
        remedy: str,
        resting_until: datetime | None,
        now: datetime,
    ) -> None:
        """The step failed once more. That an account is left in peace hides not why."""

        def work(transaction: sa.Connection) -> None:
            before = transaction.execute(self._one(connection, step).with_for_update()).first()
            failing = before is not None and before.failures > 0
            values: dict[str, Any] = {"failed_at": now, "resting_until": resting_until}
            if before is None or not failing or fault != "resting":
                values |= {
                    "failures": (before.failures if before is not None else 0) + 1,
                    "fault": fault,
                    "error": error,
                    "remedy": remedy,
                    "failing_since": before.failing_since if before is not None and failing else now,
                }
            self._put(transaction, {"connection": connection, "step": step, **values})

        self._database.write(work)

    def list(self) -> builtins.list[Health]:
        """All of them, by connection and step."""
        query = sa.select(*TABLE.c).order_by(TABLE.c.connection, TABLE.c.step)
        with self._database.read() as reader:
            return [Health(**row) for row in reader.execute(query).mappings()]

    def _one(self, connection: str, step: str) -> sa.Select[Any]:
        return sa.select(*TABLE.c).where(TABLE.c.connection == connection, TABLE.c.step == step)

    def _put(self, transaction: sa.Connection, values: dict[str, Any]) -> None:
        known = sa.select(schema.connection.c.name).where(schema.connection.c.name == values["connection"])
        if transaction.execute(known).first() is None:
            return  # never enabled: there is nobody to tell
        empty = {"failures": 0, "fault": "", "error": "", "remedy": ""}
        insert = self._database.insert(TABLE).values({**empty, **values})
        changed = {name: insert.excluded[name] for name in values if name not in {"connection", "step"}}
        keys = [TABLE.c.connection, TABLE.c.step]
        transaction.execute(insert.on_conflict_do_update(index_elements=keys, set_=changed))
