"""What came of a batch of writes: rows sent, to be sent again, or refused; and records that live on under a new id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tierwise.domain import echo, review
from tierwise.domain.advice import Advice
from tierwise.ports import Settled
from tierwise.store import columns, engine, merges, reviews, schema, telling

TABLE = schema.outbox
ATTEMPT = schema.write_attempt
LEAD = schema.lead
REFUSED = "The CRM refused the advice for this record."

_COLUMNS = (
    "state", "generation", "attempt", "known", "run_after", "error", "lease_until", "owner", "sent_at", "delivered_at",
    "updated_at",
)  # fmt: skip


def store(
    database: engine.Database, connection: sa.Connection, settled: Sequence[Settled], *, batch: str, now: datetime
) -> None:
    """All outcomes in one transaction."""
    outcomes = {item.row.outbox_id: item for item in settled}
    shown = _lock_leads(connection, settled)
    _finish_attempts(connection, settled, batch=batch, now=now)
    updates, refused, delivered = [], [], []
    for row in locked(connection, sorted(outcomes)):
        item = outcomes[row.id]
        seen = shown.get((row.connection, row.record_id), {})
        read = echo.compare(desired=columns.advice(row.desired), seen=seen, written=row.written).delivered
        change = after(row._asdict(), item, now=now, read=read)
        updates.append({"key": row.id, **{column: row._mapping[column] for column in _COLUMNS}, **change})
        if change["state"] == "refused":
            refused.append((row, item))
        if change.get("delivered_at"):
            delivered.append(row)
    if updates:
        connection.execute(sa.update(TABLE).where(TABLE.c.id == sa.bindparam("key")), updates)
    _deliver(connection, delivered, now=now)
    _ask(connection, refused, now=now)
    for item in settled:
        if item.new_id is not None and item.new_id != item.row.record_id:
            merges.follow(connection, item.row.connection, item.row.record_id, item.new_id)
            if item.outcome == "sent":
                _send_heir_again(connection, item, item.new_id, now=now)
    for name in sorted({row.connection for row, _ in refused}):
        telling.write_refused(database, connection, name, now=now)


def after(row: Mapping[str, Any], item: Settled, *, now: datetime, read: bool) -> dict[str, Any]:
    """The columns of an outbox row that an outcome changes; `read`: the last reading showed all that is desired."""
    if row["state"] != "leased" or row["token"] != item.row.token:
        return _after_loss(row, item, now=now)
    current = (row["version"], row["generation"]) == (item.row.version, item.row.generation)
    change: dict[str, Any] = {"lease_until": None, "owner": "", "updated_at": now}
    if item.outcome in ("sent", "unchanged"):
        change |= {"error": "", "attempt": 0}
    if item.outcome == "sent":
        change["sent_at"] = row["begun_at"] or now
    if item.outcome == "retry":
        # `known` stays unsure: a timeout does not tell whether the values were taken.
        change |= {"state": "ready", "run_after": max(item.run_after or now, row["run_after"]), "error": item.error}
    elif not current:
        # Other fields are desired by now, or another writer was late: what the CRM holds stays unsure. An answer that
        # can still be taken back waits on.
        change |= {"state": "ready", "run_after": max(now, row["run_after"])}
    elif item.outcome == "refused":
        change |= {"state": "refused", "error": item.error}
    elif item.outcome == "sent":
        change |= {"state": "sent", "known": {**row["known"], **columns.plain(item.sent)}}
    else:
        # The CRM shows all of it, and no write means no echo that could tell; or it took it, and that echo is to come.
        change |= {"state": "sent", "delivered_at": row["delivered_at"] or (now if read else None)}
    return change


def _after_loss(row: Mapping[str, Any], item: Settled, *, now: datetime) -> dict[str, Any]:
    """Somebody else has the row, or had it meanwhile."""
    if item.outcome in ("unchanged", "refused"):
        return {"state": row["state"], "updated_at": now}  # nothing of ours reached the CRM
    # What we sent late may have replaced what was sent after it: whoever holds the row sees by the generation that
    # it must go out again, and `known` makes sure that something is sent.
    change = {
        "state": row["state"],
        "generation": row["generation"] + 1,
        "known": {**row["known"], **dict.fromkeys(item.sent, columns.UNSURE)},
        "updated_at": now,
    }
    if row["state"] != "leased":
        change |= {"state": "ready", "run_after": now, "attempt": 0, "delivered_at": None}
    return change


def locked(connection: sa.Connection, ids: Sequence[int]) -> Iterator[sa.Row[Any]]:
    """Outbox rows of these ids, locked in order."""
    for some in columns.chunks(ids):
        query = sa.select(TABLE).where(TABLE.c.id.in_(some)).order_by(TABLE.c.id).with_for_update()
        yield from connection.execute(query).all()


def _lock_leads(connection: sa.Connection, settled: Sequence[Settled]) -> dict[tuple[str, str], Advice]:
    """Leads before outbox rows, as everywhere; only where a lead or its reviews will be touched. What each showed."""
    shown: dict[tuple[str, str], Advice] = {}
    touched = [item for item in settled if item.outcome in ("refused", "unchanged") or item.new_id is not None]
    for name in sorted({item.row.connection for item in touched}):
        ids = sorted({item.row.record_id for item in touched if item.row.connection == name})
        query = sa.select(LEAD.c.record_id, LEAD.c.own).where(LEAD.c.connection == name, LEAD.c.record_id.in_(ids))
        for row in connection.execute(query.order_by(LEAD.c.id).with_for_update()):
            shown[name, row.record_id] = columns.advice(row.own)
    return shown


def _send_heir_again(connection: sa.Connection, item: Settled, heir: str, *, now: datetime) -> None:
    """Advice of a record that was merged away landed on one that has its own, maybe in the same call and after it.

    No poll need tell: what it shows may bear a time before our writing, by the difference of two clocks.
    """
    mine = (TABLE.c.connection == item.row.connection, TABLE.c.record_id == heir, TABLE.c.id != item.row.outbox_id)
    row = connection.execute(sa.select(TABLE).where(*mine).with_for_update()).one_or_none()
    if row is None:
        return
    change = _after_loss(row._asdict(), item, now=now)
    if row.version == merges.TAKEN_OVER:
        change |= {"state": row.state}  # nothing of its own yet: its first decision comes upon what is unsure
    connection.execute(sa.update(TABLE).where(TABLE.c.id == row.id).values(change))


def _finish_attempts(connection: sa.Connection, settled: Sequence[Settled], *, batch: str, now: datetime) -> None:
    rows = [
        {"row": item.row.outbox_id, "outcome": item.outcome, "error": item.error, "finished_at": now}
        for item in settled
        if item.outcome != "unchanged"
    ]
    if rows:
        statement = sa.update(ATTEMPT).where(ATTEMPT.c.batch == batch, ATTEMPT.c.outbox_id == sa.bindparam("row"))
        connection.execute(statement, rows)


def _deliver(connection: sa.Connection, rows: Sequence[sa.Row[Any]], *, now: datetime) -> None:
    for name in sorted({row.connection for row in rows}):
        ids = sorted(row.record_id for row in rows if row.connection == name)
        first = (LEAD.c.connection == name, LEAD.c.record_id.in_(ids), LEAD.c.delivered_at.is_(None))
        connection.execute(sa.update(LEAD).where(*first).values(delivered_at=now))


def _ask(connection: sa.Connection, refused: Sequence[tuple[sa.Row[Any], Settled]], *, now: datetime) -> None:
    """A person sees what the CRM refused."""
    for name in sorted({row.connection for row, _ in refused}):
        records = {row.record_id for row, _ in refused if row.connection == name}
        reviews.supersede(connection, name, records, kinds=("write_failed",))
    items = [
        {
            "connection": row.connection,
            "record_id": row.record_id,
            "kind": "write_failed",
            "priority": review.priority("write_failed", score=None, confidence=None),
            "reason": f"{REFUSED} {item.error}".strip(),
            "decision_id": None,
        }
        for row, item in refused
    ]
    reviews.open_items(connection, items, now=now)
