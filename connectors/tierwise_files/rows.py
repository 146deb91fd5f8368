"""How files look: rows of leads as forms and ad platforms export them, and the results beside them.

A row that cannot be read is a row without values, never a missing row: it is refused where people see it.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tierwise import sdk

SUFFIXES = frozenset({".csv", ".jsonl", ".ndjson"})
WRITTEN_AT = "tierwise_written_at"
_KINDS = {field.name: field.kind for field in sdk.FIELDS}
csv.field_size_limit(1 << 30)  # a long message is the mapping's business, which cuts it and says so

Row = dict[str, Any]


def files(folder: Path) -> list[Path]:
    """The files of leads; results, hidden and half-copied files (.name, name.part) are none. Raises OSError."""
    found = (path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.name[0] != ".")
    return sorted(path for path in found if not path.stem.endswith(".tierwise") and path.is_file())


def short(path: Path) -> str:
    """The file's name as ids begin with it: short, printable, without a colon."""
    name = path.name
    if len(name) <= 100 and name.isprintable() and ":" not in name:
        return name
    plain = "".join(c if c.isprintable() and c != ":" else "_" for c in name)
    return f"{plain[:80]}~{hashlib.sha256(os.fsencode(name)).hexdigest()[:12]}"


def beside(path: Path) -> Path:
    """Where the results of a file stand: leads.csv -> leads.tierwise.csv."""
    return path.with_name(f"{path.stem}.tierwise{path.suffix}")


def read(path: Path, *, encoding: str, id_column: str) -> dict[str, Row]:
    """Id -> row, in the order of the file. Columns in one spelling: "E-Mail Address" is e_mail_address."""
    try:
        text = _text(path, encoding)
    except UnicodeError:  # UTF-16 without its mark: unreadable rows are still rows
        text = _text(path, "utf-8-sig")
    repeats: Counter[str] = Counter()
    found: dict[str, Row] = {}
    for number, given in enumerate(_parsed(path, text), start=1):
        row = {_column(name): value for name, value in given.items() if name}
        held = row.get(_column(id_column))
        given_id = "" if held is None else "".join(filter(str.isprintable, str(held))).strip()[:80]
        key = f"{short(path)}:{given_id or number}"
        repeats[key] += 1
        # Two rows with one id are two leads until somebody says otherwise: none may hide the other.
        found[key if repeats[key] == 1 else f"{key}~{repeats[key]}"] = row
    return found


def read_results(path: Path) -> dict[str, Row]:
    """Id -> our fields in canonical types, with the moment of writing; {} before the first write."""
    if not path.exists():
        return {}
    read_cell = _from_cell if path.suffix.lower() == ".csv" else _from_json
    given = [{name: read_cell(name, cell) for name, cell in row.items()} for row in _parsed(path, _text(path, "utf-8"))]
    return {str(row.pop("id")): row for row in given if "id" in row}


def write_results(path: Path, results: Mapping[str, Row]) -> None:
    """All or nothing: a reader sees the old file or the new one."""
    rows = [{"id": key, **row} for key, row in results.items()]
    stream = io.StringIO()
    if path.suffix.lower() == ".csv":
        names = ["id", *_KINDS, WRITTEN_AT]
        writer = csv.DictWriter(stream, names, extrasaction="ignore", lineterminator="\r\n")
        writer.writeheader()
        writer.writerows({name: _to_cell(value) for name, value in row.items()} for row in rows)
    else:
        stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    replace(path, stream.getvalue())


def replace(path: Path, text: str) -> None:
    """Write a file whole, through a hidden neighbour."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".tierwise-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o640)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _parsed(path: Path, text: str) -> Iterator[Row]:
    if path.suffix.lower() == ".csv":
        head = text.partition("\n")[0]
        # Excel writes a semicolon where the comma is the decimal mark.
        delimiter = max(",;\t", key=head.count)
        yield from csv.DictReader(io.StringIO(text, newline=""), restkey="", restval="", delimiter=delimiter)
        return
    for line in text.split("\n"):
        if line.strip():
            yield _object(line)


def _object(line: str) -> Row:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return row if isinstance(row, dict) else {}


def _column(name: str) -> str:
    return re.sub(r"\W+", "_", name.strip().lower()).strip("_")


def _text(path: Path, encoding: str) -> str:
    with path.open(encoding=encoding, errors="replace", newline="") as stream:
        return stream.read()


def _to_cell(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return ";".join(value)
    # A spreadsheet would calculate a cell that begins like a formula, and the text is a stranger's.
    return f"'{value}" if isinstance(value, str) and value[:1] in set("'=+-@\t\r") else value


def _from_cell(name: str, cell: str) -> Any:
    match _KINDS.get(name) if cell else "nothing":
        case "nothing":
            return None
        case "number":
            return float(cell) if "." in cell else int(cell)
        case "multi_choice":
            return tuple(cell.split(";"))
        case "boolean":
            return cell.lower() == "true"
    return cell.removeprefix("'")


def _from_json(_name: str, value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
