"""What the ports promise of a period, the store keeps."""

from __future__ import annotations

import inspect

from tierwise.ports import pilot
from tierwise.store import pilots


def test_the_store_has_every_method_under_the_same_signature() -> None:
    for name, promised in inspect.getmembers(pilot.Pilots, inspect.isfunction):
        if not name.startswith("_"):
            kept = inspect.signature(getattr(pilots.Pilots, name))
            assert list(kept.parameters) == list(inspect.signature(promised).parameters)
