"""The connector itself. A row's moment is when its file last came into the folder or changed there, or, when that is
later, when its own result was written.

The change time of the inode says so, not the modification time: a file that is moved or copied in keeps an old one of
those. The folder's own clock is asked with a file, so that a share's server and this machine need not agree.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from tierwise import sdk
from tierwise_files import Settings, rows

FIELDS_FILE = ".tierwise-fields.json"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Files:
    """See `tierwise.sdk.Connector`, which says what each method promises."""

    batch_size: ClassVar[int] = 500

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = settings.folder

    def now(self) -> datetime:
        """The clock that stamps the files."""
        with self._family():
            probe = self._folder / ".tierwise-clock"
            probe.write_bytes(b"")
            probe.touch()
            return _changed(probe)

    def changes(
        self,
        since: datetime,
        until: datetime,
        *,
        properties: Sequence[str],
        position: Mapping[str, Any] | None = None,
    ) -> Iterator[sdk.Page]:
        """Only files that changed in the window, or whose results did, are opened."""
        with self._family():
            held = [
                record
                for path in rows.files(self._folder)
                if _changed(path) >= since or (rows.beside(path).exists() and _changed(rows.beside(path)) >= since)
                for record in self._records(path, properties)
                if since <= record.modified_at <= until
            ]
        held.sort(key=_place)
        if position is not None:
            edge = datetime.fromisoformat(position["at"]), position["id"]
            held = [record for record in held if _place(record) > edge]
        size = self._settings.page_size
        for start in range(0, len(held) or 1, size):
            page, more = held[start : start + size], start + size < len(held)
            at = {"at": page[-1].modified_at.isoformat(), "id": page[-1].id} if more else None
            yield sdk.Page(tuple(page), at)

    def read(self, record_ids: Sequence[str], *, properties: Sequence[str]) -> list[sdk.Record]:
        """Rows that are still there."""
        wanted = set(record_ids)
        with self._family():
            return [
                record
                for path in self._paths(wanted)
                for record in self._records(path, properties)
                if record.id in wanted
            ]

    def write(self, updates: Sequence[sdk.Update]) -> list[sdk.Written]:
        """Each file's results are replaced once, under a lock that other processes respect."""
        outcomes: dict[int, str] = {}  # by place in the batch: "" or why not
        with self._family(), self._locked(bool(updates)):
            fields = self._fields()
            for path in self._paths({update.record_id for update in updates}):
                known, results = self._rows(path), rows.read_results(rows.beside(path))
                stamp, before = self.now().isoformat(), len(outcomes)
                for number, update in enumerate(updates):
                    if update.record_id not in known:
                        continue
                    refused = _refusal(update, fields)
                    if refused:
                        outcomes[number] = refused
                        continue
                    held = {**results.get(update.record_id, {}), **update.values, rows.WRITTEN_AT: stamp}
                    results[update.record_id] = {name: value for name, value in held.items() if value is not None}
                    outcomes[number] = ""
                if not all([*outcomes.values()][before:]):
                    rows.write_results(rows.beside(path), {key: results[key] for key in known if key in results})
        found = [outcomes.get(number, "the folder has no such row any more") for number in range(len(updates))]
        return [
            sdk.Written(update.record_id, "refused" if why else "written", error=why)
            for update, why in zip(updates, found, strict=True)
        ]

    def provision(self, fields: Sequence[sdk.AdviceField], *, dry_run: bool) -> list[sdk.PlanStep]:
        """Which fields and options there are is kept in the folder: a value that nobody declared is refused."""
        with self._family():
            held = self._fields()
            steps = [sdk.PlanStep(_action(field, held), field.name) for field in fields]
            if not dry_run and any(step.action != "keep" for step in steps):
                for field in fields:
                    options = [*held.get(field.name, []), *(value for value, _ in field.options)]
                    held[field.name] = list(dict.fromkeys(options))
                rows.replace(self._folder / FIELDS_FILE, json.dumps(held, indent=1))
        return steps

    def check(self, *, properties: Sequence[str], fields: Sequence[sdk.AdviceField]) -> list[sdk.Check]:
        """The folder can be written, our fields are declared, and some file has each mapped column."""
        try:
            self.now()
            held, found = self._fields(), rows.files(self._folder)
            columns = {name for path in found for row in self._rows(path).values() for name in row}
        except (OSError, sdk.TierwiseError):
            remedy = "create the folder, or let this user write to it"
            return [sdk.Check("folder", False, f"{self._folder} cannot be used", remedy)]
        lines = [sdk.Check("folder", True, f"{self._folder}, {len(found)} files")]
        missing = [field.name for field in fields if _action(field, held) != "keep"]
        lines += [sdk.Check(name, False, "is not declared", "tierwise connections provision") for name in missing]
        if found and not columns & set(properties):
            detail = f"no file has any of the columns {', '.join(sorted(properties))}"
            lines.append(sdk.Check("columns", False, detail, "name the files' own columns in rules/maps/files.yaml"))
        return lines

    def describe(self) -> dict[str, str]:
        """Columns of all files; a file knows nothing but text."""
        with self._family():
            columns = {name for path in rows.files(self._folder) for row in self._rows(path).values() for name in row}
            return dict.fromkeys([*sorted(columns), *self._fields()], "text")

    def close(self) -> None:
        """Nothing is held open between calls."""

    def _records(self, path: Path, properties: Sequence[str]) -> Iterator[sdk.Record]:
        came, results = _changed(path), rows.read_results(rows.beside(path))
        for key, row in self._rows(path).items():
            own = {name: value for name, value in results.get(key, {}).items() if value is not None}
            written = own.pop(rows.WRITTEN_AT, None)
            at = max(came, datetime.fromisoformat(written)) if written else came
            yield sdk.Record(key, at, {name: row.get(name) for name in properties}, own)

    def _rows(self, path: Path) -> dict[str, rows.Row]:
        return rows.read(path, encoding=self._settings.encoding, id_column=self._settings.id_column)

    def _paths(self, record_ids: set[str]) -> list[Path]:
        wanted = {record_id.partition(":")[0] for record_id in record_ids}
        return [path for path in rows.files(self._folder) if rows.short(path) in wanted]

    def _fields(self) -> dict[str, list[str]]:
        path = self._folder / FIELDS_FILE
        held: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return held

    @contextlib.contextmanager
    def _locked(self, wanted: bool) -> Iterator[None]:
        if not wanted:
            yield
            return
        with (self._folder / ".tierwise-lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def _family(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise sdk.Unreachable(
                f"the folder cannot be used: {error.strerror}",
                place=str(self._folder),
                remedy="create it, or let this user read and write it",
            ) from None


def _changed(path: Path) -> datetime:
    return _EPOCH + timedelta(microseconds=path.stat().st_ctime_ns // 1000)


def _place(record: sdk.Record) -> tuple[datetime, str]:
    return record.modified_at, record.id


def _action(field: sdk.AdviceField, held: Mapping[str, list[str]]) -> Any:
    if field.name not in held:
        return "create"
    return "keep" if {value for value, _ in field.options} <= set(held[field.name]) else "update"


def _refusal(update: sdk.Update, fields: Mapping[str, list[str]]) -> str:
    for name, value in update.values.items():
        chosen = value if isinstance(value, tuple) else (value,)
        if value is not None and fields.get(name) and not set(chosen) <= set(fields[name]):
            return f"{name} has no such option"
    return ""
