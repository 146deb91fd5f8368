"""Setting up and looking after one installation: init, doctor, config show, db upgrade, schema, heartbeat."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from typing import Annotated, Any

import typer

from tierwise import content, embedded, plugins, policies, store, wiring
from tierwise import settings as configuration
from tierwise.cli import accounts, automation, batches, cost, models, notifiers, output, session
from tierwise.cli.policy import template_problems
from tierwise.errors import Misconfigured, TierwiseError, Unreachable

FRESH = 60.0
"""Seconds after which a role without a heartbeat counts as gone."""

config = typer.Typer(no_args_is_help=True, help="Settings: show.")
database = typer.Typer(no_args_is_help=True, help="Database: upgrade.")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(init)
    app.command()(doctor)
    app.command()(schema)
    app.command()(heartbeat)
    app.add_typer(config, name="config")
    app.add_typer(database, name="db")


def init(
    directory: Annotated[Path, typer.Argument(help="Where to lay it out.")] = Path(),
) -> None:
    """Lay out a first tierwise.toml, rules/ and prompts/ to edit; nothing that exists is overwritten."""
    directory.mkdir(parents=True, exist_ok=True)
    for path in content.lay_out(directory):
        output.say(f"wrote {path}")
    settings_file = directory / "tierwise.toml"
    if settings_file.exists():
        output.say(f"kept {settings_file}")
    else:
        # What was laid out beside it is what runs: an example that nobody reads would be a trap.
        text = configuration.render_example().replace('# policy_dir = ""', 'policy_dir = "."')
        settings_file.write_text(text, encoding="utf-8")
        output.say(f"wrote {settings_file}")
    output.say("rules/ and prompts/ fill an empty database; later changes take effect by `tierwise policy activate .`")
    output.say("next: tierwise connections add NAME --type hubspot")


@config.command("show")
def config_show(json: output.Json = False) -> None:
    """Every setting, its value and where it comes from; secrets are masked."""
    rows = configuration.origins(session.load())
    if json:
        output.print_json([{"key": key, "value": value, "origin": origin} for key, value, origin in rows])
    else:
        output.table("Settings", ["setting", "value", "from"], rows)


@database.command("upgrade")
def db_upgrade(json: output.Json = False) -> None:
    """Bring the database's schema up to date; an empty database gets it."""
    settings = session.load()
    prepare(settings)
    revision, head = store.current(settings.database_url)
    if json:
        output.print_json({"revision": revision, "head": head})
    else:
        output.say(f"schema is at {revision}")


def prepare(settings: configuration.Settings) -> None:
    """Make the home directory and upgrade the schema."""
    if settings.database_url.startswith("sqlite"):
        settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    store.upgrade(settings.database_url)


def schema(json: output.Json = False) -> None:
    """The canonical lead, for whoever builds a capture source."""
    from tierwise.domain import catalogue

    if json:
        output.print_json(catalogue.catalogue_json())
    else:
        output.out.print(catalogue.catalogue_document(), markup=False, soft_wrap=True)


def heartbeat(
    role: Annotated[str, typer.Argument(help="worker or beat.")],
    here: Annotated[bool, typer.Option("--here", help="Only of this host: for a container's own check.")] = False,
    json: output.Json = False,
) -> None:
    """Exit 0 where a process of that role gave a sign of life within a minute: for health checks."""
    with session.opened() as parts:
        beats = [
            beat for beat in parts.store.heartbeats.latest() if beat.role == role and _is_here(beat.instance, here)
        ]
    age = min(((wiring.clock() - beat.at).total_seconds() for beat in beats), default=None)
    alive = age is not None and age <= FRESH
    if json:
        output.print_json({"role": role, "alive": alive, "age_seconds": age})
    else:
        output.say(f"{role}: " + ("no sign of life yet" if age is None else f"last sign of life {age:.0f} s ago"))
    if not alive:
        raise typer.Exit(1)


def _is_here(instance: str, asked: bool) -> bool:
    return not asked or instance.split(":", 1)[0] == socket.gethostname()


