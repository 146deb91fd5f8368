"""What people and scripts see."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tierwise.cli import output
from tierwise.errors import Misconfigured


def test_json_is_one_document_and_knows_times(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json({"at": datetime(2026, 1, 2, tzinfo=UTC), "name": "Möbel"})
    shown = capsys.readouterr().out
    assert json.loads(shown) == {"at": "2026-01-02 00:00:00+00:00", "name": "Möbel"}
    assert "Möbel" in shown


def test_json_lines_hold_one_object_each(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json_line({"a": 1})
    output.print_json_line({"b": "x\ny"})
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [{"a": 1}, {"b": "x\ny"}]


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as caught:
        output.write_json(tmp_path / "missing" / "x.json", {})
    assert "x.json" in caught.value.place


def test_an_error_shows_place_and_remedy_and_takes_markup_literally(capsys: pytest.CaptureFixture[str]) -> None:
    output.complain(Misconfigured("no such [bold]key[/]", place="tierwise.toml:3", remedy="did you mean [x]?"))
    shown = capsys.readouterr().err
    assert "tierwise.toml:3: no such [bold]key[/]" in shown
    assert "did you mean [x]?" in shown


def test_an_empty_cell_shows_a_dash(capsys: pytest.CaptureFixture[str]) -> None:
    output.table("T", ["a", "b"], [[None, "[red]x"]])
    shown = capsys.readouterr().out
    assert "–" in shown
    assert "[red]x" in shown


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s ago"), (59, "59 s ago"), (61, "1 min ago"), (7200, "2 h ago"), (200_000, "2 d ago")]
)
def test_ages_in_words(seconds: int, words: str) -> None:
    assert output.ago(datetime.now(UTC) - timedelta(seconds=seconds)) == words


def test_what_never_was() -> None:
    assert output.ago(None) == "never"
