"""A policy beside the one that runs: when it was switched on and off, and what it would have decided.

Nothing here is read by whatever writes to a CRM.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tierwise import errors
from tierwise.ports import PastDecision, Shadow, ShadowDecision
from tierwise.store import activation, admin_events, decisions, engine, people, schema

TABLE = schema.policy_shadow
ROW = schema.shadow_decision
DECISION = schema.decision


class Shadows:
    """ports.Shadows over the database."""

    def __init__(self, database: engine.Database) -> None:
        self._database = database

    def start(self, digest: str, *, by: str, now: datetime) -> Shadow:
        """Decisions from now on are held against this one; an earlier shadow ends. Raises Refused."""

        def work(connection: sa.Connection) -> Shadow | str:
            people.lock(self._database, connection)
            why = people.why_not(connection, by, activation.ACTIVATORS)
            _note(connection, by, "policy.shadow", digest, why=why, now=now)
            if why is not None:
                return why
            connection.execute(sa.update(TABLE).where(TABLE.c.stopped_at.is_(None)).values(stopped_at=now))
            after = connection.execute(sa.select(sa.func.coalesce(sa.func.max(DECISION.c.id), 0))).scalar_one()
            row = {"digest": digest, "by": by, "after": after, "started_at": now, "stopped_at": None}
            number = connection.execute(sa.insert(TABLE).values(row).returning(TABLE.c.id)).scalar_one()
            return Shadow(number, digest, by, after, now, None)

        made = self._database.write(work)
        if isinstance(made, str):
            raise errors.Refused(made, place=f"policy {digest[:12]}", remedy="somebody with the role ops")
        return made

    def stop(self, *, by: str, now: datetime) -> bool:
        """False where none was on. Raises Refused."""

        def work(connection: sa.Connection) -> bool | str:
            people.lock(self._database, connection)
            on = connection.execute(sa.select(TABLE).where(TABLE.c.stopped_at.is_(None))).one_or_none()
            if on is None:
                return False
            why = people.why_not(connection, by, activation.ACTIVATORS)
            _note(connection, by, "policy.shadow.stop", on.digest, why=why, now=now)
            if why is not None:
                return why
            connection.execute(sa.update(TABLE).where(TABLE.c.id == on.id).values(stopped_at=now))
            return True

        made = self._database.write(work)
        if isinstance(made, str):
            raise errors.Refused(made, place="policy shadow", remedy="somebody with the role ops")
        return made

    def current(self) -> Shadow | None:
        """The one that is on."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(TABLE).where(TABLE.c.stopped_at.is_(None))).one_or_none()
        return Shadow(**row._mapping) if row is not None else None

    def latest(self) -> Shadow | None:
        """The one that is on, or was last."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(TABLE).order_by(TABLE.c.id.desc()).limit(1)).one_or_none()
        return Shadow(**row._mapping) if row is not None else None

    def due(self, shadow: Shadow, *, limit: int) -> list[PastDecision]:
        """Decisions since its start that it was not held against yet, the oldest first."""
        done = sa.select(ROW.c.id).where(ROW.c.decision_id == DECISION.c.id, ROW.c.policy == shadow.digest)
        query = sa.select(DECISION).where(
            DECISION.c.id > shadow.after, DECISION.c.policy != shadow.digest, ~done.exists()
        )  # fmt: skip
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(DECISION.c.id).limit(limit)).all()
        return [decisions.past(row) for row in rows]

    def record(self, rows: Sequence[ShadowDecision], *, now: datetime) -> None:
        """Keep what it would have decided; what is there stays."""
        if rows:
            statement = self._database.insert(ROW).on_conflict_do_nothing()
            values = [{**row._asdict(), "at": now} for row in rows]
            self._database.write(lambda connection: connection.execute(statement, values))

    def decisions(self, digest: str, *, limit: int = 10_000) -> list[ShadowDecision]:
        """What it would have decided, the newest first."""
        columns = [ROW.c[name] for name in ShadowDecision._fields]
        query = sa.select(*columns).where(ROW.c.policy == digest).order_by(ROW.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            return [ShadowDecision(**row._mapping) for row in connection.execute(query)]


def _note(connection: sa.Connection, by: str, action: str, digest: str, *, why: str | None, now: datetime) -> Any:
    admin_events.note(connection, by, action, subject=f"policy {digest}", reason="", now=now, refused=why)
