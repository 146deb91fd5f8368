"""What a person or a script sees: tables and JSON on standard output, messages on standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from tierwise.errors import Misconfigured, TierwiseError

# Off a terminal nobody says how wide the page is, and 80 columns would fold a lead into many lines.
_WIDTH = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 140

out = Console(highlight=False, width=_WIDTH)
err = Console(stderr=True, highlight=False)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def print_json(value: Any) -> None:
    """One JSON document; values that JSON does not know become text."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


def write_json(path: Path, value: Any) -> None:
    """One JSON document into a file."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


def write_text(path: Path, text: str) -> None:
    """A file of text."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Misconfigured(f"cannot be written: {error.strerror}", place=str(path)) from error


def print_json_line(value: Any) -> None:
    """One JSON object on one line."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table; empty cells show a dash."""
    shown = Table(title=title, title_justify="left", header_style="bold", expand=False)
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in rows:
        shown.add_row(*(escape("–" if cell is None or cell == "" else str(cell)) for cell in row))
    out.print(shown)


def few(codes: Sequence[str], *, most: int = 2) -> str:
    """The first codes and how many more there are: a line a lead."""
    found = [code for code in codes if code]
    more = f" +{len(found) - most}" if len(found) > most else ""
    return ", ".join(found[:most]) + more


def say(text: str) -> None:
    """A line for people; standard error, so that standard output stays the result."""
    err.print(escape(text), soft_wrap=True)


def complain(error: TierwiseError) -> None:
    """What went wrong, where, and what to do."""
    place = f"{error.place}: " if error.place else ""
    err.print(f"[bold red]error[/] {escape(place + error.message)}", soft_wrap=True)
    if error.remedy:
        err.print(f"      {escape(error.remedy)}", soft_wrap=True)


def progress() -> Progress:
    """A progress bar on standard error."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
        transient=True,
    )


@contextmanager
def busy(doing: str) -> Iterator[None]:
    """A sign that something goes on, on a terminal only."""
    with err.status(doing):
        yield


def ago(moment: datetime | None) -> str:
    """How long ago, in words."""
    if moment is None:
        return "never"
    seconds = (datetime.now(UTC) - moment).total_seconds()
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{max(0, seconds):.0f} s ago"
