"""People and their approvals, staging, shadow decisions, and the list of what was done by whom."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tierwise.store.columns import Id, Json, Utc

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_HASH = sa.String(length=64)
_WHO = sa.String(length=200)
_CHANGES = "change IN ('first', 'none', 'minor', 'major')"


def upgrade() -> None:
    """Add them. What ran until now is the baseline of what comes."""
    with op.batch_alter_table("policy_version") as batch:
        batch.add_column(sa.Column("base", _HASH, nullable=True))
        batch.add_column(sa.Column("change", sa.String(length=9), server_default="first", nullable=False))
        batch.create_check_constraint(op.f("ck_policy_version_change"), _CHANGES)
    with op.batch_alter_table("policy_activation") as batch:
        batch.add_column(sa.Column("kind", sa.String(length=12), server_default="activate", nullable=False))
        batch.add_column(sa.Column("environment", sa.String(length=14), server_default="production", nullable=False))
        batch.add_column(sa.Column("change", sa.String(length=9), server_default="first", nullable=False))
        batch.add_column(sa.Column("baseline", _HASH, nullable=True))
        batch.add_column(sa.Column("approvals", Json, server_default="[]", nullable=False))
        batch.create_check_constraint(op.f("ck_policy_activation_kind"), "kind IN ('activate', 'rollback')")
        batch.create_check_constraint(
            op.f("ck_policy_activation_environment"), "environment IN ('production', 'staging')"
        )
        batch.create_check_constraint(op.f("ck_policy_activation_change"), _CHANGES)
    op.create_index(op.f("ix_policy_activation_environment_id"), "policy_activation", ["environment", "id"])
    op.execute("UPDATE policy_activation SET baseline = digest")
    _policies()
    _people()


def _policies() -> None:
    op.create_table(
        "policy_approval",
        sa.Column("id", Id, nullable=False),
        sa.Column("digest", _HASH, nullable=False),
        sa.Column("base", _HASH, nullable=True),
        sa.Column("by", _WHO, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["digest"], ["policy_version.digest"], name=op.f("fk_policy_approval_digest")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_approval")),
    )
    op.create_index(op.f("ix_policy_approval_digest"), "policy_approval", ["digest"])
    op.create_table(
        "policy_trial",
        sa.Column("id", Id, nullable=False),
        sa.Column("digest", _HASH, nullable=False),
        sa.Column("base", _HASH, nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("beyond", Json, nullable=False),
        sa.Column("report", Json, nullable=False),
        sa.Column("by", _WHO, nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.CheckConstraint("kind IN ('staging', 'backtest')", name=op.f("ck_policy_trial_kind")),
        sa.ForeignKeyConstraint(["digest"], ["policy_version.digest"], name=op.f("fk_policy_trial_digest")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_trial")),
    )
    op.create_index(op.f("ix_policy_trial_digest"), "policy_trial", ["digest"])
    op.create_table(
        "policy_shadow",
        sa.Column("id", Id, nullable=False),
        sa.Column("digest", _HASH, nullable=False),
        sa.Column("by", _WHO, nullable=False),
        sa.Column("after", Id, nullable=False),
        sa.Column("started_at", Utc(), nullable=False),
        sa.Column("stopped_at", Utc(), nullable=True),
        sa.ForeignKeyConstraint(["digest"], ["policy_version.digest"], name=op.f("fk_policy_shadow_digest")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_shadow")),
    )
    op.create_table(
        "shadow_decision",
        sa.Column("id", Id, nullable=False),
        sa.Column("decision_id", Id, nullable=False),
        sa.Column("connection", sa.String(length=100), nullable=False),
        sa.Column("record_id", sa.String(length=200), nullable=False),
        sa.Column("policy", _HASH, nullable=False),
        sa.Column("live_policy", _HASH, nullable=False),
        sa.Column("live", Json, nullable=False),
        sa.Column("shadow", Json, nullable=True),
        sa.Column("differs", sa.Boolean(), nullable=False),
        sa.Column("cost_usd", sa.Float(), nullable=True),
        sa.Column("at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["connection"], ["connection.name"], name=op.f("fk_shadow_decision_connection")),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_shadow_decision_decision_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shadow_decision")),
        sa.UniqueConstraint("policy", "decision_id", name=op.f("uq_shadow_decision_policy_decision_id")),
    )


def _people() -> None:
    op.create_table(
        "person",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", _WHO, nullable=False),
        sa.Column("roles", Json, nullable=False),
        sa.Column("token_hash", _HASH, nullable=False),
        sa.Column("by", _WHO, nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("disabled_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("name", name=op.f("uq_person_name")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_person_token_hash")),
    )
    op.create_table(
        "admin_event",
        sa.Column("id", Id, nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("actor", _WHO, nullable=False),
        sa.Column("action", sa.String(length=100), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("refused", sa.Text(), nullable=True),
        sa.Column("before", Json, nullable=True),
        sa.Column("after", Json, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admin_event")),
    )
    op.create_index(op.f("ix_admin_event_subject_id"), "admin_event", ["subject", "id"])


def downgrade() -> None:
    """Remove them; who ran what stays."""
    for table in ("admin_event", "person", "shadow_decision", "policy_shadow", "policy_trial", "policy_approval"):
        op.drop_table(table)
    op.execute("DELETE FROM policy_activation WHERE environment <> 'production'")
    op.drop_index(op.f("ix_policy_activation_environment_id"), "policy_activation")
    with op.batch_alter_table("policy_activation") as batch:
        for name in ("kind", "environment", "change"):
            batch.drop_constraint(op.f(f"ck_policy_activation_{name}"), type_="check")
        for name in ("kind", "environment", "change", "baseline", "approvals"):
            batch.drop_column(name)
    with op.batch_alter_table("policy_version") as batch:
        batch.drop_constraint(op.f("ck_policy_version_change"), type_="check")
        batch.drop_column("base")
        batch.drop_column("change")
