"""A record's path: what the CRM told, what is to be decided, what was, and what the CRM is to show."""

from __future__ import annotations

import sqlalchemy as sa

from tierwise.store.columns import Id, Json, Utc, state
from tierwise.store.schema.parts import HASH, RECORD_ID, connection_name, metadata, one_of, where

WORK_STATES = ("ready", "leased", "done", "quarantined", "superseded")
OUTBOX_STATES = ("ready", "leased", "sent", "refused")
OUTCOMES = ("sent", "unchanged", "retry", "refused")

lead = sa.Table(
    "lead",
    metadata,
    sa.Column("id", Id, primary_key=True),
    connection_name(),
    sa.Column("record_id", RECORD_ID, nullable=False),
    sa.Column("fingerprint", HASH, nullable=False),
    sa.Column("identity", HASH),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("canonical", Json),
    sa.Column("provenance", Json, nullable=False),
    sa.Column("problems", Json, nullable=False),
    sa.Column("rejected", sa.Text),
    sa.Column("adopted", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("own", Json, nullable=False),
    sa.Column("former_ids", Json, nullable=False),
    sa.Column("merged_into", RECORD_ID),
    sa.Column("modified_at", Utc, nullable=False),
    sa.Column("submitted_at", Utc),
    sa.Column("first_seen_at", Utc, nullable=False),
    sa.Column("seen_at", Utc, nullable=False),
    sa.Column("decided_at", Utc),
    sa.Column("delivered_at", Utc),
    sa.UniqueConstraint("connection", "record_id"),
    sa.Index(None, "connection", "identity"),
    # `story` finds a record by its bare id.
    sa.Index(None, "record_id"),
    sa.Index("ix_lead_rejected", "connection", **where("rejected IS NOT NULL")),
)

work = sa.Table(
    "work",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("lead_id", Id, sa.ForeignKey("lead.id"), nullable=False),
    connection_name(),
    sa.Column("record_id", RECORD_ID, nullable=False),
    sa.Column("fingerprint", HASH, nullable=False),
    sa.Column("policy", HASH, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("state", state(*WORK_STATES), nullable=False),
    sa.Column("rank", sa.SmallInteger, nullable=False),
    sa.Column("attempt", sa.SmallInteger, nullable=False),
    sa.Column("expiries", sa.SmallInteger, nullable=False),
    sa.Column("run_after", Utc, nullable=False),
    sa.Column("token", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("lease_until", Utc),
    sa.Column("owner", sa.String(200), nullable=False, server_default=""),
    sa.Column("error", sa.Text, nullable=False, server_default=""),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("updated_at", Utc, nullable=False),
    sa.UniqueConstraint("connection", "record_id", "fingerprint", "policy"),
    one_of("state", *WORK_STATES),
    sa.Index("ix_work_lead_id", "lead_id"),
    # Partial: finished rows cost the queue nothing.
    sa.Index("ix_work_ready", "rank", "run_after", "id", "connection", **where("state = 'ready'")),
    sa.Index("ix_work_leased", "lease_until", "connection", **where("state = 'leased'")),
)

assessment = sa.Table(
    "assessment",
    metadata,
    sa.Column("content_hash", HASH, primary_key=True),
    sa.Column("model", sa.String(200), nullable=False),
    sa.Column("body", Json, nullable=False),
    sa.Column("created_at", Utc, nullable=False),
)

# `body` is text, not JSON: the chain is over its very bytes.
decision = sa.Table(
    "decision",
    metadata,
    sa.Column("id", Id, primary_key=True),
    connection_name(),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("previous", HASH, nullable=False),
    sa.Column("hash", HASH, nullable=False),
    sa.Column("record_id", RECORD_ID, nullable=False),
    sa.Column("fingerprint", HASH, nullable=False),
    sa.Column("policy", HASH, nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("outcome", sa.String(20), nullable=False),
    sa.Column("score", sa.SmallInteger),
    sa.Column("tier", sa.String(20)),
    sa.Column("confidence", sa.Float),
    # Models, parameters and calibration that decided, as one hash: what a validation report is about.
    sa.Column("chain", HASH),
    sa.Column("decided_at", Utc, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("personal", sa.Text),
    sa.Column("salt", HASH),
    sa.UniqueConstraint("connection", "sequence"),
    sa.UniqueConstraint("connection", "record_id", "fingerprint", "policy"),
    sa.Index(None, "decided_at"),
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", Id, primary_key=True),
    connection_name(),
    sa.Column("record_id", RECORD_ID, nullable=False),
    sa.Column("desired", Json, nullable=False),
    sa.Column("content", HASH, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.Column("known", Json, nullable=False),
    sa.Column("written", Json, nullable=False),
    sa.Column("kept", Json, nullable=False),
    # A person's values: field -> when it was first seen, and its digest.
    sa.Column("foreign", Json, nullable=False, server_default="{}"),
    # A rep's request that was answered: to be taken back in the CRM, whatever is desired meanwhile.
    sa.Column("clear", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("state", state(*OUTBOX_STATES), nullable=False),
    sa.Column("attempt", sa.SmallInteger, nullable=False),
    sa.Column("repairs", sa.SmallInteger, nullable=False),
    sa.Column("run_after", Utc, nullable=False),
    sa.Column("token", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("lease_until", Utc),
    sa.Column("owner", sa.String(200), nullable=False, server_default=""),
    sa.Column("error", sa.Text, nullable=False, server_default=""),
    sa.Column("begun_at", Utc),
    sa.Column("sent_at", Utc),
    sa.Column("delivered_at", Utc),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("updated_at", Utc, nullable=False),
    sa.UniqueConstraint("connection", "record_id"),
    one_of("state", *OUTBOX_STATES),
    sa.Index("ix_outbox_ready", "connection", "run_after", "id", **where("state = 'ready'")),
    sa.Index("ix_outbox_undelivered", "connection", **where("delivered_at IS NULL")),
    sa.Index("ix_outbox_leased", "connection", "lease_until", **where("state = 'leased'")),
)

# The intent of a write, committed before the call; `outcome` stays empty where the process died in between.
write_attempt = sa.Table(
    "write_attempt",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("outbox_id", Id, nullable=False),
    connection_name(),
    sa.Column("record_id", RECORD_ID, nullable=False),
    sa.Column("batch", sa.String(64), nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.Column("values", Json, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("outcome", state(*OUTCOMES)),
    sa.Column("error", sa.Text, nullable=False, server_default=""),
    sa.Column("finished_at", Utc),
    sa.UniqueConstraint("batch", "outbox_id"),
    one_of("outcome", *OUTCOMES),
    sa.Index(None, "connection", "record_id"),
)
