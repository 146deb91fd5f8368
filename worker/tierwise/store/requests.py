"""A rep's tick in the CRM becomes an item on top of the review queue: once for each request.

While an answered request is being taken back in the CRM, the tick that is still there is the old one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from tierwise.domain import review
from tierwise.domain.advice import REQUEST, Advice
from tierwise.store import columns, reviews, schema

TABLE = schema.review_item
DECISION = schema.decision
KIND: review.ReviewKind = "fast_track"
REASON = "A rep asked for a review in the CRM"


class Made(NamedTuple):
    """A decision, in few words."""

    id: int
    fingerprint: str
    score: int | None
    confidence: float | None
    sequence: int
    decided_at: datetime


def hear(
    connection: sa.Connection,
    name: str,
    shown: Mapping[str, Advice],
    *,
    before: Mapping[str, sa.Row[Any]],
    clearing: Collection[str],
    now: datetime,
) -> int:
    """Open an item for every tick that has none yet, close those of ticks that were taken away; how many opened.

    `shown` holds our fields as the CRM has them, `before` the stored lead rows, `clearing` the records whose tick is
    being taken back.
    """
    asked = {key for key, own in shown.items() if own.get(REQUEST) is True and key not in clearing}
    withdrawn = {
        key
        for key, own in shown.items()
        if own.get(REQUEST) is not True and key in before and before[key].own.get(REQUEST) is True
    }
    if withdrawn:
        for some in columns.chunks(sorted(withdrawn)):
            connection.execute(
                sa.update(TABLE).where(*_open(name, some), TABLE.c.reason == REASON).values(state="superseded")
            )
    if not asked:
        return 0
    for some in columns.chunks(sorted(asked)):
        asked -= set(connection.execute(sa.select(TABLE.c.record_id).where(*_open(name, some))).scalars())
    newest = decided(connection, name, {key: before[key].former_ids if key in before else () for key in asked})
    items = []
    for key in sorted(asked):
        last = newest[key][-1] if newest[key] else None
        items.append(
            {
                "connection": name,
                "record_id": key,
                "kind": KIND,
                "priority": review.priority(
                    KIND,
                    score=last.score if last is not None else None,
                    confidence=last.confidence if last is not None else None,
                ),
                "reason": REASON,
                "decision_id": last.id if last is not None else None,
            }
        )
    reviews.open_items(connection, items, now=now)
    return len(items)


def renew(connection: sa.Connection, name: str, decisions: Mapping[str, int]) -> None:
    """Open requests speak of the newest decision: ids by record."""
    found: set[str] = set()
    for some in columns.chunks(sorted(decisions)):
        found |= set(connection.execute(sa.select(TABLE.c.record_id).where(*_open(name, some))).scalars())
    for key in sorted(found):
        connection.execute(sa.update(TABLE).where(*_open(name, [key])).values(decision_id=decisions[key]))


def decided(connection: sa.Connection, name: str, records: Mapping[str, Collection[str]]) -> dict[str, list[Made]]:
    """The decisions on each record, oldest first; `records`: id -> former ids."""
    owner = {old: key for key, former in records.items() for old in (key, *former)}
    found: dict[str, list[Made]] = {key: [] for key in records}
    for some in columns.chunks(sorted(owner)):
        query = sa.select(DECISION.c.record_id, *(DECISION.c[name] for name in Made._fields))
        query = query.where(DECISION.c.connection == name, DECISION.c.record_id.in_(some))
        for row in connection.execute(query):
            found[owner[row[0]]].append(Made._make(row[1:]))
    for made in found.values():
        made.sort(key=lambda item: item.sequence)
    return found


def _open(name: str, records: Sequence[str]) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        TABLE.c.connection == name,
        TABLE.c.record_id.in_(records),
        TABLE.c.kind == KIND,
        TABLE.c.state == columns.literal("open"),
    )
