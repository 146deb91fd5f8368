"""What deciding stored leads again would ask of models and cost, before it is done.

Asks nobody. The keys are those of the cascade, so that an answer that is there is not counted as a call.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from tierwise.domain import decision as decisions
from tierwise.domain import rules
from tierwise.domain.lead import Lead
from tierwise.domain.policy import Runnable
from tierwise.llm import asking, cost

PAGE = 500
Known = Callable[[Collection[str]], Mapping[str, Any]]
"""Answers that are stored, by content hash."""


class Chain(NamedTuple):
    """Who is asked."""

    primary: str
    secondary: str | None
    decisions: Collection[str] = ()
    batched: Collection[str] = ()
    """Models whose questions wait for a batch."""


class Estimate(NamedTuple):
    """What a replay comes to."""

    leads: int
    stopped: int = 0
    """By a gate, or without a field that a model is shown: no model is asked."""
    answered: int = 0
    """The first model answered this very question before."""
    calls: int = 0
    """Of the first model."""
    usd_at_least: float | None = 0.0
    """Where the first model is sure of every lead; None where its price is unknown."""
    usd_at_most: float | None = 0.0
    """Where every lead goes on to the second; None where a price is unknown."""
    live_usd_at_least: float | None = 0.0
    live_usd_at_most: float | None = 0.0
    """The same without batches."""


def estimate(leads: Iterable[Lead], runnable: Runnable, *, chain: Chain, known: Known, prices: cost.Prices) -> Estimate:
    """By the length of each prompt. A repair, a sample or a retry is in no figure."""
    asked = asking.Asked(runnable.policy)
    found = Estimate(0)
    sizes = [0, 0]
    for page in _pages(leads):
        keys: dict[str, int] = {}
        for lead in page:
            fields = asked.shown(lead)
            if not fields or rules.first(decisions.gate(runnable, lead)) is not None:
                found = found._replace(stopped=found.stopped + 1)
                continue
            key = asked.key(fields, model=chain.primary, decisions=chain.primary in chain.decisions)
            if key in keys:
                found = found._replace(answered=found.answered + 1)
            keys.setdefault(key, asked.size(fields))
        there = known(keys.keys())
        new = [size for key, size in keys.items() if key not in there]
        sizes = [sizes[0] + sum(map(cost.estimated_tokens, new)), sizes[1] + len(new)]
        found = found._replace(
            leads=found.leads + len(page), answered=found.answered + len(there), calls=found.calls + len(new)
        )
    tokens_in, calls = sizes
    tokens_out = calls * cost.OUT_PER_CRITERION * asked.criteria
    least, most = _range(prices, tokens_in, tokens_out=tokens_out, chain=chain)
    live_least, live_most = _range(prices, tokens_in, tokens_out=tokens_out, chain=chain._replace(batched=()))
    return found._replace(
        usd_at_least=least, usd_at_most=most, live_usd_at_least=live_least, live_usd_at_most=live_most
    )


def _range(prices: cost.Prices, tokens_in: int, *, tokens_out: int, chain: Chain) -> tuple[float | None, float | None]:
    first = _usd(prices, chain.primary, tokens_in, tokens_out=tokens_out, chain=chain)
    second = (
        0.0 if chain.secondary is None else _usd(prices, chain.secondary, tokens_in, tokens_out=tokens_out, chain=chain)
    )
    return first, None if first is None or second is None else first + second


def _usd(prices: cost.Prices, model: str, tokens_in: int, *, tokens_out: int, chain: Chain) -> float | None:
    if not tokens_in:
        return 0.0
    how: cost.How = "decisions" if model in chain.decisions else "batch" if model in chain.batched else "chat"
    price = prices.of(model, how)
    return None if price is None else price.of(tokens_in=tokens_in, tokens_out=tokens_out)


def rough(leads: int, runnable: Runnable, *, chain: Chain, prices: cost.Prices, written: int = 500) -> Estimate:
    """Of leads that nobody has read yet: each with so many bytes of text, each asked of the first model."""
    asked = asking.Asked(runnable.policy)
    calls = leads if asked.criteria else 0
    tokens_in = calls * cost.estimated_tokens(asked.size({}) + written)
    tokens_out = calls * cost.OUT_PER_CRITERION * asked.criteria
    least, most = _range(prices, tokens_in, tokens_out=tokens_out, chain=chain)
    live_least, live_most = _range(prices, tokens_in, tokens_out=tokens_out, chain=chain._replace(batched=()))
    return Estimate(leads, 0, 0, calls, least, most, live_least, live_most)


def _pages(leads: Iterable[Lead]) -> Iterator[list[Lead]]:
    running = iter(leads)
    while page := list(islice(running, PAGE)):
        yield page
