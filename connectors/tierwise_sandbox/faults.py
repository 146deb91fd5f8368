"""Faults on demand: which requests fail, how, and how often. Data, so that a test can say what it wants.

A fault is `{"match": {"path": SUBSTRING, "method": M}, "times": N, "action": ..., ...}`:
status (status, body, headers) · delay (seconds) · drop (no answer; `"after": true` carries the request out first)
· truncate (carried out, answer cut in half) · partial (only the first `share` of a batch is carried out, silently)
· drip (carried out, the answer's body takes `seconds`) · unauthorized (401 as for a token that ran out).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ACTIONS = ("status", "delay", "drop", "truncate", "partial", "drip", "unauthorized")


@dataclass
class Fault:
    action: str
    path: str = ""
    method: str = ""
    times: int | None = 1
    """How many requests more; None = every one."""
    status: int = 503
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 1.0
    after: bool = False
    share: float = 0.5
    skip: int = 0
    """Matching requests that are let through first."""

    def matches(self, method: str, path: str) -> bool:
        return self.path in path and self.method in {"", method}


def parse(given: Any, place: str = "faults") -> Fault:
    """One fault from JSON; ValueError names the place, what is wrong and what is allowed."""
    if not isinstance(given, Mapping):
        raise ValueError(f"{place}: a fault is an object, not {type(given).__name__}")
    rest = dict(given)
    match = rest.pop("match", {})
    action = rest.pop("action", None)
    if action not in ACTIONS:
        raise ValueError(f"{place}: action {action!r} is not one of {', '.join(ACTIONS)}")
    if not isinstance(match, Mapping) or not set(match) <= {"path", "method"}:
        raise ValueError(f"{place}: match takes path (a substring) and method")
    allowed = {"times", "status", "body", "headers", "seconds", "after", "share", "skip"}
    if unknown := sorted(set(rest) - allowed):
        raise ValueError(f"{place}: unknown key {unknown[0]!r}; known: {', '.join(sorted(allowed))}")
    times = rest.get("times", 1)
    if times is not None and (not isinstance(times, int) or times < 1):
        raise ValueError(f"{place}: times is a positive number, or null for always")
    method = str(match.get("method", "")).upper()
    return Fault(action=action, path=str(match.get("path", "")), method=method, **rest)


class Faults:
    """The faults still to come, tried in order; the first that matches a request is used."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: list[Fault] = []
        self.fired = 0

    def replace(self, given: Any) -> None:
        """Set the whole list (empty: no faults)."""
        if not isinstance(given, list):
            raise ValueError("faults: a list of faults is expected")
        pending = [parse(item, f"faults[{place}]") for place, item in enumerate(given)]
        with self._lock:
            self._pending = pending

    def take(self, method: str, path: str) -> Fault | None:
        """The fault for this request, counted off."""
        with self._lock:
            for fault in self._pending:
                if not fault.matches(method, path):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times == 0:
                        self._pending.remove(fault)
                self.fired += 1
                return fault
        return None


def fewer_inputs(body: bytes, share: float) -> bytes:
    """A batch request with only the first `share` of its inputs; anything else unchanged."""
    try:
        document = json.loads(body)
    except ValueError:
        return body
    if not isinstance(document, dict) or not isinstance(document.get("inputs"), list):
        return body
    document["inputs"] = document["inputs"][: int(len(document["inputs"]) * share)]
    return json.dumps(document).encode()
