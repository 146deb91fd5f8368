"""Calibrations with their figures, and which one applies from when."""

from __future__ import annotations

import sqlalchemy as sa

from tierwise.store.columns import Id, Utc
from tierwise.store.schema.parts import HASH, metadata

calibration = sa.Table(
    "calibration",
    metadata,
    sa.Column("digest", HASH, primary_key=True),
    sa.Column("rubric", HASH, nullable=False),
    sa.Column("models", sa.Text, nullable=False),
    sa.Column("labels", sa.Integer, nullable=False),
    sa.Column("method", sa.String(20), nullable=False),
    sa.Column("data", HASH, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("by", sa.String(200), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
)

calibration_activation = sa.Table(
    "calibration_activation",
    metadata,
    sa.Column("id", Id, primary_key=True),
    # NULL: from now on none applies.
    sa.Column("digest", HASH, sa.ForeignKey("calibration.digest"), nullable=True),
    sa.Column("by", sa.String(200), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
)
