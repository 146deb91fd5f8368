"""The store of this version offers what the pipeline asks for."""

from __future__ import annotations

import inspect

import pytest

from tierwise.ports import automation
from tierwise.store import automations, flags, gates


@pytest.mark.parametrize(
    ("protocol", "made"),
    [
        (automation.Gates, gates.Gates),
        (automation.Flags, flags.Flags),
        (automation.Automations, automations.Automations),
    ],
    ids=lambda kind: kind.__name__,
)
def test_every_method_takes_what_it_promises(protocol: type, made: type) -> None:
    promised = {name for name, _ in inspect.getmembers(protocol, inspect.isfunction) if not name.startswith("_")}
    assert promised
    for name in promised:
        wanted = list(inspect.signature(getattr(protocol, name)).parameters)
        assert list(inspect.signature(getattr(made, name)).parameters) == wanted, name
