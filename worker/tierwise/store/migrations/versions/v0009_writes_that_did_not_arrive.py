"""A write of the organisation's field that did not arrive is known as such, and begun again a few times."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_BEFORE = "state IN ('begun', 'written', 'refused', 'unsure', 'reverted', 'kept')"
_AFTER = "state IN ('begun', 'written', 'refused', 'unsure', 'lost', 'reverted', 'kept')"


def upgrade() -> None:
    """One more state, and how often it was tried."""
    with op.batch_alter_table("automation") as batch:
        batch.add_column(sa.Column("attempt", sa.SmallInteger(), server_default="1", nullable=False))
        batch.drop_constraint(op.f("ck_automation_state"), type_="check")
        batch.create_check_constraint(op.f("ck_automation_state"), _AFTER)
    unsettled = sa.text("state IN ('begun', 'unsure')")
    op.create_index(
        "ix_automation_unsettled",
        "automation",
        ["connection", "id"],
        sqlite_where=unsettled,
        postgresql_where=unsettled,
    )


def downgrade() -> None:
    """Whether it arrived is unknown again."""
    op.execute("UPDATE automation SET state = 'unsure' WHERE state = 'lost'")
    op.drop_index("ix_automation_unsettled", table_name="automation")
    with op.batch_alter_table("automation") as batch:
        batch.drop_constraint(op.f("ck_automation_state"), type_="check")
        batch.create_check_constraint(op.f("ck_automation_state"), _BEFORE)
        batch.drop_column("attempt")
