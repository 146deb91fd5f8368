"""How far one change of a policy may move a number and still be minor.

They count as they stand in the policy that runs, never in the new one, so that nobody widens them for himself.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Bounds(BaseModel):
    """The largest minor steps."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weight: int = Field(default=5, ge=0, le=100)
    """Of a criterion, in points of the score."""
    points: float = Field(default=0.15, ge=0, le=1)
    """Of a level, as a share of its criterion's weight."""
    cut_off: int = Field(default=5, ge=0, le=100)
    """Of a tier, in points of the score."""
    threshold: float = Field(default=0.1, ge=0, le=1)
    """Of a confidence."""
