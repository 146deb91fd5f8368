"""Batches of questions at a provider, the leads that wait for them, and what they saved."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tierwise.store.columns import Id, Json, Utc

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_STATES = "state IN ('planned', 'uploaded', 'submitting', 'submitted', 'ended')"


def _number(name: str, kind: type[sa.Integer] = sa.Integer) -> sa.Column[int]:
    return sa.Column(name, kind(), server_default="0", nullable=False)


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=length), server_default="", nullable=False)


def upgrade() -> None:
    """Add them."""
    for name in ("batched", "nano_saved"):
        op.add_column("model_spend", _number(name, sa.BigInteger))
    op.create_table(
        "model_batch",
        sa.Column("id", Id, nullable=False),
        sa.Column("tag", sa.String(length=40), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("strong", sa.String(length=200), nullable=False),
        sa.Column("policy", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=14), nullable=False),
        _text("outcome", 20),
        sa.Column("questions", sa.Integer(), nullable=False),
        _number("answered"),
        _number("unusable"),
        _number("done"),
        _text("input_file", 200),
        _text("provider_id", 200),
        sa.Column("files", Json, nullable=False),
        sa.Column("cancelled", sa.Boolean(), server_default=sa.false(), nullable=False),
        _number("tries"),
        _number("sought"),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        _text("fault", 40),
        _number("nano_estimate", sa.BigInteger),
        _number("nano_usd", sa.BigInteger),
        _number("nano_saved", sa.BigInteger),
        _number("unpriced"),
        _number("token", sa.BigInteger),
        sa.Column("lease_until", Utc(), nullable=True),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("submitted_at", Utc(), nullable=True),
        sa.Column("deadline", Utc(), nullable=False),
        sa.Column("look_at", Utc(), nullable=False),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.CheckConstraint(_STATES, name=op.f("ck_model_batch_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_batch")),
        sa.UniqueConstraint("tag", name=op.f("uq_model_batch_tag")),
    )
    unended = sa.text("state <> 'ended'")
    op.create_index("ix_model_batch_open", "model_batch", ["look_at"], sqlite_where=unended, postgresql_where=unended)
    op.create_table(
        "batch_question",
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("batch_id", Id, nullable=False),
        sa.Column("connection", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["model_batch.id"], name=op.f("fk_batch_question_batch_id")),
        sa.PrimaryKeyConstraint("content_hash", name=op.f("pk_batch_question")),
    )
    op.create_index(op.f("ix_batch_question_batch_id"), "batch_question", ["batch_id"])
    op.create_table(
        "batch_wait",
        sa.Column("work_id", Id, nullable=False),
        sa.Column("batch_id", Id, nullable=True),
        sa.Column("content_hash", sa.String(length=64), nullable=True),
        sa.Column("answered", Json, nullable=True),
        sa.Column("since", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["work_id"], ["work.id"], name=op.f("fk_batch_wait_work_id")),
        sa.ForeignKeyConstraint(["batch_id"], ["model_batch.id"], name=op.f("fk_batch_wait_batch_id")),
        sa.PrimaryKeyConstraint("work_id", name=op.f("pk_batch_wait")),
    )
    op.create_index(op.f("ix_batch_wait_batch_id"), "batch_wait", ["batch_id"])
    op.create_table(
        "backfill",
        sa.Column("connection", sa.String(length=100), nullable=False),
        sa.Column("since", Utc(), nullable=False),
        sa.Column("until", Utc(), nullable=False),
        sa.Column("begun_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["connection"], ["connection.name"], name=op.f("fk_backfill_connection")),
        sa.PrimaryKeyConstraint("connection", name=op.f("pk_backfill")),
    )


def downgrade() -> None:
    """Take them away; leads that waited are decided live when their time comes."""
    for name in ("backfill", "batch_wait", "batch_question", "model_batch"):
        op.drop_table(name)
    with op.batch_alter_table("model_spend") as batch:
        batch.drop_column("nano_saved")
        batch.drop_column("batched")
