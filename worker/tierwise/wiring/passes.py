"""Reading a CRM: the poll, the pass that trails it, and what became of the leads."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

from tierwise import ports, telemetry
from tierwise.domain import mapping
from tierwise.pipeline import outcomes, poll, turns
from tierwise.pipeline import reconcile as trailing
from tierwise.pipeline.map import Enrich
from tierwise.pipeline.poll import Polled
from tierwise.wiring.notices import Notices
from tierwise.wiring.trials import Tried


class Passes(Tried, Notices):
    """Parts that read."""

    def poll(self, name: str, *, turn: turns.Turn | None = None) -> poll.Polled | None:
        """Poll one connection once; None where another process does or it is off."""
        runnable = self.runnable()
        field_map = self.field_map(name, runnable.policy)
        settings = self.settings
        pace = poll.Pace(
            every=self.connection(name).poll_seconds or settings.poll_seconds,
            overlap=settings.overlap_seconds,
        )
        with (
            self.connector(name, step="poll") as connector,
            telemetry.bind(connection=name, policy=runnable.digest[:12]),
        ):
            report = poll.poll(
                self.store,
                connector,
                connection=name,
                field_map=field_map,
                properties=mapping.properties(field_map),
                policy=runnable.digest,
                owner=self.owner,
                clock=self.clock,
                monotonic=time.monotonic,
                pace=pace,
                servers=self.servers,
                stop=self._ends(turn),
                enrich=self._enrich(name),
            )
        if report is not None and report.delivered:
            self._read_back(name)
        return report

    def _enrich(self, name: str) -> Enrich | None:
        """Every pass over a connection enriches alike, or a lead would change back and forth."""
        if self.enrichment is None:
            return None
        stored = functools.partial(self.store.leads.provenance, name)
        return functools.partial(self.enrichment.page, stored=stored)

    def turn(self, kind: str, name: str, *, wake: Callable[[], None]) -> turns.Turn:
        """For one pass of a worker, whose hands are few; a command's pass has its process for itself."""
        return turns.Turn(
            self.store, kind, name, owner=self.owner, clock=self.clock, monotonic=time.monotonic, wake=wake
        )

    def reconcile(self, name: str, *, turn: turns.Turn | None = None) -> Polled | None:
        """Follow the poll of one connection by the index lag; None where there is nothing to do yet."""
        if not self.trails(name, "reconcile"):
            return None
        runnable = self.runnable()
        field_map = self.field_map(name, runnable.policy)
        with (
            self.connector(name, step="reconcile") as connector,
            telemetry.bind(connection=name, policy=runnable.digest[:12]),
        ):
            return trailing.reconcile(
                self.store,
                connector,
                connection=name,
                field_map=field_map,
                properties=mapping.properties(field_map),
                policy=runnable.digest,
                owner=self.owner,
                clock=self.clock,
                monotonic=time.monotonic,
                pace=poll.Pace(),
                trail=self._trail(),
                stop=self._ends(turn),
                enrich=self._enrich(name),
            )

    def outcomes(self, name: str, *, turn: turns.Turn | None = None) -> outcomes.Told | None:
        """Look at what became of one connection's leads; None where there is nothing to do yet."""
        if not self.trails(name, "outcomes"):
            return None
        with self.connector(name, step="outcomes") as connector, telemetry.bind(connection=name):
            return outcomes.outcomes(
                self.store,
                connector,
                connection=name,
                owner=self.owner,
                clock=self.clock,
                monotonic=time.monotonic,
                pace=poll.Pace(),
                trail=self._trail(),
                stop=self._ends(turn),
            )

    def _ends(self, turn: turns.Turn | None) -> Callable[[], bool]:
        return lambda: self.stopping.is_set() or (turn is not None and turn.over())

    def trails(self, name: str, kind: ports.CursorKind) -> bool:
        """Whether that pass over a connection has anything to read yet."""
        return self._trail().due(self.store.cursors.watermark(name, kind), now=self.clock())

    def _trail(self) -> trailing.Trail:
        settings = self.settings.trail
        return trailing.Trail(lag=settings.lag_seconds, window=settings.window_seconds)
