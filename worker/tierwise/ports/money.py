"""What models cost, as the pipeline and people ask for it. Times are timezone-aware UTC; a day is a UTC day.

Money crosses here in billionths of a US dollar (`nano`): whole numbers, so that adding up loses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType
from typing import Literal, NamedTuple, Protocol

from tierwise.domain.rubric import Assessment

NANO = 1_000_000_000
ALL = "*"
"""Scope of the budget over all connections."""

LOST = "lost"
"""Stage of what was promised by a process that died."""
UNANSWERED = "unanswered"
"""Stage of calls that went out and brought no answer: timed out, broken off, or given up."""
ESTIMATED = (LOST, UNANSWERED)
"""Stages whose money no provider told us."""

Period = Literal["day", "month"]
Grain = Literal["model", "stage", "connection"]


class Budget(NamedTuple):
    """The most that may be spent, nano-USD; None where there is no limit."""

    day: int | None = None
    month: int | None = None


class Budgets(NamedTuple):
    """All limits."""

    total: Budget = Budget()
    connections: Mapping[str, Budget] = MappingProxyType({})

    def of(self, connection: str) -> tuple[tuple[str, Budget], ...]:
        """The budgets that a call for this connection counts against, by scope."""
        own = self.connections.get(connection, Budget())
        return tuple((scope, found) for scope, found in ((connection, own), (ALL, self.total)) if _any_limit(found))

    @property
    def any(self) -> bool:
        """Whether there is any limit."""
        return _any_limit(self.total) or any(_any_limit(found) for found in self.connections.values())


def _any_limit(budget: Budget) -> bool:
    """Whether the budget limits anything."""
    return budget.day is not None or budget.month is not None


UNLIMITED = Budgets()


class Ask(NamedTuple):
    """Somebody wants to pay for an answer."""

    key: str
    """Content hash of the question; "" where only money is asked for (a second call for the same answer)."""
    connection: str
    nano: int
    """Estimated cost of the call."""


class Spent(NamedTuple):
    """A budget that has no room for a call."""

    scope: str
    period: Period
    limit: int
    spent: int
    resumes_at: datetime
    """Start of the next day or month; soon, where only calls under way are in the way."""


class Permit(NamedTuple):
    """What may be done about an `Ask`: pay, take the answer, wait for another process, or leave it."""

    state: Literal["pay", "answered", "taken", "spent"]
    answer: Assessment | None = None
    spent: Spent | None = None


class Entry(NamedTuple):
    """What the calls to one model for one answer came to."""

    connection: str
    model: str
    stage: str
    strong: str = ""
    questions: int = 1
    calls: int = 1
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    characters: int = 0
    repeated: int = 0
    """Characters of the prompts that are the same in every one."""
    nano_usd: int = 0
    unpriced: int = 0
    """Calls whose price is unknown: their cost is in no sum."""
    batched: int = 0
    """Questions that went in a batch."""
    nano_saved: int = 0
    """What that took off the price of a live call."""


class Bill(NamedTuple):
    """The end of an `Ask`: the claim goes, what was reserved is given back, what was spent is counted."""

    key: str
    connection: str
    reserved: int
    entries: tuple[Entry, ...] = ()
    answer: Assessment | None = None
    """To be kept for whoever asks the same; None where there is none."""


class Level(NamedTuple):
    """How one budget stands."""

    scope: str
    period: Period
    limit: int
    spent: int
    reserved: int
    resumes_at: datetime

    @property
    def exhausted(self) -> bool:
        """Nothing is left."""
        return self.spent >= self.limit


class Money(Protocol):
    """Budgets, who pays for which answer, and what was spent."""

    def open(self, asks: Sequence[Ask], *, owner: str, lease: float, budgets: Budgets, now: datetime) -> list[Permit]:
        """One permit an ask, in order; all in one transaction. `lease` seconds without `renew` free what it gives."""

    def settle(self, bills: Sequence[Bill], *, owner: str, now: datetime) -> Mapping[str, Assessment]:
        """Answers that others had stored before, by key: they stand, and ours are to be dropped."""

    def renew(self, owner: str, *, lease: float, now: datetime) -> None: ...
    def levels(self, budgets: Budgets, *, now: datetime) -> list[Level]: ...
    def entries(self, *, since: date, until: date | None = None) -> list[Entry]:
        """Sums over the days, `until` included."""

    def scored(self, *, since: date, until: date | None = None) -> dict[str, int]:
        """Leads that got a score, by connection."""
