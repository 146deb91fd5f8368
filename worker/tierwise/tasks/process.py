"""What a process of ours is while it serves: its wiring, its signs of life, what it does when asked to end."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

from celery import signals

from tierwise import settings as configuration
from tierwise import wiring
from tierwise.errors import Misconfigured


class Process:
    """This process's wiring, made after a fork and never shared across one."""

    def __init__(self) -> None:
        self._settings: configuration.Settings | None = None
        self._broker_url: str | None = None
        self._wiring: wiring.Wiring | None = None
        self._pid = 0
        self._lock = threading.Lock()
        self._beat_at: dict[str, float] = {}

    def configure(self, settings: configuration.Settings, broker_url: str) -> None:
        self._settings, self._broker_url = settings, broker_url

    def get(self) -> wiring.Wiring:
        with self._lock:
            if self._wiring is None or self._pid != os.getpid():
                if self._settings is None:
                    raise Misconfigured("tasks run under `tierwise worker` or `tierwise beat` only")
                self._wiring = wiring.Wiring(self._settings, broker_url=self._broker_url)
                self._pid = os.getpid()
            return self._wiring

    def close(self) -> None:
        with self._lock:
            if self._wiring is not None and self._pid == os.getpid():
                self._wiring.close()
            self._wiring = None

    def heartbeat(self, role: str) -> None:
        """A sign of life at most every five seconds. Liveness is its age: a process id proves nothing."""
        now = time.monotonic()
        if now - self._beat_at.get(role, -60.0) < 5.0:
            return
        self._beat_at[role] = now
        parts = self.get()
        parts.store.heartbeats.beat(role, parts.owner, info={"pid": os.getpid()}, now=wiring.clock())


current = Process()
"""The one of this process."""


@signals.worker_process_shutdown.connect  # type: ignore[untyped-decorator]
def _close_child(**_: Any) -> None:
    current.close()


@signals.worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _stop_pumps(**_: Any) -> None:
    wiring.Wiring.stopping.set()


@signals.setup_logging.connect  # type: ignore[untyped-decorator]
def _keep_our_logging(**_: Any) -> None:
    """Connecting to this signal keeps Celery from configuring logging itself."""
