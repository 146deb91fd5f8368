"""How long a model takes to answer: nothing, a fixed time, or log-normal with a cap as real providers show."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

_SPREAD = 0.6  # sigma of the logarithm: the slowest of a hundred takes about four times the median


@dataclass
class Latency:
    """Seconds. With a cap the time is log-normal with this mean before capping; without, fixed."""

    mean: float = 0.0
    cap: float | None = None
    rng: random.Random = field(default_factory=random.Random)

    @classmethod
    def parse(cls, fixed_ms: float | None, lognormal: str | None, *, seed: int) -> Latency:
        """From the command line's `--latency-ms` and `--latency-lognormal MEAN,CAP`; ValueError if both or broken."""
        if fixed_ms is not None and lognormal is not None:
            raise ValueError("give --latency-ms or --latency-lognormal, not both")
        if lognormal is None:
            if fixed_ms is not None and fixed_ms < 0:
                raise ValueError("--latency-ms must be 0 or more")
            return cls(mean=(fixed_ms or 0.0) / 1000)
        try:
            mean, cap = (float(part) / 1000 for part in lognormal.split(","))
        except ValueError:
            raise ValueError(f"--latency-lognormal takes MEAN,CAP in ms, not {lognormal!r}") from None
        if not 0 < mean <= cap:
            raise ValueError("--latency-lognormal needs 0 < MEAN <= CAP")
        return cls(mean=mean, cap=cap, rng=random.Random(seed))  # noqa: S311 - delays, nothing secret

    def draw(self) -> float:
        """The next answer's time in seconds."""
        if self.cap is None:
            return self.mean
        drawn = self.rng.lognormvariate(math.log(self.mean) - _SPREAD**2 / 2, _SPREAD)
        return min(drawn, self.cap)
