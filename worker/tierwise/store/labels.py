"""Later verdicts on leads: what reps say in the CRM, and what sales made of them.

Nobody drew these leads, so their sampling probability is unknown (NULL): no gate counts them.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tierwise.domain.advice import FEEDBACK, FEEDBACK_VALUES
from tierwise.domain.lead import digest
from tierwise.ports import Arrival, CursorClaim, Label
from tierwise.sdk import Outcome
from tierwise.store import columns, connections, cursors, engine, requests, schema

TABLE = schema.label
LEAD = schema.lead
REP, CRM = "rep_feedback", "crm_outcome"
LONGEST = 200  # characters of a value
TOUCH = "touch"
_SAME = timedelta()


class Labels:
    """ports.Labels over the database."""

    def __init__(self, database: engine.Database) -> None:
        self._database = database

    def keep_outcomes(
        self,
        claim: CursorClaim,
        outcomes: Sequence[Outcome],
        *,
        position: Mapping[str, Any] | None,
        watermark: datetime | None,
        now: datetime,
        ahead: timedelta = _SAME,
    ) -> int:
        """Store what differs from what was known, of leads that we know, with the moved cursor; how many.

        `ahead`: how far the CRM's clock is ahead of ours. Whether a touch came after a decision depends on it.
        """

        def work(connection: sa.Connection) -> int:
            connections.lock(connection, claim.connection)
            moved: dict[str, Any] = {"position": position}
            if watermark is not None:
                moved = {"position": None, "window_until": None, "watermark": watermark}
            cursors.move(connection, claim, moved, now=now)
            return _keep(self._database, connection, claim.connection, outcomes, now=now, ahead=ahead)

        return self._database.write(work)

    def list(
        self, *, source: str | None = None, connection: str | None = None, limit: int = 1000
    ) -> builtins.list[Label]:
        """The newest first."""
        query = _QUERY.order_by(TABLE.c.id.desc()).limit(limit)
        if source is not None:
            query = query.where(TABLE.c.source == source)
        if connection is not None:
            query = query.where(TABLE.c.connection == connection)
        with self._database.read() as reader:
            return [Label._make(row) for row in reader.execute(query)]

    def counts(self) -> dict[tuple[str, str, str], int]:
        """By connection, source and subject (without the id of a deal)."""
        query = sa.select(TABLE.c.connection, TABLE.c.source, TABLE.c.subject, sa.func.count())
        found: dict[tuple[str, str, str], int] = {}
        with self._database.read() as reader:
            for name, source, subject, number in reader.execute(
                query.group_by(TABLE.c.connection, TABLE.c.source, TABLE.c.subject)
            ):
                key = (name, source, subject.partition(":")[0])
                found[key] = found.get(key, 0) + number
        return found


_QUERY = sa.select(*(TABLE.c[name] for name in Label._fields))


def hear(
    database: engine.Database,
    connection: sa.Connection,
    name: str,
    arrivals: Sequence[Arrival],
    *,
    before: Mapping[str, sa.Row[Any]],
    now: datetime,
) -> int:
    """Feedback that reps gave since the lead was seen last; `before` holds the stored lead rows. How many.

    It is about the decision that the CRM showed them: the newest on the fingerprint that stands there.
    """
    said = []
    for arrival in arrivals:
        row = before.get(arrival.record_id)
        earlier = row.own.get(FEEDBACK) if row is not None else None
        value = arrival.own.get(FEEDBACK)
        if value in FEEDBACK_VALUES and value != earlier:
            said.append((arrival, str(value), earlier, row.former_ids if row is not None else ()))
    if not said:
        return 0
    decisions = requests.decided(connection, name, {item.record_id: former for item, _, _, former in said})
    rows = []
    for arrival, value, earlier, _ in said:
        made = decisions[arrival.record_id]
        shown = arrival.own.get("tierwise_fingerprint")
        about = [row for row in made if row.fingerprint == shown] or made
        decision_id = about[-1].id if about else None
        rows.append(
            {
                "connection": name,
                "record_id": arrival.record_id,
                "source": REP,
                "subject": "tier",
                "value": value,
                "previous": earlier,
                "title": "",
                "decision_id": decision_id,
                "said_at": arrival.modified_at,
                "seen_at": now,
                "key": digest([arrival.record_id, REP, decision_id, value]),
            }
        )
    return _insert(database, connection, rows)


def _keep(
    database: engine.Database,
    connection: sa.Connection,
    name: str,
    outcomes: Sequence[Outcome],
    *,
    now: datetime,
    ahead: timedelta,
) -> int:
    # Of two readings of one thing in a page the later one counts; touches are looked at one by one.
    latest = {
        (item.record_id, item.subject[:LONGEST]): item
        for item in sorted(outcomes, key=lambda item: item.at)
        if item.subject != TOUCH
    }
    touches = [item for item in sorted(outcomes, key=lambda item: item.at) if item.subject == TOUCH]
    leads: dict[str, tuple[str, Sequence[str]]] = {}
    last: dict[tuple[str, str], sa.Row[Any]] = {}
    for some in columns.chunks(sorted({record_id for record_id, _ in latest} | {item.record_id for item in touches})):
        query = sa.select(LEAD.c.record_id, LEAD.c.former_ids, LEAD.c.fingerprint)
        for row in connection.execute(query.where(LEAD.c.connection == name, LEAD.c.record_id.in_(some))):
            leads[row.record_id] = (row.fingerprint, row.former_ids)
        labels = sa.select(TABLE).where(TABLE.c.connection == name, TABLE.c.record_id.in_(some), TABLE.c.source == CRM)
        last.update({(row.record_id, row.subject): row for row in connection.execute(labels.order_by(TABLE.c.id))})
    fresh = {key: item for key, item in latest.items() if key[0] in leads and not _same(item, last.get(key))}
    touched = {item.record_id for item in touches if item.record_id in leads}
    decisions = requests.decided(connection, name, {key: leads[key][1] for key in {key for key, _ in fresh} | touched})
    fresh |= _first_touches(touches, decisions, last, ahead=ahead)
    rows = []
    for (record_id, subject), item in fresh.items():
        # What stood there when sales acted; a decision of later is not what they went by.
        before = last.get((record_id, subject))
        made = decisions[record_id]
        if subject == TOUCH:
            made = [one for one in made if one.decided_at + ahead <= item.at]
        rows.append(
            {
                "connection": name,
                "record_id": record_id,
                "source": CRM,
                "subject": subject,
                "value": item.value[:LONGEST],
                "previous": before.value if before is not None else None,
                "title": item.title[:LONGEST],
                "amount": item.amount,
                "currency": item.currency,
                "won": item.won,
                "decision_id": made[-1].id if made else None,
                "said_at": item.at,
                "seen_at": now,
                "key": digest([record_id, CRM, subject, item.value, item.amount, item.won, before and before.id]),
            }
        )
    return _insert(database, connection, rows)


def _first_touches(
    touches: Sequence[Outcome],
    decisions: Mapping[str, Sequence[requests.Made]],
    last: Mapping[Any, sa.Row[Any]],
    *,
    ahead: timedelta,
) -> dict[tuple[str, str], Outcome]:
    """The first one after hand-off, which is the lead's first decision; `touches` are the oldest first.

    One that is read late and came before the one we know replaces it; later ones are no outcome.
    """
    found: dict[tuple[str, str], Outcome] = {}
    for item in touches:
        key, made = (item.record_id, TOUCH), decisions.get(item.record_id) or ()
        known = last.get(key)
        first = made and item.at >= made[0].decided_at + ahead and (known is None or item.at < known.said_at)
        if first and key not in found:
            found[key] = item
    return found


def _same(item: Outcome, row: sa.Row[Any] | None) -> bool:
    return row is not None and (row.value, row.amount, row.won) == (item.value[:LONGEST], item.amount, item.won)


def _insert(database: engine.Database, connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    if not rows:
        return 0
    statement = database.insert(TABLE).on_conflict_do_nothing().returning(TABLE.c.id)
    return len(connection.execute(statement, rows).all())


def of(connection: sa.Connection, name: str, record_id: str) -> list[Label]:
    """Every label of one record, the oldest first."""
    query = _QUERY.where(TABLE.c.connection == name, TABLE.c.record_id == record_id).order_by(TABLE.c.id)
    return [Label._make(row) for row in connection.execute(query)]
