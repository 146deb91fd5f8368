"""The leads of a period, each with what is known of it: when it came, what we said, what sales did, and up to when that
is known. What nobody could have seen is left out of a figure, never counted as "no".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from tierwise.domain import sales
from tierwise.domain.waiting import Wait
from tierwise.ports.pilot import PilotDecision, PilotLead, Watched

CRM = "crm_outcome"
BUSINESS = frozenset({"stage", "status", "deal"})
"""Subjects that tell whether sales took a lead."""


class Asked(NamedTuple):
    """What a report is of."""

    since: datetime
    until: datetime
    now: datetime
    within: timedelta
    """How long each lead is followed: leads of two periods are compared at the same age."""
    connection: str | None = None
    pod: str | None = None
    """Route of the decision that stood when sales acted."""
    accepted: Mapping[str, Sequence[str]] = {}
    """By connection: stages and statuses by which its sales take a lead; none: the usual."""

    @property
    def before(self) -> tuple[datetime, datetime]:
        """The equal period before."""
        return self.since - (self.until - self.since), self.since

    @property
    def days(self) -> float:
        """Of the period, as far as it is over."""
        return (min(self.until, self.now) - self.since) / timedelta(days=1)


class Seen(NamedTuple):
    """One lead of the period."""

    lead: PilotLead
    began: datetime
    """Submitted; first seen where the CRM does not tell."""
    standing: PilotDecision | None
    """The decision that stood when sales acted, else the newest; None before the first."""
    became: sales.Became
    """Within the follow-up."""
    watched: Watched | None
    until: datetime
    """Up to when sales' doings are known."""
    within: timedelta

    @property
    def complete(self) -> bool:
        """What sales made of it is known for the whole follow-up."""
        return self.followed and self.until >= self.began + self.within

    @property
    def followed(self) -> bool:
        """What sales made of it is known from its beginning on."""
        return self._known(BUSINESS)

    @property
    def touches_known(self) -> bool:
        """Whether sales reached out is known from its beginning on."""
        return self._known({"touch"}) and self.until > self.began

    def _known(self, subjects: Iterable[str]) -> bool:
        told = self.watched
        if told is None or told.outcomes_from is None or not told.subjects.intersection(subjects):
            return False
        return told.outcomes_from <= self.began

    def wait(self, happened: datetime | None, *, followed: bool = True) -> Wait:
        """How long something of sales' took, or has taken so far; `followed`: nobody looked further than the
        follow-up."""
        end = happened or (min(self.until, self.began + self.within) if followed else self.until)
        return Wait(max(0.0, (end - self.began).total_seconds()), happened is not None)


def seen(leads: Iterable[PilotLead], watched: Sequence[Watched], *, asked: Asked) -> list[Seen]:
    """Leads of the pod that is asked for; those without a decision belong to none."""
    by_name = {one.connection: one for one in watched}
    made = (_seen(lead, by_name.get(lead.connection), asked) for lead in leads)
    return [one for one in made if asked.pod is None or (one.standing is not None and one.standing.route == asked.pod)]


def touched(one: Seen) -> datetime | None:
    """When sales first reached out, however late."""
    return sales.became(_told(one.lead), since=one.began, until=one.until).touched


def _seen(lead: PilotLead, watched: Watched | None, asked: Asked) -> Seen:
    began = lead.submitted_at or lead.first_seen_at
    until = min(asked.now, watched.outcomes_until) if watched is not None and watched.outcomes_until else began
    words = asked.accepted.get(lead.connection, ())
    end = min(until, began + asked.within)
    became = sales.became(_told(lead), since=began, until=end, accepted=words)
    acted = min((at for at in (became.touched, became.accepted) if at is not None), default=None)
    return Seen(lead, began, _standing(lead.decisions, acted), became, watched, until, asked.within)


def _standing(decisions: Sequence[PilotDecision], acted: datetime | None) -> PilotDecision | None:
    if not decisions:
        return None
    if acted is None:
        return decisions[-1]
    return next((made for made in reversed(decisions) if made.at <= acted), decisions[0])


def _told(lead: PilotLead) -> list[sales.Told]:
    return [
        sales.Told(label.subject, label.value, label.won, label.amount, label.currency, label.at)
        for label in lead.labels
        if label.source == CRM
    ]
