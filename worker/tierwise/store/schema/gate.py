"""What was registered and found before automation, who is to have it, and what it wrote.

Nothing here is ever changed once it stands there, but for how a write ended.
"""

from __future__ import annotations

import sqlalchemy as sa

from tierwise.store.columns import Id, Json, Utc, state
from tierwise.store.schema.parts import HASH, NAME, RECORD_ID, connection_name, metadata, one_of, where

AUTOMATED = ("begun", "written", "refused", "unsure", "lost", "reverted", "kept")
"""begun: the intent, committed before the call. unsure: nobody knows whether it arrived, until the field is read back.
lost: it did not; it may be begun again. kept: a person has touched it since."""

# Decisions that people look at whatever they are: drawn by a hash when the decision was stored.
audit_draw = sa.Table(
    "audit_draw",
    metadata,
    sa.Column("decision_id", Id, sa.ForeignKey("decision.id"), primary_key=True, autoincrement=False),
    # The rate at which its tier was drawn then, and where it fell below it.
    sa.Column("rate", sa.Float, nullable=False),
    sa.Column("draw", sa.Float, nullable=False),
    # A second person labels it as well.
    sa.Column("twice", sa.Boolean, nullable=False),
    sa.Column("at", Utc, nullable=False),
)

registration = sa.Table(
    "registration",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("digest", HASH, nullable=False, unique=True),
    sa.Column("policy", HASH, nullable=False),
    sa.Column("chain", HASH, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    # Only later decisions count: those before it may have been looked at.
    sa.Column("after", Id, nullable=False),
    sa.Column("by", sa.String(200), nullable=False),
    sa.Column("at", Utc, nullable=False),
)

validation_report = sa.Table(
    "validation_report",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("digest", HASH, nullable=False, unique=True),
    sa.Column("registration", HASH, sa.ForeignKey("registration.digest"), nullable=False),
    sa.Column("look", sa.Integer, nullable=False),
    sa.Column("passed", sa.Boolean, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("by", sa.String(200), nullable=False),
    sa.Column("at", Utc, nullable=False),
    # A look is taken once: what it said stands.
    sa.UniqueConstraint("registration", "look"),
)

flag_version = sa.Table(
    "flag_version",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("key", NAME, nullable=False),
    sa.Column("body", Json, nullable=False),
    sa.Column("by", sa.String(200), nullable=False),
    sa.Column("machine", sa.Boolean, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Index(None, "key", "id"),
)

kill_switch = sa.Table(
    "kill_switch",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("on", sa.Boolean, nullable=False),
    sa.Column("by", sa.String(200), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
)

alert_state = sa.Table(
    "alert_state",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("kind", NAME, nullable=False),
    sa.Column("scope", sa.String(200), nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("opened_at", Utc, nullable=False),
    sa.Column("closed_at", Utc),
    sa.Column("closed_by", sa.String(200)),
    sa.Index("uq_alert_state_open", "kind", "scope", unique=True, **where("closed_at IS NULL")),
)

automation = sa.Table(
    "automation",
    metadata,
    sa.Column("id", Id, primary_key=True),
    connection_name(),
    sa.Column("record_id", RECORD_ID, nullable=False),
    # A decision is automated once: two processes that both want to are told so here.
    sa.Column("decision_id", Id, sa.ForeignKey("decision.id"), nullable=False, unique=True),
    sa.Column("field", sa.String(200), nullable=False),
    # What stood there, and what we put there.
    sa.Column("before", sa.Text),
    sa.Column("after", sa.Text, nullable=False),
    sa.Column("state", state(*AUTOMATED), nullable=False),
    sa.Column("error", sa.Text, nullable=False, server_default=""),
    # How often it was begun: what never arrives ends with a person.
    sa.Column("attempt", sa.SmallInteger, nullable=False, server_default="1"),
    sa.Column("report", HASH, nullable=False),
    sa.Column("flag_version", Id, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("finished_at", Utc),
    one_of("state", *AUTOMATED),
    sa.Index(None, "connection", "record_id"),
    sa.Index(None, "at"),
    sa.Index("ix_automation_unsettled", "connection", "id", **where("state IN ('begun', 'unsure')")),
)
