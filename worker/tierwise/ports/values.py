"""Plain values between the pipeline and what is outside of it. They hold nothing open and know nobody.

Times are timezone-aware UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from tierwise.domain.advice import Advice
from tierwise.domain.decision import Decision
from tierwise.domain.lead import Lead
from tierwise.domain.review import ReviewKind
from tierwise.ports.reviews import ReviewItem
from tierwise.sdk import Quota

CursorKind = Literal["changes", "reconcile", "outcomes"]
"""The poll, the pass that follows it by the index lag, and the pass that looks at what became of leads."""

DecisionKey = tuple[str, str, str, str]
"""connection, record id, fingerprint, policy digest"""


class CursorClaim(NamedTuple):
    """The exclusive right to one pass over a connection, for a while."""

    connection: str
    watermark: datetime
    """Everything modified before it is stored."""
    window_until: datetime | None
    """End of a window that was begun and not finished."""
    position: Mapping[str, Any] | None
    """The connector's place in that window."""
    version: int
    token: int
    until: datetime
    kind: CursorKind = "changes"
    since: datetime | None = None
    """When it was claimed: nothing that is stored under it was read before."""


class Arrival(NamedTuple):
    """One record of a page, mapped or refused."""

    record_id: str
    modified_at: datetime
    lead: Lead | None
    """None where the record does not conform."""
    fingerprint: str
    """Of the lead; of the raw mapped properties where the record does not conform."""
    identity: str | None
    """Identity key (hash), None where nothing identifies the lead."""
    provenance: Mapping[str, Any]
    """Canonical field -> {"from", "raw", "transform", "note"}."""
    problems: tuple[str, ...]
    rejected: str | None
    """Why the record does not conform, without personal data."""
    own: Advice
    """Our fields as the CRM shows them."""
    former_ids: tuple[str, ...] = ()
    """Records that were merged into this one."""


class Known(NamedTuple):
    """What we know of a record."""

    sequence: int
    """Order in which records of the connection were first seen."""
    fingerprint: str
    identity: str | None


class Ingested(NamedTuple):
    """What storing a page did."""

    new: int
    changed: int
    unchanged: int
    rejected: int
    adopted: int
    """Records that carry our fingerprint already though this database is new."""
    delivered: int
    repaired: int
    kept: int
    requested: int = 0
    """Reviews that reps asked for in the CRM."""
    labelled: int = 0
    """Verdicts that reps gave in the CRM."""


class Claim(NamedTuple):
    """The exclusive right to decide one lead, for a while."""

    work_id: int
    connection: str
    record_id: str
    fingerprint: str
    policy: str
    revision: int
    attempt: int
    token: int
    lead: Lead


class ReviewRequest(NamedTuple):
    """A review item to open together with a decision."""

    kind: ReviewKind
    priority: int
    reason: str
    """One sentence without personal data."""


class AuditDraw(NamedTuple):
    """A decision that people are to look at whatever it is."""

    rate: float
    """Probability (0-1) with which decisions of its tier are drawn now."""
    draw: float
    """Where it fell in [0, 1), below the rate."""
    twice: bool
    """A second person labels it as well."""


class Finished(NamedTuple):
    """One lead, ready to commit."""

    claim: Claim
    decision: Decision
    advice: Advice
    review: ReviewRequest | None
    audit: AuditDraw | None = None


class Committed(NamedTuple):
    """What became of a batch of finished leads (work ids)."""

    done: frozenset[int]
    lost: frozenset[int]
    """Somebody else holds the lease now: nothing of these was stored."""


class Outgoing(NamedTuple):
    """The exclusive right to write one record's advice, for a while."""

    outbox_id: int
    connection: str
    record_id: str
    desired: Advice
    known: Advice
    """Our fields as the CRM last showed or took them."""
    kept: tuple[str, ...]
    """Fields that hold a person's value."""
    version: int
    generation: int
    attempt: int
    token: int


