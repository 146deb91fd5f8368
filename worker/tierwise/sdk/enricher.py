"""What an enricher is: it knows something about a lead that the CRM does not.

It fills fields that a record leaves empty and never replaces what a person stated. Tierwise bounds its time, rests it
when it fails, and remembers what it answered; it keeps no state of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from tierwise.sdk.connector import Limiter


class Enriching(NamedTuple):
    """One configured enricher: a table [enrichers.NAME] of the settings."""

    name: str
    token: str
    """Secret, "" where none is set; never logged, never in an error."""
    options: Mapping[str, Any]
    """Settings of this enricher type, validated by its `settings` model."""
    limiter: Limiter
    seconds: float
    """The most that one page of leads waits for it; a call that takes longer is given up."""


class Enricher(Protocol):
    """One configured enricher, open. Called from several threads at a time."""

    @property
    def reads(self) -> tuple[str, ...]:
        """Canonical fields it needs. It is asked only about leads that have them all, and shown no others."""

    @property
    def gives(self) -> tuple[str, ...]:
        """Canonical fields it can fill. It is asked only where one of them is absent."""

    def enrich(self, known: Mapping[str, Any]) -> Mapping[str, Any]:
        """Canonical field -> canonical value, for what it knows; {} where it knows nothing.

        `known` holds the fields of `reads`. Raises the families of `tierwise.errors` only: RejectRecord where this
        one lead cannot be looked up, RetryLater and others where nobody can.
        """

    def close(self) -> None:
        """Release sockets."""


class EnricherType(NamedTuple):
    """A kind of enricher, as a plugin registers it."""

    name: str
    summary: str
    open: Callable[[Enriching], Enricher]
    settings: type[Any]
    """Pydantic model of `Enriching.options`, with a description for every field."""
