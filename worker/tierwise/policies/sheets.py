"""A two-column points sheet, as a team kept it: conditions with points, thresholds, and what is neither.

It reads and sorts rows; what a condition means is `conditions`', what becomes of it `drafts`'.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tierwise.errors import Misconfigured

MOST_ROWS = 300
MAX_BYTES = 1024 * 1024
_NUMBER = re.compile(
    r"[>≥=\s]*([+\-−–]?)\s*(\d{1,6}(?:[.,]\d{1,2})?)\s*(?:pts?\.?|points?|punkte?|pkt\.?)?", re.IGNORECASE
)
_OUT = re.compile(r"(?:auto[- ]?)?(?:reject|disqualif\w*|dq|knock-?out|exclude|out)", re.IGNORECASE)
_NAME = r"[a-e]|hot|warm|cold|mql|sql|sal|qualified|unqualified|nurture|p[1-4]"
_WORD = r"(?:threshold|cut-?off|minimum|min\.?|score|limit)"
_THRESHOLD = re.compile(
    rf"(?:(?:tier|grade|rating|class)\s*(?P<a>{_NAME}|high|medium|low)|(?P<b>{_NAME})(?:[\s-]*(?:tier|leads?|grade))?)"
    rf"(?:[\s:-]*{_WORD})*(?:\s*(?:>=|≥|from|at|above|over))?|"
    rf"{_WORD}(?:\s+(?:score|for|of))*[\s:-]*(?:(?:tier|grade)\s*)?(?P<c>[\w-]+)?",
    re.IGNORECASE,
)


class Row(NamedTuple):
    """One line of the sheet that gives points."""

    line: int
    text: str
    points: float
    out: bool = False
    """Whoever fulfils it is out, whatever else holds."""


class Threshold(NamedTuple):
    """A line that names a score from which on leads are something."""

    line: int
    text: str
    name: str
    points: float


class Skipped(NamedTuple):
    """A line that is neither."""

    line: int
    text: str
    why: str


class Sheet(NamedTuple):
    """All of it, in the order of its lines."""

    rows: tuple[Row, ...]
    thresholds: tuple[Threshold, ...]
    skipped: tuple[Skipped, ...]


def read(path: Path) -> Sheet:
    """The sheet of a file. Misconfigured where it is none."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise Misconfigured("the file is over 1 MiB: no points sheet is", place=str(path))
        text = path.read_bytes()
    except OSError as error:
        raise Misconfigured(f"cannot be read: {error.strerror}", place=str(path)) from error
    try:
        return parse(text.decode("utf-8-sig"), place=str(path))
    except UnicodeDecodeError:
        # What spreadsheets of western Europe save when they are asked for CSV.
        return parse(text.decode("cp1252", errors="replace"), place=str(path))


def parse(text: str, *, place: str) -> Sheet:
    """The sheet that a text holds; columns may be parted by comma, semicolon or tab."""
    try:
        table = [(number, [cell.strip() for cell in cells]) for number, cells in _cells(text)]
    except csv.Error as error:
        raise Misconfigured(
            f"it is no table: {error}", place=place, remedy="close the quote that is open; a cell is a few words"
        ) from error
    table = [(number, cells) for number, cells in table if any(cells)]
    if len(table) > MOST_ROWS:
        raise Misconfigured(f"{len(table)} rows, at most {MOST_ROWS} are read", place=place)
    column = _points_column([cells for _, cells in table])
    if column is None:
        raise Misconfigured(
            "no column of points was found", place=place,
            remedy="one column holds the condition in words, another one numbers: Employees > 200,20",
        )  # fmt: skip
    sheet = Sheet((), (), ())
    for place_, (line, cells) in enumerate(table):
        # Attribute and value in columns of their own read as one condition; what stands behind the points is a remark.
        words = [cell for cell in (cells[:column] if column else cells[1:2]) if cell]
        if place_ == 0 and _points(cells[column] if column < len(cells) else "") is None:
            continue  # the header
        sheet = _with(sheet, line, " = ".join(words), given=cells[column] if column < len(cells) else "")
    if not sheet.rows:
        raise Misconfigured("no row gives points", place=place)
    return sheet


def _with(sheet: Sheet, line: int, text: str, *, given: str) -> Sheet:
    points, out = _points(given), _OUT.fullmatch(given) is not None
    why = _useless(text, given, points=0.0 if out else points, out=out)
    if why:
        return sheet._replace(skipped=(*sheet.skipped, Skipped(line, text or given, why)))
    found = _THRESHOLD.fullmatch(text.strip(" :=>≥")) if points is not None else None
    if found and points is not None:
        name = found["a"] or found["b"] or found["c"] or "qualified"
        return sheet._replace(thresholds=(*sheet.thresholds, Threshold(line, text, name, points)))
    return sheet._replace(rows=(*sheet.rows, Row(line, text, points or 0.0, out=out)))


def _useless(text: str, given: str, *, points: float | None, out: bool) -> str:
    """Why a line is none that counts; empty where it is."""
    if not text:
        return "there is no condition"
    if points is None:
        return f"'{given}' is no number" if given else "there are no points"
    if re.fullmatch(r"(?:sum|total|max(?:imum)?)(?:\s.*)?", text, re.IGNORECASE):
        return "a total, no condition"
    nothing = points == 0 and not out and not _THRESHOLD.fullmatch(text.strip(" :=>≥"))
    return "it gives no points" if nothing else ""


def _cells(text: str) -> list[tuple[int, list[str]]]:
    lines = [line for line in text.splitlines() if line.strip()][:20]
    marks = {mark: sum(mark in line for line in lines) for mark in ("\t", ";", ",")}
    mark = max(marks, key=lambda item: (marks[item], item == "\t", item == ";"))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    return [(reader.line_num, cells) for cells in reader]


def _points_column(table: Sequence[Sequence[str]]) -> int | None:
    """The column that holds the most numbers, the last one of equals."""
    widths = max((len(cells) for cells in table), default=0)
    counts = [
        sum(number < len(cells) and _points(cells[number]) is not None for cells in table) for number in range(widths)
    ]
    best = max(counts, default=0)
    return None if not best or widths < 2 else max(number for number, count in enumerate(counts) if count == best)


def _points(given: str) -> float | None:
    """What a cell of the points column says: `20`, `+5`, `-10 pts`, `(15)`, `7,5`, `≥ 60`."""
    less = re.fullmatch(r"\((.+)\)", given.strip())
    found = _NUMBER.fullmatch((less[1] if less else given).strip())
    if found is None:
        return None
    value = float(found[2].replace(",", "."))
    return -value if less or found[1] in {"-", "−", "–"} else value
