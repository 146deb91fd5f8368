"""Published bundles, and which one ran from when."""

from __future__ import annotations

import sqlalchemy as sa

from tierwise.store.columns import Id, Utc
from tierwise.store.schema.parts import HASH, metadata

policy_version = sa.Table(
    "policy_version",
    metadata,
    sa.Column("digest", HASH, primary_key=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("version", sa.String(200), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("by", sa.String(200), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
)

policy_activation = sa.Table(
    "policy_activation",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("digest", HASH, sa.ForeignKey("policy_version.digest"), nullable=False),
    sa.Column("by", sa.String(200), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
)