def doctor(json: output.Json = False) -> None:
    """Look at everything that a run needs, and say what is missing and what to do."""
    settings = session.load()
    findings: list[dict[str, Any]] = []

    def look(what: str, check: Any) -> None:
        try:
            findings.append({"what": what, "ok": True, "found": check(), "remedy": "", "code": 0})
        except TierwiseError as error:
            place = f"{error.place}: " if error.place else ""
            findings.append(
                {"what": what, "ok": False, "found": place + error.message, "remedy": error.remedy,
                 "code": error.exit_code}
            )  # fmt: skip

    look("home", lambda: _writable(settings.home))
    look("database", lambda: _database(settings))
    look("broker", lambda: _broker(settings))
    look("policy", lambda: _policy(settings))
    look("models", lambda: models.check(settings))
    look("money", lambda: cost.check(settings))
    look("batches", lambda: batches.check(settings))
    for name in sorted(settings.connections):
        look(f"token of {name}", lambda name=name: _token(settings, name))
        look(f"contact with {name}", lambda name=name: accounts.contact(settings, name))
        look(f"calls of {name}", lambda name=name: _calls(settings, name))
    if any(connection.tier_field for connection in settings.connections.values()):
        look("automation", lambda: _automation(settings))
    for name in sorted(settings.notifiers):
        look(f"notices by {name}", lambda name=name: notifiers.doctor_line(settings, name))
    if json:
        output.print_json(findings)
    else:
        output.table(
            "Doctor",
            ["", "what", "found", "remedy"],
            [["ok" if f["ok"] else "FAIL", f["what"], f["found"], f["remedy"]] for f in findings],
        )
    codes = [finding["code"] for finding in findings if not finding["ok"]]
    if codes:
        raise typer.Exit(3 if 3 in codes else 1)


def _writable(home: Path) -> str:
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = home / ".probe"
        probe.write_text("x", encoding="ascii")
        probe.unlink()
    except OSError as error:
        raise Misconfigured(
            f"cannot be written: {error.strerror}", place=str(home), remedy="set TIERWISE_HOME"
        ) from error
    free = shutil.disk_usage(home).free / 1e9
    return f"{home}, {free:.0f} GB free"


def _database(settings: configuration.Settings) -> str:
    revision, head = store.current(settings.database_url)
    if revision != head:
        raise Misconfigured(f"schema is at {revision or 'nothing'}, not {head}", remedy="tierwise db upgrade")
    return f"schema at {revision}"


def _automation(settings: configuration.Settings) -> str:
    parts = wiring.Wiring(settings)
    try:
        return automation.check(parts)
    finally:
        parts.close()


def _broker(settings: configuration.Settings) -> str:
    if settings.broker_url is None:
        return f"bundled {embedded.locate().name}"
    from tierwise import limits

    if not limits.reachable(settings.broker_url):
        raise Unreachable("the broker does not answer", remedy="check TIERWISE_BROKER_URL")
    return "answers"


def _policy(settings: configuration.Settings) -> str:
    directory = content.find(settings.policy_dir)
    problems = policies.check(directory, template_check=template_problems)
    if problems:
        first = problems[0]
        raise Misconfigured(
            f"{len(problems)} problem(s), the first: {first.message}",
            place=f"{first.file}:{first.line}",
            remedy=f"tierwise policy check {directory}",
        )
    return str(directory)


def _token(settings: configuration.Settings, name: str) -> str:
    if not plugins.needs_token(settings.connections[name].type):
        return "not needed"
    settings.connections[name].secret(name)
    return "set"


def _calls(settings: configuration.Settings, name: str) -> str:
    """By what the account told last; nothing is asked."""
    revision, head = store.current(settings.database_url)
    if revision != head:
        return "not known yet"
    opened = store.open_store(settings.database_url)
    try:
        quota = next((state.quota for state in opened.connections.list() if state.name == name), None)
    finally:
        opened.close()
    if quota is None:
        return "not known yet"
    told = f"{quota.left:,} of {quota.limit:,} were left {output.ago(quota.at)}, {quota.reserve:,} are kept for people"
    fresh = quota.resets_at is None or quota.resets_at > wiring.clock()
    if quota.left <= quota.reserve and fresh and (wiring.clock() - quota.at).total_seconds() < 86_400:
        until = f"{quota.resets_at:%H:%M} UTC" if quota.resets_at else "the account counts anew"
        raise Misconfigured(
            f"{told}: no work until {until}", place=f"connections.{name}",
            remedy="find the app that uses them up, buy more calls, or set reserve_percent to keep less",
        )  # fmt: skip
    return told
