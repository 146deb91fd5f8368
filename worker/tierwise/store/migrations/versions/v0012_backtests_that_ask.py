"""Backtests that ask models what nobody answered yet, and where answers are found that no decision stands on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tierwise.store.columns import Id, Utc

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "backtest_wait",
        sa.Column("id", Id, nullable=False),
        sa.Column("policy", sa.String(length=64), nullable=False),
        sa.Column("decision_id", Id, nullable=False),
        sa.Column("batch_id", Id, nullable=True),
        sa.Column("content_hash", sa.String(length=64), nullable=True),
        sa.Column("live", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("cancelled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("token", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("due", Utc(), nullable=False),
        sa.Column("since", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["policy"], ["policy_version.digest"], name=op.f("fk_backtest_wait_policy")),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_backtest_wait_decision_id")),
        sa.ForeignKeyConstraint(["batch_id"], ["model_batch.id"], name=op.f("fk_backtest_wait_batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backtest_wait")),
        sa.UniqueConstraint("policy", "decision_id", name=op.f("uq_backtest_wait_policy_decision_id")),
    )
    op.create_index(op.f("ix_backtest_wait_batch_id"), "backtest_wait", ["batch_id"])
    unplaced = sa.text("batch_id IS NULL")
    op.create_index("ix_backtest_wait_due", "backtest_wait", ["due"], sqlite_where=unplaced, postgresql_where=unplaced)
    op.create_table(
        "trial_answer",
        sa.Column("decision_id", Id, nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_trial_answer_decision_id")),
        sa.PrimaryKeyConstraint("decision_id", "content_hash", name=op.f("pk_trial_answer")),
    )


def downgrade() -> None:
    """Take them away; what was answered stays in the cache."""
    for name in ("trial_answer", "backtest_wait"):
        op.drop_table(name)
