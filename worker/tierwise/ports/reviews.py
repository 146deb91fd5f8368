"""The queue for people, as the pipeline and whatever people use ask for it.

Times are timezone-aware UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from tierwise.domain.advice import Advice
from tierwise.domain.review import ReviewKind


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
    """{"agree", "tier", "outcome", "reason", "note"}, and "criteria" where single ones were corrected: id -> {"level",
    "field", "words"}"""
    drawn: bool = False
    """The decision is in the audit sample."""
    awaited: bool = False
    """Somebody is still to answer on this decision, by this item or another one."""
    not_for: str | None = None
    """Who labelled the decision already: a second person is to do it."""
    reserved_by: str | None = None
    reserved_until: datetime | None = None
    snoozed_until: datetime | None = None
    volume: float | None = None
    """What the lead says of its monthly volume."""

    @property
    def blind(self) -> bool:
        """Whoever answers must not know what we think of it: it is drawn, and not answered."""
        return self.drawn and self.awaited


class SaidLabel(NamedTuple):
    """What a person's answer says of a decision."""

    subject: str
    """tier, outcome or criterion:ID."""
    value: str


class Undone(NamedTuple):
    """What became of an answer that was to be taken back."""

    done: bool
    why_not: str = ""


class Reviews(Protocol):
    """The queue for people."""

    def list(self, *, state: str | None = "open", kind: str | None = None, limit: int = 100) -> list[ReviewItem]: ...
    def counts(self) -> dict[str, int]:
        """Open items by kind; kinds without any are left out."""

    def get(self, item_id: int) -> ReviewItem | None: ...
    def answer(
        self,
        item_id: int,
        *,
        by: str,
        answer: Mapping[str, Any],
        advice: Advice | None,
        now: datetime,
        labels: Sequence[SaidLabel] = (),
        about: int | None = None,
        wait: timedelta = timedelta(),
    ) -> bool:
        """False when it is not open any more, or not for `by`. `advice` is what the CRM is to show from now on, unless
        a newer decision applies by now. Refused where people are listed and `by` is none of them, and where `by` has
        looked at what is drawn and blind.

        `labels` are about decision `about`, and stored in the same transaction. Nothing is written before `wait` is
        over: as long, the answer can be undone.
        """

    def undo(self, item_id: int, *, by: str, now: datetime) -> Undone:
        """Take an answer back of which nothing was written: the item is open, its labels are gone."""

    def reserve(self, item_id: int, *, by: str, until: datetime, now: datetime) -> bool:
        """Only `by` may answer it until then; False where it is closed, or not for them."""

    def hand_over(self, item_id: int, *, by: str, to: str, until: datetime, now: datetime) -> bool:
        """Only `to` may answer it until then; False where it is closed, or held by somebody else than `by`."""

    def snooze(self, item_id: int, *, by: str, until: datetime, now: datetime) -> bool:
        """Nobody takes it before then; False where it is closed, or held by somebody else than `by`."""
