"""How accounts are doing, as it is stored for whoever looks at them."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, Protocol


class Health(NamedTuple):
    """How one step of one connection is doing."""

    connection: str
    step: str
    failures: int
    """In a row; 0 where the last one was answered."""
    fault: str
    """One of `errors.FAULTS`, "" where it does well; the same of what follows."""
    error: str
    remedy: str
    failing_since: datetime | None
    failed_at: datetime | None
    """The last time, also where it does well again."""
    ok_at: datetime | None
    resting_until: datetime | None
    """The breaker leaves the account in peace until then."""

    def sentence(self) -> str:
        """For a person: what fails, how often and why; "" where nothing does."""
        if not self.failures:
            return ""
        times = "" if self.failures == 1 else f" {self.failures} times in a row"
        return f"{self.step.replace('_', ' ')} failed{times} ({self.fault}): {self.error}"


class AccountHealth(Protocol):
    """How each account is doing, step by step (poll, reconcile, outcomes, write_back)."""

    def well(self, connection: str, step: str, *, now: datetime) -> bool:
        """The step was answered; True where it had failed before."""

    def failed(
        self,
        connection: str,
        step: str,
        *,
        fault: str,
        error: str,
        remedy: str,
        resting_until: datetime | None,
        now: datetime,
    ) -> None:
        """The step failed once more. `resting_until`: until when the breaker leaves the account in peace."""

    def list(self) -> list[Health]: ...
