"""What a pilot's report is made of, as it is stored. Times are timezone-aware UTC."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple, Protocol

from tierwise.domain.review import ReviewKind


class PilotDecision(NamedTuple):
    """One decision, in few words."""

    id: int
    at: datetime
    tier: str | None
    status: str
    outcome: str
    route: str | None
    codes: tuple[str, ...]
    cost_usd: float | None
    """None where a price is unknown."""
    drawn: bool
    """It is in the audit sample."""


class PilotLabel(NamedTuple):
    """One later verdict on a lead."""

    source: str
    """review, rep_feedback or crm_outcome."""
    subject: str
    value: str
    won: bool | None
    amount: float | None
    currency: str | None
    decision_id: int | None
    at: datetime


class PilotLead(NamedTuple):
    """One lead and what became of it."""

    connection: str
    record_id: str
    submitted_at: datetime | None
    """None where the CRM does not tell."""
    first_seen_at: datetime
    shown_at: datetime | None
    """When the CRM first took advice on it."""
    adopted: bool
    """It carried our advice when this database first saw it."""
    tier_kept: bool
    """A person's value stands in our tier field."""
    decisions: tuple[PilotDecision, ...]
    """Oldest first."""
    labels: tuple[PilotLabel, ...]
    """In the order in which they were stored."""


class PilotItem(NamedTuple):
    """One review item."""

    connection: str
    kind: ReviewKind
    state: str
    created_at: datetime
    answered_at: datetime | None
    route: str | None
    """Of the decision that it is on; None where there is none."""
    decided: bool


class Watched(NamedTuple):
    """From when and until when sales' doings of one connection are known."""

    connection: str
    known_from: datetime
    """When the connection was set up."""
    outcomes_from: datetime | None
    """None: nobody reads them."""
    outcomes_until: datetime | None
    subjects: frozenset[str]
    """What was ever told: stage, status, deal, touch."""


class Pilots(Protocol):
    """What happened in a period."""

    def leads(self, *, since: datetime, until: datetime, connection: str | None = None) -> Iterator[PilotLead]:
        """Leads submitted in [since, until), or first seen then where the CRM tells no submission; by connection."""

    def items(self, *, since: datetime, until: datetime, connection: str | None = None) -> list[PilotItem]:
        """Review items that opened in [since, until)."""

    def watched(self, connection: str | None = None) -> list[Watched]: ...
