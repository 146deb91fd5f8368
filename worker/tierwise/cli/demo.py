"""The main job on real processes against the sandbox CRM, read back from the CRM over HTTP.

Everything lives in a directory of its own; nothing of a real installation is read or written.
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, NamedTuple

import typer

from tierwise import embedded, telemetry, wiring
from tierwise import settings as configuration
from tierwise.cli import crm, output, setup, stack
from tierwise.errors import Misconfigured, RejectRecord, Unreachable
from tierwise.wiring import Wiring

NAME = "sandbox"
# Kind of CRM -> what the sandbox must be told to be one too.
SANDBOXES = {"hubspot": (), "salesforce": ("--salesforce-port", "0", "--salesforce-provisioned")}
LOOK_EVERY = 0.3
"""Seconds between two looks at the CRM."""
MANY_RESTARTS = 10
"""A process that ended so often will not come up."""
LONGEST = 600.0
"""Seconds after which a demo that does not finish gives up."""


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(demo)


class Running(NamedTuple):
    """A demo's stack."""

    parts: Wiring
    crm: crm.View
    sandbox: stack.Sandbox
    supervisor: embedded.Supervisor
    home: Path


class Options(NamedTuple):
    """What a demo may be given."""

    leads: str = "200"
    crm: str = "hubspot"
    seed: int | None = None
    model: str | None = None
    secondary: str | None = None
    database_url: str | None = None
    broker_url: str | None = None
    pool: stack.Pool = stack.Pool()
    console: bool = False
    poll_seconds: float = 3
    """As quick as a demo should be; a real installation polls every minute."""
    connection: Mapping[str, object] = MappingProxyType({})
    """More options of the connection."""


def demo(
    crm_type: Annotated[str, typer.Option("--crm", help="hubspot or salesforce.")] = "hubspot",
    leads: Annotated[str, typer.Option(help="How many generated leads, or a CSV or JSONL file.")] = "200",
    seed: Annotated[int | None, typer.Option(help="Of the generator.")] = None,
    json: Annotated[Path | None, typer.Option("--json", help="Write leads and summary there; - is stdout.")] = None,
    keep_running: Annotated[bool, typer.Option("--keep", help="Keep the stack running afterwards.")] = False,
    model: Annotated[str | None, typer.Option(help="LiteLLM name of the primary model.")] = None,
    secondary: Annotated[str | None, typer.Option(help="LiteLLM name of the secondary model.")] = None,
    database_url: Annotated[str | None, typer.Option(help="An empty database, in place of SQLite.")] = None,
    broker_url: Annotated[str | None, typer.Option(help="A broker, in place of the bundled Valkey.")] = None,
    pool: Annotated[str, typer.Option(help="threads or prefork.")] = "threads",
    concurrency: Annotated[int, typer.Option(min=1)] = 8,
) -> None:
    """The main job, end to end, on real processes: leads in a CRM, advice back in it."""
    if crm_type not in SANDBOXES:
        raise Misconfigured(f"there is no sandbox for '{crm_type}'", place="--crm", remedy=" or ".join(SANDBOXES))
    options = Options(
        leads=leads, crm=crm_type, seed=seed, model=model, secondary=secondary, database_url=database_url,
        broker_url=broker_url, pool=stack.Pool(pool, concurrency), console=keep_running,
    )  # fmt: skip
    started = time.monotonic()
    with running(options) as stack_:
        settle(stack_, quiet=json == Path("-"))
        seconds = time.monotonic() - started
        again = poll_again(stack_)
        records = stack_.crm.contacts()
        result = {"leads": records, "summary": _summary(stack_, records, again=again, seconds=seconds)}
        _print(result, json=json)
        if keep_running:
            _addresses(stack_)
            _wait()
    missing = [record["id"] for record in records if not record["properties"].get("tierwise_status")]
    if missing or again["writes"] or again["to_decide"]:
        output.say(f"not as it should be: {len(missing)} leads without a status; second poll: {again}")
        raise typer.Exit(1)


def keep(*, leads: str, pool: stack.Pool) -> None:
    """The demo's stack until Ctrl-C, with the addresses of its pages."""
    with running(Options(leads=leads, pool=pool, console=True)) as stack_:
        _addresses(stack_)
        _wait()


