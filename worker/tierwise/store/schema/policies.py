"""Published bundles, which one ran from when, what was tried and approved before, and the people who may.

Nothing here is ever changed once it stands there, but for a person's token and roles and the end of a shadow.
"""

from __future__ import annotations

import sqlalchemy as sa

from tierwise.store.columns import Id, Json, Utc, state
from tierwise.store.schema.parts import HASH, NAME, RECORD_ID, connection_name, metadata, one_of

CHANGES = ("first", "none", "minor", "major")
ACTIVATIONS = ("activate", "rollback")
ENVIRONMENTS = ("production", "staging")
TRIALS = ("staging", "backtest")

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
    # What it changes of what ran when it was published; activation computes it anew.
    sa.Column("base", HASH),
    sa.Column("change", state(*CHANGES), nullable=False, server_default="first"),
    one_of("change", *CHANGES),
)

policy_activation = sa.Table(
    "policy_activation",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("digest", HASH, sa.ForeignKey("policy_version.digest"), nullable=False),
    sa.Column("by", sa.String(200), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("kind", state(*ACTIVATIONS), nullable=False, server_default="activate"),
    sa.Column("environment", state(*ENVIRONMENTS), nullable=False, server_default="production"),
    sa.Column("change", state(*CHANGES), nullable=False, server_default="first"),
    # The last version that people approved in full: small steps are counted from there, together.
    sa.Column("baseline", HASH),
    # Ids of the approvals that this activation used up.
    sa.Column("approvals", Json, nullable=False, server_default="[]"),
    one_of("kind", *ACTIVATIONS),
    one_of("environment", *ENVIRONMENTS),
    one_of("change", *CHANGES),
    sa.Index(None, "environment", "id"),
)

policy_approval = sa.Table(
    "policy_approval",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("digest", HASH, sa.ForeignKey("policy_version.digest"), nullable=False),
    # What ran then: an approval is for the step from there, and for no other.
    sa.Column("base", HASH),
    sa.Column("by", sa.String(200), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Index(None, "digest"),
)

policy_trial = sa.Table(
    "policy_trial",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("digest", HASH, sa.ForeignKey("policy_version.digest"), nullable=False),
    sa.Column("base", HASH),
    sa.Column("kind", state(*TRIALS), nullable=False),
    sa.Column("passed", sa.Boolean, nullable=False),
    # Sentences about limits that it would exceed.
    sa.Column("beyond", Json, nullable=False),
    sa.Column("report", Json, nullable=False),
    sa.Column("by", sa.String(200), nullable=False),
    sa.Column("at", Utc, nullable=False),
    one_of("kind", *TRIALS),
    sa.Index(None, "digest"),
)

policy_shadow = sa.Table(
    "policy_shadow",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("digest", HASH, sa.ForeignKey("policy_version.digest"), nullable=False),
    sa.Column("by", sa.String(200), nullable=False),
    # The last decision that it was held against; those before its start are not.
    sa.Column("after", Id, nullable=False),
    sa.Column("started_at", Utc, nullable=False),
    sa.Column("stopped_at", Utc),
)

# What a shadow would have decided. No table of the CRM's side refers to it.
shadow_decision = sa.Table(
    "shadow_decision",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("decision_id", Id, sa.ForeignKey("decision.id"), nullable=False),
    connection_name(),
    sa.Column("record_id", RECORD_ID, nullable=False),
    sa.Column("policy", HASH, nullable=False),
    sa.Column("live_policy", HASH, nullable=False),
    # Both sides: {"outcome", "tier", "score", "route", "reasons"}; the shadow's is NULL where it would need a model.
    sa.Column("live", Json, nullable=False),
    sa.Column("shadow", Json),
    sa.Column("differs", sa.Boolean, nullable=False),
    sa.Column("cost_usd", sa.Float),
    sa.Column("at", Utc, nullable=False),
    sa.UniqueConstraint("policy", "decision_id"),
)

person = sa.Table(
    "person",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", sa.String(200), nullable=False, unique=True),
    sa.Column("roles", Json, nullable=False),
    sa.Column("token_hash", HASH, nullable=False, unique=True),
    sa.Column("by", sa.String(200), nullable=False),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("disabled_at", Utc),
)

admin_event = sa.Table(
    "admin_event",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("at", Utc, nullable=False),
    sa.Column("actor", sa.String(200), nullable=False),
    sa.Column("action", NAME, nullable=False),
    sa.Column("subject", sa.String(300), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    # Why it was not done; NULL where it was.
    sa.Column("refused", sa.Text),
    sa.Column("before", Json),
    sa.Column("after", Json),
    sa.Index(None, "subject", "id"),
)
