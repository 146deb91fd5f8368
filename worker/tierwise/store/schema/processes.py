"""What the processes tell each other: claimed slots, signs of life, the counter of lease tokens."""

from __future__ import annotations

import sqlalchemy as sa

from tierwise.store.columns import Id, Json, Utc
from tierwise.store.schema.parts import NAME, metadata

schedule_slot = sa.Table(
    "schedule_slot",
    metadata,
    sa.Column("kind", NAME, primary_key=True),
    sa.Column("scope", NAME, primary_key=True),
    sa.Column("slot", Utc, primary_key=True),
    sa.Column("by", sa.String(200), nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Index(None, "at"),
)

heartbeat = sa.Table(
    "heartbeat",
    metadata,
    sa.Column("role", NAME, primary_key=True),
    sa.Column("instance", sa.String(200), primary_key=True),
    sa.Column("at", Utc, nullable=False),
    sa.Column("info", Json, nullable=False),
)

# Always empty: it owns the counter that lease tokens are drawn from.
fence = sa.Table("fence", metadata, sa.Column("token", Id, primary_key=True), sqlite_autoincrement=True)
