"""The tasks: each is a call of the wiring, a log line and the wake-ups that follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import celery

from tierwise import telemetry, wiring
from tierwise.pipeline import turns
from tierwise.pipeline.poll import Polled
from tierwise.tasks import application, liveness, running

LINGER = 10.0
"""Seconds for which advice waits for a full batch while leads of its connection are still being decided."""

GO_ON = 300.0
"""Seconds for which a pass that made room may wait for a hand: some pumps long."""

log = telemetry.log(__name__)


def _wake(connection: str, report: Polled) -> None:
    """What a poll found is worked on at once, without waiting for the next tick."""
    if report.new or report.changed:
        running.send(qualify, queue="score")
    if report.rejected or report.repaired:
        running.send(write_back, connection, queue="writeback")


def _turn(current: wiring.Wiring, kind: str, connection: str) -> turns.Turn | None:
    """None where this worker decides no leads: it could make room for nobody."""
    if "score" not in application.app.amqp.queues.consume_from:
        return None
    return current.turn(kind, connection, wake=lambda: running.send(qualify, queue="score"))


def _go_on(task: celery.Task, connection: str, turn: turns.Turn | None) -> None:
    """A pass that made room goes on after those it made it for: its next slot is far, and a poll's is not."""
    if turn is not None and turn.gave_way:
        running.send(task, connection, queue="poll", expires=GO_ON)


@application.app.task(name="tierwise.poll")  # type: ignore[untyped-decorator]
def poll(connection: str) -> None:
    """Read one connection's changes; new leads wake the pump."""

    def work(current: wiring.Wiring) -> None:
        report = current.poll(connection, turn=_turn(current, "poll", connection))
        if report is None:
            return
        log.info("polled", **_telling(report._asdict()))
        _wake(connection, report)

    running.run("poll", connection, work)


@application.app.task(name="tierwise.reconcile")  # type: ignore[untyped-decorator]
def reconcile(connection: str) -> None:
    """Find what the CRM's search showed too late for the poll."""

    def work(current: wiring.Wiring) -> None:
        turn = _turn(current, "reconcile", connection)
        report = current.reconcile(connection, turn=turn)
        if report is None:
            return
        log.info("reconciled", **_telling(report._asdict()))
        _wake(connection, report)
        _go_on(reconcile, connection, turn)

    running.run("reconcile", connection, work)


@application.app.task(name="tierwise.outcomes")  # type: ignore[untyped-decorator]
def outcomes(connection: str) -> None:
    """Keep what sales made of one connection's leads."""

    def work(current: wiring.Wiring) -> None:
        turn = _turn(current, "outcomes", connection)
        report = current.outcomes(connection, turn=turn)
        if report is not None and any(report):
            log.info("outcomes read", **_telling(report._asdict()))
        _go_on(outcomes, connection, turn)

    running.run("outcomes", connection, work)


@application.app.task(name="tierwise.qualify")  # type: ignore[untyped-decorator]
def qualify() -> None:
    """Decide what is due, for at most a minute; advice wakes the write-back."""

    def work(current: wiring.Wiring) -> None:
        report = current.pump(on_round=liveness.during_task)
        if report is None:
            return
        if report.decided or report.retried or report.quarantined or report.lost or report.held:
            log.info("decided", **_telling(report._asdict()))
        for name in report.connections:
            running.send(write_back, name, queue="writeback")

    running.run("qualify", None, work)


@application.app.task(name="tierwise.gather")  # type: ignore[untyped-decorator]
def gather() -> None:
    """Put leads of backfills and replays into batches; what needs none wakes the pump."""

    def work(current: wiring.Wiring) -> None:
        report = current.gather()
        if any(report):
            log.info("gathered", **_telling(report._asdict()))
        if report.released:
            running.send(qualify, queue="score")

    running.run("gather", None, work)


@application.app.task(name="tierwise.inquire")  # type: ignore[untyped-decorator]
def inquire() -> None:
    """Ask models what backtests wait for; nothing of it is decided or reaches a CRM."""

    def work(current: wiring.Wiring) -> None:
        # Leads that nobody decides come first: nobody waits for a backtest.
        report = current.inquire(turn=_turn(current, "inquire", ""))
        if report is not None and any(report):
            log.info("asked for backtests", **_telling(report._asdict()))

    running.run("inquire", None, work)


@application.app.task(name="tierwise.batch")  # type: ignore[untyped-decorator]
def batch(number: str) -> None:
    """Take one batch as far as it goes now; its end wakes whoever goes on with its leads."""

    def work(current: wiring.Wiring) -> None:
        found = current.advance(int(number))
        if found is not None and found.state == "ended":
            running.send(gather, queue="maint")
            running.send(inquire, queue="maint")
            running.send(qualify, queue="score")

    running.run("batch", None, work)


@application.app.task(name="tierwise.shadow")  # type: ignore[untyped-decorator]
def shadow() -> None:
    """Hold live decisions against the shadow policy; nothing of it reaches a CRM."""

    def work(current: wiring.Wiring) -> None:
        held = current.shadow()
        if held:
            log.info("held against the shadow", leads=held)

    running.run("shadow", None, work)


@application.app.task(name="tierwise.write_back")  # type: ignore[untyped-decorator]
def write_back(connection: str) -> None:
    """Send one connection's advice, in full batches while leads are still being decided."""

    def work(current: wiring.Wiring) -> None:
        now = wiring.clock()
        since = current.store.outbox.waiting_since(connection, now=now)
        if since is None:
            return
        deciding = current.store.works.undecided(connection)
        young = now - since < timedelta(seconds=LINGER)
        report = current.write_back(connection, full_only=deciding and young)
        if any(report):
            log.info("wrote back", **_telling(report._asdict()))

    running.run("write_back", connection, work)


@application.app.task(name="tierwise.automate")  # type: ignore[untyped-decorator]
def automate(connection: str) -> None:
    """Write the organisation's own tier field of one connection, where that was permitted."""

    def work(current: wiring.Wiring) -> None:
        report = current.automate(connection)
        if report is not None and any(report):
            log.info("automated", **_telling(report._asdict()))

    running.run("automate", connection, work)


@application.app.task(name="tierwise.overrides")  # type: ignore[untyped-decorator]
def overrides(connection: str) -> None:
    """Find what people changed of what automation wrote."""

    def work(current: wiring.Wiring) -> None:
        changed = current.overrides(connection)
        if changed:
            log.info("people changed what automation wrote", leads=changed)

    running.run("overrides", connection, work)


@application.app.task(name="tierwise.watch")  # type: ignore[untyped-decorator]
def watch() -> None:
    """End automation where too much of it was wrong."""

    def work(current: wiring.Wiring) -> None:
        ended = current.watch()
        if ended is not None:
            log.error("automation was ended", why=[reason.detail for reason in ended.why])

    running.run("watch", None, work)


@application.app.task(name="tierwise.notify")  # type: ignore[untyped-decorator]
def notify() -> None:
    """Tell people what is due."""

    def work(current: wiring.Wiring) -> None:
        told = current.tell()
        if any(told):
            log.info("told people", **_telling(told._asdict()))

    running.run("notify", None, work)


def _telling(report: Mapping[str, Any]) -> dict[str, Any]:
    """The figures that are not nothing."""
    return {name: value for name, value in report.items() if value}
