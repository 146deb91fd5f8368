"""How accounts are doing, and notices to people, as they are stored."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from tierwise.sdk import Notice


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


class Dispatch(NamedTuple):
    """A notice for one notifier."""

    id: int
    notifier: str
    notice: Notice
    state: str
    """ready, leased, sent or dead (given up)."""
    attempt: int
    token: int
    error: str
    """Why the last try failed."""


class Notifications(Protocol):
    """Notices on their way."""

    def put(self, notifiers: Collection[str], notice: Notice, *, quiet: timedelta, now: datetime) -> int:
        """For each notifier, unless the same matter was told as severely within `quiet`; how many will tell it."""

    def listen(self, notifiers: Mapping[str, Collection[str]]) -> None:
        """From now on what happens in this store is told to these, in the transaction in which it happens: each about
        the events it names, or all where it names none."""

    def claim(self, *, limit: int, lease: float, now: datetime) -> list[Dispatch]:
        """The oldest due ones; the attempt is counted here."""

    def sent(self, dispatch: Dispatch, *, now: datetime) -> bool: ...
    def retry(self, dispatch: Dispatch, *, error: str, run_after: datetime) -> bool: ...
    def give_up(self, dispatch: Dispatch, *, error: str) -> bool: ...
    def revive(self, notifier: str, *, now: datetime) -> int:
        """What was given up goes out again; how many."""

    def due(self, *, now: datetime) -> int: ...
    def list(self, *, notifier: str | None = None, limit: int = 100) -> builtins.list[Dispatch]:
        """The newest first."""
