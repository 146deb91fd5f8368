"""The folder: which records its files hold, when each came or changed, and the results kept beside them.

A row's moment is when its file last came into the folder or changed there, or, when that is later, when its own result
was written. The change time of the inode says so, not the modification time: a file that is moved or copied in keeps an
old one of those. The folder's own clock is asked with a file, so that a share's server and this machine need not agree.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tierwise import sdk
from tierwise_files import Settings, rows

FIELDS_FILE = ".tierwise-fields.json"
GONE = "the folder has no such row any more"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Folder:
    """Files of leads, read anew with every question."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.path = settings.folder

    @contextlib.contextmanager
    def open(self) -> Iterator[Folder]:
        """What the operating system refuses in here is told as Unreachable, with the remedy."""
        try:
            yield self
        except OSError as error:
            raise sdk.Unreachable(
                f"the folder cannot be used: {error.strerror}",
                place=str(self.path),
                remedy="create it, or let this user read and write it",
            ) from None

    def now(self) -> datetime:
        """The clock that stamps the files."""
        probe = self.path / ".tierwise-clock"
        probe.write_bytes(b"")
        probe.touch()
        return _changed(probe)

    def records(self, properties: Sequence[str], *, since: datetime | None = None) -> Iterator[sdk.Record]:
        """Every row; with `since`, of files that changed since then, or whose results did: others stay closed."""
        for path in rows.files(self.path):
            beside = rows.beside(path)
            if since is None or _changed(path) >= since or (beside.exists() and _changed(beside) >= since):
                yield from self._records(path, properties)

    def of(self, record_ids: Sequence[str], properties: Sequence[str]) -> list[sdk.Record]:
        """These rows, those that are still there."""
        wanted = set(record_ids)
        return [
            found for path in self._paths(wanted) for found in self._records(path, properties) if found.id in wanted
        ]

    def keep(self, updates: Sequence[sdk.Update], *, refusal: Callable[[sdk.Update], str]) -> list[str]:
        """By place: "" or why not. Each file's results are replaced once, under a lock that other processes respect."""
        outcomes = dict.fromkeys(range(len(updates)), GONE)
        with self._locked():
            for path in self._paths({update.record_id for update in updates}):
                known, results = self._rows(path), rows.read_results(rows.beside(path))
                stamp = self.now().isoformat()
                mine = {place: update for place, update in enumerate(updates) if update.record_id in known}
                outcomes.update({place: refusal(update) for place, update in mine.items()})
                for update in (update for place, update in mine.items() if not outcomes[place]):
                    held = {**results.get(update.record_id, {}), **update.values, rows.WRITTEN_AT: stamp}
                    results[update.record_id] = {name: value for name, value in held.items() if value is not None}
                if any(not outcomes[place] for place in mine):
                    rows.write_results(rows.beside(path), {key: results[key] for key in known if key in results})
        return list(outcomes.values())

    def columns(self) -> list[str]:
        """Columns of all files."""
        return sorted({name for path in rows.files(self.path) for row in self._rows(path).values() for name in row})

    def declared(self) -> dict[str, list[str]]:
        """Our fields and their options, as they were declared in this folder."""
        path = self.path / FIELDS_FILE
        held: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return held

    def declare(self, fields: dict[str, list[str]]) -> None:
        """Keep them."""
        rows.replace(self.path / FIELDS_FILE, json.dumps(fields, indent=1))

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
        return [path for path in rows.files(self.path) if rows.short(path) in wanted]

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.path / ".tierwise-lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _changed(path: Path) -> datetime:
    return _EPOCH + timedelta(microseconds=path.stat().st_ctime_ns // 1000)
