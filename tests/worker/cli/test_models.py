"""Models that do not answer, or whose key is missing, are told; the leads are shown all the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tierwise import cli
from tierwise.cli import models
from tierwise.errors import Unreachable

NOBODY = "http://127.0.0.1:1/v1"
"""Nothing listens there."""


@pytest.fixture
def leads(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_BASE", NOBODY)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-never-shown")
    file = tmp_path / "leads.csv"
    file.write_text("id,email,message,won\n1,a@kaspar.example,We need it now,yes\n2,b@ada.example,Send prices,no\n")
    return file


def test_a_file_scored_by_a_model_that_cannot_be_reached(leads: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["score", str(leads), "--model", "openai/gpt-6-luna", "--json"]) == 3
    told = capsys.readouterr()
    assert [json.loads(line)["id"] for line in told.out.splitlines()] == ["1", "2"]
    assert "no model answered: all 2 leads" in told.err
    assert "openai/gpt-6-luna" in told.err
    assert "sk-never-shown" not in told.err


def test_an_evaluation_of_a_model_that_cannot_be_reached(leads: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["eval", str(leads), "--label", "won", "--model", "openai/gpt-6-luna", "--json"]
    assert cli.run(asked) == 3
    told = capsys.readouterr()
    assert json.loads(told.out)["fallbacks"] == 2
    assert "no model answered: all 2 leads" in told.err


def test_where_some_leads_were_answered_the_others_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    models.require_answers(5, [("m: not asked: it rests after failures in a row",), ("m: no answer",)], place="x")
    assert "2 leads fell back to offline/rules, since no model answered: m: no answer" in capsys.readouterr().err
    models.require_answers(5, [], place="x")
    models.require_answers(0, [], place="x")
    with pytest.raises(Unreachable):
        models.require_answers(1, [()], place="x")


def _doctor(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    cli.run(["doctor", "--json"])
    told = capsys.readouterr().out
    assert "sk-never-shown" not in told
    (line,) = (line for line in json.loads(told) if line["what"] == "models")
    assert isinstance(line, dict)
    return line


def test_doctor_names_the_models_and_what_their_keys_are_called(
    leads: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "offline/rules" in str(_doctor(capsys)["found"])
    chosen = '[model]\nprimary = "openai/gpt-6-luna"\nsecondary = "anthropic/claude-haiku-5-5"\n'
    (tmp_path / "tierwise.toml").write_text(chosen)
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    line = _doctor(capsys)
    assert (line["ok"], line["remedy"]) == (False, "set ANTHROPIC_API_KEY in the environment")
    assert "anthropic/claude-haiku-5-5" in str(line["found"])
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-never-shown-either")
    line = _doctor(capsys)
    assert line["ok"]
    assert line["found"] == "openai/gpt-6-luna: no key is missing; anthropic/claude-haiku-5-5: no key is missing"


def test_doctor_names_a_model_of_no_provider(leads: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tierwise.toml").write_text('[model]\nprimary = "nonsense"\n')
    line = _doctor(capsys)
    assert not line["ok"]
    assert "nonsense" in str(line["found"])
