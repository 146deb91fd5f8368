"""The queue for people: items open, are answered once, or are overtaken by what happened since."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tierwise.domain import review
from tierwise.domain.advice import REQUEST, Advice
from tierwise.ports import ReviewItem
from tierwise.store import columns, desired, engine, schema

TABLE = schema.review_item
_QUERY = sa.select(
    TABLE.c.id,
    TABLE.c.connection,
    TABLE.c.record_id,
    TABLE.c.kind,
    TABLE.c.state,
    TABLE.c.priority,
    TABLE.c.reason,
    TABLE.c.created_at,
    TABLE.c.decision_id,
    schema.decision.c.score,
    schema.decision.c.tier,
    schema.decision.c.confidence,
    TABLE.c.answered_at,
    TABLE.c.answered_by,
    TABLE.c.answer,
).outerjoin(schema.decision, schema.decision.c.id == TABLE.c.decision_id)


class Reviews:
    """ports.Reviews over the database."""

    def __init__(self, database: engine.Database) -> None:
        self._database = database

    def list(
        self, *, state: str | None = "open", kind: str | None = None, limit: int = 100
    ) -> builtins.list[ReviewItem]:
        """The most urgent first, the older one where two are equal."""
        query = _QUERY.order_by(TABLE.c.priority.desc(), TABLE.c.id).limit(limit)
        if state is not None:
            query = query.where(TABLE.c.state == columns.literal(state))
        if kind is not None:
            query = query.where(TABLE.c.kind == kind)
        with self._database.read() as connection:
            return [ReviewItem._make(row) for row in connection.execute(query)]

    def counts(self) -> dict[str, int]:
        """Open items by kind; kinds without any are left out."""
        query = sa.select(TABLE.c.kind, sa.func.count()).where(TABLE.c.state == columns.literal("open"))
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query.group_by(TABLE.c.kind))}

    def get(self, item_id: int) -> ReviewItem | None:
        """The item of that id."""
        with self._database.read() as connection:
            row = connection.execute(_QUERY.where(TABLE.c.id == item_id)).one_or_none()
        return ReviewItem._make(row) if row is not None else None

    def answer(self, item_id: int, *, by: str, answer: Mapping[str, Any], advice: Advice | None, now: datetime) -> bool:
        """False when it is not open any more. `advice` is what the CRM is to show from now on."""

        def work(connection: sa.Connection) -> bool:
            item = connection.execute(
                sa.select(TABLE.c.connection, TABLE.c.record_id, TABLE.c.kind).where(TABLE.c.id == item_id)
            ).one_or_none()
            if item is None:
                return False
            # The lead's row is locked first by everybody, so that nobody waits in a circle.
            lead = connection.execute(
                sa.select(schema.lead)
                .where(schema.lead.c.connection == item.connection, schema.lead.c.record_id == item.record_id)
                .with_for_update()
            ).one_or_none()
            closed = connection.execute(
                sa.update(TABLE)
                .where(TABLE.c.id == item_id, TABLE.c.state == "open")
                .values(state="answered", answered_at=now, answered_by=by, answer=dict(answer))
            )
            if closed.rowcount != 1:
                return False
            if advice is not None and lead is not None:
                version = _overtake(connection, lead)
                shown = desired.Desired(lead.connection, lead.record_id, advice, version, columns.advice(lead.own))
                desired.put(self._database, connection, [shown], now=now)
            if lead is not None and item.kind == "fast_track" and lead.own.get(REQUEST) is True:
                desired.take_back(connection, item.connection, item.record_id, now=now)
            return True

        return self._database.write(work)


def _overtake(connection: sa.Connection, lead: sa.Row[Any]) -> int:
    """A version above all that is shown, but below a decision on newer input that is still to come."""
    version = int(lead.revision) + 1
    work = schema.work
    coming = connection.execute(
        sa.update(work)
        .where(
            work.c.lead_id == lead.id,
            work.c.fingerprint == lead.fingerprint,
            work.c.state.in_(("ready", "leased")),
        )
        .values(revision=version + 1)
    )
    last = version + 1 if coming.rowcount else version
    connection.execute(sa.update(schema.lead).where(schema.lead.c.id == lead.id).values(revision=last))
    return version


def open_items(connection: sa.Connection, rows: Sequence[Mapping[str, Any]], *, now: datetime) -> None:
    """Open items: connection, record_id, kind, priority, reason, decision_id (or None) each."""
    if rows:
        every = [{**row, "state": "open", "created_at": now} for row in rows]
        connection.execute(sa.insert(TABLE).returning(TABLE.c.id), every)


def schema_item(connection: str, record_id: str, reason: str) -> dict[str, Any]:
    """An item on a record that could not be scored as it is; `reason` without personal data."""
    priority = review.priority("schema", score=None, confidence=None)
    item = {"connection": connection, "record_id": record_id, "kind": "schema", "priority": priority}
    return {**item, "reason": reason, "decision_id": None}


def supersede(
    connection: sa.Connection,
    name: str,
    record_ids: Collection[str],
    *,
    kinds: Collection[str] | None = None,
    but: Collection[str] = (),
) -> None:
    """Close open items of these records of connection `name`: nobody needs to answer them any more."""
    for some in columns.chunks(sorted(record_ids)):
        statement = sa.update(TABLE).where(
            TABLE.c.connection == name, TABLE.c.record_id.in_(some), TABLE.c.state == columns.literal("open")
        )
        if kinds is not None:
            statement = statement.where(TABLE.c.kind.in_(kinds))
        if but:
            statement = statement.where(TABLE.c.kind.not_in(but))
        connection.execute(statement.values(state="superseded"))


def of(connection: sa.Connection, name: str, record_id: str) -> list[ReviewItem]:
    """Every item of one record, the oldest first."""
    query = _QUERY.where(TABLE.c.connection == name, TABLE.c.record_id == record_id).order_by(TABLE.c.id)
    return [ReviewItem._make(row) for row in connection.execute(query)]