class Settled(NamedTuple):
    """What became of one outgoing row."""

    row: Outgoing
    outcome: Literal["sent", "unchanged", "retry", "refused"]
    sent: Advice = MappingProxyType({})
    """The fields that were sent."""
    new_id: str | None = None
    error: str = ""
    run_after: datetime | None = None
    """When to try again, for `retry`."""


class ConnectionState(NamedTuple):
    """One connection as the database knows it."""

    name: str
    type: str
    enabled: bool
    paused: str | None
    """Why it rests until a person acts."""
    watermark: datetime | None
    last_polled_at: datetime | None
    next_poll_at: datetime | None
    leads: int
    error: str = ""
    """Why the last poll did not go well; empty where it did."""
    quota: Quota | None = None
    """The account's calls of the day, as it last told."""


QUEUES = ("poll", "score", "writeback", "maint")
"""Kinds of work. A worker serves some of them or all; a sign of life names them as `queues`."""


class Heartbeat(NamedTuple):
    """Sign of life of one process."""

    role: str
    instance: str
    at: datetime
    info: Mapping[str, Any]


class StoredDecision(NamedTuple):
    """One link of a connection's chain."""

    id: int
    sequence: int
    previous: str
    hash: str
    decision: Decision


class PastDecision(NamedTuple):
    """A decision as it is stored, to be replayed."""

    id: int
    connection: str
    record_id: str
    policy: str
    body: Mapping[str, Any]
    """Without what is personal but the quotes of the verdicts that count; without `hits` where that was asked for."""
    fields: Mapping[str, Any] | None
    """The signals it was made on; None where they were erased."""


class Fired(NamedTuple):
    """What rules and reasons came up in stored decisions."""

    decisions: int
    """That were looked at."""
    rules: Mapping[str, int]
    """In how many of them a rule matched."""
    reasons: Mapping[str, int]
    """In how many of them a code was given."""


class ChainReport(NamedTuple):
    """What walking a chain found."""

    connection: str
    links: int
    head: str
    broken_at: int | None
    """Sequence of the first link that does not fit, None where all fit."""


class Attempt(NamedTuple):
    """One write that was intended, and what came of it."""

    at: datetime
    batch: str
    version: int
    values: Advice
    outcome: str | None
    """None while unknown: the process died in between."""
    error: str


class Label(NamedTuple):
    """A later verdict on a lead: a rep's, or what sales made of it."""

    id: int
    connection: str
    record_id: str
    source: str
    """rep_feedback, crm_outcome or review."""
    subject: str
    """Of an outcome: stage, status, deal:ID, touch; of a person's verdict: tier, outcome, criterion:ID."""
    value: str
    previous: str | None
    """What it was before, as far as we saw it."""
    title: str
    amount: float | None
    currency: str | None
    won: bool | None
    sampling: float | None
    """Probability with which the lead was drawn for this label; None: nobody drew it, no gate counts it."""
    decision_id: int | None
    """The decision that it is about."""
    by: str | None
    said_at: datetime
    seen_at: datetime


class LeadStory(NamedTuple):
    """All that is stored on one lead."""

    connection: str
    record_id: str
    lead: Lead | None
    fingerprint: str
    provenance: Mapping[str, Any]
    problems: tuple[str, ...]
    rejected: str | None
    revision: int
    submitted_at: datetime | None
    first_seen_at: datetime
    decided_at: datetime | None
    delivered_at: datetime | None
    own: Advice
    kept: tuple[str, ...]
    work: Sequence[Mapping[str, Any]]
    """Rows: state, attempt, error, updated_at, policy, fingerprint, run_after, lease_until, and where it waits for a
    batch batch_since and the batch's number, which is None until it is in one."""
    decisions: Sequence[StoredDecision]
    attempts: Sequence[Attempt]
    reviews: Sequence[ReviewItem]
    kept_since: Mapping[str, datetime] = MappingProxyType({})
    """Of the fields kept: when a person's value was first seen there."""
    labels: Sequence[Label] = ()
