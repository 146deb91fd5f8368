"""Long-running processes: worker, beat, console, sandbox, and `run`, which is all of them on one machine."""

from __future__ import annotations

import contextlib
import runpy
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from tierwise import embedded, telemetry, wiring
from tierwise import settings as configuration
from tierwise.cli import demo, output, session, setup, stack
from tierwise.errors import Misconfigured, Unreachable


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(worker)
    app.command()(beat)
    app.command()(console)
    app.command()(run)
    app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False)(
        sandbox
    )


def _broker(settings: configuration.Settings) -> str:
    if settings.broker_url is None:
        raise Misconfigured(
            "no broker is configured",
            place="TIERWISE_BROKER_URL",
            remedy="set it to a Redis or Valkey server, or use `tierwise run`, which brings one",
        )
    return settings.broker_url


def _ready(settings: configuration.Settings) -> None:
    """Fail now with one message, not at the first task: schema, policy."""
    parts = wiring.Wiring(settings)
    try:
        parts.ensure_policy()
        for name, connection in settings.connections.items():
            parts.store.connections.ensure(name, connection.type, now=wiring.clock())
    finally:
        parts.close()


def _free(host: str, port: int) -> None:
    """Misconfigured where the console's address is taken: a child that cannot start would be started for ever."""
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except (OSError, OverflowError) as error:
        why = error.strerror if isinstance(error, OSError) else "there is no such port"
        raise Misconfigured(
            f"the console cannot listen there: {why}", place=f"{host}:{port}", remedy="set TIERWISE_CONSOLE__PORT"
        ) from error


def _waiting(broker_url: str) -> None:
    """Production starts in any order, so a worker waits for its broker; it says so once, in words."""
    from tierwise import limits

    if not limits.reachable(broker_url):
        output.say("waiting for the broker, which does not answer yet; TIERWISE_BROKER_URL says where it is")


def worker(
    queues: Annotated[str, typer.Option(help="Comma separated: poll, score, writeback, maint.")] = "",
    concurrency: Annotated[int, typer.Option(min=1, help="Processes or threads.")] = 4,
    pool: Annotated[str, typer.Option(help="prefork, threads or solo.")] = "prefork",
) -> None:
    """A Celery worker: polls, decides, writes back.

    While many leads wait, all of its processes may decide leads for up to 50 s. A second worker beside it with
    --queues poll,writeback,maint --pool threads polls and writes back meanwhile.
    """
    from tierwise import tasks

    settings = session.load()
    chosen = tuple(name.strip() for name in queues.split(",") if name.strip()) or tasks.QUEUES
    unknown = [name for name in chosen if name not in tasks.QUEUES]
    if unknown:
        raise Misconfigured(f"no such queue: {', '.join(unknown)}", remedy=f"known: {', '.join(tasks.QUEUES)}")
    if pool not in {"prefork", "threads", "solo"}:
        raise Misconfigured(f"'{pool}' is not a pool", place="--pool", remedy="prefork, threads or solo")
    broker_url = _broker(settings)
    _ready(settings)
    _waiting(broker_url)
    tasks.configure(settings, broker_url=broker_url)
    with _metrics(settings):
        tasks.run_worker(queues=chosen, concurrency=concurrency, pool=pool)


@contextlib.contextmanager
def _metrics(settings: configuration.Settings) -> Iterator[None]:
    """The worker's own /metrics, with the counters of all its processes; nothing where no port is set for it."""
    host, port = settings.metrics.host, settings.metrics.port
    if port is None:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="tierwise-metrics-") as directory, contextlib.ExitStack() as stack:
        if not telemetry.shared():
            telemetry.share(Path(directory))
            stack.callback(telemetry.unshare)
        try:
            taken = telemetry.serve(host, port)
        except (OSError, OverflowError) as error:
            raise Misconfigured(
                f"the worker cannot show its metrics there: {getattr(error, 'strerror', None) or 'no such port'}",
                place=f"{host}:{port}",
                remedy="set TIERWISE_METRICS__PORT",
            ) from error
        telemetry.log(__name__).info("metrics are shown", address=f"http://{host}:{taken}/metrics")
        yield


def beat() -> None:
    """Celery beat: a tick every few seconds. A second beat is harmless."""
    from tierwise import tasks

    settings = session.load()
    broker_url = _broker(settings)
    _ready(settings)
    _waiting(broker_url)
    tasks.configure(settings, broker_url=broker_url)
    tasks.run_beat()


def console(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Health, readiness and metrics over HTTP; people's pages come later."""
    from tierwise import console as pages
    from tierwise import limits, store

    settings = session.load()
    parts = wiring.Wiring(settings)
    try:
        url = settings.broker_url
        app = pages.create_app(
            parts.store,
            broker=(lambda: limits.reachable(url)) if url else None,
            schema=lambda: store.current(settings.database_url),
            budgets=parts.budgets,
        )
        pages.serve(app, host=host or settings.console.host, port=port or settings.console.port)
    finally:
        parts.close()


def sandbox(context: typer.Context) -> None:
    """HubSpot- and model-shaped servers with generated leads; options as `python -m tierwise_sandbox` takes them."""
    sys.argv = ["tierwise sandbox", *context.args]
    runpy.run_module("tierwise_sandbox", run_name="__main__", alter_sys=True)


def run(
    with_sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Against a sandbox CRM with generated leads.")
    ] = False,
    leads: Annotated[str, typer.Option(help="With --sandbox: how many leads, or a CSV or JSONL file.")] = "200",
    pool: Annotated[str, typer.Option(help="threads or prefork.")] = "threads",
    concurrency: Annotated[int, typer.Option(min=1)] = 8,
) -> None:
    """Everything on one machine, supervised: broker, worker, beat, console. Ends with Ctrl-C."""
    chosen = stack.Pool(pool, concurrency)
    if with_sandbox:
        demo.keep(leads=leads, pool=chosen)
        return
    from tierwise import limits

    settings = session.load()
    setup.prepare(settings)
    _ready(settings)
    if settings.broker_url is not None and not limits.reachable(settings.broker_url):
        raise Unreachable("the broker does not answer", place="TIERWISE_BROKER_URL", remedy="start it, or unset this")
    _free(settings.console.host, settings.console.port)
    # One console shows the counters of all processes.
    telemetry.share(settings.home / "metrics")
    with stack.broker(settings) as (broker_url, servers):
        found = [*servers, *stack.children(env={}, broker_url=broker_url, pool=chosen, console=True, logs=None)]
        output.say(f"console http://{settings.console.host}:{settings.console.port}   Ctrl-C ends it")
        embedded.Supervisor(found, on_restart=stack.tell_restart).run()
