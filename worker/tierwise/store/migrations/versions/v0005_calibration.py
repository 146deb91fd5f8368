"""Calibrations with their figures, and which one applies from when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tierwise.store.columns import Id, Utc

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_HASH = sa.String(length=64)


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "calibration",
        sa.Column("digest", _HASH, nullable=False),
        sa.Column("rubric", _HASH, nullable=False),
        sa.Column("models", sa.Text(), nullable=False),
        sa.Column("labels", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(length=20), nullable=False),
        sa.Column("data", _HASH, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_calibration")),
    )
    op.create_table(
        "calibration_activation",
        sa.Column("id", Id, nullable=False),
        sa.Column("digest", _HASH, nullable=True),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["digest"], ["calibration.digest"], name=op.f("fk_calibration_activation_digest")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calibration_activation")),
    )


def downgrade() -> None:
    """Remove them; decisions keep the digests that they were made with."""
    op.drop_table("calibration_activation")
    op.drop_table("calibration")
