"""What was registered and found before automation, who is to have it, and what it wrote."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tierwise.store.columns import Id, Json, Utc

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them, and to each decision what made it."""
    op.create_table(
        "alert_state",
        sa.Column("id", Id, nullable=False),
        sa.Column("kind", sa.String(length=100), nullable=False),
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("opened_at", Utc(), nullable=False),
        sa.Column("closed_at", Utc(), nullable=True),
        sa.Column("closed_by", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_state")),
    )
    op.create_index(
        "uq_alert_state_open",
        "alert_state",
        ["kind", "scope"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "flag_version",
        sa.Column("id", Id, nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("machine", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flag_version")),
    )
    op.create_index(op.f("ix_flag_version_key_id"), "flag_version", ["key", "id"], unique=False)
    op.create_table(
        "kill_switch",
        sa.Column("id", Id, nullable=False),
        sa.Column("on", sa.Boolean(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kill_switch")),
    )
    op.create_table(
        "registration",
        sa.Column("id", Id, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("policy", sa.String(length=64), nullable=False),
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("after", Id, nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registration")),
        sa.UniqueConstraint("digest", name=op.f("uq_registration_digest")),
    )
    op.create_table(
        "validation_report",
        sa.Column("id", Id, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("registration", sa.String(length=64), nullable=False),
        sa.Column("look", sa.Integer(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(
            ["registration"], ["registration.digest"], name=op.f("fk_validation_report_registration")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_validation_report")),
        sa.UniqueConstraint("digest", name=op.f("uq_validation_report_digest")),
        sa.UniqueConstraint("registration", "look", name=op.f("uq_validation_report_registration_look")),
    )
    op.create_table(
        "audit_draw",
        sa.Column("decision_id", Id, autoincrement=False, nullable=False),
        sa.Column("rate", sa.Float(), nullable=False),
        sa.Column("draw", sa.Float(), nullable=False),
        sa.Column("twice", sa.Boolean(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_audit_draw_decision_id")),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_audit_draw")),
    )
    op.create_table(
        "automation",
        sa.Column("id", Id, nullable=False),
        sa.Column("connection", sa.String(length=100), nullable=False),
        sa.Column("record_id", sa.String(length=200), nullable=False),
        sa.Column("decision_id", Id, nullable=False),
        sa.Column("field", sa.String(length=200), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("report", sa.String(length=64), nullable=False),
        sa.Column("flag_version", Id, nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("finished_at", Utc(), nullable=True),
        sa.CheckConstraint(
            "state IN ('begun', 'written', 'refused', 'unsure', 'reverted', 'kept')", name=op.f("ck_automation_state")
        ),
        sa.ForeignKeyConstraint(["connection"], ["connection.name"], name=op.f("fk_automation_connection")),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_automation_decision_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_automation")),
        sa.UniqueConstraint("decision_id", name=op.f("uq_automation_decision_id")),
    )
    op.create_index(op.f("ix_automation_at"), "automation", ["at"], unique=False)
    op.create_index(op.f("ix_automation_connection_record_id"), "automation", ["connection", "record_id"], unique=False)
    op.add_column("decision", sa.Column("chain", sa.String(length=64), nullable=True))


def downgrade() -> None:
    """Remove them."""
    op.drop_column("decision", "chain")
    op.drop_table("automation")
    op.drop_table("audit_draw")
    op.drop_table("validation_report")
    op.drop_table("registration")
    op.drop_table("kill_switch")
    op.drop_table("flag_version")
    op.drop_table("alert_state")
