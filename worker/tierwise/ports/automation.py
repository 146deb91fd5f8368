"""What stands between a decision and the organisation's own tier field, as the pipeline asks for it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from tierwise.domain import gate, retreat, rollout, validation, weighted
from tierwise.domain.decision import Decision
from tierwise.sdk import Notice

AutomationState = Literal["begun", "written", "refused", "unsure", "lost", "reverted", "kept"]


class Running(NamedTuple):
    """What this process decides with, apart from policy and calibration, which the database tells."""

    models: str
    """Hash of the models and how they are asked."""
    offline: bool
    """`offline/rules` decides."""
    staging: bool = False
    """This installation tries policies beside production, on the same database: it never automates."""


class Standing(NamedTuple):
    """All that automation depends on, read in one transaction."""

    gate: gate.Gate
    chain: str
    """Hash of the models that run and of the calibration in force."""
    policy: str | None
    """Digest of the active one."""
    kill: rollout.Kill | None
    flag: rollout.Flag | None
    version: int
    """Of the flag; 0 where there is none."""


class FlagVersion(NamedTuple):
    """One change of the flag."""

    id: int
    flag: rollout.Flag
    by: str
    machine: bool
    reason: str
    at: datetime


class KillChange(NamedTuple):
    """One use of the kill switch."""

    id: int
    on: bool
    by: str
    reason: str
    at: datetime


class Alert(NamedTuple):
    """Something that a monitor or a person found, and nobody closed yet."""

    id: int
    kind: str
    scope: str
    detail: str
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str | None


class Candidate(NamedTuple):
    """A decision whose tier may be written into the organisation's field."""

    decision_id: int
    connection: str
    record_id: str
    company: str
    """Stable name of the company for the rollout; the record where there is none."""
    decision: Decision


class Intended(NamedTuple):
    """One write that has begun."""

    id: int
    connection: str
    record_id: str
    decision_id: int
    field: str
    before: str | None
    after: str


class Automated(NamedTuple):
    """One write of the organisation's field, as it is stored."""

    id: int
    connection: str
    record_id: str
    decision_id: int
    field: str
    before: str | None
    after: str
    state: AutomationState
    error: str
    at: datetime
    finished_at: datetime | None


class Unsettled(NamedTuple):
    """A write of which nobody knows whether it arrived."""

    write: Automated
    attempt: int
    """How often it was begun."""
    followed: bool
    """Another write of the same field began later."""
    stood: str | None
    """What it found there, where one did."""


class StoredReport(NamedTuple):
    """A validation report as it was stored; never changed."""

    digest: str
    registration: str
    look: int
    passed: bool
    body: str
    """Canonical JSON."""
    by: str
    at: datetime


class Sampled(NamedTuple):
    """One decision of the audit sample with what people said of it."""

    decision_id: int
    drawn: validation.Drawn
    labelled_at: datetime | None


class Labelled(NamedTuple):
    """One decision that people labelled with a known probability, for display."""

    decision_id: int
    seen: weighted.Seen
    groups: Mapping[str, str | None]
    """tier, connection, region, pod, model, policy."""


class Gates(Protocol):
    """Registrations, reports and what they are made of."""

    def register(self, registration: validation.Registration) -> str:
        """Digest. Only decisions that are stored later count for it. Misconfigured where a look was taken under any
        registration of that policy and chain: what was seen there may have made this one."""

    def registration(self, policy: str, chain: str) -> tuple[str, validation.Registration] | None:
        """The newest one for what runs, with its digest."""

    def counted(self, digest: str) -> int:
        """Audit items in positive tiers that were drawn since that registration."""

    def sample(self, digest: str, *, look: int) -> tuple[list[Sampled], list[validation.Counted]]:
        """The audit sample up to the `look`-th item in a positive tier, and the population it was drawn from."""

    def ask_again(self, digest: str, *, now: datetime) -> int:
        """Open an item for each drawn decision of a registration that nobody answered and nobody is asked about: no
        look waits for what nobody can answer. How many."""

    def labelled(self, policy: str | None = None, chain: str | None = None) -> list[Labelled]:
        """Decisions of that policy and chain (none: of any) with a label of known probability: reviewed ones, and the
        audit sample."""

    def keep(self, report: StoredReport) -> bool:
        """Store it; False where that look was taken already."""

    def reports(self, *, registration: str | None = None, limit: int | None = 20) -> list[StoredReport]:
        """The newest first; only those of one registration (its digest) where it is given."""


