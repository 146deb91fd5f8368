"""A lead that the prompt file itself names, with what the rubric must make of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tierwise.domain.verdict import Frozen


class Example(Frozen):
    """One example of a rubric. Tried with the lexicon it is the same every time; with a model it is a measurement."""

    name: str
    lead: Mapping[str, Any]
    """Canonical fields, as in a rule's test."""
    tier: str
    levels: Mapping[str, str] = {}
    """Levels of some criteria (`unknown` too), where the example is about them."""
