"""Leads from a CSV or JSONL file: columns are property names and their values are kept as they are."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tierwise_sandbox import catalogue, moments, values
from tierwise_sandbox.definitions import Definitions

Row = tuple[dict[str, str], int | None, int | None, int | None]
"""Properties, created ms, modified ms, record id; None where the file does not say."""
_DATES = ("recent_conversion_date", "createdate", "lastmodifieddate")


def read(path: Path, definitions: Definitions) -> list[Row]:
    """All rows; unknown columns become text properties of the portal. ValueError carries file and line."""
    if path.suffix.lower() not in {".csv", ".jsonl", ".ndjson"}:
        raise ValueError(f"{path}: leads are read from .csv or .jsonl files")
    rows = []
    for line, given in _objects(path):
        properties: dict[str, str] = {}
        for column, value in given.items():
            name = property_name(column)
            if not name:
                raise ValueError(f"{path}:{line}: column {column!r} cannot be a property name")
            text = json.dumps(value) if isinstance(value, (list, dict)) else values.as_text(value)
            if text == "":
                continue
            definitions.ensure_text(name, column)
            properties[name] = _date(text, f"{path}:{line}: {column}") if name in _DATES else text
        times = [moments.parse(properties[name]) if name in properties else None for name in _DATES[1:]]
        key = properties.get("hs_object_id", "")
        if key and not key.isdecimal():
            raise ValueError(f"{path}:{line}: hs_object_id {key!r} is not a number")
        kept = {name: text for name, text in properties.items() if name not in catalogue.SYSTEM}
        created, modified = times[0] or times[1], times[1] or times[0]
        rows.append((kept, created, modified, int(key) if key else None))
    return rows


def property_name(column: str) -> str:
    """The column's name as HubSpot would spell it: lower case, digits and underscores."""
    name = re.sub(r"[^a-z0-9]+", "_", column.strip().lower()).strip("_")
    return name if name[:1].isalpha() else f"p_{name}" if name else ""


def _date(text: str, place: str) -> str:
    milliseconds = moments.parse(text)
    if milliseconds is None:
        raise ValueError(f"{place}: {text!r} is neither ISO 8601 nor milliseconds")
    return moments.iso(milliseconds)


def _objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        if path.suffix.lower() == ".csv":
            reader = csv.DictReader(stream, restkey="", strict=True)
            try:
                for row in reader:
                    if "" in row:
                        raise ValueError(f"{path}:{reader.line_num}: more cells than the header has columns")
                    yield reader.line_num, {name: cell or "" for name, cell in row.items()}
            except csv.Error as error:
                raise ValueError(f"{path}:{reader.line_num}: not CSV: {error}") from error
            return
        for number, text in enumerate(stream, 1):
            if not text.strip():
                continue
            try:
                row = json.loads(text)
            except ValueError as error:
                raise ValueError(f"{path}:{number}: not JSON: {error}") from error
            if not isinstance(row, dict):
                raise ValueError(f"{path}:{number}: a JSON object was expected")
            yield number, row