class Flags(Protocol):
    """The flag, the kill switch and open alerts. Everything is only ever added."""

    def standing(self, running: Running, *, now: datetime) -> Standing:
        """What automation stands on, in one transaction. The kill file is the caller's to look at."""

    def put(
        self,
        flag: rollout.Flag,
        *,
        by: str,
        machine: bool,
        reason: str,
        now: datetime,
        notice: Notice | None = None,
    ) -> FlagVersion:
        """Lower it, and tell people `notice` in the same transaction. Refused where that would switch anything on, or
        where a person has no right to."""

    def change(
        self, flag: rollout.Flag, *, by: str, reason: str, running: Running, now: datetime, base: int | None = None
    ) -> FlagVersion | list[str]:
        """Raise or lower it for a person, or why not, in words; either is recorded. `base` is the version that they
        changed (0: none yet); None: whichever stands. Gate and stage are judged in the same transaction."""

    def history(self, *, limit: int = 50) -> list[FlagVersion]:
        """The newest first."""

    def kill(self, *, on: bool, by: str, reason: str, now: datetime) -> KillChange: ...
    def kills(self, *, limit: int = 50) -> list[KillChange]:
        """The newest first."""

    def alert(self, kind: str, scope: str, detail: str, *, now: datetime) -> bool:
        """Open it; False where it is open already."""

    def close_alert(self, alert_id: int, *, by: str, now: datetime) -> bool:
        """False where it is not open."""

    def alerts(self, *, everything: bool = False) -> list[Alert]: ...


class Automations(Protocol):
    """Writes of the organisation's own tier field."""

    def candidates(
        self, connection: str, *, policy: str, chain: str, tiers: Sequence[str], above: float, after: int, limit: int
    ) -> list[Candidate]:
        """Newest decisions on leads of that connection that no write was begun for, or whose write was lost, and whose
        advice was sent; those with ids above `after`, in their order. None of a connection that is off, and none that a
        person overruled."""

    def begin(
        self,
        wanted: Sequence[tuple[Candidate, str, str | None, str]],
        *,
        running: Running,
        permitted: Callable[[Standing, Candidate], bool],
        now: datetime,
    ) -> list[Intended]:
        """Commit intents (candidate, field, before, after) of those that are permitted by what stands in the same
        transaction; nobody can change it in between."""

    def earlier(self, connection: str, record_ids: Sequence[str], *, field: str) -> dict[str, str | None]:
        """What stands in that field of each of these records where we wrote and nobody else did since: our last value,
        or the one that we put back."""

    def finish(
        self, row: int, state: AutomationState, *, error: str, was: tuple[AutomationState, ...], now: datetime
    ) -> bool:
        """How it ended; False where it is none of `was` any more: somebody else knew first. What ends refused is an
        item for a person, in the same transaction."""

    def unsettled(self, connection: str, *, before: datetime, limit: int) -> list[Unsettled]:
        """Writes that were begun before that moment and whose end is unknown, the oldest first."""

    def counts(self) -> dict[tuple[str, AutomationState], int]:
        """Writes by connection and state."""

    def list(
        self,
        *,
        connection: str | None = None,
        since: datetime | None = None,
        states: Collection[AutomationState] | None = None,
        limit: int | None = 1000,
    ) -> list[Automated]:
        """The newest first."""

    def count(self, *, since: datetime | None) -> int:
        """Leads whose field was written since then."""

    def window(self, *, since: datetime, newest: int, positive_tiers: Sequence[str]) -> retreat.Window:
        """What people said and did of the newest automated leads since then."""
