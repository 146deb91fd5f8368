"""Records that were merged in the CRM live on under another id; what we know of them moves along."""

from __future__ import annotations

import sqlalchemy as sa

from tierwise.store import cursors, schema

LEAD = schema.lead
WORK = schema.work
OUTBOX = schema.outbox
REVIEW = schema.review_item
LABEL = schema.label


def follow(connection: sa.Connection, name: str, old: str, new: str) -> None:
    """Everything open of record `old` goes on as `new`, labels too; decisions and writes keep the id they were under.

    Where `new` is known already it has its own lead: the old one is closed and points there.
    """
    gone = connection.execute(
        sa.select(LEAD.c.id, LEAD.c.former_ids).where(
            LEAD.c.connection == name, LEAD.c.record_id == old, LEAD.c.merged_into.is_(None)
        )
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
        connection.execute(sa.delete(OUTBOX).where(mine))
        connection.execute(sa.update(REVIEW).where(reviews).values(state="superseded"))
        return
    former = [*gone.former_ids, old]
    connection.execute(sa.update(LEAD).where(LEAD.c.id == gone.id).values(record_id=new, former_ids=former))
    connection.execute(sa.update(WORK).where(WORK.c.lead_id == gone.id).values(record_id=new))
    connection.execute(sa.update(OUTBOX).where(mine).values(record_id=new))
    connection.execute(sa.update(REVIEW).where(reviews).values(record_id=new))
