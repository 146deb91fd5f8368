"""Accounts, switched on and off in one row that every worker reads."""

from __future__ import annotations

import builtins
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tierwise import errors
from tierwise.ports import ConnectionState
from tierwise.sdk import Quota
from tierwise.store import engine, resend, schema, telling

TABLE = schema.connection


def active(column: sa.ColumnElement[str], *, writing: bool) -> sa.ColumnElement[bool]:
    """Condition: the row's connection is enabled, and (for what calls the CRM) not paused."""
    names = sa.select(TABLE.c.name).where(TABLE.c.enabled)
    return column.in_(names.where(TABLE.c.paused.is_(None)) if writing else names)


def lock(connection: sa.Connection, name: str) -> None:
    """One page of a connection is stored at a time, whichever pass it comes from. Locked before all else.

    Rows that refer to the connection can still be inserted by others.
    """
    row = sa.select(TABLE.c.name).where(TABLE.c.name == name)
    connection.execute(row.with_for_update(key_share=True)).all()


class Connections:
    """ports.Connections over the database."""

    def __init__(self, database: engine.Database) -> None:
        self._database = database

    def ensure(self, name: str, type_: str, *, now: datetime) -> None:
        """Make the connection known, disabled. Misconfigured where the name belongs to another kind of system."""

        def work(connection: sa.Connection) -> str:
            stored = connection.execute(sa.select(TABLE.c.type).where(TABLE.c.name == name)).scalar_one_or_none()
            if stored is not None:
                return str(stored)
            row = {"name": name, "type": type_, "enabled": False, "created_at": now, "updated_at": now}
            connection.execute(self._database.insert(TABLE).values(row).on_conflict_do_nothing())
            head = {"connection": name, "sequence": 0, "head": schema.GENESIS}
            connection.execute(self._database.insert(schema.chain).values(head).on_conflict_do_nothing())
            return type_

        stored = self._database.write(work)
        if stored != type_:
            raise errors.Misconfigured(
                f"the database knows this connection as {stored}, not {type_}",
                place=f"connection {name}",
                remedy="give the new connection a name of its own",
            )

    def enable(self, name: str, *, watermark: datetime, now: datetime) -> bool:
        """False when it was enabled already. A cursor is set only where there is none yet."""

        def work(connection: sa.Connection) -> bool:
            self._require(connection, name)
            changed = self._set(connection, name, now, enabled=True)
            for kind in schema.CURSORS:
                start = {"connection": name, "kind": kind, "watermark": watermark, "began_at": watermark, "version": 0}
                connection.execute(self._database.insert(schema.cursor).values(start).on_conflict_do_nothing())
            return changed

        return self._database.write(work)

    def disable(self, name: str, *, now: datetime) -> None:
        """A poll that is under way stops at its next page."""

        def work(connection: sa.Connection) -> None:
            self._require(connection, name)
            self._set(connection, name, now, enabled=False)
            cursor = schema.cursor
            connection.execute(
                sa.update(cursor).where(cursor.c.connection == name).values(version=cursor.c.version + 1)
            )

        self._database.write(work)

    def pause(self, name: str, reason: str, *, now: datetime) -> None:
        """No call to this account until `resume`; people are told."""

        def work(connection: sa.Connection) -> None:
            if self._set(connection, name, now, paused=reason):
                telling.paused(self._database, connection, name, reason, now=now)

        self._database.write(work)

    def resume(self, name: str, *, now: datetime) -> None:
        """A person has seen to it: calls go on, and what the CRM refused goes out again with all its tries."""

        def work(connection: sa.Connection) -> None:
            works = self._set(connection, name, now, paused=None)
            resend.refused(connection, name, now=now)
            if works:
                telling.paused(self._database, connection, name, None, now=now)

        self._database.write(work)

    def list(self) -> builtins.list[ConnectionState]:
        """All of them, by name."""
        cursor = schema.cursor
        query = (
            sa.select(
                TABLE.c.name,
                TABLE.c.type,
                TABLE.c.enabled,
                TABLE.c.paused,
                cursor.c.watermark,
                cursor.c.last_polled_at,
                cursor.c.next_poll_at,
                sa.func.coalesce(cursor.c.leads, 0),
                sa.func.coalesce(cursor.c.error, ""),
                TABLE.c.quota,
            )
            .outerjoin(cursor, (cursor.c.connection == TABLE.c.name) & (cursor.c.kind == "changes"))
            .order_by(TABLE.c.name)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [ConnectionState._make(row)._replace(quota=_quota(row.quota)) for row in rows]

    def note_quota(self, name: str, quota: Quota) -> None:
        """What the account told of its day's calls, for whoever looks at the connection."""
        told = {**quota._asdict(), "resets_at": quota.resets_at and quota.resets_at.isoformat()}
        told["at"] = quota.at.isoformat()
        statement = sa.update(TABLE).where(TABLE.c.name == name).values(quota=told)
        self._database.write(lambda connection: connection.execute(statement))

    def _require(self, connection: sa.Connection, name: str) -> None:
        if connection.execute(sa.select(TABLE.c.name).where(TABLE.c.name == name)).first() is None:
            raise errors.Misconfigured(
                "the database does not know this connection",
                place=f"connection {name}",
                remedy="list those it knows with `tierwise connections list`",
            )

    def _set(self, connection: sa.Connection, name: str, now: datetime, **values: Any) -> bool:
        """True where something changed."""
        differs = sa.or_(*(TABLE.c[column].is_distinct_from(value) for column, value in values.items()))
        statement = sa.update(TABLE).where(TABLE.c.name == name, differs).values(**values, updated_at=now)
        return connection.execute(statement).rowcount > 0


def _quota(told: dict[str, Any] | None) -> Quota | None:
    if told is None:
        return None
    resets_at = told["resets_at"] and datetime.fromisoformat(told["resets_at"])
    return Quota(told["limit"], told["left"], told["reserve"], resets_at, datetime.fromisoformat(told["at"]))
