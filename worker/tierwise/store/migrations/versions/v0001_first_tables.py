"""The first tables."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from tierwise.store.columns import Id, Json, Utc

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "assessment",
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("content_hash", name=op.f("pk_assessment")),
    )
    op.create_table(
        "connection",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("paused", sa.Text(), nullable=True),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_connection")),
    )
    op.create_table(
        "fence",
        sa.Column("token", Id, nullable=False),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_fence")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "heartbeat",
        sa.Column("role", sa.String(length=100), nullable=False),
        sa.Column("instance", sa.String(length=200), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("info", Json, nullable=False),
        sa.PrimaryKeyConstraint("role", "instance", name=op.f("pk_heartbeat")),
    )
    op.create_table(
        "policy_version",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("version", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_policy_version")),
    )
    op.create_table(
        "schedule_slot",
        sa.Column("kind", sa.String(length=100), nullable=False),
        sa.Column("scope", sa.String(length=100), nullable=False),
        sa.Column("slot", Utc(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "scope", "slot", name=op.f("pk_schedule_slot")),
    )
    op.create_index(op.f("ix_schedule_slot_at"), "schedule_slot", ["at"])
    op.create_table(
        "chain",
        sa.Column("connection", sa.String(length=100), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["connection"], ["connection.name"], name=op.f("fk_chain_connection")),
        sa.PrimaryKeyConstraint("connection", name=op.f("pk_chain")),
    )
    op.create_table(
        "cursor",
        sa.Column("connection", sa.String(length=100), nullable=False),
        sa.Column("watermark", Utc(), nullable=False),
        sa.Column("window_until", Utc(), nullable=True),
        sa.Column("position", Json, nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("token", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_until", Utc(), nullable=True),
        sa.Column("lease_seconds", sa.Float(), server_default="0", nullable=False),
        sa.Column("owner", sa.String(length=200), server_default="", nullable=False),
        sa.Column("last_polled_at", Utc(), nullable=True),
        sa.Column("next_poll_at", Utc(), nullable=True),
        sa.Column("leads", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["connection"], ["connection.name"], name=op.f("fk_cursor_connection")),
        sa.PrimaryKeyConstraint("connection", name=op.f("pk_cursor")),
    )
    op.create_table(
        "decision",
        sa.Column("id", Id, nullable=False),
        sa.Column("connection", sa.String(length=100), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("record_id", sa.String(length=200), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("policy", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("score", sa.SmallInteger(), nullable=True),
        sa.Column("tier", sa.String(length=20), nullable=True),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("decided_at", Utc(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("personal", sa.Text(), nullable=True),
        sa.Column("salt", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["connection"], ["connection.name"], name=op.f("fk_decision_connection")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
        sa.UniqueConstraint(
            "connection",
            "record_id",
            "fingerprint",
            "policy",
            name=op.f("uq_decision_connection_record_id_fingerprint_policy"),
        ),
        sa.UniqueConstraint("connection", "sequence", name=op.f("uq_decision_connection_sequence")),
    )
    op.create_index(op.f("ix_decision_decided_at"), "decision", ["decided_at"])
    op.create_table(
        "lead",
        sa.Column("id", Id, nullable=False),
        sa.Column("connection", sa.String(length=100), nullable=False),
        sa.Column("record_id", sa.String(length=200), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("identity", sa.String(length=64), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("canonical", Json, nullable=True),
        sa.Column("provenance", Json, nullable=False),
        sa.Column("problems", Json, nullable=False),
        sa.Column("rejected", sa.Text(), nullable=True),
        sa.Column("adopted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("own", Json, nullable=False),
        sa.Column("former_ids", Json, nullable=False),
        sa.Column("merged_into", sa.String(length=200), nullable=True),
        sa.Column("modified_at", Utc(), nullable=False),
        sa.Column("submitted_at", Utc(), nullable=True),
        sa.Column("first_seen_at", Utc(), nullable=False),
        sa.Column("seen_at", Utc(), nullable=False),
        sa.Column("decided_at", Utc(), nullable=True),
        sa.Column("delivered_at", Utc(), nullable=True),
        sa.ForeignKeyConstraint(["connection"], ["connection.name"], name=op.f("fk_lead_connection")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead")),
        sa.UniqueConstraint("connection", "record_id", name=op.f("uq_lead_connection_record_id")),
    )
    op.create_index(op.f("ix_lead_connection_identity"), "lead", ["connection", "identity"])
    op.create_index(op.f("ix_lead_record_id"), "lead", ["record_id"])
    op.create_index("ix_lead_rejected", "lead", ["connection"], **_where("rejected IS NOT NULL"))
    op.create_table(
        "outbox",
        sa.Column("id", Id, nullable=False),
        sa.Column("connection", sa.String(length=100), nullable=False),
        sa.Column("record_id", sa.String(length=200), nullable=False),
        sa.Column("desired", Json, nullable=False),
        sa.Column("content", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("known", Json, nullable=False),
        sa.Column("written", Json, nullable=False),
        sa.Column("kept", Json, nullable=False),
        sa.Column("state", sa.String(length=11), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("repairs", sa.SmallInteger(), nullable=False),
        sa.Column("run_after", Utc(), nullable=False),
        sa.Column("token", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_until", Utc(), nullable=True),
        sa.Column("owner", sa.String(length=200), server_default="", nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("begun_at", Utc(), nullable=True),
        sa.Column("sent_at", Utc(), nullable=True),
        sa.Column("delivered_at", Utc(), nullable=True),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.CheckConstraint("state IN ('ready', 'leased', 'sent', 'refused')", name=op.f("ck_outbox_state")),
        sa.ForeignKeyConstraint(["connection"], ["connection.name"], name=op.f("fk_outbox_connection")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("connection", "record_id", name=op.f("uq_outbox_connection_record_id")),
    )
    op.create_index("ix_outbox_leased", "outbox", ["connection", "lease_until"], **_where("state = 'leased'"))
    op.create_index("ix_outbox_ready", "outbox", ["connection", "run_after", "id"], **_where("state = 'ready'"))
    op.create_index("ix_outbox_undelivered", "outbox", ["connection"], **_where("delivered_at IS NULL"))
    op.create_table(
        "policy_activation",
        sa.Column("id", Id, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["digest"], ["policy_version.digest"], name=op.f("fk_policy_activation_digest")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_activation")),
    )
    op.create_table(
        "write_attempt",
        sa.Column("id", Id, nullable=False),
        sa.Column("outbox_id", Id, nullable=False),
        sa.Column("connection", sa.String(length=100), nullable=False),
        sa.Column("record_id", sa.String(length=200), nullable=False),
        sa.Column("batch", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("values", Json, nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("outcome", sa.String(length=13), nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("finished_at", Utc(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('sent', 'unchanged', 'retry', 'refused')", name=op.f("ck_write_attempt_outcome")
        ),
        sa.ForeignKeyConstraint(["connection"], ["connection.name"], name=op.f("fk_write_attempt_connection")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_write_attempt")),
        sa.UniqueConstraint("batch", "outbox_id", name=op.f("uq_write_attempt_batch_outbox_id")),
    )
    op.create_index(op.f("ix_write_attempt_connection_record_id"), "write_attempt", ["connection", "record_id"])
    op.create_table(
        "review_item",
        sa.Column("id", Id, nullable=False),
        sa.Column("connection", sa.String(length=100), nullable=False),
        sa.Column("record_id", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=18), nullable=False),
        sa.Column("state", sa.String(length=14), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decision_id", Id, nullable=True),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("answered_at", Utc(), nullable=True),
        sa.Column("answered_by", sa.String(length=200), nullable=True),
        sa.Column("answer", Json, nullable=True),
        sa.CheckConstraint(
            "kind IN ('low_confidence', 'contradiction', 'schema', 'fast_track', 'audit_sample', 'guardrail', "
            "'write_failed')",
            name=op.f("ck_review_item_kind"),
        ),
        sa.CheckConstraint("state IN ('open', 'answered', 'superseded')", name=op.f("ck_review_item_state")),
        sa.ForeignKeyConstraint(["connection"], ["connection.name"], name=op.f("fk_review_item_connection")),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_review_item_decision_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_item")),
    )
    op.create_index(op.f("ix_review_item_connection_record_id"), "review_item", ["connection", "record_id"])
    op.create_index("ix_review_item_open", "review_item", ["priority", "id"], **_where("state = 'open'"))
    op.create_table(
        "work",
        sa.Column("id", Id, nullable=False),
        sa.Column("lead_id", Id, nullable=False),
        sa.Column("connection", sa.String(length=100), nullable=False),
        sa.Column("record_id", sa.String(length=200), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("policy", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=15), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("expiries", sa.SmallInteger(), nullable=False),
        sa.Column("run_after", Utc(), nullable=False),
        sa.Column("token", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_until", Utc(), nullable=True),
        sa.Column("owner", sa.String(length=200), server_default="", nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.CheckConstraint(
            "state IN ('ready', 'leased', 'done', 'quarantined', 'superseded')", name=op.f("ck_work_state")
        ),
        sa.ForeignKeyConstraint(["connection"], ["connection.name"], name=op.f("fk_work_connection")),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_work_lead_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work")),
        sa.UniqueConstraint(
            "connection",
            "record_id",
            "fingerprint",
            "policy",
            name=op.f("uq_work_connection_record_id_fingerprint_policy"),
        ),
    )
    op.create_index("ix_work_lead_id", "work", ["lead_id"])
    op.create_index("ix_work_leased", "work", ["lease_until", "connection"], **_where("state = 'leased'"))
    op.create_index("ix_work_ready", "work", ["rank", "run_after", "id", "connection"], **_where("state = 'ready'"))


def downgrade() -> None:
    """Remove them, and all that is in them."""
    for table in (
        "work",
        "review_item",
        "write_attempt",
        "policy_activation",
        "outbox",
        "lead",
        "decision",
        "cursor",
        "chain",
        "schedule_slot",
        "policy_version",
        "heartbeat",
        "fence",
        "connection",
        "assessment",
    ):
        op.drop_table(table)
