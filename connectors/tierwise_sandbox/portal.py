"""One portal: its records, definitions, token, scopes, limits, faults and counts, shared by all routes."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tierwise_sandbox import kinds, other_objects
from tierwise_sandbox.associations import Associations
from tierwise_sandbox.definitions import Definitions
from tierwise_sandbox.faults import Faults
from tierwise_sandbox.kinds import Kind
from tierwise_sandbox.limits import Limits
from tierwise_sandbox.model_batches import Batches
from tierwise_sandbox.model_files import Files
from tierwise_sandbox.model_replies import Replies
from tierwise_sandbox.store import Store
from tierwise_sandbox.unrest import Unrest

PORTAL_ID = 140_000_021
SCOPES = (
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.schemas.contacts.read",
    "crm.schemas.contacts.write",
    "crm.objects.owners.read",
    "crm.objects.companies.read",
    "crm.objects.companies.write",
    "crm.schemas.companies.read",
    "crm.schemas.companies.write",
    "crm.objects.leads.read",
    "crm.objects.leads.write",
    "crm.schemas.leads.read",
    "crm.schemas.leads.write",
    "crm.objects.deals.read",
    "crm.objects.deals.write",
    "crm.schemas.deals.read",
)


@dataclass(frozen=True)
class Shelf:
    """One object type of the portal: its records and what is known of their properties."""

    kind: Kind
    store: Store
    definitions: Definitions


@dataclass
class ModelCounts:
    """What the model server did since the last reset."""

    calls: Counter[str] = field(default_factory=Counter)
    in_flight: int = 0
    most_in_flight: int = 0
    waited_seconds: float = 0.0


@dataclass
class Portal:
    token: str = field(default_factory=lambda: f"pat-sandbox-{secrets.token_hex(12)}")
    scopes: frozenset[str] = frozenset(SCOPES)
    store: Store = field(default_factory=Store)
    definitions: Definitions = field(default_factory=lambda: Definitions(PORTAL_ID))
    limits: Limits = field(default_factory=Limits)
    faults: Faults = field(default_factory=Faults)
    unrest: Unrest = field(default_factory=Unrest)
    calls: Counter[str] = field(default_factory=Counter)
    model: ModelCounts = field(default_factory=ModelCounts)
    replies: Replies = field(default_factory=Replies)
    kinds: dict[str, str] = field(default_factory=dict)
    """Record id -> what the generator meant it to be; never visible through the CRM's API."""

    set_salesforce: Callable[[Any], None] | None = None
    """Takes the `salesforce` part of a scenario, if an org is served beside the portal."""

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._shelves = {"contacts": Shelf(kinds.CONTACTS, self.store, self.definitions)}
        for kind in kinds.KINDS.values():
            if kind is not kinds.CONTACTS:
                store = Store(now=self.store.now, kind=kind, computed=other_objects.computing(kind))
                self._shelves[kind.name] = Shelf(kind, store, Definitions(PORTAL_ID, kind))
        self.files = Files()
        self.batches = Batches(self.replies, self.files)
        self.associations = Associations({name: shelf.store for name, shelf in self._shelves.items()})
        self._cpu_start = time.process_time()

    def shelf(self, kind: Kind) -> Shelf:
        """Records and definitions of one object type."""
        return self._shelves[kind.name]

    def set_index_lag(self, seconds: float) -> None:
        """Search of every object type shows changes that much later."""
        for shelf in self._shelves.values():
            shelf.store.index_lag = seconds

    def count(self, kind: str) -> None:
        with self._lock:
            self.calls[kind] += 1

    def burst(self, number: int, at_ms: int | None = None) -> list[int]:
        """`number` new contacts that share one millisecond, as HubSpot's own batch jobs and imports make them."""
        stamp = int(self.store.now() * 1000) if at_ms is None else at_ms
        rows = (
            {"email": f"burst{n}@b{n}.example", "lastname": f"Burst {n}", "company": f"Burst {n} Ltd"}
            for n in range(len(self.store), len(self.store) + number)
        )
        return self.store.load((row, stamp, stamp, None) for row in rows)

    def stats(self) -> dict[str, object]:
        """Counts since the start or the last reset, as `GET /_sandbox/stats` returns them."""
        tallies = {name: shelf.store.tally for name, shelf in self._shelves.items()}
        return {
            "calls": dict(self.calls),
            "writes": sum(tally.writes for tally in tallies.values()),
            "writes_changed": sum(tally.changed for tally in tallies.values()),
            "edits": sum(tally.edits for tally in tallies.values()),
            "records": len(self.store),
            "records_by_object": {name: len(shelf.store) for name, shelf in self._shelves.items()},
            "model_calls": self.model.calls.total(),
            "model_calls_by_model": dict(self.model.calls),
            "model_batches": self.batches.count,
            "model_batch_answers": self.batches.answered,
            "model_files": len(self.files.listed()),
            "model_in_flight": self.model.in_flight,
            "model_most_in_flight": self.model.most_in_flight,
            "model_waited_seconds": round(self.model.waited_seconds, 3),
            "faults_fired": self.faults.fired,
            "rate_limited": self.limits.refused,
            "cpu_seconds": round(time.process_time() - self._cpu_start, 3),
        }

    def reset_stats(self) -> None:
        with self._lock:
            self.calls.clear()
            self.model.calls.clear()
            self.model.most_in_flight = self.model.in_flight
            self.model.waited_seconds = 0.0
            self.faults.fired = 0
            self.limits.refused = 0
            self._cpu_start = time.process_time()
        for shelf in self._shelves.values():
            shelf.store.reset_tally()
