"""Items on decisions of the audit sample. They ask about a decision as it was made, so that they stay open and can be
answered when the lead is changed, decided again or merged: a sample of those that nothing happened to proves little.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from tierwise.domain import review
from tierwise.store import columns, schema

TABLE = schema.review_item
DECISION = schema.decision
DRAW = schema.audit_draw
LABEL = schema.label
LEAD = schema.lead
KIND: review.ReviewKind = "audit_sample"
REASON = "Drawn for the audit sample"
SOURCE = "review"


class Newest(NamedTuple):
    """What was decided on a record just now."""

    decision_id: int
    fingerprint: str
    drawn: bool
    wanted: review.ReviewKind | None
    """The kind of item that it asks for."""


class Kept(NamedTuple):
    """What stays of the items on some records."""

    items: frozenset[int]
    """Ids of those that stay open."""
    asked: frozenset[str]
    """Records whose newest decision is asked about, or was, so that no audit item is to be opened for it."""


def keep(connection: sa.Connection, name: str, newest: Mapping[str, Newest], *, waiting: Collection[str]) -> Kept:
    """Find the open items on drawn decisions of these records, which from now on are of the audit alone.

    `waiting`: those of the records that have open items.
    """
    items: set[int] = set()
    asked: set[str] = set()
    turned: list[int] = []
    for some in columns.chunks(sorted(waiting)):
        for row in connection.execute(_open(name, some)):
            now = newest[row.record_id]
            if row.decision_id == now.decision_id:
                if now.wanted == KIND and row.kind == KIND:
                    asked.add(row.record_id)
                elif row.not_for is None:
                    continue  # its own item opens anew
            elif row.fingerprint == now.fingerprint and now.drawn:
                continue  # the same question, under the policy that runs: its answer counts for both
            items.add(row.id)
            turned += [row.id] if row.kind != KIND else []
    turn(connection, turned)
    settled = {now.decision_id: key for key, now in newest.items() if now.wanted == KIND and now.drawn}
    for some in columns.chunks(sorted(settled)):
        said = sa.select(LABEL.c.decision_id).where(LABEL.c.decision_id.in_(some), *_SAID).distinct()
        asked |= {settled[key] for key in connection.execute(said).scalars()}
    return Kept(frozenset(items), frozenset(asked))


def turn(connection: sa.Connection, ids: Collection[int]) -> None:
    """Whatever they were opened for, from now on they only ask for the audit."""
    for some in columns.chunks(sorted(ids)):
        statement = sa.update(TABLE).where(TABLE.c.id.in_(some))
        connection.execute(statement.values(kind=KIND, reason=REASON, priority=0))


def of(connection: sa.Connection, name: str, record_id: str) -> list[int]:
    """Ids of the open items on drawn decisions of one record, reps' requests not among them."""
    return [row.id for row in connection.execute(_open(name, [record_id]))]


def ask_again(
    connection: sa.Connection, mine: Collection[sa.ColumnElement[bool]], *, answered: Collection[int], now: datetime
) -> int:
    """Open an item for each drawn decision of these that nobody answered and nobody is asked about: whatever closed its
    item (an earlier version did so when the lead changed). How many. Of what was erased nobody can be asked.
    """
    asks = sa.select(TABLE.c.id).where(TABLE.c.decision_id == DECISION.c.id, TABLE.c.state == columns.literal("open"))
    query = (
        sa.select(DECISION.c.id, DECISION.c.connection, DECISION.c.record_id)
        .select_from(DRAW.join(DECISION))
        .where(*mine, DECISION.c.personal.is_not(None), ~asks.correlate(DECISION).exists())
    )
    rows = [row for row in connection.execute(query) if row.id not in answered]
    items = [
        {
            "connection": row.connection, "record_id": living(connection, row.connection, row.record_id), "kind": KIND,
            "state": "open", "priority": 0, "reason": REASON, "decision_id": row.id, "created_at": now,
        }
        for row in rows
    ]  # fmt: skip
    if items:
        connection.execute(sa.insert(TABLE).returning(TABLE.c.id), items)
    return len(items)


def living(connection: sa.Connection, name: str, record_id: str) -> str:
    """The id under which a record lives on."""
    return line(connection, name, record_id)[-1]


def line(connection: sa.Connection, name: str, record_id: str) -> list[str]:
    """The ids that a record had from this one on, by merges, to the one that it lives under."""
    ids = [record_id]
    while True:
        heir = sa.select(LEAD.c.merged_into).where(LEAD.c.connection == name, LEAD.c.record_id == ids[-1])
        found = connection.execute(heir).scalar_one_or_none()
        if found is None or found in ids:
            return ids
        ids.append(found)


def forebears(connection: sa.Connection, name: str, ids: set[str]) -> set[str]:
    """These ids and all that were merged into one of them, or renamed to it."""
    found, new = set(ids), set(ids)
    while new:
        gone = sa.select(LEAD.c.record_id).where(LEAD.c.connection == name, LEAD.c.merged_into.in_(sorted(new)))
        new = set(connection.execute(gone).scalars()) - found
        found |= new
    return found


_SAID = (LABEL.c.source == SOURCE, LABEL.c.subject == "tier")


def _open(name: str, records: Collection[str]) -> sa.Select[tuple[int, str, str, int, str | None, str]]:
    return (
        sa.select(TABLE.c.id, TABLE.c.record_id, TABLE.c.kind, TABLE.c.decision_id, TABLE.c.not_for,
                  DECISION.c.fingerprint)
        .select_from(TABLE.join(DRAW, DRAW.c.decision_id == TABLE.c.decision_id).join(
            DECISION, DECISION.c.id == TABLE.c.decision_id
        ))
        .where(TABLE.c.connection == name, TABLE.c.record_id.in_(records), TABLE.c.kind != "fast_track")
        .where(TABLE.c.state == columns.literal("open"))
    )  # fmt: skip
