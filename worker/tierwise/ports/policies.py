"""Policies and the people who change them, as the rest asks for them: what runs, what was tried, approved and done.

Times are timezone-aware UTC.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from tierwise.domain.policy import Policy
from tierwise.ports.values import PastDecision


class Activation(NamedTuple):
    """What runs."""

    id: int
    digest: str
    version: str
    by: str
    note: str
    at: datetime
    kind: str = "activate"
    """activate or rollback."""
    change: str = "first"
    """first, none, minor or major, against what ran before."""


class Published(NamedTuple):
    """One stored bundle."""

    digest: str
    name: str
    version: str
    by: str
    """Its author."""
    note: str
    at: datetime
    base: str | None
    """What ran when it was published."""
    change: str
    """How much it changed of that: first, none, minor, major."""


class Approval(NamedTuple):
    """One person's leave for the step from `base` to `digest`."""

    id: int
    digest: str
    base: str | None
    by: str
    reason: str
    at: datetime


class Trial(NamedTuple):
    """A staging run or a backtest of a bundle against what ran then."""

    id: int
    digest: str
    base: str | None
    kind: str
    """staging or backtest."""
    passed: bool
    beyond: tuple[str, ...]
    """Limits of the settings that it would exceed, as sentences."""
    report: Mapping[str, Any]
    by: str
    at: datetime


class Person(NamedTuple):
    """Somebody who may change things."""

    id: int
    name: str
    roles: frozenset[str]
    by: str
    """Who added them."""
    created_at: datetime
    disabled_at: datetime | None


class AdminEvent(NamedTuple):
    """Something that a person did, or tried."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    reason: str
    refused: str | None
    """Why it was not done; None where it was."""
    before: Any
    after: Any


class Shadow(NamedTuple):
    """A policy that is held against live decisions."""

    id: int
    digest: str
    by: str
    after: int
    """Id of the last decision before its start."""
    started_at: datetime
    stopped_at: datetime | None


class ShadowDecision(NamedTuple):
    """What a shadow would have made of one decision."""

    decision_id: int
    connection: str
    record_id: str
    policy: str
    live_policy: str
    live: Mapping[str, Any]
    """outcome, tier, score, route, review, codes, segments."""
    shadow: Mapping[str, Any]
    """The same without segments, or `error`."""
    differs: bool
    cost_usd: float | None
    """What models cost that production did not ask; None where a price is unknown."""


class Policies(Protocol):
    """Published bundles, what was approved and tried of them, and which one runs.

    Whoever changes something is named by `by`; whether they may is decided in the transaction, and what was refused
    is recorded there. Without any person in the database everybody may. Raises Refused.
    """

    def publish(
        self, policy: Policy, *, by: str, note: str, now: datetime, origin: Mapping[str, Any] | None = None
    ) -> str:
        """Digest; publishing the same bundle twice changes nothing, but an origin that is new is kept, and its author
        wrote the bundle, too. `origin`: source, commit and author."""

    def origin(self, digest: str) -> Mapping[str, Any] | None:
        """Where its files came from, where that was told when it was published."""

    def get(self, digest: str) -> Policy | None: ...
    def published(self, digest: str) -> Published | None: ...
    def versions(self, *, limit: int = 50) -> list[Published]:
        """The newest first."""

    def find(self, name: str) -> str:
        """The digest that begins so, or the newest of that version. Misconfigured where none or several are meant."""

    def activate(
        self, digest: str, *, by: str, note: str, now: datetime, environment: str = "production"
    ) -> Activation:
        """From now on this one runs. What runs already stays as it is."""

    def rollback(
        self, *, by: str, note: str, now: datetime, to: str | None = None, environment: str = "production"
    ) -> Activation:
        """What ran before runs again, without approval; `to` is any digest that ran once."""

    def active(self, environment: str = "production") -> Activation | None: ...
    def history(self, *, limit: int = 50, environment: str = "production") -> list[Activation]: ...
    def approve(self, digest: str, *, by: str, reason: str, now: datetime) -> Approval: ...
    def approvals(self, digest: str) -> list[Approval]: ...
    def note_trial(
        self,
        digest: str,
        *,
        kind: str,
        passed: bool,
        beyond: Sequence[str],
        report: Mapping[str, Any],
        by: str,
        now: datetime,
    ) -> Trial: ...
    def trials(self, digest: str) -> list[Trial]:
        """The newest first."""


class People(Protocol):
    """Who may change things. Only hashes of their tokens are stored."""

    def add(self, name: str, *, roles: Collection[str], by: str, now: datetime) -> str:
        """The token, told once. The first one must be an admin. Raises Refused and Misconfigured."""

    def disable(self, name: str, *, by: str, now: datetime) -> None: ...
    def list(self) -> list[Person]: ...
    def of_token(self, token: str) -> Person | None:
        """None where nobody has it, or who has it was disabled."""

    def exist(self) -> bool: ...


class AdminEvents(Protocol):
    """The append-only list of what people did."""

    def add(
        self,
        actor: str,
        action: str,
        subject: str,
        *,
        reason: str,
        now: datetime,
        refused: str | None = None,
        before: Any = None,
        after: Any = None,
    ) -> None: ...
    def list(self, *, subject: str | None = None, limit: int = 100) -> list[AdminEvent]:
        """The newest first."""


class Shadows(Protocol):
    """Policies beside the one that runs. What they would decide is kept and goes nowhere."""

    def start(self, digest: str, *, by: str, now: datetime) -> Shadow:
        """Decisions from now on are held against this one; an earlier shadow ends. Raises Refused."""

    def stop(self, *, by: str, now: datetime) -> bool:
        """False where none was on. Raises Refused."""

    def current(self) -> Shadow | None: ...
    def latest(self) -> Shadow | None:
        """The one that is on, or was last."""

    def due(self, shadow: Shadow, *, limit: int) -> list[PastDecision]:
        """Decisions since its start that it was not held against yet, the oldest first."""

    def record(self, rows: Sequence[ShadowDecision], *, now: datetime) -> None: ...
    def decisions(self, digest: str, *, limit: int = 10_000) -> list[ShadowDecision]:
        """The newest first."""
