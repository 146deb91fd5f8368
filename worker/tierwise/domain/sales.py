"""What a CRM's own words for stages, statuses and deals mean: sales took the lead, made business of it, won it.

Words differ from organisation to organisation: these are the ones that CRMs ship with; a connection's settings may name
others for `accepted`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

CONVERTED = frozenset({"opportunity", "customer", "evangelist", "converted", "closedconverted"})
"""Stages and statuses of a lead that became a deal or more."""
WON = frozenset({"customer", "evangelist"})
ACCEPTED = CONVERTED | {
    "salesqualifiedlead", "sql", "salesacceptedlead", "sal", "accepted", "qualified", "inprogress", "opendeal",
    "connected", "working", "workingcontacted",
}  # fmt: skip
"""Stages and statuses that say so where the settings name none: sales works on it."""


class Told(NamedTuple):
    """One outcome as the CRM told it."""

    subject: str
    """stage, status, deal:ID or touch."""
    value: str
    won: bool | None
    amount: float | None
    currency: str | None
    at: datetime


class Became(NamedTuple):
    """What became of one lead, and when first; None: not as far as was told."""

    touched: datetime | None = None
    accepted: datetime | None = None
    converted: datetime | None = None
    won: datetime | None = None
    amounts: tuple[tuple[str, float | None], ...] = ()
    """Currency ("" where it is not told) and amount of each won deal."""


def became(told: Iterable[Told], *, since: datetime, until: datetime, accepted: Collection[str] = ()) -> Became:
    """What was told of a lead between the two moments; `accepted`: the words of that organisation, none: the usual."""
    words = frozenset(map(word, accepted)) or ACCEPTED
    found = sorted((item for item in told if since <= item.at <= until), key=lambda item: item.at)
    # Of a deal the last word counts: one that was won by mistake is not.
    deals = {item.subject: item for item in found if item.subject.startswith("deal:")}
    won = [item for item in deals.values() if item.won is True]
    standing = [item for item in found if item.subject in ("stage", "status")]
    converted = _first(item for item in found if item.subject in deals or _says(item, CONVERTED))
    return Became(
        touched=_first(item for item in found if item.subject == "touch"),
        accepted=_earlier(_first(item for item in standing if _says(item, words)), converted),
        converted=converted,
        won=_earlier(_first(won), _first(item for item in standing if _says(item, WON))),
        amounts=tuple((item.currency or "", item.amount) for item in won),
    )


def word(value: str) -> str:
    """A value without case, spaces and punctuation: "Working - Contacted" and "working_contacted" are one."""
    return re.sub(r"[\W_]+", "", value.casefold())


def _says(item: Told, words: Collection[str]) -> bool:
    return item.subject in ("stage", "status") and word(item.value) in words


def _first(found: Iterable[Told]) -> datetime | None:
    return min((item.at for item in found), default=None)


def _earlier(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)
