"""What models cost: spent by day, promised by process, and who pays for an answer."""

from __future__ import annotations

import sqlalchemy as sa

from tierwise.store.columns import Utc
from tierwise.store.schema.parts import HASH, NAME, metadata

_MODEL = sa.String(200)
_OWNER = sa.String(200)


def _sum(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


# Sums, not calls: a year of a busy account stays a few thousand rows. Money is in billionths of a dollar, so that
# adding it up loses nothing. No foreign key: a preview belongs to no connection.
model_spend = sa.Table(
    "model_spend",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("connection", NAME, primary_key=True),
    sa.Column("model", _MODEL, primary_key=True),
    sa.Column("stage", sa.String(20), primary_key=True),
    # The model that would have been asked about every lead without a cascade.
    sa.Column("strong", _MODEL, primary_key=True),
    _sum("questions"),
    _sum("calls"),
    _sum("tokens_in"),
    _sum("tokens_out"),
    _sum("tokens_cached"),
    _sum("characters"),
    _sum("repeated"),
    _sum("nano_usd"),
    _sum("unpriced"),
    # Questions that went in a batch, and what that took off their price.
    _sum("batched"),
    _sum("nano_saved"),
)

# What a process may still spend on calls that are under way.
model_reservation = sa.Table(
    "model_reservation",
    metadata,
    sa.Column("owner", _OWNER, primary_key=True),
    sa.Column("connection", NAME, primary_key=True),
    _sum("nano_usd"),
    sa.Column("lease_until", Utc, nullable=False),
)

answer_claim = sa.Table(
    "answer_claim",
    metadata,
    sa.Column("content_hash", HASH, primary_key=True),
    sa.Column("owner", _OWNER, nullable=False),
    sa.Column("lease_until", Utc, nullable=False),
    sa.Index(None, "owner"),
)
