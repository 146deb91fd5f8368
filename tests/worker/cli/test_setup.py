"""Setting up and looking after one installation."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tierwise import cli
from tierwise.cli import session


def test_init_lays_out_and_overwrites_nothing(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "new"
    assert cli.run(["init", str(target)]) == 0
    prompt = target / "prompts" / "qualify.md"
    prompt.write_text("mine")
    assert cli.run(["init", str(target)]) == 0
    assert prompt.read_text() == "mine"
    assert "kept" in capsys.readouterr().err


def test_doctor_names_what_is_missing_and_then_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["doctor", "--json"]) == 1
    found = {line["what"]: line for line in json.loads(capsys.readouterr().out)}
    assert not found["database"]["ok"]
    assert found["database"]["remedy"] == "tierwise db upgrade"
    assert cli.run(["db", "upgrade"]) == 0
    capsys.readouterr()
    assert cli.run(["doctor", "--json"]) == 0
    assert all(line["ok"] for line in json.loads(capsys.readouterr().out))


def test_schema_names_every_field(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["schema", "--json"]) == 0
    machine = capsys.readouterr().out
    json.loads(machine)
    assert cli.run(["schema"]) == 0
    people = capsys.readouterr().out
    for name in ("employee_count", "monthly_volume", "source", "submitted_at", "lifecycle"):
        assert name in machine
        assert name in people


def test_a_heartbeat_is_young_or_the_role_counts_as_gone(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["db", "upgrade"]) == 0
    assert cli.run(["heartbeat", "worker"]) == 1
    with session.opened() as parts:
        old = datetime.now(UTC) - timedelta(minutes=2)
        parts.store.heartbeats.beat("worker", "a", info={}, now=old)
    assert cli.run(["heartbeat", "worker"]) == 1
    with session.opened() as parts:
        parts.store.heartbeats.beat("worker", "b", info={}, now=datetime.now(UTC))
    assert cli.run(["heartbeat", "worker"]) == 0
    assert cli.run(["heartbeat", "beat"]) == 1
    capsys.readouterr()


def test_config_show_tells_origins(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TIERWISE_TICK_SECONDS", "7")
    assert cli.run(["config", "show", "--json"]) == 0
    rows = {row["key"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["tick_seconds"]["origin"] == "TIERWISE_TICK_SECONDS"
    assert rows["poll_seconds"]["origin"] == "default"
