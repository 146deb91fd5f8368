"""What models cost, per scored lead and against a life without a cascade. Sums in, figures out; asks nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from tierwise import ports
from tierwise.ports.money import ESTIMATED, Grain

FIRST = "primary"
"""The stage that asks about every lead."""

Costs = Callable[[str, int, int], float | None]
"""USD of so many tokens in and out of a model; None where its price is unknown."""


class Line(NamedTuple):
    """One group's sums."""

    name: str
    questions: int
    calls: int
    tokens_in: int
    tokens_out: int
    tokens_cached: int
    usd: float
    unpriced: int
    """Calls whose price is unknown; what they cost is not in `usd`."""
    estimated_usd: float
    """The part of `usd` that no provider told: of calls that brought no answer, and of processes that died."""
    usd_per_lead: float | None
    """Of a lead that got a score; None where none did, or where a price is unknown."""


def report(entries: Sequence[ports.Entry], scored: Mapping[str, int], *, by: Grain, costs: Costs) -> dict[str, Any]:
    """The page as plain data. `scored` counts leads by connection."""
    leads = sum(scored.values())
    groups: dict[str, list[ports.Entry]] = {}
    for entry in entries:
        groups.setdefault(getattr(entry, by), []).append(entry)
    lines = [
        _line(name, found, leads=scored.get(name, 0) if by == "connection" else leads)
        for name, found in sorted(groups.items())
    ]
    total = _line("", entries, leads=leads)
    return {
        "scored_leads": leads,
        "by": by,
        "lines": [line._asdict() for line in sorted(lines, key=lambda line: -line.usd)],
        "total": total._asdict(),
        "unknown_prices": sorted({entry.model for entry in entries if entry.unpriced}),
        "prompt": _prompt(entries),
        "cascade": _cascade(entries, costs),
        "batches": _batches(entries),
    }


def _line(name: str, entries: Iterable[ports.Entry], *, leads: int) -> Line:
    found = list(entries)
    unpriced = sum(entry.unpriced for entry in found)
    usd = sum(entry.nano_usd for entry in found) / ports.NANO
    return Line(
        name,
        questions=sum(entry.questions for entry in found),
        calls=sum(entry.calls for entry in found),
        tokens_in=sum(entry.tokens_in for entry in found),
        tokens_out=sum(entry.tokens_out for entry in found),
        tokens_cached=sum(entry.tokens_cached for entry in found),
        usd=usd,
        unpriced=unpriced,
        estimated_usd=sum(entry.nano_usd for entry in found if entry.stage in ESTIMATED) / ports.NANO,
        usd_per_lead=None if unpriced or not leads else usd / leads,
    )


def _prompt(entries: Sequence[ports.Entry]) -> dict[str, Any]:
    """How much of the prompts is the same each time, and how much of it providers say they had cached."""
    characters, repeated = sum(entry.characters for entry in entries), sum(entry.repeated for entry in entries)
    tokens, cached = sum(entry.tokens_in for entry in entries), sum(entry.tokens_cached for entry in entries)
    return {
        "characters": characters,
        "repeated": repeated,
        "repeated_share": repeated / characters if characters else None,
        "tokens_in": tokens,
        "tokens_cached": cached,
        "cached_share": cached / tokens if tokens else None,
    }


def _batches(entries: Sequence[ports.Entry]) -> dict[str, Any]:
    """What waiting for batches took off the price of live calls."""
    batched = [entry for entry in entries if entry.batched]
    saved = sum(entry.nano_saved for entry in batched) / ports.NANO
    spent = sum(entry.nano_usd for entry in entries) / ports.NANO
    return {
        "questions": sum(entry.batched for entry in batched),
        "saved_usd": saved,
        "saved_share": saved / (spent + saved) if spent + saved else None,
    }


def _cascade(entries: Sequence[ports.Entry], costs: Costs) -> dict[str, Any]:
    """What was spent on the leads that a chain of two models saw, and what the second alone would have cost."""
    chained = [entry for entry in entries if entry.strong]
    first = [entry for entry in chained if entry.stage == FIRST]
    answer: dict[str, Any] = {
        "questions": sum(entry.questions for entry in first),
        "escalated": sum(entry.questions for entry in chained if entry.stage == "secondary"),
        "usd": None,
        "always_strong_usd": None,
        "saved_usd": None,
        "saved_share": None,
        "unknown_because": "",
    }
    if not first:
        return {**answer, "unknown_because": "no chain of two models was at work"}
    unpriced = sorted({entry.model for entry in chained if entry.unpriced})
    if unpriced:
        return {**answer, "unknown_because": f"the price of {', '.join(unpriced)} is unknown"}
    strong = 0.0
    for entry in first:
        usd = costs(entry.strong, entry.tokens_in, entry.tokens_out)
        if usd is None:
            return {**answer, "unknown_because": f"the price of {entry.strong} is unknown"}
        strong += usd
    # At the price of live calls, as what it is held against: what batches saved is told apart.
    spent = sum(entry.nano_usd + entry.nano_saved for entry in chained) / ports.NANO
    saved = strong - spent
    return {
        **answer,
        "usd": spent,
        "always_strong_usd": strong,
        "saved_usd": saved,
        "saved_share": saved / strong if strong else None,
    }
