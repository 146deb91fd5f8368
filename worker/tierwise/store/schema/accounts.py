"""Connections, where each pass over one stands, and the head of its chain."""

from __future__ import annotations

import sqlalchemy as sa

from tierwise.store.columns import Json, Utc, state
from tierwise.store.schema.parts import HASH, NAME, metadata, one_of

CURSORS = ("changes", "reconcile", "outcomes")

connection = sa.Table(
    "connection",
    metadata,
    sa.Column("name", NAME, primary_key=True),
    sa.Column("type", NAME, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("paused", sa.Text),
    sa.Column("quota", Json),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("updated_at", Utc, nullable=False),
)

# One row a connection: what its chain of decisions ends with. Appending locks it.
chain = sa.Table(
    "chain",
    metadata,
    sa.Column("connection", NAME, sa.ForeignKey("connection.name"), primary_key=True),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("head", HASH, nullable=False),
)

# One row for each pass over a connection: each goes its own way.
cursor = sa.Table(
    "cursor",
    metadata,
    sa.Column("connection", NAME, sa.ForeignKey("connection.name"), primary_key=True),
    sa.Column("kind", state(*CURSORS), primary_key=True, server_default="changes"),
    sa.Column("watermark", Utc, nullable=False),
    # The earliest moment that it was ever to read: what happened before is unknown.
    sa.Column("began_at", Utc),
    sa.Column("window_until", Utc),
    sa.Column("position", Json),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("token", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("lease_until", Utc),
    sa.Column("lease_seconds", sa.Float, nullable=False, server_default="0"),
    sa.Column("owner", sa.String(200), nullable=False, server_default=""),
    sa.Column("last_polled_at", Utc),
    sa.Column("next_poll_at", Utc),
    # Counted as they come in: the tick asks every few seconds.
    sa.Column("leads", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("error", sa.Text, nullable=False, server_default=""),
    one_of("kind", *CURSORS),
)
