"""What is kept of calibrations: immutable ones, and the append-only list of which applied from when."""

from __future__ import annotations

import builtins
from datetime import datetime
from typing import NamedTuple, Protocol

from tierwise.domain.calibration import Calibration
from tierwise.domain.decision import Decision


class Fitted(NamedTuple):
    """A stored calibration."""

    digest: str
    calibration: Calibration
    by: str
    note: str
    at: datetime


class InForce(NamedTuple):
    """One row of the list; without a digest none applied from then on."""

    id: int
    digest: str | None
    by: str
    note: str
    at: datetime


class Told(NamedTuple):
    """A stored decision and what was said of its lead later."""

    decision: Decision
    source: str
    value: str
    won: bool | None
    sampling: float | None


class Calibrations(Protocol):
    """Calibrations and their labels."""

    def keep(self, calibration: Calibration, *, by: str, note: str, now: datetime) -> str:
        """Digest; keeping the same twice changes nothing."""

    def get(self, digest: str) -> Fitted | None:
        """By digest, or by a beginning of it that is unique. Misconfigured where what is stored was changed."""

    def list(self, *, limit: int = 50) -> builtins.list[Fitted]:
        """The newest first."""

    def activate(self, digest: str | None, *, by: str, note: str, now: datetime) -> InForce:
        """From now on it applies, or none does. RejectRecord where there is no such calibration."""

    def active(self) -> InForce | None:
        """The newest row of the list."""

    def history(self, *, limit: int = 50) -> builtins.list[InForce]:
        """The newest first."""

    def told(self, *, limit: int = 5000) -> builtins.list[Told]:
        """Decisions that were said to be right or wrong, the newest word on each decision."""
