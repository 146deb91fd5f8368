"""What is stored, as the pipeline asks for it. Synchronous; never a transaction open across a model or CRM call.

Times are timezone-aware UTC.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from tierwise.domain.advice import Advice
from tierwise.domain.decision import Decision
from tierwise.domain.lead import Lead
from tierwise.domain.rubric import Assessment
from tierwise.ports.automation import Automations, Flags, Gates
from tierwise.ports.backtests import Backtests
from tierwise.ports.batches import Batches
from tierwise.ports.calibrations import Calibrations
from tierwise.ports.money import Money
from tierwise.ports.persons import Persons
from tierwise.ports.pilot import Pilots
from tierwise.ports.policies import AdminEvents, People, Policies, Shadows
from tierwise.ports.reviews import Reviews
from tierwise.ports.seen import AccountHealth, Notifications
from tierwise.ports.values import (
    Arrival,
    ChainReport,
    Claim,
    Committed,
    ConnectionState,
    CursorClaim,
    CursorKind,
    DecisionKey,
    Finished,
    Fired,
    Heartbeat,
    Ingested,
    Known,
    Label,
    LeadStory,
    Outgoing,
    PastDecision,
    Settled,
)
from tierwise.sdk import Outcome, Quota


class Connections(Protocol):
    """Accounts, switched on and off here for every worker at once."""

    def ensure(self, name: str, type_: str, *, now: datetime) -> None: ...
    def enable(self, name: str, *, watermark: datetime, now: datetime) -> bool:
        """False when it was enabled already. The cursor is set only where there is none yet."""

    def disable(self, name: str, *, now: datetime) -> None: ...
    def pause(self, name: str, reason: str, *, now: datetime) -> None: ...
    def resume(self, name: str, *, now: datetime) -> None:
        """A person has seen to it: calls go on, and what the CRM refused is tried again."""

    def list(self) -> list[ConnectionState]: ...
    def note_quota(self, name: str, quota: Quota) -> None:
        """What the account told of its day's calls."""


class Cursors(Protocol):
    """Where each pass over a connection stands."""

    def claim(
        self, connection: str, *, owner: str, lease: float, now: datetime, kind: CursorKind = "changes"
    ) -> CursorClaim | None:
        """None while another process is at it, or when it is disabled, paused or has no cursor of that kind."""

    def watermark(self, connection: str, kind: CursorKind) -> datetime | None:
        """How far that pass has come; None where it has no cursor."""

    def open_window(self, claim: CursorClaim, *, until: datetime, now: datetime) -> CursorClaim:
        """Fix the window's end before the first request. Raises LeaseLost."""

    def release(self, claim: CursorClaim, *, next_poll_at: datetime, error: str, now: datetime) -> None: ...
    def rewind(self, connection: str, *, watermark: datetime, now: datetime, kind: CursorKind = "changes") -> None:
        """Read again from there (backfill), never forward; what is unchanged is not decided again."""


class Leads(Protocol):
    """Canonical leads and their work."""

    def known(self, connection: str, record_ids: Collection[str]) -> dict[str, Known]: ...
    def first_seen(self, connection: str, identities: Collection[str]) -> dict[str, str]:
        """Identity -> id of the record that was first seen with it."""

    def provenance(self, connection: str, record_ids: Collection[str]) -> dict[str, Mapping[str, Any]]:
        """Record id -> where its fields came from, as it is stored; records never seen are left out."""

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
        """leads, undecided, undelivered, rejected, refused (by the CRM; in nobody's queue until `resume`)."""


class Works(Protocol):
    """The queue of leads to decide."""

    def claim(
        self, *, limit: int, owner: str, lease: float, now: datetime, connection: str | None = None
    ) -> list[Claim]:
        """The most urgent ready rows and expired leases; the attempt is counted here."""

    def renew(self, claims: Sequence[Claim], *, lease: float, now: datetime) -> frozenset[int]:
        """Work ids that are still ours."""

    def retry(self, claim: Claim, *, run_after: datetime, error: str, now: datetime) -> bool: ...
    def hold(self, claim: Claim, *, run_after: datetime, error: str, now: datetime) -> bool:
        """Back to ready at that time, the attempt not counted: nothing was tried."""

    def held(self) -> dict[str, int]:
        """Leads that wait for money, by connection."""

    def release(self, claims: Sequence[Claim], *, now: datetime) -> None:
        """Back to ready at once, the attempt not counted: we are shutting down."""

    def quarantine(self, claim: Claim, *, error: str, now: datetime) -> bool:
        """Tried too often: a review item of kind `schema` opens and status in_review is written."""

    def requeue(
        self,
        policy: str,
        *,
        since: datetime,
        now: datetime,
        connection: str | None = None,
        open_only: bool = True,
        until: datetime | None = None,
        batch: bool = False,
    ) -> int:
        """Decide leads again under this policy that were decided between `since` and `until`; how many.

        `batch`: where models are to be asked, they may wait for a batch. After new leads, and for nothing where a lead
        was decided under it before. `open_only` leaves those alone that became an opportunity, a customer or were
        disqualified.
        """

    def candidates(
        self,
        policy: str,
        *,
        since: datetime,
        connection: str | None = None,
        open_only: bool = True,
        until: datetime | None = None,
    ) -> Iterator[tuple[str, Lead]]:
        """Connection and lead of what `requeue` would take and nobody decided under this policy yet."""

    def counts(self) -> dict[str, int]:
        """By state."""

    def waiting(self) -> dict[str, int]:
        """ready and leased, however long the history is."""

    def undecided(self, connection: str) -> bool:
        """Whether any of the connection's leads is still to be decided."""

    def due(self, *, now: datetime) -> int: ...

    def neglected(self, *, since: datetime, now: datetime) -> bool:
        """Whether leads were due at `since` already, and nobody decides any lead now."""


