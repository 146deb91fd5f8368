"""What a rule or a model says about one criterion of one lead, and what it cost to hear it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

UNKNOWN = "unknown"
Flag = Literal["EVIDENCE_MISSING", "INJECTION_SUSPECT"]


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Verdict(Frozen):
    """What was decided on one criterion, by whom, and on what evidence."""

    criterion: str
    level: str
    """Level id, or `unknown`."""
    probability: float = Field(ge=0, le=1)
    """Stated probability of the level; 0 for an `unknown` that nobody stated: a missing field, a withdrawn answer."""
    decided_by: str
    """`rule`, or the model's LiteLLM name."""
    field: str | None = None
    quote: str | None = None
    flags: tuple[Flag, ...] = ()
    spread: Mapping[str, float] | None = None
    """Of every level, adding up to 1, where the model tells them all."""


class Assessment(Frozen):
    """One model's verdicts on the criteria it was asked, and what that call cost."""

    model: str
    verdicts: tuple[Verdict, ...]
    content_hash: str
    """Key of the cache: signals asked, questions, template, model and parameters."""
    cost_usd: float | None
    """None where the price is unknown: unknown is not 0."""
    tokens_in: int = 0
    tokens_out: int = 0
    latency_ms: int = 0
    cached: bool = False
    repaired: bool = False
    """The first answer did not have the schema; this is the second."""
    troubles: tuple[str, ...] = ()
    """Kinds of what failed before it came (`rate_limited`, `malformed`)."""
    kept: bool = Field(default=False, exclude=True)
    """It is stored already, with whoever paid."""


class Judged(Frozen):
    """What the cascade brought back for one lead."""

    assessments: tuple[Assessment, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    """Those of the assessment that counts."""
    used: str | None = None
    contradiction: bool = False
    """Two models were tiers too far apart, or opposite on a knockout."""
    fallback: bool = False
    errors: tuple[str, ...] = ()
    weighed: tuple[tuple[Verdict, ...], ...] = ()
    """The answers that count, in the order of asking; empty = all assessments."""
