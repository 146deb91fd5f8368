"""Each pass over a connection keeps from when on it read: what came before it is unknown, not nothing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tierwise.store.columns import Utc

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of passes that are under way it is known that they began when the connection was set up, or before."""
    op.add_column("cursor", sa.Column("began_at", Utc(), nullable=True))
    op.execute(
        "UPDATE cursor SET began_at = (SELECT created_at FROM connection WHERE connection.name = cursor.connection)"
    )


def downgrade() -> None:
    """Without."""
    op.drop_column("cursor", "began_at")
