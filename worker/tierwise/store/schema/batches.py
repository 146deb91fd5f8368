"""Questions that go to a provider in batches, and the leads that wait for them."""

from __future__ import annotations

import sqlalchemy as sa

from tierwise.store.columns import Id, Json, Utc, state
from tierwise.store.schema.parts import HASH, NAME, connection_name, metadata, one_of, where

BATCH_STATES = ("planned", "uploaded", "submitting", "submitted", "ended")


def _sum(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


model_batch = sa.Table(
    "model_batch",
    metadata,
    sa.Column("id", Id, primary_key=True),
    # By it the provider's own list tells whether a submission arrived.
    sa.Column("tag", sa.String(40), nullable=False, unique=True),
    sa.Column("model", sa.String(200), nullable=False),
    sa.Column("stage", sa.String(20), nullable=False),
    sa.Column("strong", sa.String(200), nullable=False),
    sa.Column("policy", HASH, nullable=False),
    sa.Column("state", state(*BATCH_STATES), nullable=False),
    # How it ended: the provider's word, or ours; empty while it works.
    sa.Column("outcome", sa.String(20), nullable=False, server_default=""),
    sa.Column("questions", sa.Integer, nullable=False),
    sa.Column("answered", sa.Integer, nullable=False, server_default="0"),
    sa.Column("unusable", sa.Integer, nullable=False, server_default="0"),
    sa.Column("done", sa.Integer, nullable=False, server_default="0"),
    sa.Column("input_file", sa.String(200), nullable=False, server_default=""),
    sa.Column("provider_id", sa.String(200), nullable=False, server_default=""),
    # Files at the provider that hold what leads wrote, to be deleted once it ended.
    sa.Column("files", Json, nullable=False),
    sa.Column("cancelled", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("sought", sa.Integer, nullable=False, server_default="0"),
    sa.Column("error", sa.Text, nullable=False, server_default=""),
    sa.Column("fault", sa.String(40), nullable=False, server_default=""),
    _sum("nano_estimate"),
    _sum("nano_usd"),
    _sum("nano_saved"),
    sa.Column("unpriced", sa.Integer, nullable=False, server_default="0"),
    sa.Column("token", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("lease_until", Utc),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("submitted_at", Utc),
    sa.Column("deadline", Utc, nullable=False),
    sa.Column("look_at", Utc, nullable=False),
    sa.Column("ended_at", Utc),
    one_of("state", *BATCH_STATES),
    sa.Index("ix_model_batch_open", "look_at", **where("state <> 'ended'")),
)

# Questions of batches that have not ended: the key makes that no question is in two.
batch_question = sa.Table(
    "batch_question",
    metadata,
    sa.Column("content_hash", HASH, primary_key=True),
    sa.Column("batch_id", Id, sa.ForeignKey("model_batch.id"), nullable=False),
    sa.Column("connection", NAME, nullable=False),
    sa.Index(None, "batch_id"),
)

# Leads that may be asked about in a batch: those of a backfill or replay. Whoever decides one live asks nobody's leave.
batch_wait = sa.Table(
    "batch_wait",
    metadata,
    sa.Column("work_id", Id, sa.ForeignKey("work.id"), primary_key=True),
    sa.Column("batch_id", Id, sa.ForeignKey("model_batch.id")),
    sa.Column("content_hash", HASH),
    # Of answers that batches brought already, on which no decision stands yet: an erasure finds them here.
    sa.Column("answered", Json),
    sa.Column("since", Utc, nullable=False),
    sa.Index(None, "batch_id"),
)

# What a poll reads of before `until` is a backfill's, and may wait for a batch.
backfill = sa.Table(
    "backfill",
    metadata,
    connection_name(),
    sa.Column("since", Utc, nullable=False),
    sa.Column("until", Utc, nullable=False),
    sa.Column("begun_at", Utc, nullable=False),
    sa.PrimaryKeyConstraint("connection"),
)

# Decisions that a backtest tries again under a policy and that models are still to be asked about.
backtest_wait = sa.Table(
    "backtest_wait",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("policy", HASH, sa.ForeignKey("policy_version.digest"), nullable=False),
    sa.Column("decision_id", Id, sa.ForeignKey("decision.id"), nullable=False),
    sa.Column("batch_id", Id, sa.ForeignKey("model_batch.id")),
    sa.Column("content_hash", HASH),
    # Asked live: no batch is wished for, or one did not answer.
    sa.Column("live", sa.Boolean, nullable=False, server_default=sa.false()),
    # Nothing more is asked once its batch has ended.
    sa.Column("cancelled", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("error", sa.Text, nullable=False, server_default=""),
    # Whose it is until it is due; 0 where it is nobody's.
    sa.Column("token", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("due", Utc, nullable=False),
    sa.Column("since", Utc, nullable=False),
    sa.UniqueConstraint("policy", "decision_id"),
    sa.Index(None, "batch_id"),
    sa.Index("ix_backtest_wait_due", "due", **where("batch_id IS NULL")),
)

# Answers that a backtest or a shadow paid for: the decision does not stand on them, and an erasure finds them here.
trial_answer = sa.Table(
    "trial_answer",
    metadata,
    sa.Column("decision_id", Id, sa.ForeignKey("decision.id"), nullable=False),
    sa.Column("content_hash", HASH, nullable=False),
    sa.PrimaryKeyConstraint("decision_id", "content_hash"),
)
