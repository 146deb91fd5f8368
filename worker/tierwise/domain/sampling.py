"""Which decisions people look at although nothing is doubtful about them: an audit sample, drawn before it is known.

A lead's draw is a hash, so that a replay draws the same, and a rate that is lowered keeps a subset of what it drew.
"""

from __future__ import annotations

import hashlib

from pydantic import Field

from tierwise.domain.rubric import Frozen

_RANGE = float(2**64)


class Rates(Frozen):
    """Shares of decisions (0-1) that are drawn for the audit."""

    top: float = Field(default=0.5, ge=0, le=1)
    """Of the tiers that the policy calls positive, until the gate has its count."""
    others: float = Field(default=0.05, gt=0, le=1)
    """Of every other tier, and of the positive ones from then on. Never 0: recall could not be known."""
    double: float = Field(default=0.1, ge=0, le=1)
    """Of the audit: labelled by a second person as well."""

    def of(self, tier: str | None, *, positive: tuple[str, ...], counted: bool) -> float:
        """The rate for a decision of that tier; `counted` where the gate has as many labels as it needs."""
        return self.top if tier in positive and not counted else self.others


def draw(connection: str, record_id: str, fingerprint: str, *, salt: str = "audit") -> float:
    """Where the lead falls in [0, 1): drawn where that is below the rate. Another salt is an independent draw.

    It knows the lead and its input, not the policy: a lead that is decided again under another policy is the same
    draw. Its label does not count there: that policy may have been written with it in mind.
    """
    text = "\0".join((salt, connection, record_id, fingerprint))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") / _RANGE


def twice(connection: str, record_id: str, fingerprint: str, *, rates: Rates) -> bool:
    """Whether a second person is to label it as well."""
    return draw(connection, record_id, fingerprint, salt="double") < rates.double
