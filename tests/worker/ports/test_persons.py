"""What the ports promise of persons, the store keeps."""

from __future__ import annotations

import inspect

from tierwise.ports import persons
from tierwise.store import erasure


def test_the_store_has_every_method_under_the_same_signature() -> None:
    for name, promised in inspect.getmembers(persons.Persons, inspect.isfunction):
        if not name.startswith("_"):
            kept = inspect.signature(getattr(erasure.Persons, name))
            assert list(kept.parameters) == list(inspect.signature(promised).parameters)
