"""What reps and sales say of a lead, cursors of several kinds, and the day's quota."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tierwise.store.columns import Id, Json, Utc

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_KINDS = "kind IN ('changes', 'reconcile', 'outcomes')"


def upgrade() -> None:
    """Add them. The new passes begin where the poll stands."""
    op.create_table(
        "label",
        sa.Column("id", Id, nullable=False),
        sa.Column("connection", sa.String(length=100), nullable=False),
        sa.Column("record_id", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.Column("previous", sa.String(length=200), nullable=True),
        sa.Column("title", sa.String(length=200), server_default="", nullable=False),
        sa.Column("amount", sa.Float(), nullable=True),
        sa.Column("currency", sa.String(length=10), nullable=True),
        sa.Column("won", sa.Boolean(), nullable=True),
        sa.Column("sampling", sa.Float(), nullable=True),
        sa.Column("decision_id", Id, nullable=True),
        sa.Column("by", sa.String(length=200), nullable=True),
        sa.Column("said_at", Utc(), nullable=False),
        sa.Column("seen_at", Utc(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["connection"], ["connection.name"], name=op.f("fk_label_connection")),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_label_decision_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label")),
        sa.UniqueConstraint("connection", "key", name=op.f("uq_label_connection_key")),
    )
    op.create_index(op.f("ix_label_connection_record_id"), "label", ["connection", "record_id"])
    op.create_index(op.f("ix_label_source_seen_at"), "label", ["source", "seen_at"])
    op.add_column("connection", sa.Column("quota", Json, nullable=True))
    op.add_column("outbox", sa.Column("foreign", Json, server_default="{}", nullable=False))
    op.add_column("outbox", sa.Column("clear", sa.Boolean(), server_default=sa.false(), nullable=False))
    with op.batch_alter_table("cursor", recreate="auto") as batch:
        batch.add_column(sa.Column("kind", sa.String(length=13), server_default="changes", nullable=False))
        batch.drop_constraint(op.f("pk_cursor"), type_="primary")
        batch.create_primary_key(op.f("pk_cursor"), ["connection", "kind"])
        batch.create_check_constraint(op.f("ck_cursor_kind"), _KINDS)
    for kind in ("reconcile", "outcomes"):
        op.execute(
            "INSERT INTO cursor (connection, kind, watermark, version) "  # noqa: S608 - constants
            f"SELECT connection, '{kind}', watermark, 0 FROM cursor WHERE kind = 'changes'"
        )


def downgrade() -> None:
    """Remove them; the poll's cursor stays."""
    op.execute("DELETE FROM cursor WHERE kind <> 'changes'")
    with op.batch_alter_table("cursor", recreate="auto") as batch:
        batch.drop_constraint(op.f("ck_cursor_kind"), type_="check")
        batch.drop_constraint(op.f("pk_cursor"), type_="primary")
        batch.create_primary_key(op.f("pk_cursor"), ["connection"])
        batch.drop_column("kind")
    op.drop_column("outbox", "clear")
    op.drop_column("outbox", "foreign")
    op.drop_column("connection", "quota")
    op.drop_table("label")
