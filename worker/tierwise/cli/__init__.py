"""People and scripts come in here. Commands are grouped by what they are about, one module a group."""

from __future__ import annotations

import functools
import signal
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import typer

from tierwise import __version__
from tierwise.cli import output
from tierwise.errors import TierwiseError

if TYPE_CHECKING:
    app: typer.Typer
    """Every command."""


def __getattr__(name: str) -> Any:
    if name == "app":
        return commands()
    raise AttributeError(name)


@functools.cache
def commands(only: str | None = None) -> typer.Typer:
    """All commands, or those under one first word: what a command does not need is not imported for it."""
    made = typer.Typer(
        name="tierwise",
        help="Lead qualification beside your CRM: scored by your rubric, explained, reviewed, measured.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
        rich_markup_mode=None,
        callback=main,
    )
    if only is not None:
        made.add_typer(_GROUPS[only](), name=only)
        return made
    _single(made)
    for name, group in _GROUPS.items():
        made.add_typer(group(), name=name)
    return made


def _single(app: typer.Typer) -> None:
    from tierwise.cli import cost, demo, evaluation, leads, persons, pilot, processes, replay, setup, validation

    for module in (setup, demo, processes, leads, evaluation, cost, replay, validation, persons, pilot):
        module.register(app)


@functools.cache
def _policy() -> typer.Typer:
    from tierwise.cli import analyse, lifecycle, policy, pull, sheet, trials

    for module in (lifecycle, analyse, trials, sheet, pull):
        module.register(policy.app)
    return policy.app


def _connections() -> typer.Typer:
    from tierwise.cli import connections

    return connections.app


def _connectors() -> typer.Typer:
    from tierwise.cli import connectors

    return connectors.app


def _calibrate() -> typer.Typer:
    from tierwise.cli import calibrate

    return calibrate.app


def _notifiers() -> typer.Typer:
    from tierwise.cli import notifiers

    return notifiers.app


def _review() -> typer.Typer:
    from tierwise.cli import review

    return review.app


def _labels() -> typer.Typer:
    from tierwise.cli import labels

    return labels.app


def _users() -> typer.Typer:
    from tierwise.cli import users

    return users.app


def _flags() -> typer.Typer:
    from tierwise.cli import automation

    return automation.app


def _batches() -> typer.Typer:
    from tierwise.cli import batches

    return batches.app


_GROUPS: dict[str, Callable[[], typer.Typer]] = {
    "connections": _connections, "connectors": _connectors, "calibrate": _calibrate, "notifiers": _notifiers,
    "policy": _policy, "review": _review, "labels": _labels, "users": _users, "flags": _flags,
    "batches": _batches,
}  # fmt: skip


def _version(asked: bool) -> None:
    if asked:
        output.out.print(f"tierwise {__version__}")
        raise typer.Exit


def main(version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print it.")) -> None:
    """Lead qualification beside your CRM."""


def run(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code. 0 done, 1 found something wrong, 2 called wrongly, 3 could not reach."""
    if threading.current_thread() is threading.main_thread():
        # Like Ctrl-C: what a command started is stopped and what it laid out is removed. Celery and the console
        # put their own handlers in this one's place.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    given = arguments if arguments is not None else sys.argv[1:]
    try:
        commands(given[0] if given and given[0] in _GROUPS else None)(args=given, prog_name="tierwise")
    except TierwiseError as error:
        output.complain(error)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    return 0
