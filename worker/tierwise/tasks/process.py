"""What a process of ours is while it serves: its wiring, its signs of life, what it does when asked to end."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from typing import Any

from celery import signals

from tierwise import settings as configuration
from tierwise import telemetry, wiring
from tierwise.errors import Misconfigured

EVERY = 5.0
"""Seconds between two signs of life."""


class Process:
    """This process's wiring, made after a fork and never shared across one."""

    def __init__(self) -> None:
        self._settings: configuration.Settings | None = None
        self._broker_url: str | None = None
        self._wiring: wiring.Wiring | None = None
        self._inherited: list[wiring.Wiring] = []
        self._pid = 0
        self._lock = threading.Lock()
        self._beat_at: dict[str, float] = {}

    def configure(self, settings: configuration.Settings, broker_url: str) -> None:
        """What the wiring is made of."""
        self._settings, self._broker_url, self._pid = settings, broker_url, os.getpid()

    def get(self) -> wiring.Wiring:
        """The wiring, made when it is first needed. Misconfigured before `configure`."""
        with self._lock:
            if self._wiring is None:
                if self._settings is None:
                    raise Misconfigured("tasks run under `tierwise worker` or `tierwise beat` only")
                self._wiring = wiring.Wiring(self._settings, broker_url=self._broker_url)
            return self._wiring

    def forked(self) -> bool:
        """To be called in a new child: it shares nothing with its parent, and ends nothing of it. False in the parent.

        The parent's wiring is kept, unused: were it collected as garbage, its connections would be closed, which
        PostgreSQL would take for the parent's farewell and SQLite for leave to drop locks.
        """
        if self._pid == os.getpid():
            return False
        self._lock, self._pid = threading.Lock(), os.getpid()
        if self._wiring is not None:
            self._inherited.append(self._wiring)
            self._wiring = None
        self._beat_at.clear()
        return True

    def close(self) -> None:
        """Let go of the wiring."""
        with self._lock:
            if self._wiring is not None:
                self._wiring.close()
            self._wiring = None

    def heartbeat(self, role: str, info: Mapping[str, Any] | None = None) -> None:
        """A sign of life at most every five seconds. Liveness is its age: a process id proves nothing."""
        now = time.monotonic()
        if now - self._beat_at.get(role, -2 * EVERY) < EVERY * 0.9:
            return
        self._beat_at[role] = now
        parts = self.get()
        told = {"pid": os.getpid(), **(info or {})}
        parts.store.heartbeats.beat(role, parts.owner, info=told, now=wiring.clock())


current = Process()
"""The one of this process."""


@signals.worker_process_init.connect  # type: ignore[untyped-decorator]
def _open_child(**_: Any) -> None:
    if current.forked():
        telemetry.forked()


@signals.worker_process_shutdown.connect  # type: ignore[untyped-decorator]
@signals.worker_shutdown.connect  # type: ignore[untyped-decorator]
def _close(**_: Any) -> None:
    current.close()


@signals.worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _stop_pumps(**_: Any) -> None:
    wiring.Wiring.stopping.set()


@signals.setup_logging.connect  # type: ignore[untyped-decorator]
def _keep_our_logging(**_: Any) -> None:
    """Connecting to this signal keeps Celery from configuring logging itself."""
