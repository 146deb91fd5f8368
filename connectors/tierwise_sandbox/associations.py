"""Which records belong together, and what kind of tie it is; both directions are kept, as HubSpot keeps them.

Ids are those of the day the tie was made: a merged record has the ties of all that it was made of.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from tierwise_sandbox.kinds import Kind
from tierwise_sandbox.store import Record, Store

# (from, to) -> type id of the plain tie, and of the primary one where there is such a thing.
TYPES: Mapping[tuple[str, str], tuple[int, int | None]] = {
    ("contacts", "companies"): (279, 1), ("companies", "contacts"): (280, 2),
    ("contacts", "deals"): (4, None), ("deals", "contacts"): (3, None),
    ("companies", "deals"): (342, 6), ("deals", "companies"): (341, 5),
    ("leads", "contacts"): (608, 578), ("contacts", "leads"): (609, 579),
    ("leads", "companies"): (610, None), ("companies", "leads"): (611, None),
    ("leads", "deals"): (584, None), ("deals", "leads"): (583, None),
    ("calls", "contacts"): (194, None), ("contacts", "calls"): (193, None),
    ("calls", "companies"): (182, None), ("companies", "calls"): (181, None),
    ("calls", "leads"): (596, None), ("leads", "calls"): (597, None),
    ("emails", "contacts"): (198, None), ("contacts", "emails"): (197, None),
    ("emails", "companies"): (186, None), ("companies", "emails"): (185, None),
    ("emails", "leads"): (598, None), ("leads", "emails"): (599, None),
    ("meetings", "contacts"): (200, None), ("contacts", "meetings"): (199, None),
    ("meetings", "companies"): (188, None), ("companies", "meetings"): (187, None),
    ("meetings", "leads"): (600, None), ("leads", "meetings"): (601, None),
    ("tasks", "contacts"): (204, None), ("contacts", "tasks"): (203, None),
    ("tasks", "companies"): (192, None), ("companies", "tasks"): (191, None),
    ("tasks", "leads"): (602, None), ("leads", "tasks"): (603, None),
}  # fmt: skip


class Associations:
    """Ties between the records of one portal. Safe to use from threads."""

    def __init__(self, stores: Mapping[str, Store]) -> None:
        self._stores = stores
        self._lock = threading.Lock()
        self._ties: dict[tuple[str, str], dict[int, dict[int, bool]]] = {}

    def link(self, one: tuple[Kind, int], other: tuple[Kind, int], *, primary: bool = False) -> None:
        """Tie two records. ValueError where these kinds cannot be tied. One primary tie takes another's place."""
        (from_kind, from_id), (to_kind, to_id) = one, other
        if (from_kind.name, to_kind.name) not in TYPES:
            raise ValueError(f"{from_kind.name} and {to_kind.name} cannot be associated")
        with self._lock:
            for key, first, second in (
                ((from_kind.name, to_kind.name), from_id, to_id),
                ((to_kind.name, from_kind.name), to_id, from_id),
            ):
                ties = self._ties.setdefault(key, {}).setdefault(first, {})
                if primary and key == (from_kind.name, to_kind.name):
                    ties.update(dict.fromkeys(ties, False))
                ties[second] = primary or ties.get(second, False)

    def of(self, kind: Kind, record: Record, to: Kind) -> list[dict[str, Any]]:
        """`to` as the batch endpoint shows it: the records that are there today, by id."""
        former = (int(key) for key in record.properties.get("hs_merged_object_ids", "").split(";") if key)
        found: dict[int, bool] = {}
        with self._lock:
            ties = self._ties.get((kind.name, to.name), {})
            held = [dict(ties.get(key, {})) for key in (record.id, *former)]
        for several in held:
            for key, primary in several.items():
                there = self._stores[to.name].get(str(key))
                if there is not None:
                    found[there.id] = found.get(there.id, False) or primary
        plain, main = TYPES[kind.name, to.name]
        return [
            {
                "toObjectId": str(key),
                "associationTypes": [
                    *([_type(main, "Primary")] if found[key] and main is not None else []),
                    _type(plain, None),
                ],
            }
            for key in sorted(found)
        ]


def _type(number: int, label: str | None) -> dict[str, Any]:
    return {"category": "HUBSPOT_DEFINED", "typeId": number, "label": label}
