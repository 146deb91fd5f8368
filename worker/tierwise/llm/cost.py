"""What a call costs and will cost: prices of the settings first, then litellm's price map. An unknown price is unknown
(None), never 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple

OFFLINE_PREFIX = "offline/"
OUT_PER_CRITERION = 90
"""Tokens of an answer, for an estimate: what four short properties take."""
_BYTES_PER_TOKEN = 3.0  # on the safe side: 4 is usual for English
_PER = 1_000_000

How = Literal["chat", "decisions", "batch"]
"""By what door a model is asked: each has its price."""
_SUFFIX: Mapping[How, str] = {"chat": "", "decisions": "_decisions", "batch": "_batches"}


class Price(NamedTuple):
    """USD per million tokens."""

    input: float
    output: float
    cached: float | None = None
    """Of input that the provider had cached; None: as any input."""

    def of(self, *, tokens_in: int, tokens_out: int, tokens_cached: int = 0) -> float:
        """USD."""
        cached = min(tokens_in, tokens_cached) if self.cached is not None else 0
        reread = (self.cached or 0.0) * cached
        return (self.input * (tokens_in - cached) + reread + self.output * tokens_out) / _PER


FREE = Price(0.0, 0.0, 0.0)


class Prices:
    """What tokens cost, by model."""

    def __init__(
        self,
        own: Mapping[str, Price] | None = None,
        *,
        listed: Callable[[], Mapping[str, Any]] = dict,
        shares: Mapping[str, float] | None = None,
    ) -> None:
        """`own` are a person's words and win over what is `listed`: litellm's map, asked when it is first needed.
        `shares` tell what part of their own price models cost in a batch, where it is not half."""
        self._own = dict(own or {})
        self._shares = dict(shares or {})
        self._listed = listed
        self._found: dict[tuple[str, How], Price | None] = {}

    def of(self, model: str, how: How = "chat") -> Price | None:
        """None where nobody knows."""
        if model.startswith(OFFLINE_PREFIX):
            return FREE
        own = self._own.get(model)
        if own is not None:
            share = self._shares.get(model, 0.5)
            return own if how != "batch" else Price(own.input * share, own.output * share)
        if (model, how) not in self._found:
            self._found[model, how] = _mapped(model, self._listed(), suffix=_SUFFIX[how])
        return self._found[model, how]

    def of_call(
        self, model: str, stated: object, *, tokens_in: int, tokens_out: int, tokens_cached: int = 0
    ) -> float | None:
        """USD of one call. `stated` is what litellm computed."""
        own = self._own.get(model)
        if own is not None:
            return own.of(tokens_in=tokens_in, tokens_out=tokens_out, tokens_cached=tokens_cached)
        return of_call(model, stated)


def estimated_tokens(text_bytes: int) -> int:
    """Tokens of so much text, on the safe side."""
    return math.ceil(text_bytes / _BYTES_PER_TOKEN)


def _mapped(model: str, known: Mapping[str, Any], *, suffix: str) -> Price | None:
    entry = known.get(model) or _without_provider(model, known)
    if entry is None:
        return None
    found = [
        entry.get(f"{name}{suffix}", entry.get(name))
        for name in ("input_cost_per_token", "output_cost_per_token", "cache_read_input_token_cost")
    ]
    given, made, cached = (None if price is None else float(price) * _PER for price in found)
    if suffix == _SUFFIX["batch"]:
        cached = None  # what is half the price already is not discounted again
    return None if given is None else Price(given, made or 0.0, cached)


def _without_provider(model: str, known: Mapping[str, Any]) -> Mapping[str, Any] | None:
    provider, _, name = model.partition("/")
    entry = known.get(name) if name else None
    return entry if entry is not None and entry.get("litellm_provider") == provider else None


def of_call(model: str, stated: object) -> float | None:
    """USD of one call. `stated` is what litellm computed; only our own offline model is known to be free."""
    if model.startswith(OFFLINE_PREFIX):
        return 0.0
    if isinstance(stated, int | float) and not isinstance(stated, bool) and math.isfinite(stated) and stated >= 0:
        return float(stated)
    return None


def total(costs: Iterable[float | None]) -> float | None:
    """Sum in USD; None as soon as one price is unknown."""
    amount = 0.0
    for cost in costs:
        if cost is None:
            return None
        amount += cost
    return amount
