"""Questions that go to a provider in batches, and the leads that wait for their answers. Times are UTC.

A lead that waits is a row of the queue that is due later: whatever happens to its batch, it is decided live then.
"""

from __future__ import annotations

import builtins
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from tierwise.domain.lead import Lead
from tierwise.domain.rubric import Assessment
from tierwise.ports.money import Budgets, Entry, Spent

BatchState = Literal["planned", "uploaded", "submitting", "submitted", "ended"]
Whose = Literal["lead", "backtest"]
"""Who waits: leads of the queue, or decisions that a backtest tries again."""


class Batch(NamedTuple):
    """One batch. From `state` to `submitted_at` its owner may change it and save it."""

    id: int
    tag: str
    model: str
    stage: str
    strong: str
    policy: str
    questions: int
    created_at: datetime
    token: int
    nano_estimate: int
    cancelled: bool
    state: BatchState
    deadline: datetime
    look_at: datetime
    input_file: str = ""
    provider_id: str = ""
    files: tuple[str, ...] = ()
    """At the provider, to be deleted once it ended."""
    tries: int = 0
    """Calls in a row that failed."""
    sought: int = 0
    """Times that a submission was looked for in vain; later, of looks that were begun after its last moment."""
    done: int = 0
    error: str = ""
    fault: str = ""
    submitted_at: datetime | None = None
    outcome: str = ""
    answered: int = 0
    unusable: int = 0
    nano_usd: int = 0
    nano_saved: int = 0
    unpriced: int = 0
    ended_at: datetime | None = None


class Gathering(NamedTuple):
    """Leads that may go in a batch and are in none."""

    leads: int
    oldest: datetime | None


class Waiter(NamedTuple):
    """One of them."""

    work_id: int
    connection: str
    lead: Lead
    record_id: str
    fingerprint: str


class Wanted(NamedTuple):
    """The question that a waiting lead needs answered."""

    waiter: int
    """Its row of the queue, or of the backtest."""
    key: str
    connection: str
    nano: int
    """Estimated cost."""


class Plan(NamedTuple):
    """Questions for one model."""

    model: str
    stage: str
    strong: str
    policy: str
    wanted: tuple[Wanted, ...]
    whose: Whose = "lead"


class Planned(NamedTuple):
    """What became of a plan."""

    batch: int | None
    questions: int = 0
    leads: int = 0
    """That wait for this batch, or for one that asks the same."""
    spent: Spent | None = None
    """The budget that had no room for the others; they wait for it."""


class Put(NamedTuple):
    """A question of a batch, and the lead it is about as it is now."""

    key: str
    connection: str
    lead: Lead | None


class Ending(NamedTuple):
    """How a batch ended, and what it brought."""

    outcome: str
    entries: tuple[Entry, ...] = ()
    answers: tuple[Assessment, ...] = ()
    unusable: int = 0
    fault: str = ""
    error: str = ""
    billed: bool = True
    """False where nobody can tell what it cost: what was reserved counts as spent."""


class Backfill(NamedTuple):
    """Leads of a connection from `since` to `until` that are read again and may wait for batches."""

    connection: str
    since: datetime
    until: datetime
    begun_at: datetime


class Batches(Protocol):
    """Batches and who waits for them."""

    def gathering(self, *, now: datetime) -> Gathering: ...
    def waiters(self, *, limit: int, now: datetime) -> builtins.list[Waiter]:
        """The longest waiting first."""

    def release(self, work_ids: Collection[int], *, now: datetime) -> None:
        """Decided live, now."""

    def plan(self, plan: Plan, *, budgets: Budgets, deadline: datetime, now: datetime) -> Planned:
        """Reserve the money, write the batch down and let its leads wait for it: one transaction."""

    def due(self, *, now: datetime) -> builtins.list[int]:
        """Batches that somebody has to look at."""

    def claim(self, batch_id: int, *, lease: float, now: datetime) -> Batch | None:
        """None while somebody else is at it."""

    def save(self, batch: Batch, *, now: datetime, wait: bool = False) -> None:
        """Keep what its owner changed; `wait`: its leads wait until its deadline. Raises LeaseLost."""

    def free(self, batch: Batch) -> None:
        """Let go of the claim."""

    def asked(self, batch: Batch, *, ready: bool = False) -> builtins.list[Put]:
        """All its questions; `ready`: without leads that are decided, or just being decided."""

    def drop(self, batch: Batch, keys: Collection[str], *, now: datetime) -> None:
        """Questions that are not to be asked any more; their leads are decided live. Raises LeaseLost."""

    def end(self, batch: Batch, ending: Ending, *, now: datetime) -> None:
        """Answers, bills, reservations and the leads that waited: one transaction, once. Raises LeaseLost."""

    def untidy(self, *, now: datetime) -> builtins.list[Batch]:
        """Those that ended and left files at their provider."""

    def tidied(self, batch_id: int, *, files: Sequence[str], look_at: datetime) -> None:
        """What is left of them, and when to try again."""

    def cancel(self, batch_id: int, *, now: datetime) -> bool:
        """Its leads are decided live, now; what it still answers is kept. False where it ended already."""

    def list(self, *, ended_since: datetime, limit: int = 100) -> builtins.list[Batch]:
        """Those that work and those that ended since then, the newest first."""

    def waiting(self) -> dict[str, int]:
        """Leads that wait for a batch or to get into one, by connection."""

    def backfill(self, connection: str, *, since: datetime, until: datetime | None, now: datetime) -> None:
        """Read again from `since`; what is read before `until` may go in batches. None: nothing of what is read does.

        Raises Misconfigured where nobody knows the connection.
        """

    def backfills(self) -> builtins.list[Backfill]: ...
