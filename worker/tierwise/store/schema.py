"""The tables. What they may hold is said here and enforced by the database; alembic brings it about.

`connection`, then the record's path: `lead` (what it is), `work` (what is to be decided), `decision` (what was),
`outbox` (what the CRM is to show), `write_attempt` (what was sent), `review_item` (what a person is to look at),
`label` (what people and sales said of it later).
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from tierwise.domain import review
from tierwise.store.columns import Id, Json, Utc, state

HEAD = "0002"
"""The newest migration: what the code below stands on (tested against alembic)."""

WORK_STATES = ("ready", "leased", "done", "quarantined", "superseded")
OUTBOX_STATES = ("ready", "leased", "sent", "refused")
REVIEW_STATES = ("open", "answered", "superseded")
OUTCOMES = ("sent", "unchanged", "retry", "refused")
CURSORS = ("changes", "reconcile", "outcomes")

GENESIS = "0" * 64
RECORD_ID = sa.String(200)
NAME = sa.String(100)
HASH = sa.String(64)

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _one_of(column: str, *names: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{column} IN ({', '.join(repr(name) for name in names)})", name=column)


def _connection() -> sa.Column[str]:
    return sa.Column("connection", NAME, sa.ForeignKey("connection.name"), nullable=False)


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


connection = sa.Table(
    "connection",
    metadata,
    sa.Column("name", NAME, primary_key=True),
    sa.Column("type", NAME, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("paused", sa.Text),
    sa.Column("quota", Json),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("updated_at", Utc, nullable=False),
)

# One row a connection: what its chain of decisions ends with. Appending locks it.
chain = sa.Table(
    "chain",
    metadata,
    sa.Column("connection", NAME, sa.ForeignKey("connection.name"), primary_key=True),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("head", HASH, nullable=False),
)

# One row for each pass over a connection: each goes its own way.
cursor = sa.Table(
    "cursor",
    metadata,
    sa.Column("connection", NAME, sa.ForeignKey("connection.name"), primary_key=True),
    sa.Column("kind", state(*CURSORS), primary_key=True, server_default="changes"),
    sa.Column("watermark", Utc, nullable=False),
    sa.Column("window_until", Utc),
    sa.Column("position", Json),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("token", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("lease_until", Utc),
    sa.Column("lease_seconds", sa.Float, nullable=False, server_default="0"),
    sa.Column("owner", sa.String(200), nullable=False, server_default=""),
    sa.Column("last_polled_at", Utc),
    sa.Column("next_poll_at", Utc),
    # Counted as they come in: the tick asks every few seconds.
    sa.Column("leads", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("error", sa.Text, nullable=False, server_default=""),
    _one_of("kind", *CURSORS),
)

lead = sa.Table(
    "lead",
    metadata,
    sa.Column("id", Id, primary_key=True),
    _connection(),
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
    sa.Index("ix_lead_rejected", "connection", **_where("rejected IS NOT NULL")),
)

work = sa.Table(
    "work",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("lead_id", Id, sa.ForeignKey("lead.id"), nullable=False),
    _connection(),
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
    _one_of("state", *WORK_STATES),
    sa.Index("ix_work_lead_id", "lead_id"),
    # Partial: finished rows cost the queue nothing.
    sa.Index("ix_work_ready", "rank", "run_after", "id", "connection", **_where("state = 'ready'")),
    sa.Index("ix_work_leased", "lease_until", "connection", **_where("state = 'leased'")),
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
    _connection(),
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
    _connection(),
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
    _one_of("state", *OUTBOX_STATES),
    sa.Index("ix_outbox_ready", "connection", "run_after", "id", **_where("state = 'ready'")),
    sa.Index("ix_outbox_undelivered", "connection", **_where("delivered_at IS NULL")),
    sa.Index("ix_outbox_leased", "connection", "lease_until", **_where("state = 'leased'")),
)

# The intent of a write, committed before the call; `outcome` stays empty where the process died in between.
write_attempt = sa.Table(
    "write_attempt",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("outbox_id", Id, nullable=False),
    _connection(),
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
    _one_of("outcome", *OUTCOMES),
    sa.Index(None, "connection", "record_id"),
)

review_item = sa.Table(
    "review_item",
    metadata,
    sa.Column("id", Id, primary_key=True),
    _connection(),
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
    _one_of("kind", *review.KINDS),
    _one_of("state", *REVIEW_STATES),
    sa.Index(None, "connection", "record_id"),
    sa.Index("ix_review_item_open", "priority", "id", **_where("state = 'open'")),
)

# Verdicts on a lead that came later. `sampling` is the probability with which the lead was drawn for it: NULL where
# nobody drew it, and then no gate may count it.
label = sa.Table(
    "label",
    metadata,
    sa.Column("id", Id, primary_key=True),
    _connection(),
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
)

policy_version = sa.Table(
    "policy_version",
    metadata,
    sa.Column("digest", HASH, primary_key=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("version", sa.String(200), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("by", sa.String(200), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
)

policy_activation = sa.Table(
    "policy_activation",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("digest", HASH, sa.ForeignKey("policy_version.digest"), nullable=False),
    sa.Column("by", sa.String(200), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
)

schedule_slot = sa.Table(
    "schedule_slot",
    metadata,
    sa.Column("kind", NAME, primary_key=True),
    sa.Column("scope", NAME, primary_key=True),
    sa.Column("slot", Utc, primary_key=True),
    sa.Column("by", sa.String(200), nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Index(None, "at"),
)

heartbeat = sa.Table(
    "heartbeat",
    metadata,
    sa.Column("role", NAME, primary_key=True),
    sa.Column("instance", sa.String(200), primary_key=True),
    sa.Column("at", Utc, nullable=False),
    sa.Column("info", Json, nullable=False),
)

# Always empty: it owns the counter that lease tokens are drawn from.
fence = sa.Table("fence", metadata, sa.Column("token", Id, primary_key=True), sqlite_autoincrement=True)
