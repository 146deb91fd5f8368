"""What the pipeline needs from the outside, as Protocols and the plain values that cross them.

Times are timezone-aware UTC. Stores are synchronous and never hold a transaction open across a model or CRM call.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Protocol

from tierwise.domain.advice import Advice
from tierwise.domain.decision import Decision, Judged
from tierwise.domain.lead import Lead
from tierwise.domain.policy import Policy, Runnable
from tierwise.domain.review import ReviewKind
from tierwise.domain.rubric import Assessment

Clock = Callable[[], datetime]
DecisionKey = tuple[str, str, str, str]
"""connection, record id, fingerprint, policy digest"""


class CursorClaim(NamedTuple):
    """The exclusive right to poll one connection, for a while."""

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


class Finished(NamedTuple):
    """One lead, ready to commit."""

    claim: Claim
    decision: Decision
    advice: Advice
    review: ReviewRequest | None


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


class ReviewItem(NamedTuple):
    """Work for a person."""

    id: int
    connection: str
    record_id: str
    kind: ReviewKind
    state: str
    priority: int
    reason: str
    created_at: datetime
    decision_id: int | None
    score: int | None
    tier: str | None
    confidence: float | None
    answered_at: datetime | None = None
    answered_by: str | None = None
    answer: Mapping[str, Any] | None = None
    """{"agree", "tier", "outcome", "reason", "note"}"""


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


class Activation(NamedTuple):
    """What runs."""

    id: int
    digest: str
    version: str
    by: str
    note: str
    at: datetime


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
    """Rows: state, attempt, error, updated_at, policy, fingerprint."""
    decisions: Sequence[StoredDecision]
    attempts: Sequence[Attempt]
    reviews: Sequence[ReviewItem]


class Connections(Protocol):
    """Accounts, switched on and off here for every worker at once."""

    def ensure(self, name: str, type_: str, *, now: datetime) -> None: ...
    def enable(self, name: str, *, watermark: datetime, now: datetime) -> bool:
        """False when it was enabled already. The cursor is set only where there is none yet."""

    def disable(self, name: str, *, now: datetime) -> None: ...
    def pause(self, name: str, reason: str, *, now: datetime) -> None: ...
    def resume(self, name: str, *, now: datetime) -> None: ...
    def list(self) -> list[ConnectionState]: ...


class Cursors(Protocol):
    """Where polling stands."""

    def claim(self, connection: str, *, owner: str, lease: float, now: datetime) -> CursorClaim | None:
        """None while another process polls it, or when it is disabled, paused or has no cursor."""

    def open_window(self, claim: CursorClaim, *, until: datetime, now: datetime) -> CursorClaim:
        """Fix the window's end before the first request. Raises LeaseLost."""

    def release(self, claim: CursorClaim, *, next_poll_at: datetime, error: str, now: datetime) -> None: ...
    def rewind(self, connection: str, *, watermark: datetime, now: datetime) -> None:
        """Read again from there (backfill); what is unchanged is not decided again."""


class Leads(Protocol):
    """Canonical leads and their work."""

    def known(self, connection: str, record_ids: Collection[str]) -> dict[str, Known]: ...
    def first_seen(self, connection: str, identities: Collection[str]) -> dict[str, str]:
        """Identity -> id of the record that was first seen with it."""

    def ingest(
        self,
        claim: CursorClaim,
        arrivals: Sequence[Arrival],
        *,
        policy: str,
        position: Mapping[str, Any] | None,
        watermark: datetime | None,
        now: datetime,
    ) -> Ingested:
        """A page and the moved cursor in one transaction; `watermark` with the last page. Raises LeaseLost."""

    def story(self, connection: str | None, record_id: str) -> list[LeadStory]:
        """One entry per connection that knows the id."""

    def counts(self, connection: str | None = None) -> dict[str, int]:
        """leads, undecided, undelivered, rejected."""


