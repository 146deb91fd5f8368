"""A points sheet by command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tierwise import cli


def test_a_sheet_becomes_a_policy_and_each_row_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = tmp_path / "points.csv"
    sheet.write_text("What,Points\nEmployees > 200,20\nHas budget,10\nMQL threshold,15\n")
    assert cli.run(["policy", "import-csv", str(sheet)]) == 0
    shown = capsys.readouterr()
    assert "lead.employee_count > 200" in shown.out
    assert "question" in shown.out
    assert "still to be filled in" in shown.err
    assert (tmp_path / "points" / "prompts" / "qualify.md").is_file()
    assert cli.run(["policy", "import-csv", str(sheet)]) == 2
    assert "nothing is overwritten" in capsys.readouterr().err
    assert cli.run(["policy", "import-csv", str(sheet), "--to", str(tmp_path / "other"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["became"] for row in told["rows"]] == ["rule", "question", "cut-off"]
    assert [problem["code"] for problem in told["to_fill_in"]] == ["fill-in"] * 3


def test_what_is_no_sheet_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["policy", "import-csv", str(tmp_path / "none.csv")]) == 2
    assert "cannot be read" in capsys.readouterr().err
