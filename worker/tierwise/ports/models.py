"""Who judges, and whose clock counts: what deciding a lead needs besides the store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from tierwise.domain.decision import Judged
from tierwise.domain.lead import Lead
from tierwise.domain.policy import Runnable

Clock = Callable[[], datetime]
"""Now, timezone-aware UTC."""


class Judge(Protocol):
    """The chain of models."""

    async def judge(self, runnable: Runnable, lead: Lead, *, connection: str = "") -> Judged:
        """Verdicts on the criteria that models decide. Never raises for a model's failure: it falls back.

        `connection` is whose budget pays; "" where the lead is only looked at, and no answer is kept. Raises
        RetryLater only where even the fallback must not decide (Held: budget spent; shutting down).
        """

    async def close(self) -> None: ...
