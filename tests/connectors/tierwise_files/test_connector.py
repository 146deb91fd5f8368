"""The drop folder keeps the connector contract, and loses nothing to the ways in which files come and go."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tierwise import errors, plugins, sdk
from tierwise.sdk import testing
from tierwise_files import rows
from tierwise_files.connector import Files


class Folder:
    """A folder as `testing.Crm`: every lead a file of its own, so that each can be touched alone."""

    properties: Sequence[str] = ("email", "company")
    secret = "no-secret-is-needed"
    unknown_id = "nowhere.csv:1"
    refused: Mapping[str, Any] = {"tierwise_status": "no_such_option"}
    pages_of = 3
    schemaless = True

    def __init__(self, path: Path) -> None:
        self.path = path
        self._number = 0

    def add(self, count: int) -> list[str]:
        self.tick()
        return [self._put() for _ in range(count)]

    def touch(self, record_id: str) -> None:
        self.tick()
        path = self.path / record_id.partition(":")[0]
        path.write_text(path.read_text())
        self.tick()

    def writes(self) -> int:
        found = [*self.path.glob("*.tierwise.*"), *self.path.glob(".tierwise-fields.json")]
        return sum(path.stat().st_ino for path in found)

    @contextlib.contextmanager
    def broken(self, text: str) -> Iterator[None]:
        away = self.path.with_name("away")
        self.path.rename(away)
        self.path.symlink_to(self.path.parent / text)
        yield
        self.path.unlink()
        away.rename(self.path)

    def tick(self) -> None:
        """Until the clock that stamps files has moved: several changes share one of its ticks."""
        probe = self.path.with_name("probe")
        probe.write_bytes(b"")
        first = probe.stat().st_ctime_ns
        while probe.stat().st_ctime_ns // 1000 == first // 1000:
            probe.touch()

    def _put(self) -> str:
        self._number += 1
        name = f"lead{self._number:03}.{'csv' if self._number % 2 else 'jsonl'}"
        values = {"id": f"n{self._number}", "Email": f"{self._number}@example.org", "company": 'Acme, "The" Firm'}
        with (self.path / name).open("w", newline="") as stream:
            if name.endswith(".csv"):
                writer = csv.DictWriter(stream, values)
                writer.writeheader()
                writer.writerow(values)
            else:
                stream.write(json.dumps(values) + "\n")
        return f"{name}:n{self._number}"


def _open(folder: Path, **options: Any) -> sdk.Connector:
    return plugins.open_connector(
        sdk.Connection("drop", "files", "", {"folder": str(folder), **options}, testing.FreeLimiter())
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "leads"
    path.mkdir()
    return path


class TestFiles(testing.ConnectorContract):
    @pytest.fixture
    def crm(self, folder: Path) -> Folder:
        return Folder(folder)

    @pytest.fixture
    def connector(self, crm: Folder) -> Iterator[sdk.Connector]:
        with contextlib.closing(_open(crm.path, page_size=crm.pages_of)) as opened:
            yield opened


def _all(connector: sdk.Connector, since: Any = None) -> list[sdk.Record]:
    start, until = testing.window(connector)
    pages = connector.changes(since or start, until, properties=["email"], position=None)
    return [record for page in pages for record in page.records]


def test_rows_of_one_moment_are_paged_without_loss(folder: Path) -> None:
    (folder / "many.csv").write_text("email\n" + "".join(f"{number}@acme.com\n" for number in range(25)))
    connector = _open(folder, page_size=4)
    start, until = testing.window(connector)
    pages = list(connector.changes(start, until, properties=["email"]))
    assert [len(page.records) for page in pages] == [4] * 6 + [1]
    assert len({record.modified_at for page in pages for record in page.records}) == 1
    for number, page in enumerate(pages[:-1]):
        rest = connector.changes(start, until, properties=["email"], position=testing.through_json(page.position))
        assert list(rest) == pages[number + 1 :]


def test_a_file_that_is_moved_in_with_an_old_date_is_new(folder: Path, tmp_path: Path) -> None:
    """As every export that was downloaded yesterday; its modification time lies before any window."""
    connector = _open(folder)
    old = tmp_path / "export.csv"
    old.write_text("email\na@acme.com\n")
    os.utime(old, (1_000_000_000, 1_000_000_000))
    since = connector.now()
    old.rename(folder / "export.csv")
    (record,) = _all(connector, since)
    assert record.properties == {"email": "a@acme.com"}


def test_a_file_from_the_future_is_not_left_out(folder: Path) -> None:
    (folder / "a.csv").write_text("email\na@acme.com\n")
    os.utime(folder / "a.csv", (4_000_000_000, 4_000_000_000))
    connector = _open(folder)
    start, _ = testing.window(connector)
    (page,) = connector.changes(start, connector.now(), properties=["email"])
    assert len(page.records) == 1


def test_half_copied_files_and_results_are_no_leads(folder: Path) -> None:
    for name in (".a.csv", "a.csv.part", "a.tierwise.csv", "notes.txt"):
        (folder / name).write_text("email\na@acme.com\n")
    (folder / "b.csv").mkdir()
    assert _all(_open(folder)) == []


def test_results_stand_beside_the_file_in_its_own_format(folder: Path) -> None:
    (folder / "a.csv").write_text("id,email\n7,a@acme.com\n8,b@acme.com\n")
    (folder / "b.jsonl").write_text('{"email": "c@acme.com"}\n')
    connector = _open(folder)
    values = {
        "tierwise_score": 82,
        "tierwise_reason_codes": ("A", "B"),
        "tierwise_reasons": "=1+1",
        "tierwise_tier": "A",
    }
    results = connector.write([testing.update("a.csv:8", values), testing.update("b.jsonl:1", values)])
    assert [one.outcome for one in results] == ["written", "written"]
    with (folder / "a.tierwise.csv").open(newline="") as stream:
        (line,) = csv.DictReader(stream)
    assert (line["id"], line["tierwise_score"], line["tierwise_reason_codes"]) == ("a.csv:8", "82", "A;B")
    assert line["tierwise_reasons"] == "'=1+1", "a spreadsheet must not calculate a stranger's text"
    (row,) = map(json.loads, (folder / "b.tierwise.jsonl").read_text().splitlines())
    assert (row["id"], row["tierwise_reason_codes"], row["tierwise_reasons"]) == ("b.jsonl:1", ["A", "B"], "=1+1")
    assert {record.id: dict(record.own) for record in _all(connector)} == {
        "a.csv:7": {}, "a.csv:8": values, "b.jsonl:1": values,
    }  # fmt: skip
    assert not list(folder.glob(".tierwise-?????*.tmp"))


def test_only_the_rows_that_were_written_come_again(folder: Path) -> None:
    (folder / "a.csv").write_text("email\na@acme.com\nb@acme.com\n")
    connector = _open(folder)
    Folder(folder).tick()
    since = connector.now()
    connector.write([testing.update("a.csv:2", {"tierwise_score": 1})])
    assert [record.id for record in _all(connector, since)] == ["a.csv:2"]


def test_several_processes_write_results_of_one_file(folder: Path) -> None:
    count = 12
    (folder / "a.jsonl").write_text("".join(f'{{"email": "{n}@acme.com"}}\n' for n in range(count)))
    start = threading.Barrier(count)

    def write(number: int) -> None:
        connector = _open(folder)
        start.wait(20)
        connector.write([testing.update(f"a.jsonl:{number + 1}", {"tierwise_score": number})])

    threads = [threading.Thread(target=write, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    found = rows.read_results(folder / "a.tierwise.jsonl")
    assert {row["tierwise_score"] for row in found.values()} == set(range(count))


@pytest.mark.parametrize(
    "name", ["a:b.csv", "x" * 240 + ".csv", "tab\there.csv", os.fsdecode(b"latin-\xe9.csv"), "…", "-.csv"]
)
def test_any_name_of_a_file_has_an_id_that_a_database_takes(folder: Path, name: str) -> None:
    (folder / (name if name.endswith(".csv") else f"{name}.csv")).write_text("email,id\na@acme.com,\x007\n")
    connector = _open(folder)
    (record,) = _all(connector)
    assert len(record.id) < 200
    assert record.id.isprintable()
    (written,) = connector.write([testing.update(record.id, {"tierwise_score": 5})])
    assert written.outcome == "written"
    assert _all(connector)[0].own == {"tierwise_score": 5}


def test_a_folder_that_is_missing_is_told_with_the_remedy(tmp_path: Path) -> None:
    connector = _open(tmp_path / "gone")
    with pytest.raises(errors.Unreachable, match="create it"):
        connector.now()
    (line,) = connector.check(properties=["email"], fields=testing.fields())
    assert not line.ok
    assert "gone" in line.detail


def test_columns_that_no_map_knows_are_told(folder: Path) -> None:
    (folder / "a.csv").write_text("correo\na@acme.com\n")
    connector = _open(folder)
    connector.provision(testing.fields(), dry_run=False)
    failing = [line for line in connector.check(properties=["email"], fields=testing.fields()) if not line.ok]
    assert [line.name for line in failing] == ["columns"]


def test_the_class_is_what_the_plugin_opens(folder: Path) -> None:
    assert isinstance(_open(folder), Files)
    with pytest.raises(errors.Misconfigured, match="encoding"):
        _open(folder, encoding="no-such-code")