class Works(Protocol):
    """The queue of leads to decide."""

    def claim(
        self, *, limit: int, owner: str, lease: float, now: datetime, connection: str | None = None
    ) -> list[Claim]:
        """The most urgent ready rows and expired leases; the attempt is counted here."""

    def renew(self, claims: Sequence[Claim], *, lease: float, now: datetime) -> frozenset[int]:
        """Work ids that are still ours."""

    def retry(self, claim: Claim, *, run_after: datetime, error: str, now: datetime) -> bool: ...
    def release(self, claims: Sequence[Claim], *, now: datetime) -> None:
        """Back to ready at once, the attempt not counted: we are shutting down."""

    def quarantine(self, claim: Claim, *, error: str, now: datetime) -> bool:
        """Tried too often: a review item of kind `schema` opens and status in_review is written."""

    def counts(self) -> dict[str, int]:
        """By state."""

    def due(self, *, now: datetime) -> int: ...


class Decisions(Protocol):
    """The append-only record, a hash chain per connection."""

    def find(self, keys: Collection[DecisionKey]) -> dict[DecisionKey, Decision]: ...
    def commit(self, finished: Sequence[Finished], *, now: datetime) -> Committed:
        """Fenced work rows done, decisions chained, assessments cached, outbox and reviews: one transaction."""

    def verify(self, connection: str) -> ChainReport: ...


class Assessments(Protocol):
    """The cache of paid answers by content hash."""

    def get(self, hashes: Collection[str]) -> dict[str, Assessment]: ...


class Outbox(Protocol):
    """Desired fields by record."""

    def claim(self, connection: str, *, limit: int, owner: str, lease: float, now: datetime) -> list[Outgoing]: ...
    def intend(self, rows: Sequence[tuple[Outgoing, Advice]], *, batch: str, now: datetime) -> frozenset[int]:
        """Commit the intents; returns the outbox ids whose lease still stands, only those may be sent."""

    def settle(self, settled: Sequence[Settled], *, batch: str, now: datetime) -> None:
        """Outcomes of a batch. A row whose lease was lost after the call goes back to ready."""

    def due(self, *, now: datetime) -> dict[str, int]:
        """Rows ready by connection."""


class Reviews(Protocol):
    """The queue for people."""

    def list(self, *, state: str | None = "open", kind: str | None = None, limit: int = 100) -> list[ReviewItem]: ...
    def counts(self) -> dict[str, int]:
        """Open items by kind; kinds without any are left out."""

    def get(self, item_id: int) -> ReviewItem | None: ...
    def answer(self, item_id: int, *, by: str, answer: Mapping[str, Any], advice: Advice | None, now: datetime) -> bool:
        """False when it is not open any more. `advice` is what the CRM is to show from now on."""


class Policies(Protocol):
    """Published bundles and which one runs."""

    def publish(self, policy: Policy, *, by: str, note: str, now: datetime) -> str:
        """Digest; publishing the same bundle twice changes nothing."""

    def get(self, digest: str) -> Policy | None: ...
    def activate(self, digest: str, *, by: str, note: str, now: datetime) -> Activation: ...
    def active(self) -> Activation | None: ...
    def history(self, *, limit: int = 50) -> list[Activation]: ...


class Slots(Protocol):
    """Each periodic action happens once per slot, however many beats there are."""

    def claim(self, kind: str, scope: str, slot: datetime, *, by: str, now: datetime) -> bool: ...
    def prune(self, *, before: datetime) -> int: ...


class Heartbeats(Protocol):
    """Signs of life."""

    def beat(self, role: str, instance: str, *, info: Mapping[str, Any], now: datetime) -> None: ...
    def latest(self) -> list[Heartbeat]: ...


class Store(Protocol):
    """Everything that is stored. One object per process; safe to use from several threads."""

    @property
    def connections(self) -> Connections: ...
    @property
    def cursors(self) -> Cursors: ...
    @property
    def leads(self) -> Leads: ...
    @property
    def works(self) -> Works: ...
    @property
    def decisions(self) -> Decisions: ...
    @property
    def assessments(self) -> Assessments: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def reviews(self) -> Reviews: ...
    @property
    def policies(self) -> Policies: ...
    @property
    def slots(self) -> Slots: ...
    @property
    def heartbeats(self) -> Heartbeats: ...
    def close(self) -> None: ...


class Judge(Protocol):
    """The chain of models."""

    async def judge(self, runnable: Runnable, lead: Lead) -> Judged:
        """Verdicts on the criteria that models decide. Never raises for a model's failure: it falls back.

        Raises RetryLater only where even the fallback must not decide (budget spent, shutting down).
        """

    async def close(self) -> None: ...
