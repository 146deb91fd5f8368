"""The Celery application: one tick, thin tasks, and the table of what an error means for Celery.

Messages are wake-ups. They carry a connection's name at most, may be lost or doubled, and everything they would
have caused is found again in the database by the next tick. Measurements behind the settings: each comment names the
fault that a setting prevents.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

import celery
import celery.beat
import kombu.exceptions
from celery import signals

from tierwise import ports, telemetry, wiring
from tierwise import settings as configuration
from tierwise.errors import LeaseLost, Misconfigured, PauseConnection, RetryLater, TierwiseError
from tierwise.pipeline.poll import Polled

QUEUES = ("poll", "score", "writeback", "maint")
LINGER = 10.0
"""Seconds for which advice waits for a full batch while leads of its connection are still being decided."""

T = TypeVar("T")
log = telemetry.log(__name__)
app = celery.Celery("tierwise", set_as_current=True)


def configure(settings: configuration.Settings, *, broker_url: str) -> celery.Celery:
    """The application for these settings. Called by `tierwise worker` and `tierwise beat` before anything runs."""
    app.conf.update(
        broker_url=broker_url,
        broker_transport_options={
            # With the defaults a half-open connection hangs a worker for ever: no message is processed again.
            "socket_timeout": 10,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
            # Finds a dead connection between commands, before a message is popped into it.
            "health_check_interval": 5,
            # A retried BRPOP could pop a second message and lose the first.
            "retry_on_timeout": False,
            # A pump ends within a minute; an hour is never reached by a living worker.
            "visibility_timeout": 3600,
            # Unacknowledged messages of a killed worker come back in half a minute instead of 100 s.
            "unacked_restore_interval": 10,
            "unacked_restore_throttle": 3,
            # Other applications may live in the same Redis.
            "global_keyprefix": "tierwise:",
            "client_name": "tierwise",
            "max_connections": 20,
        },
        # A worker that starts before its broker waits for it instead of dying.
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        # A dead pooled connection must not block a sender for ever.
        broker_pool_acquire_timeout=30,
        # No results are read; a result backend grows without end and can wedge beat.
        task_ignore_result=True,
        result_backend=None,
        # A worker killed in a task gives the message back ...
        task_acks_late=True,
        # ... which acks_late alone does not do for a killed pool child: it acknowledges and loses it.
        task_reject_on_worker_lost=True,
        # Failure is recorded in the database, which decides about retries; Celery must not redeliver.
        task_acks_on_failure=True,
        task_acks_on_timeout=True,
        # A waiting pump must not hoard other connections' wake-ups.
        worker_prefetch_multiplier=1,
        # Bounds slow memory growth of long-lived children (prefork only).
        worker_max_tasks_per_child=200,
        worker_max_memory_per_child=500_000,
        # On SIGQUIT running pumps get this long to drain before they are cancelled.
        worker_soft_shutdown_timeout=20,
        worker_enable_soft_shutdown_on_idle=False,
        # Fenced pumps may finish while the broker is away.
        worker_cancel_long_running_tasks_on_connection_loss=False,
        # A child that hangs in native code is killed (prefork only; the pump's own limit is 60 s).
        task_time_limit=120,
        task_soft_time_limit=90,
        # Nothing but JSON is ever unpickled.
        task_serializer="json",
        accept_content=["json"],
        # Our structlog configuration stays in force.
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        # Nobody listens to events; they cost a publish per task.
        worker_send_task_events=False,
        # Gossip and mingle are off on the command line: they hold pub/sub connections for features unused here.
        worker_enable_remote_control=False,
        task_default_queue="maint",
        task_create_missing_queues=True,
        # A beat that lost its clock's hour still looks every few seconds.
        beat_max_loop_interval=max(1.0, settings.tick_seconds),
        beat_scheduler=f"{__name__}:TickScheduler",
        beat_schedule={
            "tick": {
                "task": "tierwise.tick",
                "schedule": settings.tick_seconds,
                # Ticks that pile up while nobody consumes are worthless.
                "options": {"queue": "maint", "expires": max(10.0, settings.tick_seconds * 3)},
            }
        },
        timezone="UTC",
        enable_utc=True,
    )
    _process.configure(settings, broker_url)
    return app


class _Process:
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
        current = self.get()
        current.store.heartbeats.beat(role, current.owner, info={"pid": os.getpid()}, now=wiring.clock())


_process = _Process()


class TickScheduler(celery.beat.Scheduler):  # type: ignore[misc]
    """Beat's scheduler, in memory (one entry has no state worth a file), with a heartbeat after every round.

    The heartbeat is written where the schedule is worked off, so that a wedged beat cannot look alive.
    """

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        """One round of the schedule; seconds until the next."""
        wait = super().tick(*args, **kwargs)
        try:
            _process.heartbeat("beat")
        except TierwiseError as error:
            log.warning("heartbeat not written", error=str(error))
        return wait


@signals.worker_process_shutdown.connect  # type: ignore[untyped-decorator]
def _close_child(**_: Any) -> None:
    _process.close()


@signals.worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _stop_pumps(**_: Any) -> None:
    wiring.Wiring.stopping.set()


@signals.setup_logging.connect  # type: ignore[untyped-decorator]
def _keep_our_logging(**_: Any) -> None:
    """Connecting to this signal keeps Celery from configuring logging itself."""


def _send(task: celery.Task, *args: str, queue: str) -> None:
    """A wake-up. It may be lost: the next tick finds the same work again."""
    try:
        task.apply_async(args=args, queue=queue, expires=60, retry=False)
    except kombu.exceptions.OperationalError as error:
        log.warning("wake-up not sent: the broker is away", error=type(error).__name__)


def _run(name: str, connection: str | None, work: Callable[[wiring.Wiring], T]) -> T | None:
    """Run one task's work and turn an error's family into what happens next. Nothing leaves but a log line."""
    with telemetry.bind(task=name, connection=connection, trace=telemetry.new_trace()):
        try:
            current = _process.get()
            _process.heartbeat("worker")
            return work(current)
        except LeaseLost as error:
            log.info("lease lost", error=str(error))
        except RetryLater as error:
            log.warning("will be tried again", error=str(error))
        except PauseConnection as error:
            log.error("the connection rests until a person acts", error=str(error))
            if connection is not None:
                _pause(connection, f"{error}; then: tierwise connections enable {connection}")
        except Misconfigured as error:
            # No call was made, so nothing is gained by resting: the next poll finds the setting mended.
            log.error("a setting or policy is wrong", error=str(error))
        except TierwiseError as error:
            log.error("task failed", error=str(error))
        except Exception:
            # The one place that catches everything: a bug in one task must not end the worker's loop.
            log.exception("task failed unexpectedly")
        return None


def _pause(connection: str, reason: str) -> None:
    try:
        _process.get().store.connections.pause(connection, reason, now=wiring.clock())
    except TierwiseError as error:
        log.error("could not pause the connection", error=str(error))


@app.task(name="tierwise.tick")  # type: ignore[untyped-decorator]
def tick() -> None:
    """Look in the database for what is due and wake it up. Once per slot, however many beats there are."""
    _run("tick", None, _tick)


def _tick(current: wiring.Wiring) -> None:
    settings, store, now = current.settings, current.store, wiring.clock()
    if not _slot(current, "tick", "", every=settings.tick_seconds, now=now):
        return
    states = {state.name: state for state in store.connections.list()}
    active = {name for name, state in states.items() if state.enabled and state.paused is None}
    for name in sorted(active & settings.connections.keys()):
        due = states[name].next_poll_at
        every = min(10.0, current.connection(name).poll_seconds or settings.poll_seconds)
        if (due is None or due <= now) and _slot(current, "poll", name, every=every, now=now):
            _send(poll, name, queue="poll")
        passes: tuple[tuple[bool, ports.CursorKind, celery.Task], ...] = (
            (settings.trail.reconcile, "reconcile", reconcile),
            (settings.trail.outcomes, "outcomes", outcomes),
        )
        for wanted, kind, task in passes:
            wake = wanted and _slot(current, kind, name, every=settings.trail.every_seconds, now=now)
            if wake and current.trails(name, kind):
                _send(task, name, queue="poll")
    if store.works.due(now=now):
        _send(qualify, queue="score")
    for name in sorted(store.outbox.due(now=now).keys() & active & settings.connections.keys()):
        _send(write_back, name, queue="writeback")
    if _slot(current, "prune", "", every=3600, now=now):
        store.slots.prune(before=now - timedelta(seconds=max(7200.0, 2 * settings.trail.every_seconds)))


def _slot(current: wiring.Wiring, kind: str, scope: str, *, every: float, now: datetime) -> bool:
    seconds = now.timestamp()
    slot = now - timedelta(seconds=seconds % every)
    return current.store.slots.claim(kind, scope, slot, by=current.owner, now=now)


def _wake(connection: str, report: Polled) -> None:
    """What a poll found is worked on at once, without waiting for the next tick."""
    if report.new or report.changed:
        _send(qualify, queue="score")
    if report.rejected or report.repaired:
        _send(write_back, connection, queue="writeback")


@app.task(name="tierwise.poll")  # type: ignore[untyped-decorator]
def poll(connection: str) -> None:
    """Read one connection's changes; new leads wake the pump."""

    def work(current: wiring.Wiring) -> None:
        report = current.poll(connection)
        if report is None:
            return
        log.info("polled", **_telling(report._asdict()))
        _wake(connection, report)

    _run("poll", connection, work)


