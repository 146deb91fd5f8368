"""How each account is doing, and messages to the people who own it."""

from __future__ import annotations

import sqlalchemy as sa

from tierwise.store.columns import Id, Utc, state
from tierwise.store.schema.parts import HASH, NAME, metadata, one_of, where

NOTIFICATION_STATES = ("ready", "leased", "sent", "dead")

# One row for each thing that is done with an account: reading may work where writing does not.
account_health = sa.Table(
    "account_health",
    metadata,
    sa.Column("connection", NAME, sa.ForeignKey("connection.name"), primary_key=True),
    sa.Column("step", NAME, primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("fault", NAME, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("remedy", sa.Text, nullable=False),
    sa.Column("failing_since", Utc),
    sa.Column("failed_at", Utc),
    sa.Column("ok_at", Utc),
    sa.Column("resting_until", Utc),
)

# One row for each notice and notifier that is to carry it.
notification = sa.Table(
    "notification",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("notifier", NAME, nullable=False),
    sa.Column("event", NAME, nullable=False),
    sa.Column("key", HASH, nullable=False),
    sa.Column("severity", sa.String(20), nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("link", sa.Text, nullable=False),
    sa.Column("matter", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("state", state(*NOTIFICATION_STATES), nullable=False),
    sa.Column("attempt", sa.SmallInteger, nullable=False),
    sa.Column("run_after", Utc, nullable=False),
    sa.Column("token", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("lease_until", Utc),
    sa.Column("error", sa.Text, nullable=False, server_default=""),
    sa.Column("sent_at", Utc),
    one_of("state", *NOTIFICATION_STATES),
    sa.Index(None, "notifier", "key", "id"),
    sa.Index("ix_notification_ready", "run_after", "id", **where("state = 'ready'")),
    sa.Index("ix_notification_leased", "lease_until", **where("state = 'leased'")),
)
