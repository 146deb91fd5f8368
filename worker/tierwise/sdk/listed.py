"""For a connector whose system can only list what it has: windows and pages over a list, and declared fields.

A file, a sheet, a small table: nobody there knows a cursor or refuses a value that no field has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from tierwise.domain.advice import AdviceField
from tierwise.sdk.connector import Check, Page, PlanStep, Record, Update

Action = Literal["create", "update", "keep"]


def pages(
    records: Iterable[Record], since: datetime, until: datetime, *, position: Mapping[str, Any] | None, size: int
) -> Iterator[Page]:
    """Those of [since, until] after `position` in pages of `size`, the oldest first; at least one page, maybe empty."""
    held = sorted((record for record in records if since <= record.modified_at <= until), key=_place)
    if position is not None:
        edge = datetime.fromisoformat(position["at"]), position["id"]
        held = [record for record in held if _place(record) > edge]
    for start in range(0, len(held) or 1, size):
        page, more = held[start : start + size], start + size < len(held)
        at = {"at": page[-1].modified_at.isoformat(), "id": page[-1].id} if more else None
        yield Page(tuple(page), at)


class Declared:
    """Our fields and their options as the system keeps them: field -> values, none for a field that takes any."""

    def __init__(self, held: Mapping[str, Sequence[str]]) -> None:
        self._held = {name: list(values) for name, values in held.items()}

    def plan(self, fields: Sequence[AdviceField]) -> list[PlanStep]:
        """What `provision` would do."""
        return [PlanStep(self._action(field), field.name) for field in fields]

    def widened(self, fields: Sequence[AdviceField]) -> dict[str, list[str]]:
        """With these fields and options too; nothing is ever removed or narrowed."""
        more = {
            field.name: list(dict.fromkeys([*self._held.get(field.name, []), *(value for value, _ in field.options)]))
            for field in fields
        }
        return {**self._held, **more}

    def missing(self, fields: Sequence[AdviceField]) -> list[Check]:
        """A line for each that `provision` has to bring."""
        names = [field.name for field in fields if self._action(field) != "keep"]
        return [Check(name, False, "is not declared", "tierwise connections provision") for name in names]

    def refusal(self, update: Update) -> str:
        """Why the update is not taken; "" where it is."""
        for name, value in update.values.items():
            chosen = value if isinstance(value, tuple) else (value,)
            if value is not None and self._held.get(name) and not set(chosen) <= set(self._held[name]):
                return f"{name} has no such option"
        return ""

    def _action(self, field: AdviceField) -> Action:
        if field.name not in self._held:
            return "create"
        return "keep" if {value for value, _ in field.options} <= set(self._held[field.name]) else "update"


def _place(record: Record) -> tuple[datetime, str]:
    return record.modified_at, record.id