@app.task(name="tierwise.reconcile")  # type: ignore[untyped-decorator]
def reconcile(connection: str) -> None:
    """Find what the CRM's search showed too late for the poll."""

    def work(current: wiring.Wiring) -> None:
        report = current.reconcile(connection)
        if report is None:
            return
        log.info("reconciled", **_telling(report._asdict()))
        _wake(connection, report)

    _run("reconcile", connection, work)


@app.task(name="tierwise.outcomes")  # type: ignore[untyped-decorator]
def outcomes(connection: str) -> None:
    """Keep what sales made of one connection's leads."""

    def work(current: wiring.Wiring) -> None:
        report = current.outcomes(connection)
        if report is not None and any(report):
            log.info("outcomes read", **_telling(report._asdict()))

    _run("outcomes", connection, work)


@app.task(name="tierwise.qualify")  # type: ignore[untyped-decorator]
def qualify() -> None:
    """Decide what is due, for at most a minute; advice wakes the write-back."""

    def work(current: wiring.Wiring) -> None:
        report = current.pump(on_round=lambda: _process.heartbeat("worker"))
        if report is None:
            return
        if report.decided or report.retried or report.quarantined or report.lost:
            log.info("decided", **_telling(report._asdict()))
        for name in report.connections:
            _send(write_back, name, queue="writeback")

    _run("qualify", None, work)


