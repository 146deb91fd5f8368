"""All that is stored on one lead, for `tierwise trace` and the console."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pydantic
import sqlalchemy as sa

from tierwise.domain.lead import Lead
from tierwise.ports import Attempt, LeadStory
from tierwise.store import columns, decisions, labels, reviews, schema


def tell(connection: sa.Connection, name: str | None, record_id: str) -> list[LeadStory]:
    """One entry per connection that knows the id; all of them where `name` is None."""
    lead = schema.lead
    # Of a merged record that lives on as another lead only its id is left, which has no story.
    query = sa.select(lead).where(lead.c.record_id == record_id, lead.c.fingerprint != "").order_by(lead.c.connection)
    if name is not None:
        query = query.where(lead.c.connection == name)
    return [_story(connection, row) for row in connection.execute(query).all()]


def _lead(canonical: Any) -> Lead | None:
    """None where the record does not conform, or was stored by a version with other fields."""
    try:
        return Lead.model_validate(canonical) if canonical is not None else None
    except pydantic.ValidationError:
        return None


def _story(connection: sa.Connection, row: sa.Row[Any]) -> LeadStory:
    ids = [row.record_id, *row.former_ids]
    work, attempt, outbox, wait = schema.work, schema.write_attempt, schema.outbox, schema.batch_wait
    works = connection.execute(
        sa.select(
            work.c.state,
            work.c.attempt,
            work.c.error,
            work.c.updated_at,
            work.c.policy,
            work.c.fingerprint,
            work.c.run_after,
            work.c.lease_until,
            wait.c.since.label("batch_since"),
            wait.c.batch_id.label("batch"),
        )
        .join_from(work, wait, wait.c.work_id == work.c.id, isouter=True)
        .where(work.c.lead_id == row.id)
        .order_by(work.c.id)
    )
    attempts = connection.execute(
        sa.select(attempt)
        .where(attempt.c.connection == row.connection, attempt.c.record_id.in_(ids))
        .order_by(attempt.c.id)
    )
    kept = connection.execute(
        sa.select(outbox.c.kept, outbox.c.foreign).where(
            outbox.c.connection == row.connection, outbox.c.record_id == row.record_id
        )
    ).one_or_none()
    return LeadStory(
        connection=row.connection,
        record_id=row.record_id,
        lead=_lead(row.canonical),
        fingerprint=row.fingerprint,
        provenance=row.provenance,
        problems=tuple(row.problems),
        rejected=row.rejected,
        revision=row.revision,
        submitted_at=row.submitted_at,
        first_seen_at=row.first_seen_at,
        decided_at=row.decided_at,
        delivered_at=row.delivered_at,
        own=columns.advice(row.own),
        kept=tuple(kept.kept) if kept is not None else (),
        work=[dict(item._mapping) for item in works],
        decisions=decisions.of(connection, row.connection, ids),
        attempts=[
            Attempt(item.at, item.batch, item.version, columns.advice(item.values), item.outcome, item.error)
            for item in attempts
        ],
        reviews=reviews.of(connection, row.connection, row.record_id),
        kept_since={
            name: datetime.fromisoformat(held["since"])
            for name, held in (kept.foreign if kept is not None else {}).items()
        },
        labels=labels.of(connection, row.connection, row.record_id),
    )
