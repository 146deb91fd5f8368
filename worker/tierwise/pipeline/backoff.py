"""How long to wait before the next try."""

from __future__ import annotations


def delay(attempt: int, *, jitter: float, first: float = 2.0, most: float = 600.0, wish: float | None = None) -> float:
    """Seconds before try number `attempt` + 1: doubling from `first`, full jitter, never under the other side's wish.

    `jitter` is a random number in [0, 1); the result is at least half a second so that nothing spins.
    """
    ceiling = min(most, first * 2.0 ** max(0, min(attempt - 1, 30)))
    return max(0.5, ceiling * jitter, wish or 0.0)
