"""What a call cost, from litellm's price map. An unknown price is unknown (None), never 0."""

from __future__ import annotations

import math
from collections.abc import Iterable

OFFLINE_PREFIX = "offline/"


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
