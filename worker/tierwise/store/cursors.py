"""Where each pass over a connection stands: a lease, and a version that a rewind or a switch-off raises under it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tierwise import errors
from tierwise.ports import CursorClaim, CursorKind
from tierwise.store import connections, engine, fence, schema

TABLE = schema.cursor


class Cursors:
    """ports.Cursors over the database."""

    def __init__(self, database: engine.Database) -> None:
        self._database = database

    def claim(
        self, connection: str, *, owner: str, lease: float, now: datetime, kind: CursorKind = "changes"
    ) -> CursorClaim | None:
        """None while another process is at it, or when it is disabled, paused or has no cursor of that kind."""
        until = now + timedelta(seconds=lease)

        def work(transaction: sa.Connection) -> sa.Row[Any] | None:
            statement = (
                sa.update(TABLE)
                .where(
                    TABLE.c.connection == connection,
                    TABLE.c.kind == kind,
                    sa.or_(TABLE.c.lease_until.is_(None), TABLE.c.lease_until <= now),
                    connections.active(TABLE.c.connection, writing=True),
                )
                .values(
                    token=fence.draw(transaction),
                    lease_until=until,
                    lease_seconds=lease,
                    owner=owner,
                    version=TABLE.c.version + 1,
                )
                .returning(*TABLE.c)
            )
            return transaction.execute(statement).one_or_none()

        row = self._database.write(work)
        if row is None:
            return None
        return CursorClaim(
            connection=connection,
            watermark=row.watermark,
            window_until=row.window_until,
            position=row.position,
            version=row.version,
            token=row.token,
            until=row.lease_until,
            kind=kind,
            since=now,
        )

    def open_window(self, claim: CursorClaim, *, until: datetime, now: datetime) -> CursorClaim:
        """Fix the window's end before the first request. Raises LeaseLost."""
        lease_until = self._database.write(
            lambda transaction: move(transaction, claim, {"window_until": until, "position": None}, now=now)
        )
        return claim._replace(window_until=until, position=None, until=lease_until)

    def release(self, claim: CursorClaim, *, next_poll_at: datetime, error: str, now: datetime) -> None:
        """Free at once, if it is still ours. `error` is empty where the poll went well."""
        values: dict[str, Any] = {"lease_until": None, "owner": "", "next_poll_at": next_poll_at, "error": error}
        if not error:
            values["last_polled_at"] = now
        statement = sa.update(TABLE).where(
            TABLE.c.connection == claim.connection, TABLE.c.kind == claim.kind, TABLE.c.token == claim.token
        )
        self._database.write(lambda transaction: transaction.execute(statement.values(values)))

    def watermark(self, connection: str, kind: CursorKind) -> datetime | None:
        """How far that pass has come; None where it has no cursor."""
        query = sa.select(TABLE.c.watermark).where(TABLE.c.connection == connection, TABLE.c.kind == kind)
        with self._database.read() as reader:
            found: datetime | None = reader.execute(query).scalar_one_or_none()
            return found

    def rewind(self, connection: str, *, watermark: datetime, now: datetime, kind: CursorKind = "changes") -> None:
        """Read again from there, at once, never forward; a pass that is under way stops at its next page."""
        self._database.write(
            lambda transaction: rewind(self._database, transaction, connection, watermark=watermark, now=now, kind=kind)
        )


def rewind(
    database: engine.Database,
    transaction: sa.Connection,
    connection: str,
    *,
    watermark: datetime,
    now: datetime,
    kind: CursorKind = "changes",
) -> None:
    """Read again from there, as a part of somebody's transaction. Raises Misconfigured where nobody knows it."""
    insert = database.insert(TABLE).values(
        connection=connection, kind=kind, watermark=watermark, began_at=watermark, version=0, next_poll_at=now
    )
    asked = insert.excluded.watermark
    again: dict[str, Any] = {
        # What lies between the watermark and a later moment is not stored: it would never be read.
        "watermark": sa.case((TABLE.c.watermark < asked, TABLE.c.watermark), else_=asked),
        "began_at": sa.case((TABLE.c.began_at < asked, TABLE.c.began_at), else_=asked),
        "window_until": None,
        "position": None,
        "next_poll_at": now,
        "version": TABLE.c.version + 1,
    }
    statement = insert.on_conflict_do_update(index_elements=[TABLE.c.connection, TABLE.c.kind], set_=again)
    try:
        transaction.execute(statement)
    except sa.exc.IntegrityError:
        raise errors.Misconfigured(
            "the database does not know this connection", place=f"connection {connection}"
        ) from None


def count(transaction: sa.Connection, connection: str, more: int) -> None:
    """So many leads more (or less). Counted with the poll's cursor, whichever pass found them."""
    statement = sa.update(TABLE).where(TABLE.c.connection == connection, TABLE.c.kind == "changes")
    transaction.execute(statement.values(leads=TABLE.c.leads + more))


def move(transaction: sa.Connection, claim: CursorClaim, values: Mapping[str, Any], *, now: datetime) -> datetime:
    """Set columns and prolong the lease if the claim still stands. Returns the new end of the lease.

    Raises LeaseLost: somebody else polls, or the connection was rewound or disabled.
    """
    mine = (
        TABLE.c.connection == claim.connection,
        TABLE.c.kind == claim.kind,
        TABLE.c.token == claim.token,
        TABLE.c.version == claim.version,
    )
    seconds = transaction.execute(sa.select(TABLE.c.lease_seconds).where(*mine)).scalar_one_or_none()
    until = now + timedelta(seconds=seconds or 0)
    statement = sa.update(TABLE).where(*mine, TABLE.c.lease_until.is_not(None)).values({**values, "lease_until": until})
    if seconds is None or transaction.execute(statement).rowcount != 1:
        raise errors.LeaseLost("another process polls it now", place=f"connection {claim.connection}")
    return until
