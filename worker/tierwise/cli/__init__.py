"""People and scripts come in here. Commands are grouped by what they are about, one module a group."""

from __future__ import annotations

import signal
import sys
import threading

import typer

from tierwise import __version__
from tierwise.cli import (
    analyse,
    automation,
    calibrate,
    connections,
    connectors,
    cost,
    demo,
    evaluation,
    labels,
    leads,
    lifecycle,
    notifiers,
    output,
    persons,
    pilot,
    policy,
    processes,
    pull,
    replay,
    review,
    setup,
    sheet,
    trials,
    users,
    validation,
)
from tierwise.errors import TierwiseError

app = typer.Typer(
    name="tierwise",
    help="Lead qualification beside your CRM: scored by your rubric, explained, reviewed, measured.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)
setup.register(app)
demo.register(app)
processes.register(app)
leads.register(app)
evaluation.register(app)
cost.register(app)
replay.register(app)
lifecycle.register(policy.app)
analyse.register(policy.app)
trials.register(policy.app)
sheet.register(policy.app)
pull.register(policy.app)
app.add_typer(connections.app, name="connections")
app.add_typer(connectors.app, name="connectors")
app.add_typer(calibrate.app, name="calibrate")
app.add_typer(notifiers.app, name="notifiers")
app.add_typer(policy.app, name="policy")
app.add_typer(review.app, name="review")
app.add_typer(labels.app, name="labels")
app.add_typer(users.app, name="users")
app.add_typer(automation.app, name="flags")
validation.register(app)
persons.register(app)
pilot.register(app)


def _version(asked: bool) -> None:
    if asked:
        output.out.print(f"tierwise {__version__}")
        raise typer.Exit


@app.callback()
def main(version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print it.")) -> None:
    """Lead qualification beside your CRM."""


def run(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code. 0 done, 1 found something wrong, 2 called wrongly, 3 could not reach."""
    if threading.current_thread() is threading.main_thread():
        # Like Ctrl-C: what a command started is stopped and what it laid out is removed. Celery and the console
        # put their own handlers in this one's place.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        app(args=arguments if arguments is not None else sys.argv[1:], prog_name="tierwise")
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
