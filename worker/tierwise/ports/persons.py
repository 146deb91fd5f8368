"""What is stored of one person: found, given out, erased."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple, Protocol


class Erased(NamedTuple):
    """What was emptied."""

    records: int
    tables: Mapping[str, int]
    """Rows by table."""


class Persons(Protocol):
    """One person's rows in every table."""

    def find(self, *, needles: Collection[str], record: tuple[str, str] | None = None) -> list[tuple[str, str]]:
        """Records (connection, id) that are or were that person's; `needles` are addresses and numbers."""

    def export(self, records: Collection[tuple[str, str]]) -> dict[str, list[dict[str, Any]]]:
        """Every row of these records, by table."""

    def erase(
        self, records: Collection[tuple[str, str]], *, needles: Collection[str], by: str, reason: str, now: datetime
    ) -> Erased:
        """Empty them in one transaction, and replace `needles` wherever else they stand. Refused for who may not."""
