"""Work for people: why a lead is in the queue and how urgent it is."""

from __future__ import annotations

from typing import Literal, get_args

ReviewKind = Literal[
    "low_confidence", "contradiction", "schema", "fast_track", "audit_sample", "guardrail", "write_failed"
]
KINDS: tuple[str, ...] = get_args(ReviewKind)

ReviewState = Literal["open", "answered", "superseded"]

_WEIGHT: dict[ReviewKind, int] = {
    "fast_track": 100_000,
    "write_failed": 3_000,
    "guardrail": 2_000,
    "contradiction": 2_000,
    "low_confidence": 1_000,
    "schema": 500,
    "audit_sample": 0,
}


def priority(kind: ReviewKind, *, score: int | None, confidence: float | None) -> int:
    """Larger is sooner: what a rep asked for first, then by kind, worth and doubt.

    The score stands for the lead's value (0-100 points), doubt adds up to 50.
    """
    doubt = round((1 - confidence) * 50) if confidence is not None else 0
    return _WEIGHT[kind] + (score or 0) * 5 + doubt
