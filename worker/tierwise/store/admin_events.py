"""What people did, and what they tried: a list that only grows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tierwise.ports import AdminEvent
from tierwise.store import engine, schema

TABLE = schema.admin_event


class AdminEvents:
    """ports.AdminEvents over the database."""

    def __init__(self, database: engine.Database) -> None:
        self._database = database

    def add(
        self,
        actor: str,
        action: str,
        subject: str,
        *,
        reason: str,
        now: datetime,
        refused: str | None = None,
        before: Any = None,
        after: Any = None,
    ) -> None:
        """One line, in a transaction of its own."""
        self._database.write(
            lambda connection: note(
                connection, actor, action, subject=subject, reason=reason, now=now, refused=refused, before=before,
                after=after,
            )
        )  # fmt: skip

    def list(self, *, subject: str | None = None, limit: int = 100) -> list[AdminEvent]:
        """The newest first; `subject` is a whole one or the beginning of one."""
        query = sa.select(TABLE).order_by(TABLE.c.id.desc()).limit(limit)
        if subject is not None:
            query = query.where(TABLE.c.subject.startswith(subject, autoescape=True))
        with self._database.read() as connection:
            return [AdminEvent(**row._mapping) for row in connection.execute(query)]


def note(
    connection: sa.Connection,
    actor: str,
    action: str,
    *,
    subject: str,
    reason: str,
    now: datetime,
    refused: str | None = None,
    before: Any = None,
    after: Any = None,
) -> None:
    """One line within a transaction, so that what was done and that it was done stand or fall together."""
    row = {
        "at": now, "actor": actor[:200], "action": action, "subject": subject[:300], "reason": reason,
        "refused": refused, "before": before, "after": after,
    }  # fmt: skip
    connection.execute(sa.insert(TABLE).values(row))
