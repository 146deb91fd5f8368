"""The only place where parts meet: settings in, a ready pipeline out. One object per process.

Each module adds what it is named after to the one before it: parts, policy, accounts, passes, automation,
batching, and here the two steps that decide and write.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable

from tierwise import telemetry
from tierwise.pipeline import decide, write_back
from tierwise.wiring.batching import Batching
from tierwise.wiring.parts import clock
from tierwise.wiring.policy import ACTIVE_FOR

__all__ = ["ACTIVE_FOR", "Wiring", "clock"]


class Wiring(Batching):
    """Everything one process can do. Thread-safe; not for use across a fork."""

    def pump(
        self, *, connection: str | None = None, on_round: Callable[[], None] = lambda: None
    ) -> decide.Pumped | None:
        """Decide what is due; None where this process pumps already. `on_round` is called every few moments."""
        if not self._pumping.acquire(blocking=False):
            return None
        try:
            settings = self.settings
            judge, loop = self.judge()
            tools = decide.Tools(
                store=self.store,
                judge=judge,
                submit=loop.submit,
                runnable=self.runnable,
                clock=self.clock,
                monotonic=time.monotonic,
                random=random.random,
                new_trace=telemetry.new_trace,
                asks=self.asks,
                chain=self.chain_hash,
                audit=self.audited,
            )
            pace = decide.Pace(
                longest=settings.pump.seconds,
                chunk=settings.pump.chunk,
                batch=settings.pump.batch,
                flush=settings.pump.flush_ms / 1000,
                in_flight=settings.model.in_flight * 7,
                lease=settings.pump.lease_seconds,
                attempts=settings.pump.max_attempts,
            )

            def stop() -> bool:
                on_round()
                return self.stopping.is_set()

            return decide.Pump(tools, owner=self.owner, pace=pace, connection=connection).run(stop=stop)
        finally:
            self._pumping.release()

    def write_back(self, name: str, *, full_only: bool = False) -> write_back.WroteBack:
        """Drain one connection's outbox; `full_only` leaves what does not fill a batch."""
        settings = self.settings.write
        pace = write_back.Pace(lease=settings.lease_seconds, attempts=settings.max_attempts)
        with self.connector(name, step="write_back") as connector, telemetry.bind(connection=name):
            report = write_back.write_back(
                self.store,
                connector,
                connection=name,
                owner=self.owner,
                clock=self.clock,
                monotonic=time.monotonic,
                random=random.random,
                new_id=lambda: uuid.uuid4().hex,
                pace=pace,
                servers=self.servers,
                stop=self.stopping.is_set,
                full_only=full_only,
            )
        if report.unchanged:
            self._read_back(name)
        return report