@app.task(name="tierwise.write_back")  # type: ignore[untyped-decorator]
def write_back(connection: str) -> None:
    """Send one connection's advice, in full batches while leads are still being decided."""

    def work(current: wiring.Wiring) -> None:
        now = wiring.clock()
        since = current.store.outbox.waiting_since(connection, now=now)
        if since is None:
            return
        deciding = current.store.leads.counts(connection)["undecided"] > 0
        young = now - since < timedelta(seconds=LINGER)
        report = current.write_back(connection, full_only=deciding and young)
        if any(report):
            log.info("wrote back", **_telling(report._asdict()))

    _run("write_back", connection, work)


def _telling(report: Mapping[str, Any]) -> dict[str, Any]:
    """The figures that are not nothing."""
    return {name: value for name, value in report.items() if value}


def run_worker(*, queues: tuple[str, ...] = QUEUES, concurrency: int, pool: str) -> None:
    """Serve the queues until SIGTERM (finish what runs) or SIGQUIT (drain for 20 s, then leave)."""
    logging.captureWarnings(True)
    app.worker_main(
        [
            "--quiet", "worker", f"--pool={pool}", f"--concurrency={concurrency}", f"--queues={','.join(queues)}",
            "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=INFO",
            f"--hostname=tierwise-{os.getpid()}@%h",
        ]
    )  # fmt: skip


def run_beat() -> None:
    """Send a tick every few seconds until SIGTERM."""
    logging.captureWarnings(True)
    app.Beat(loglevel="INFO", quiet=True).run()
