"""The queue for people: items open, are answered once, or are overtaken by what happened since."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tierwise import errors
from tierwise.domain import review
from tierwise.domain.advice import Advice
from tierwise.ports import ReviewItem, SaidLabel, Undone
from tierwise.store import admin_events, answers, columns, engine, people, schema

TABLE = schema.review_item
_OTHER = TABLE.alias()
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
    schema.audit_draw.c.decision_id.is_not(None).label("drawn"),
    sa.exists().where(_OTHER.c.decision_id == TABLE.c.decision_id, _OTHER.c.state == columns.literal("open")),
    TABLE.c.not_for,
    TABLE.c.reserved_by,
    TABLE.c.reserved_until,
    TABLE.c.snoozed_until,
    schema.lead.c.canonical["monthly_volume"].as_float(),
).select_from(
    TABLE.outerjoin(schema.decision, schema.decision.c.id == TABLE.c.decision_id)
    .outerjoin(schema.audit_draw, schema.audit_draw.c.decision_id == TABLE.c.decision_id)
    .outerjoin(
        schema.lead,
        sa.and_(schema.lead.c.connection == TABLE.c.connection, schema.lead.c.record_id == TABLE.c.record_id),
    )
)

_WAITING = sa.select(TABLE.c.record_id).where(
    TABLE.c.connection == sa.bindparam("name"),
    TABLE.c.record_id.in_(sa.bindparam("records", expanding=True)),
    TABLE.c.state == columns.literal("open"),
)


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

    def answer(
        self,
        item_id: int,
        *,
        by: str,
        answer: Mapping[str, Any],
        advice: Advice | None,
        now: datetime,
        labels: Sequence[SaidLabel] = (),
        about: int | None = None,
        wait: timedelta = timedelta(),
    ) -> bool:
        """False when it is not open any more, or not for `by`. `advice` is what the CRM is to show from now on."""
        given = answers.Answer(by, answer, advice, labels, about, wait)

        def work(connection: sa.Connection) -> bool | str:
            why = answers.refusal(connection, item_id, by=by)
            if why is not None:
                subject = f"review item {item_id}"
                admin_events.note(connection, by, "review.answer", subject=subject, reason="", now=now, refused=why)
                return why
            return answers.store(self._database, connection, item_id, given, now=now)

        return _allowed(self._database.write(work), item_id)

    def undo(self, item_id: int, *, by: str, now: datetime) -> Undone:
        """Take an answer back of which nothing was written."""
        return self._database.write(
            lambda connection: answers.undo(self._database, connection, item_id, by=by, now=now)
        )

    def reserve(self, item_id: int, *, by: str, until: datetime, now: datetime) -> bool:
        """Only `by` may answer it until then; False where it is closed, or not for them."""
        return self._change(item_id, by=by, now=now, reserved_by=by, reserved_until=until, snoozed_until=None)

    def hand_over(self, item_id: int, *, by: str, to: str, until: datetime, now: datetime) -> bool:
        """Only `to` may answer it until then; False where it is closed, or held by somebody else than `by`."""
        return self._change(
            item_id, by=None, holder=by, now=now, reserved_by=to, reserved_until=until, snoozed_until=None
        )

    def snooze(self, item_id: int, *, by: str, until: datetime, now: datetime) -> bool:
        """Nobody takes it before then; False where it is closed, or held by somebody else than `by`."""
        return self._change(
            item_id, by=None, holder=by, now=now, snoozed_until=until, reserved_by=None, reserved_until=None
        )

    def _change(self, item_id: int, *, by: str | None, now: datetime, holder: str = "", **values: Any) -> bool:
        # Second opinions may be passed on by whoever gave the first one, but not taken.
        actor = by or holder
        held, second = answers.free_for(actor, now=now)
        statement = sa.update(TABLE).where(TABLE.c.id == item_id, TABLE.c.state == "open", held)
        if by is not None:
            statement = statement.where(second)

        def work(connection: sa.Connection) -> bool | str:
            why = people.why_not(connection, actor, people.ROLES)
            return why if why is not None else connection.execute(statement.values(values)).rowcount == 1

        return _allowed(self._database.write(work), item_id)


def _allowed(done: bool | str, item_id: int) -> bool:
    if isinstance(done, str):
        remedy = "another person answers it, with the token of `tierwise users add` in TIERWISE_TOKEN"
        raise errors.Refused(done, place=f"review item {item_id}", remedy=remedy)
    return done


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


def waiting(connection: sa.Connection, name: str, record_ids: Collection[str]) -> frozenset[str]:
    """Those of the records about which a person is asked."""
    found: set[str] = set()
    for some in columns.chunks(sorted(record_ids)):
        found.update(connection.execute(_WAITING, {"name": name, "records": some}).scalars())
    return frozenset(found)


def supersede(
    connection: sa.Connection,
    name: str,
    record_ids: Collection[str],
    *,
    kinds: Collection[str] | None = None,
    but: Collection[str] = (),
    but_items: Collection[int] = (),
) -> None:
    """Close open items of these records of connection `name`: nobody needs to answer them any more. `but` are kinds and
    `but_items` ids of those that stay."""
    for some in columns.chunks(sorted(record_ids)):
        statement = sa.update(TABLE).where(
            TABLE.c.connection == name, TABLE.c.record_id.in_(some), TABLE.c.state == columns.literal("open")
        )
        if kinds is not None:
            statement = statement.where(TABLE.c.kind.in_(kinds))
        if but:
            statement = statement.where(TABLE.c.kind.not_in(but))
        if but_items:
            statement = statement.where(TABLE.c.id.not_in(but_items))
        connection.execute(statement.values(state="superseded"))


def of(connection: sa.Connection, name: str, record_id: str) -> list[ReviewItem]:
    """Every item of one record, the oldest first."""
    query = _QUERY.where(TABLE.c.connection == name, TABLE.c.record_id == record_id).order_by(TABLE.c.id)
    return [ReviewItem._make(row) for row in connection.execute(query)]