@contextlib.contextmanager
def running(options: Options) -> Iterator[Running]:
    """Sandbox, database, provisioned connection and supervised processes, for the block."""
    stack.clean_environment()
    with contextlib.ExitStack() as parts_stack:
        home = Path(parts_stack.enter_context(tempfile.TemporaryDirectory(prefix="tierwise-")))
        logs = home / "logs"
        logs.mkdir()
        seed = () if options.seed is None else ("--seed", str(options.seed))
        arguments = (
            "--hubspot-port",
            "0",
            "--model-port",
            "0",
            "--leads",
            options.leads,
            *seed,
            *SANDBOXES[options.crm],
        )
        sandbox = parts_stack.enter_context(stack.sandbox(*arguments, log=logs / "sandbox.log"))
        env = _configure(home, sandbox, options)
        os.environ.update(env)
        settings = configuration.load(home / "tierwise.toml")
        telemetry.configure(settings.log_format, "error")
        # One console shows the counters of all processes.
        telemetry.share(home / "metrics")
        setup.prepare(settings)
        parts = Wiring(settings)
        parts_stack.callback(parts.close)
        _first_hour(parts)
        broker_url, servers = parts_stack.enter_context(stack.broker(settings))
        found = stack.children(env=env, broker_url=broker_url, pool=options.pool, console=options.console, logs=logs)
        supervisor = embedded.Supervisor([*servers, *found], on_restart=stack.tell_restart)
        parts_stack.enter_context(supervisor)
        view = crm.OrgView(sandbox) if options.crm == "salesforce" else crm.View(sandbox.hubspot_url, sandbox.token)
        yield Running(parts=parts, crm=view, sandbox=sandbox, supervisor=supervisor, home=home)


def _configure(home: Path, sandbox: stack.Sandbox, options: Options) -> dict[str, str]:
    """The demo's settings file, complete enough for commands in another terminal."""
    path = home / "tierwise.toml"
    urls = {"database_url": options.database_url, "broker_url": options.broker_url}
    lines = [
        f'home = "{home}"',
        *(f'{name} = "{url}"' for name, url in urls.items() if url),
        'log_level = "info"',
        "tick_seconds = 1",
        f"poll_seconds = {options.poll_seconds:g}",
        "[pump]",
        # A killed worker's leads are free again after this.
        "lease_seconds = 10",
        "[write]",
        "lease_seconds = 20",
        "[console]",
        f"port = {stack.free_port(configuration.Settings().console.port)}",
        f"[connections.{NAME}]",
        *_account(sandbox, options),
        # In a file, so that commands in another terminal have it too; the directory is closed to others.
        f'token_file = "{home / "token"}"',
        *(f"{name} = {value}" for name, value in options.connection.items()),
    ]
    _write_private(path, "\n".join(lines) + "\n")
    _write_private(home / "token", sandbox.salesforce["private_key"] if options.crm == "salesforce" else sandbox.token)
    env = {"TIERWISE_CONFIG": str(path)}
    if options.model:
        env["TIERWISE_MODEL__PRIMARY"] = options.model
    if options.secondary:
        env["TIERWISE_MODEL__SECONDARY"] = options.secondary
    return env


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def _account(sandbox: stack.Sandbox, options: Options) -> list[str]:
    """What tells one account of a kind of CRM from another."""
    if options.crm == "hubspot":
        return ['type = "hubspot"', f'base_url = "{sandbox.hubspot_url}"']
    org = sandbox.salesforce
    named = {"my_domain": org["url"], "client_id": org["client_id"], "username": org["username"]}
    return ['type = "salesforce"', *(f'{name} = "{value}"' for name, value in named.items())]


def _first_hour(parts: Wiring) -> None:
    """What a person does on the first day: policy, fields in the CRM, enable, and the older leads too."""
    parts.ensure_policy()
    now = wiring.clock()
    parts.store.connections.ensure(NAME, parts.connection(NAME).type, now=now)
    with parts.connector(NAME) as connector:
        connector.provision(parts.advice_fields(), dry_run=False)
    long_ago = now.replace(year=now.year - 5, day=1)
    parts.store.connections.enable(NAME, watermark=long_ago, now=now)


def settle(stack_: Running, *, quiet: bool) -> None:
    """Until every lead in the CRM has a status and nothing is under way."""
    deadline = time.monotonic() + LONGEST
    with output.progress() as bar:
        task = bar.add_task("leads with a status in the CRM", total=None, visible=not quiet)
        while time.monotonic() < deadline:
            total, done = stack_.crm.count(), stack_.crm.count(having="tierwise_status")
            bar.update(task, total=total, completed=done)
            if total == done and _quiet(stack_.parts, total):
                return
            _alive(stack_)
            time.sleep(LOOK_EVERY)
    raise Unreachable(f"the demo did not finish within {LONGEST:g} s", place=str(stack_.home / "logs"))


def _alive(stack_: Running) -> None:
    for name, count in stack_.supervisor.restarts().items():
        if count >= MANY_RESTARTS:
            tail = (stack_.home / "logs" / f"{name}.log").read_text(encoding="utf-8", errors="replace")[-500:]
            raise RejectRecord(f"{name} ended {count} times; the last it said: {tail.strip()}")


