"""Records that were merged in the CRM live on under another id; what we know of them moves along."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from tierwise.store import cursors, drawn, schema

LEAD = schema.lead
WORK = schema.work
OUTBOX = schema.outbox
REVIEW = schema.review_item
LABEL = schema.label
TAKEN_OVER = 0
"""Version of an outbox row that an heir without advice took over: below every decision's."""


def follow(connection: sa.Connection, name: str, old: str, new: str) -> None:
    """Everything open of record `old` goes on as `new`, labels too; decisions and writes keep the id they were under.

    Where `new` is known already it has its own lead: the old one is closed and points there. Items of the audit sample
    go on under `new` and show the old lead.
    """
    gone = connection.execute(
        sa.select(LEAD).where(LEAD.c.connection == name, LEAD.c.record_id == old, LEAD.c.merged_into.is_(None))
    ).one_or_none()
    if gone is None:
        return
    heir = sa.select(LEAD.c.id).where(LEAD.c.connection == name, LEAD.c.record_id == new)
    mine = sa.and_(OUTBOX.c.connection == name, OUTBOX.c.record_id == old)
    waiting = sa.and_(WORK.c.lead_id == gone.id, WORK.c.state.in_(("ready", "leased")))
    reviews = sa.and_(REVIEW.c.connection == name, REVIEW.c.record_id == old, REVIEW.c.state == "open")
    said = sa.and_(LABEL.c.connection == name, LABEL.c.record_id == old)
    connection.execute(sa.update(LABEL).where(said).values(record_id=new))
    if connection.execute(heir).first() is not None:
        connection.execute(sa.update(LEAD).where(LEAD.c.id == gone.id).values(merged_into=new))
        cursors.count(connection, name, -1)
        connection.execute(sa.update(WORK).where(waiting).values(state="superseded", lease_until=None, owner=""))
        _bequeath(connection, name, old, new)
        connection.execute(sa.delete(OUTBOX).where(mine))
        # What was drawn is asked about as it was decided, whichever record it lives on in.
        audited = drawn.of(connection, name, old)
        drawn.turn(connection, audited)
        connection.execute(sa.update(REVIEW).where(REVIEW.c.id.in_(audited)).values(record_id=new))
        connection.execute(sa.update(REVIEW).where(reviews).values(state="superseded"))
        return
    former = [*gone.former_ids, old]
    connection.execute(sa.update(LEAD).where(LEAD.c.id == gone.id).values(record_id=new, former_ids=former))
    connection.execute(sa.update(WORK).where(WORK.c.lead_id == gone.id).values(record_id=new))
    connection.execute(sa.update(OUTBOX).where(mine).values(record_id=new))
    connection.execute(sa.update(REVIEW).where(reviews).values(record_id=new))
    bury(connection, name, old, new, now=gone.seen_at)


def bury(connection: sa.Connection, name: str, old: str, new: str, *, now: datetime) -> None:
    """Note that an id is gone: the CRM's search may show it for a while yet, and no lead is to come of that."""
    empty = {"fingerprint": "", "revision": 0, "provenance": {}, "problems": [], "own": {}, "former_ids": []}
    times = {"modified_at": now, "first_seen_at": now, "seen_at": now}
    connection.execute(sa.insert(LEAD).values(connection=name, record_id=old, merged_into=new, **empty, **times))


def _bequeath(connection: sa.Connection, name: str, old: str, new: str) -> None:
    """What we ever wrote to `old` may be what `new` shows now: it is ours, and no person's."""
    both = sa.select(OUTBOX.c.id, OUTBOX.c.record_id, OUTBOX.c.written).where(
        OUTBOX.c.connection == name, OUTBOX.c.record_id.in_((old, new))
    )
    rows = {row.record_id: row for row in connection.execute(both.order_by(OUTBOX.c.id).with_for_update())}
    if old not in rows:
        return
    if new in rows:
        written = {field: list(marks) for field, marks in rows[old].written.items()}
        for field, marks in rows[new].written.items():
            written[field] = [*(mark for mark in written.get(field, ()) if mark not in marks), *marks]
        connection.execute(sa.update(OUTBOX).where(OUTBOX.c.id == rows[new].id).values(written=written))
        return
    # The heir has no advice yet: it takes over the row, which its first decision overtakes.
    idle = sa.case((OUTBOX.c.state == "leased", "leased"), else_="sent")
    taken = sa.update(OUTBOX).where(OUTBOX.c.id == rows[old].id)
    connection.execute(taken.values(record_id=new, version=TAKEN_OVER, state=idle, content="", delivered_at=None))
