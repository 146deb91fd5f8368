"""What the CRM is to show for a record: one row, on which the newer version wins whoever comes first.

The order is a compare-and-set on that row itself; a check against another table would race.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from tierwise.domain import echo
from tierwise.domain.advice import REQUEST, VOLATILE, Advice
from tierwise.domain.lead import digest
from tierwise.store import bulk, columns, engine, schema

TABLE = schema.outbox
EARLIER_WRITES = 20
"""Digests of earlier values that are remembered per field, to tell our values from a person's."""
OURS = "tierwise_status"
"""Always written by us: where it is filled, the other fields are ours too (of a database that was lost)."""


class Desired(NamedTuple):
    """Advice to be shown on one record from now on."""

    connection: str
    record_id: str
    advice: Advice
    version: int
    own: Advice
    """Our fields as the CRM last showed them."""


def put(
    database: engine.Database,
    connection: sa.Connection,
    desired: Sequence[Desired],
    *,
    now: datetime,
    after: datetime | None = None,
) -> None:
    """Insert or overtake, at most one row a record. A row that was sent already with equal content stays sent.

    Nothing of it is sent before `after`.
    """
    rows = [
        {**_row(item, now), "run_after": after or now}
        for item in sorted(desired, key=lambda item: (item.connection, item.record_id))
    ]
    if not rows:
        return
    if not database.is_sqlite:
        _lock(connection, desired)
    bulk.put(database, connection, _overtake, rows)


def _overtake(database: engine.Database) -> engine.Insert:
    insert = database.insert(TABLE)
    new = insert.excluded
    settled = sa.and_(TABLE.c.state == "sent", TABLE.c.content == new.content)
    return insert.on_conflict_do_update(
        index_elements=[TABLE.c.connection, TABLE.c.record_id],
        set_={
            "desired": new.desired,
            "content": new.content,
            "version": new.version,
            "generation": TABLE.c.generation + 1,
            # A row that is being written keeps its lease: two writers of one record could overtake each other. Its
            # writer sees by the version that it must go out again.
            "state": sa.case((settled, "sent"), (TABLE.c.state == "leased", "leased"), else_="ready"),
            "delivered_at": sa.case((settled, TABLE.c.delivered_at), else_=None),
            "attempt": 0,
            "repairs": 0,
            "run_after": new.run_after,
            "error": "",
            "updated_at": new.updated_at,
        },
        where=TABLE.c.version < new.version,
    )


def take_back(
    connection: sa.Connection, name: str, record_id: str, *, now: datetime, after: datetime | None = None
) -> None:
    """A rep's request was answered: whatever is desired, the tick goes from the CRM with the next write."""
    mine = (TABLE.c.connection == name, TABLE.c.record_id == record_id)
    row = connection.execute(sa.select(TABLE.c.id, TABLE.c.known).where(*mine).with_for_update()).one_or_none()
    if row is None:
        return
    values = {
        "clear": True,
        "known": {**row.known, REQUEST: columns.UNSURE},
        "generation": TABLE.c.generation + 1,
        "state": sa.case((TABLE.c.state == "leased", "leased"), else_="ready"),
        "attempt": 0,
        "run_after": after or now,
        "delivered_at": None,
        "updated_at": now,
    }
    connection.execute(sa.update(TABLE).where(TABLE.c.id == row.id).values(values))


def content(advice: Advice) -> str:
    """Hash of what a rep would see differ; the time of the decision alone is no difference."""
    return _content(columns.plain(advice))


def _content(plain: Mapping[str, Any]) -> str:
    return digest({name: value for name, value in plain.items() if name not in VOLATILE})


def remember(written: echo.Written, values: Advice) -> dict[str, list[str]]:
    """`written` with these values too, the latest last, bounded."""
    merged = {name: list(marks) for name, marks in written.items()}
    for name, value in values.items():
        mark = echo.mark(value)
        earlier = [item for item in merged.get(name, []) if item != mark]
        merged[name] = [*earlier, mark][-EARLIER_WRITES:]
    return merged


def _lock(connection: sa.Connection, desired: Sequence[Desired]) -> None:
    """Lock the rows in the order of their ids, as writers do: upserts lock in the order in which they come."""
    for name in sorted({item.connection for item in desired}):
        for some in columns.chunks(item.record_id for item in desired if item.connection == name):
            query = sa.select(TABLE.c.id).where(TABLE.c.connection == name, TABLE.c.record_id.in_(some))
            connection.execute(query.order_by(TABLE.c.id).with_for_update())


def _row(item: Desired, now: datetime) -> dict[str, object]:
    written = remember({}, item.own) if item.own.get(OURS) else {}
    kept = echo.compare(desired=item.advice, seen=item.own, written=written).kept if item.own else ()
    plain = columns.plain(item.advice)
    return {
        "connection": item.connection,
        "record_id": item.record_id,
        "desired": plain,
        "content": _content(plain),
        "version": item.version,
        "generation": 1,
        "known": columns.plain(item.own),
        "written": written,
        "kept": list(kept),
        "foreign": {name: {"mark": echo.mark(item.own.get(name)), "since": now.isoformat()} for name in kept},
        "state": "ready",
        "attempt": 0,
        "repairs": 0,
        "run_after": now,
        "created_at": now,
        "updated_at": now,
    }
