"""What a test or a demo sets on a running portal: faults, limits, lag, scopes, unrest. One JSON document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tierwise_sandbox import model_batches
from tierwise_sandbox.brain import truth
from tierwise_sandbox.portal import Portal


def apply(portal: Portal, given: Any) -> None:
    """A list of faults, or an object of `faults`, `rate_limits`, `index_lag_seconds`, `scopes`,
    `while_paging`, `burst`, `models`, `batches`, `truth`, `salesforce`.

    ValueError says what is wrong and what is allowed; the parts before it are applied.
    """
    if isinstance(given, list):
        given = {"faults": given}
    if not isinstance(given, Mapping):
        raise ValueError("a list of faults or an object is expected")
    if unknown := sorted(set(given) - set(PARTS)):
        raise ValueError(f"unknown key {unknown[0]!r}; known: {', '.join(PARTS)}")
    for name, setter in PARTS.items():
        if name in given:
            setter(portal, given[name])


def _set_lag(portal: Portal, lag: Any) -> None:
    if not isinstance(lag, (int, float)) or lag < 0:
        raise ValueError("index_lag_seconds: a number of seconds, 0 or more")
    portal.set_index_lag(float(lag))


def _set_scopes(portal: Portal, scopes: Any) -> None:
    if not isinstance(scopes, list) or not all(isinstance(scope, str) for scope in scopes):
        raise ValueError("scopes: a list of scope names")
    portal.scopes = frozenset(scopes)


def _burst(portal: Portal, number: Any) -> None:
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise ValueError(f"burst: a number of contacts with one time stamp is expected, was {number!r}")
    portal.burst(number)


def _set_salesforce(portal: Portal, given: Any) -> None:
    if portal.set_salesforce is None:
        raise ValueError("salesforce: no org is served; start with --salesforce-port")
    portal.set_salesforce(given)


def _set_batches(portal: Portal, given: Any) -> None:
    portal.batches.habits = model_batches.parse(given)


def _set_truth(portal: Portal, given: Any) -> None:
    portal.replies.truth = truth.parse(given)


PARTS = {
    "faults": lambda portal, given: portal.faults.replace(given),
    "rate_limits": lambda portal, given: portal.limits.set(given),
    "index_lag_seconds": _set_lag,
    "scopes": _set_scopes,
    "while_paging": lambda portal, given: portal.unrest.set(given),
    "burst": _burst,
    "truth": _set_truth,
    "models": lambda portal, given: portal.replies.set(given),
    "batches": _set_batches,
    "salesforce": _set_salesforce,
}


def apply_file(portal: Portal, path: Path) -> None:
    """The same from a file; ValueError carries the file and, for broken JSON, the line."""
    try:
        apply(portal, json.loads(path.read_text(encoding="utf-8")))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}:{error.lineno}: not JSON: {error.msg}") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
