"""The `salesforce` part of a scenario file: switches, field-level security, and a burst of leads in one second."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tierwise_sandbox.salesforce import loading
from tierwise_sandbox.salesforce.org import Org


def apply(org: Org, given: Any) -> None:
    """Switches by name, `hidden_fields` and `read_only_fields` (Object.Field), `burst` (a number of leads).

    ValueError says what is wrong and what is allowed.
    """
    if not isinstance(given, Mapping):
        raise ValueError("salesforce: an object is expected")
    rest = dict(given)
    hidden, read_only, number = (rest.pop(name, None) for name in ("hidden_fields", "read_only_fields", "burst"))
    for name, value in (("hidden_fields", hidden), ("read_only_fields", read_only)):
        if value is not None and not (isinstance(value, list) and all(isinstance(part, str) for part in value)):
            raise ValueError(f"salesforce: {name}: a list of Object.Field names is expected")
    if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < 1):
        raise ValueError(f"salesforce: burst: a number of leads is expected, was {number!r}")
    org.switches.set(rest)
    org.schema.secure(hidden=hidden, read_only=read_only)
    if number is not None:
        loading.burst(org, number)
