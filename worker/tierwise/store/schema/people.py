"""What a person is to look at, and what people and sales said of a lead later."""

from __future__ import annotations

import sqlalchemy as sa

from tierwise.domain import review
from tierwise.store.columns import Id, Json, Utc, state
from tierwise.store.schema.parts import HASH, RECORD_ID, connection_name, metadata, one_of, where

REVIEW_STATES = ("open", "answered", "superseded")

review_item = sa.Table(
    "review_item",
    metadata,
    sa.Column("id", Id, primary_key=True),
    connection_name(),
    sa.Column("record_id", RECORD_ID, nullable=False),
    sa.Column("kind", state(*review.KINDS), nullable=False),
    sa.Column("state", state(*REVIEW_STATES), nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("decision_id", Id, sa.ForeignKey("decision.id")),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("answered_at", Utc),
    sa.Column("answered_by", sa.String(200)),
    sa.Column("answer", Json),
    # Who holds it and until when: two people never answer one item.
    sa.Column("reserved_by", sa.String(200)),
    sa.Column("reserved_until", Utc),
    sa.Column("snoozed_until", Utc),
    # Who labelled the decision already, where a second person is to do it.
    sa.Column("not_for", sa.String(200)),
    # What an answer changed, as long as it can be taken back.
    sa.Column("undo", Json),
    one_of("kind", *review.KINDS),
    one_of("state", *REVIEW_STATES),
    sa.Index(None, "connection", "record_id"),
    sa.Index("ix_review_item_open", "priority", "id", **where("state = 'open'")),
    sa.Index("ix_review_item_open_decision", "decision_id", **where("state = 'open'")),
    sa.Index("ix_review_item_undo", "answered_at", **where("undo IS NOT NULL")),
)

# Verdicts on a lead that came later. `sampling` is the probability with which the lead was drawn for it: NULL where
# nobody drew it, and then no gate may count it.
label = sa.Table(
    "label",
    metadata,
    sa.Column("id", Id, primary_key=True),
    connection_name(),
    sa.Column("record_id", RECORD_ID, nullable=False),
    sa.Column("source", sa.String(40), nullable=False),
    sa.Column("subject", sa.String(200), nullable=False),
    sa.Column("value", sa.String(200), nullable=False),
    sa.Column("previous", sa.String(200)),
    sa.Column("title", sa.String(200), nullable=False, server_default=""),
    sa.Column("amount", sa.Float),
    sa.Column("currency", sa.String(10)),
    sa.Column("won", sa.Boolean),
    sa.Column("sampling", sa.Float),
    sa.Column("decision_id", Id, sa.ForeignKey("decision.id")),
    sa.Column("by", sa.String(200)),
    sa.Column("said_at", Utc, nullable=False),
    sa.Column("seen_at", Utc, nullable=False),
    sa.Column("key", HASH, nullable=False),
    sa.UniqueConstraint("connection", "key"),
    sa.Index(None, "connection", "record_id"),
    sa.Index(None, "source", "seen_at"),
    sa.Index(None, "decision_id"),
)