def _quiet(parts: Wiring, total: int) -> bool:
    """Nothing to decide, to write or to read back."""
    counts = parts.store.leads.counts(NAME)
    return counts["leads"] >= total and counts["undecided"] == 0 and counts["undelivered"] == 0


def poll_again(stack_: Running) -> dict[str, int]:
    """Poll once more, here, over everything: nothing may change."""
    before = stack_.crm.stats()
    parts = stack_.parts
    long_ago = wiring.clock().replace(year=2020, day=1)
    total, records = stack_.crm.count(), 0
    deadline = time.monotonic() + 60
    while records < total:
        if time.monotonic() > deadline:
            raise Unreachable("the second poll did not finish within 60 s", place=str(stack_.home / "logs"))
        # The worker polls too and may take the rewound window; only one that was read here counts.
        parts.store.cursors.rewind(NAME, watermark=long_ago, now=wiring.clock())
        records = _read_to_the_end(parts)
    to_decide = parts.store.leads.counts(NAME)["undecided"]
    after = stack_.crm.stats()
    return {
        "records": records,
        "to_decide": to_decide,
        "writes": after["writes"] - before["writes"],
        "model_calls": after["model_calls"] - before["model_calls"],
    }


def _read_to_the_end(parts: Wiring) -> int:
    """Records of one window, polled here; those so far where the worker holds the cursor."""
    records = 0
    while (report := parts.poll(NAME)) is not None:
        records += report.records
        if report.complete:
            return records
    time.sleep(0.1)
    return records


def _summary(
    stack_: Running, records: list[dict[str, Any]], *, again: dict[str, int], seconds: float
) -> dict[str, Any]:
    parts = stack_.parts
    active = parts.store.policies.active()
    rubric = parts.runnable().policy.rubric
    stats = stack_.crm.stats()
    return {
        "count": len(records),
        "by_status": dict(Counter(record["properties"].get("tierwise_status") or "none" for record in records)),
        "by_tier": dict(Counter(record["properties"].get("tierwise_tier") or "none" for record in records)),
        "seconds": round(seconds, 1),
        "policy": {"version": active.version, "digest": active.digest} if active else None,
        "model": parts.settings.model.primary or rubric.models.primary,
        "secondary": parts.settings.model.secondary or rubric.models.secondary,
        "crm_calls": stats["calls"],
        "second_poll": again,
        "restarts": stack_.supervisor.restarts(),
        "review_items": len(parts.store.reviews.list(limit=100_000)),
    }


def _print(result: dict[str, Any], *, json: Path | None) -> None:
    if json == Path("-"):
        output.print_json(result)
        return
    if json is not None:
        output.write_json(json, result)
    output.table(
        "Leads as the CRM shows them",
        ["id", "company", "status", "score", "tier", "sure", "route", "reason codes"],
        [_row(record) for record in result["leads"]],
    )
    summary = result["summary"]
    again = summary["second_poll"]
    output.out.print(
        f"{summary['count']} leads in {summary['seconds']:g} s with {summary['model']}: "
        + ", ".join(f"{n} {status}" for status, n in sorted(summary["by_status"].items()))
        + "; tiers "
        + ", ".join(f"{tier} {n}" for tier, n in sorted(summary["by_tier"].items())),
        markup=False, soft_wrap=True,
    )  # fmt: skip
    output.out.print(
        f"polled again over all {again['records']} records: {again['writes']} writes, "
        f"{again['model_calls']} model calls, {again['to_decide']} leads to decide",
        markup=False,
    )


def _row(record: dict[str, Any]) -> list[Any]:
    shown = record["properties"]
    confidence = shown.get("tierwise_confidence")
    return [
        record["id"],
        (shown.get("company") or "")[:22],
        shown.get("tierwise_status"),
        shown.get("tierwise_score"),
        shown.get("tierwise_tier"),
        f"{confidence} %" if confidence else None,
        shown.get("tierwise_route"),
        output.few((shown.get("tierwise_reason_codes") or "").split(";")),
    ]


def _addresses(stack_: Running) -> None:
    settings = stack_.parts.settings
    output.say(f"sandbox CRM    {stack_.crm.page}")
    output.say(f"model server   {stack_.sandbox.model_url}")
    output.say(f"console        http://{settings.console.host}:{settings.console.port}")
    output.say(f"logs           {stack_.home / 'logs'}")
    output.say(f"in another terminal: export TIERWISE_CONFIG={stack_.home / 'tierwise.toml'}   Ctrl-C ends it")


def _wait() -> None:
    with contextlib.suppress(KeyboardInterrupt):
        # A shell starts what runs in the background with SIGINT ignored; Ctrl-C and kill -INT shall end it there too.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        while True:
            time.sleep(3600)