class Decisions(Protocol):
    """The append-only record, a hash chain per connection."""

    def find(self, keys: Collection[DecisionKey]) -> dict[DecisionKey, Decision]: ...
    def get(self, decision_id: int) -> Decision | None: ...
    def newest(self, inputs: Collection[tuple[str, str, str]]) -> dict[tuple[str, str, str], Decision]:
        """The newest decision on each input (connection, record id, fingerprint), under whatever policy."""

    def count(self, *, limit: int) -> int:
        """How many there are, `limit` at most."""

    def latest(self) -> datetime | None:
        """When the newest was made; None where there is none."""

    def recent(
        self, *, limit: int, part: int = 0, parts: int = 1, page: int = 500, brief: bool = False
    ) -> Iterator[PastDecision]:
        """Of the last `limit` decisions the newest of each lead, in `parts` shares for as many processes; `brief`
        leaves out their hits, which are most of the text."""

    def fired(self, *, since: datetime, limit: int) -> Fired:
        """How often rules matched and reasons were given in decisions since then, the newest `limit` of them."""

    def commit(self, finished: Sequence[Finished], *, now: datetime) -> Committed:
        """Fenced work rows done, decisions chained, assessments cached, outbox and reviews: one transaction."""

    def verify(self, connection: str) -> ChainReport: ...


class Assessments(Protocol):
    """The cache of paid answers by content hash."""

    def get(self, hashes: Collection[str]) -> dict[str, Assessment]: ...
    def keep(self, assessments: Sequence[Assessment], *, now: datetime) -> None:
        """Answers that were paid for though no decision stands on them yet."""


class Outbox(Protocol):
    """Desired fields by record."""

    def claim(self, connection: str, *, limit: int, owner: str, lease: float, now: datetime) -> list[Outgoing]: ...
    def intend(
        self, rows: Sequence[tuple[Outgoing, Advice]], *, batch: str, now: datetime, theirs: datetime | None = None
    ) -> frozenset[int]:
        """Commit the intents; returns the outbox ids whose lease still stands, only those may be sent.

        `theirs` is the same moment by the CRM's own clock, which the stamps of its records are compared with.
        """

    def renew(self, rows: Sequence[Outgoing], *, lease: float, now: datetime) -> frozenset[int]:
        """Let the lease of these start anew; the outbox ids of those that nobody else has claimed meanwhile."""

    def settle(self, settled: Sequence[Settled], *, batch: str, now: datetime) -> None:
        """Outcomes of a batch. A row whose lease was lost after the call goes back to ready."""

    def due(self, *, now: datetime) -> dict[str, int]:
        """Rows ready by connection."""

    def waiting_since(self, connection: str, *, now: datetime) -> datetime | None:
        """When the oldest of the connection's due rows became due; None where none is."""


class Labels(Protocol):
    """Later verdicts on leads."""

    def keep_outcomes(
        self,
        claim: CursorClaim,
        outcomes: Sequence[Outcome],
        *,
        position: Mapping[str, Any] | None,
        watermark: datetime | None,
        now: datetime,
        ahead: timedelta = timedelta(),
    ) -> int:
        """Store what differs from what was known, of leads that we know, with the moved cursor; how many.

        `ahead`: how far the CRM's clock is ahead of ours. Whether a touch came after a decision depends on it.

        Raises LeaseLost.
        """

    def list(self, *, source: str | None = None, connection: str | None = None, limit: int = 1000) -> list[Label]:
        """The newest first."""

    def counts(self) -> dict[tuple[str, str, str], int]:
        """By connection, source and subject (without the id of a deal)."""


class Slots(Protocol):
    """Each periodic action happens once per slot, however many beats there are."""

    def claim(self, kind: str, scope: str, slot: datetime, *, by: str, now: datetime) -> bool: ...
    def claimed(self, kind: str, scope: str, *, since: datetime | None) -> int:
        """How many slots later than that are claimed; of those not pruned yet all where it is None."""

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
    def batches(self) -> Batches: ...
    @property
    def backtests(self) -> Backtests: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def reviews(self) -> Reviews: ...
    @property
    def labels(self) -> Labels: ...
    @property
    def money(self) -> Money: ...
    @property
    def policies(self) -> Policies: ...
    @property
    def shadows(self) -> Shadows: ...
    @property
    def people(self) -> People: ...
    @property
    def admin_events(self) -> AdminEvents: ...
    @property
    def calibrations(self) -> Calibrations: ...
    @property
    def slots(self) -> Slots: ...
    @property
    def heartbeats(self) -> Heartbeats: ...
    @property
    def gates(self) -> Gates: ...
    @property
    def flags(self) -> Flags: ...
    @property
    def automations(self) -> Automations: ...
    @property
    def persons(self) -> Persons: ...
    @property
    def pilots(self) -> Pilots: ...
    @property
    def health(self) -> AccountHealth: ...
    @property
    def notifications(self) -> Notifications: ...
    def close(self) -> None: ...
