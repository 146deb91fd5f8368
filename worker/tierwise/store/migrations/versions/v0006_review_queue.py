"""Reservations, snoozes, second readers and undo of the review queue; labels by decision."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tierwise.store.columns import Json, Utc

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_OPEN, _UNDO = sa.text("state = 'open'"), sa.text("undo IS NOT NULL")


def upgrade() -> None:
    """Add them."""
    op.add_column("review_item", sa.Column("reserved_by", sa.String(length=200), nullable=True))
    op.add_column("review_item", sa.Column("reserved_until", Utc(), nullable=True))
    op.add_column("review_item", sa.Column("snoozed_until", Utc(), nullable=True))
    op.add_column("review_item", sa.Column("not_for", sa.String(length=200), nullable=True))
    op.add_column("review_item", sa.Column("undo", Json, nullable=True))
    op.create_index(
        "ix_review_item_open_decision", "review_item", ["decision_id"], sqlite_where=_OPEN, postgresql_where=_OPEN
    )
    op.create_index("ix_review_item_undo", "review_item", ["answered_at"], sqlite_where=_UNDO, postgresql_where=_UNDO)
    op.create_index(op.f("ix_label_decision_id"), "label", ["decision_id"], unique=False)


def downgrade() -> None:
    """Remove them."""
    op.drop_index(op.f("ix_label_decision_id"), table_name="label")
    op.drop_index("ix_review_item_undo", table_name="review_item")
    op.drop_index("ix_review_item_open_decision", table_name="review_item")
    for name in ("undo", "not_for", "snoozed_until", "reserved_until", "reserved_by"):
        op.drop_column("review_item", name)
