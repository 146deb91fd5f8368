"""Decisions that a backtest tries again and that models have still to be asked about. Times are UTC."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple, Protocol

from tierwise.domain.lead import Lead


class Untried(NamedTuple):
    """One of them."""

    id: int
    policy: str
    """Under which it is tried; not the one that runs."""
    live: bool
    """No batch is wished for, or one did not answer."""
    tries: int
    """How often models were asked in vain."""
    token: int
    """Ours as long as it is the row's."""
    decision_id: int
    connection: str
    record_id: str
    lead: Lead | None
    """As it was then; None where it was erased or is of another version."""


class Asking(NamedTuple):
    """What is asked under one policy."""

    policy: str
    decisions: int
    batched: int
    """Of these in a batch that has not ended."""
    since: datetime
    error: str
    """Why one of them waits; "" where nothing is wrong."""


class Backtests(Protocol):
    """Who waits for answers that only a backtest needs."""

    def ask(self, policy: str, decision_ids: Collection[int], *, live: bool, now: datetime) -> None:
        """Models are to be asked about these under the policy; `live`: at once, also what waits for no batch yet."""

    def due(self, *, now: datetime) -> bool: ...
    def take(self, *, limit: int, lease: float, now: datetime, policy: str | None = None) -> builtins.list[Untried]:
        """The longest waiting of one policy; nobody else takes them for `lease` seconds."""

    def begin(self, items: Collection[Untried], *, lease: float, now: datetime) -> set[int]:
        """Models are asked about these now: a try counts. The ids of those that are still ours, and wanted."""

    def done(self, ids: Collection[int]) -> None:
        """Nothing is left to ask about these rows."""

    def again(self, ids: Collection[int], *, due: datetime, error: str = "", tried: bool = True) -> None:
        """Look at these rows then; `tried` is False where the try that was begun was none."""

    def cancel(self, policy: str) -> int:
        """Ask no more under the policy; how many decisions. What a batch has under way is paid, and kept."""

    def list(self) -> builtins.list[Asking]: ...
    def leads(self, decision_ids: Collection[int]) -> Iterator[tuple[str, Lead]]:
        """Connection and lead of these decisions, as they were; those that cannot be read any more are left out."""

    def note(self, answers: Mapping[int, Collection[str]]) -> None:
        """Answers about these decisions, by decision, on which no decision stands: an erasure finds them here."""
