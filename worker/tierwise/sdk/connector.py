"""What a connector is: a reader of changes and a writer of advice for one kind of system.

A connector keeps no state of its own between calls: cursor, retries of whole batches, what is desired and what was
sent are Tierwise's. It raises only the families of `tierwise.errors`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, runtime_checkable

from tierwise.domain.advice import Advice, AdviceField


class Limiter(Protocol):
    """A token bucket per name, shared by all workers."""

    def acquire(self, bucket: str, *, rate: float, burst: float, timeout: float = 30.0) -> None:
        """Take one token from the bucket of `rate` tokens a second and `burst` tokens at most.

        Waits up to `timeout` seconds, then raises RetryLater.
        """

    def block(self, bucket: str, *, seconds: float) -> None:
        """Nobody gets a token for that long: the other side said so (Retry-After)."""


class Connection(NamedTuple):
    """One configured account."""

    name: str
    type: str
    token: str
    """Secret; never logged, never in an error."""
    options: Mapping[str, Any]
    """Settings of this connector type, validated by its `settings` model."""
    limiter: Limiter


class Record(NamedTuple):
    """One record as the system returned it."""

    id: str
    modified_at: datetime
    properties: Mapping[str, Any]
    """The requested properties, plain JSON values; Tierwise's own fields are not among them."""
    own: Advice
    """Tierwise's own fields in canonical types (int, str, tuple of codes); absent or empty ones are left out."""
    former_ids: tuple[str, ...] = ()
    """Records that were merged into this one, where the system tells."""


class Page(NamedTuple):
    """Some of a window's records, oldest first."""

    records: tuple[Record, ...]
    position: Mapping[str, Any] | None
    """JSON from which reading goes on after this page; None after the last one."""


class Update(NamedTuple):
    """Fields to set on one record; fields that are not named stay as they are."""

    record_id: str
    values: Advice
    """None empties a field."""
    trace_id: str
    """Unique within the batch; the system's answer is matched by it."""


class Written(NamedTuple):
    """What became of one update, in the order of the batch."""

    record_id: str
    outcome: Literal["written", "retry", "refused"]
    new_id: str | None = None
    """The record was merged and lives on under this id: written there, or, with "retry", not written, because that one
    may have advice of its own."""
    error: str = ""
    """Why not, scrubbed; empty when written."""


class Check(NamedTuple):
    """One line of `connections check`."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


class PlanStep(NamedTuple):
    """One line of `connections provision`."""

    action: Literal["create", "update", "keep", "conflict"]
    name: str
    detail: str = ""


class Quota(NamedTuple):
    """An account's calls of one day."""

    limit: int
    left: int
    reserve: int
    """Of those left, how many Tierwise leaves to people and other apps."""
    resets_at: datetime | None
    at: datetime
    """When the system told so."""


class Outcome(NamedTuple):
    """How one record stands with sales, in the system's own words."""

    record_id: str
    subject: str
    """What it is about: "stage", "status", "deal:ID" or "touch" (sales called, wrote or met; `value` says which).

    A connector may tell every touch it sees: the first one after the lead was decided is kept.
    """
    value: str
    at: datetime
    """Since when, or, where the system does not tell, when the record was changed last."""
    title: str = ""
    """The value as people of that account call it."""
    amount: float | None = None
    currency: str | None = None
    won: bool | None = None


class OutcomePage(NamedTuple):
    """Outcomes of some of a window's records."""

    outcomes: tuple[Outcome, ...]
    position: Mapping[str, Any] | None
    """JSON from which reading goes on after this page; None after the last one."""


class Connector(Protocol):
    """One connection, open. Closed with `close`; used by one thread at a time."""

    batch_size: ClassVar[int]
    """The most updates that `write` takes: what one of the system's calls carries."""

    def check(self, *, properties: Sequence[str], fields: Sequence[AdviceField]) -> Sequence[Check]:
        """Token, scopes, mapped properties, own fields, quota: what a first call would trip over."""

    def now(self) -> datetime:
        """The system's own clock (UTC), so that a skewed clock here loses nothing."""

    def changes(
        self,
        since: datetime,
        until: datetime,
        *,
        properties: Sequence[str],
        position: Mapping[str, Any] | None = None,
    ) -> Iterator[Page]:
        """Every record modified in [since, until], oldest first, in pages; `position` resumes after a page.

        A record may come twice, none may be left out.
        """

    def read(self, record_ids: Sequence[str], *, properties: Sequence[str]) -> Sequence[Record]:
        """These records, in no order; unknown ids are left out."""

    def write(self, updates: Sequence[Update]) -> Sequence[Written]:
        """Set fields on at most `batch_size` records; one result an update, in order. Safe to repeat."""

    def provision(self, fields: Sequence[AdviceField], *, dry_run: bool) -> Sequence[PlanStep]:
        """Create what is missing of our fields and options; nothing is ever removed or narrowed."""

    def describe(self) -> Mapping[str, str]:
        """Property name to the system's own type, for map checks."""

    def close(self) -> None:
        """Release sockets."""


@runtime_checkable
class Flushes(Protocol):
    """What a connector may offer besides: taking far more updates at once than one of its calls carries."""

    flush_size: ClassVar[int]
    """The most updates that `flush` takes; more than `batch_size`."""

    def flush(self, updates: Sequence[Update]) -> Iterator[Mapping[int, Written]]:
        """As `write`, told as it becomes known: place among the updates -> what became of that one.

        An empty mapping is a sign of life, due every few seconds while the system works. What was told counts, whatever
        is raised afterwards. Closed early, it stops what the system has not begun yet.
        """


@runtime_checkable
class TellsOutcomes(Protocol):
    """What a connector may offer besides: what became of the leads."""

    def outcomes(
        self, since: datetime, until: datetime, *, position: Mapping[str, Any] | None = None
    ) -> Iterator[OutcomePage]:
        """How records stand that changed in [since, until]; `position` resumes after a page. Repeats do no harm."""


@runtime_checkable
class TellsQuota(Protocol):
    """What a connector may offer besides: how many calls its account has left."""

    def quota(self) -> Quota | None:
        """As the last answers told it, without a call; None where none did."""


class ConnectorType(NamedTuple):
    """A kind of system, as a plugin registers it."""

    name: str
    summary: str
    open: Callable[[Connection], Connector]
    settings: type[Any]
    """Pydantic model of `Connection.options`, with a description for every field."""
    needs_token: bool = True
    """False where there is nothing to log in to: `Connection.token` is "" where none is set."""
    field_map: Callable[[Any], str] | None = None
    """Name of the field map (rules/maps/NAME.yaml) for these settings, where it is not always `name`."""
