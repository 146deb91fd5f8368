"""What a test or a demo sets on a running portal: faults, rate limits, index lag, scopes. One JSON document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tierwise_sandbox.portal import Portal

_KEYS = ("faults", "rate_limits", "index_lag_seconds", "scopes", "while_paging", "burst", "salesforce")


def apply(portal: Portal, given: Any) -> None:
    """A list of faults, or an object of `faults`, `rate_limits`, `index_lag_seconds`, `scopes`,
    `while_paging`, `burst`, `salesforce`.

    ValueError says what is wrong and what is allowed; the parts before it are applied.
    """
    if isinstance(given, list):
        given = {"faults": given}
    if not isinstance(given, Mapping):
        raise ValueError("a list of faults or an object is expected")
    if unknown := sorted(set(given) - set(_KEYS)):
        raise ValueError(f"unknown key {unknown[0]!r}; known: {', '.join(_KEYS)}")
    if "faults" in given:
        portal.faults.replace(given["faults"])
    if "rate_limits" in given:
        portal.limits.set(given["rate_limits"])
    if "index_lag_seconds" in given:
        lag = given["index_lag_seconds"]
        if not isinstance(lag, (int, float)) or lag < 0:
            raise ValueError("index_lag_seconds: a number of seconds, 0 or more")
        portal.store.index_lag = float(lag)
    if "scopes" in given:
        scopes = given["scopes"]
        if not isinstance(scopes, list) or not all(isinstance(scope, str) for scope in scopes):
            raise ValueError("scopes: a list of scope names")
        portal.scopes = frozenset(scopes)
    if "while_paging" in given:
        portal.unrest.set(given["while_paging"])
    if "burst" in given:
        number = given["burst"]
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise ValueError(f"burst: a number of contacts with one time stamp, was {number!r}")
        portal.burst(number)
    if "salesforce" in given:
        if portal.set_salesforce is None:
            raise ValueError("salesforce: no org is served; start with --salesforce-port")
        portal.set_salesforce(given["salesforce"])


def apply_file(portal: Portal, path: Path) -> None:
    """The same from a file; ValueError carries the file and, for broken JSON, the line."""
    try:
        apply(portal, json.loads(path.read_text(encoding="utf-8")))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}:{error.lineno}: not JSON: {error.msg}") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
