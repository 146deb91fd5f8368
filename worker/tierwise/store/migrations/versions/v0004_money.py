"""Budgets, reservations and who pays for an answer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tierwise.store.columns import Utc

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_SUMS = (
    "questions", "calls", "tokens_in", "tokens_out", "tokens_cached", "characters", "repeated", "nano_usd", "unpriced",
)  # fmt: skip


def _sum(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "model_spend",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("connection", sa.String(length=100), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("strong", sa.String(length=200), nullable=False),
        *(_sum(name) for name in _SUMS),
        sa.PrimaryKeyConstraint("day", "connection", "model", "stage", "strong", name=op.f("pk_model_spend")),
    )
    op.create_table(
        "model_reservation",
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("connection", sa.String(length=100), nullable=False),
        _sum("nano_usd"),
        sa.Column("lease_until", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "connection", name=op.f("pk_model_reservation")),
    )
    op.create_table(
        "answer_claim",
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("lease_until", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("content_hash", name=op.f("pk_answer_claim")),
    )
    op.create_index(op.f("ix_answer_claim_owner"), "answer_claim", ["owner"])


def downgrade() -> None:
    """Take them away."""
    op.drop_table("answer_claim")
    op.drop_table("model_reservation")
    op.drop_table("model_spend")
