"""How each account is doing, and messages to the people who own it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tierwise.store.columns import Id, Utc

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two tables of their own."""
    op.create_table(
        "account_health",
        sa.Column("connection", sa.String(length=100), nullable=False),
        sa.Column("step", sa.String(length=100), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("fault", sa.String(length=100), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("failing_since", Utc(), nullable=True),
        sa.Column("failed_at", Utc(), nullable=True),
        sa.Column("ok_at", Utc(), nullable=True),
        sa.Column("resting_until", Utc(), nullable=True),
        sa.ForeignKeyConstraint(["connection"], ["connection.name"], name=op.f("fk_account_health_connection")),
        sa.PrimaryKeyConstraint("connection", "step", name=op.f("pk_account_health")),
    )
    op.create_table(
        "notification",
        sa.Column("id", Id, nullable=False),
        sa.Column("notifier", sa.String(length=100), nullable=False),
        sa.Column("event", sa.String(length=100), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("severity", sa.String(length=20), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("matter", sa.Text(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("run_after", Utc(), nullable=False),
        sa.Column("token", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_until", Utc(), nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("sent_at", Utc(), nullable=True),
        sa.CheckConstraint("state IN ('ready', 'leased', 'sent', 'dead')", name=op.f("ck_notification_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification")),
    )
    op.create_index(op.f("ix_notification_notifier_key_id"), "notification", ["notifier", "key", "id"])
    for name, columns, state in (
        ("ix_notification_ready", ["run_after", "id"], "ready"),
        ("ix_notification_leased", ["lease_until"], "leased"),
    ):
        condition = sa.text(f"state = '{state}'")
        op.create_index(name, "notification", columns, sqlite_where=condition, postgresql_where=condition)


def downgrade() -> None:
    """Without them."""
    op.drop_table("notification")
    op.drop_table("account_health")
