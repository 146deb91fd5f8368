"""A folder of files from the first command to the results beside them, by the commands a person types."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tierwise import cli

LEADS = """\
Email;Company Name;Employees;Message;Country
jane@acme.de;Acme GmbH;250;We need this by March. Please send a quote.;Germany
jo@gmail.com;;1;Just looking;
;;;no name, no address;
"""


@pytest.fixture
def folder(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "drop"
    path.mkdir()
    return path


def _run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    assert cli.run([*arguments]) == code, capsys.readouterr().err
    out = capsys.readouterr().out
    return json.loads(out) if "--json" in arguments else out


def test_leads_dropped_into_a_folder_get_results(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _run(capsys, "db", "upgrade")
    _run(capsys, "connections", "add", "inbox", "--type", "files", "-o", "folder=drop")
    assert f'folder = "{folder}"' in Path("tierwise.toml").read_text(), "workers may run elsewhere"
    _run(capsys, "connections", "provision", "inbox", "--yes")
    assert all(line["ok"] for line in _run(capsys, "connections", "check", "inbox", "--json"))
    _run(capsys, "connections", "enable", "inbox")
    (folder / "fair.csv").write_text(LEADS)

    report = _run(capsys, "poll", "inbox", "--json")
    assert (report["polled"]["new"], report["polled"]["rejected"]) == (2, 1)
    assert report["wrote_back"]["sent"] == 3
    with (folder / "fair.tierwise.csv").open(newline="") as stream:
        found = {row["id"]: row for row in csv.DictReader(stream)}
    assert found.keys() == {"fair.csv:1", "fair.csv:2", "fair.csv:3"}
    assert found["fair.csv:1"]["tierwise_status"] in {"scored", "in_review"}
    assert int(found["fair.csv:1"]["tierwise_score"]) > int(found["fair.csv:2"]["tierwise_score"] or 0)
    assert found["fair.csv:3"]["tierwise_status"] == "not_scorable"
    assert (folder / "fair.csv").read_text() == LEADS, "what was dropped stays as it was"

    again = _run(capsys, "poll", "inbox", "--json")
    assert (again["polled"]["new"], again["polled"]["changed"], again["polled"]["delivered"]) == (0, 0, 3)
    assert not again["wrote_back"].get("sent"), "reading its own results back causes no work"

    (folder / "fair.csv").write_text(LEADS.replace("250", "900"))
    changed = _run(capsys, "poll", "inbox", "--json")
    assert (changed["polled"]["changed"], changed["polled"]["unchanged"]) == (1, 2)


def test_a_misspelt_option_is_told_when_it_is_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["connections", "add", "inbox", "--type", "files", "-o", "foldr=drop"]) == 2
    assert "folder" in capsys.readouterr().err
    assert not Path("tierwise.toml").exists()
