"""People who go on working while a client pages: after each page, records of the coming pages change under it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from tierwise_sandbox.store import Store, Write


@dataclass
class Unrest:
    """How many records of the coming pages are edited, merged away or deleted after each page of a search."""

    edits: int = 0
    merges: int = 0
    deletes: int = 0
    happened: int = 0

    @property
    def any(self) -> bool:
        return bool(self.edits or self.merges or self.deletes)

    def set(self, given: Any) -> None:
        """Set by name. ValueError says what is wrong and what is allowed."""
        known = [entry.name for entry in fields(self)][:3]
        if not isinstance(given, Mapping):
            raise ValueError(f"while_paging: an object of {', '.join(known)} is expected")
        for name, value in given.items():
            if name not in known or isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise ValueError(f"while_paging: {name}: {value!r}; known: {', '.join(known)}, numbers from 0")
        for name, value in given.items():
            setattr(self, name, value)

    def strike(self, store: Store, coming: Sequence[str]) -> None:
        """Let it happen to the first of `coming` (record ids): deletes, then merges in pairs, then edits."""
        waiting = list(coming)
        for _ in range(min(self.deletes, len(waiting))):
            if (record := store.get(waiting.pop(0))) is not None:
                store.archive(record)
                self.happened += 1
        for _ in range(min(self.merges, len(waiting) // 2)):
            self.happened += store.merge(waiting.pop(0), waiting.pop(0)) is not None
        edits = []
        for key in waiting[: self.edits]:
            if (record := store.get(key)) is not None:
                self.happened += 1
                edits.append(Write(record.id, {"city": f"Town {self.happened}"}))
        if edits:
            store.update(edits, by="person")
