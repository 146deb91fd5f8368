"""What can be made awkward about the org while it runs: one object of switches, from `--faults` or the control door."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

_CHECKS: dict[str, tuple[str, type | tuple[type, ...]]] = {
    "late_commit_seconds": ("seconds, or [least, most], up to 600", (int, float, list)),
    "assignment_rules": ("true or false", bool),
    "lock_rows": ("a number of rows", int),
    "lock_share": ("a share from 0 to 1", (int, float)),
    "trigger_lock_rows": ("a number of rows", int),
    "transient_rows": ("a number of rows", int),
    "session_calls": ("calls that a session lasts, or null", (int, type(None))),
    "session_storm": ("a number of requests", int),
    "daily_requests": ("requests in 24 hours, or null", (int, type(None))),
    "per_app_usage": ("true or false", bool),
    "page_rows": ("rows of a page, 1 to 2000", int),
    "broken_locators": ("a number of requests", int),
    "bulk_seconds": ("seconds", (int, float)),
    "bulk_unprocessed_share": ("a share from 0 to 1", (int, float)),
    "bulk_failures": ("a number of jobs", int),
    "clock_skew_seconds": ("seconds", (int, float)),
    "required_when_written": ("a field's name or null", (str, type(None))),
    "edits_while_paging": ("a number of rows per page", int),
}


@dataclass
class Switches:
    """Counts are used up; shares are drawn with a fixed seed; everything else stays until it is set again."""

    late_commit_seconds: float | list[float] = 0.0
    assignment_rules: bool = True
    lock_rows: int = 0
    lock_share: float = 0.0
    trigger_lock_rows: int = 0
    transient_rows: int = 0
    session_calls: int | None = None
    session_storm: int = 0
    daily_requests: int | None = None
    per_app_usage: bool = False
    page_rows: int = 2000
    broken_locators: int = 0
    bulk_seconds: float = 0.0
    bulk_unprocessed_share: float = 0.0
    bulk_failures: int = 0
    clock_skew_seconds: float = 0.0
    required_when_written: str | None = None
    edits_while_paging: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 - repeatable, not secret

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def set(self, given: Any) -> None:
        """Set switches by name. ValueError says what is wrong and what is allowed; then nothing is set."""
        if not isinstance(given, Mapping):
            raise ValueError(f"salesforce: an object is expected; known: {', '.join(sorted(_CHECKS))}")
        for name, value in given.items():
            if name not in _CHECKS:
                raise ValueError(f"salesforce: unknown key {name!r}; known: {', '.join(sorted(_CHECKS))}")
            wanted, kinds = _CHECKS[name]
            wrong = isinstance(value, bool) and kinds is not bool
            if wrong or not isinstance(value, kinds) or not _in_range(name, value):
                raise ValueError(f"salesforce: {name}: {wanted} is expected, was {value!r}")
        with self._lock:
            for name, value in given.items():
                setattr(self, name, value)

    def take(self, name: str) -> bool:
        """Use up one of a counted switch."""
        with self._lock:
            left: int = getattr(self, name)
            setattr(self, name, max(0, left - 1))
            return left > 0

    def drawn(self, share: float) -> bool:
        """A chance with this share."""
        with self._lock:
            return share > 0 and self.chance.random() < share

    def commit_delay(self) -> float:
        """Seconds until the transaction of a person's edit commits."""
        wanted = self.late_commit_seconds
        with self._lock:
            return self.chance.uniform(wanted[0], wanted[1]) if isinstance(wanted, list) else float(wanted)

    def shown(self) -> dict[str, Any]:
        return {held.name: getattr(self, held.name) for held in fields(self) if held.name in _CHECKS}


def _in_range(name: str, value: Any) -> bool:
    if isinstance(value, list):
        numbers = all(isinstance(part, (int, float)) and not isinstance(part, bool) for part in value)
        return len(value) == 2 and numbers and _ordered(value)
    if isinstance(value, (int, float)):
        most = {"late_commit_seconds": 600, "page_rows": 2000}.get(name, 1 if name.endswith("_share") else None)
        least = {"clock_skew_seconds": -86_400, "page_rows": 1, "session_calls": 1}.get(name, 0)
        return value >= least and (most is None or value <= most)
    return True


def _ordered(bounds: Sequence[float]) -> bool:
    return 0 <= bounds[0] <= bounds[1] <= 600
