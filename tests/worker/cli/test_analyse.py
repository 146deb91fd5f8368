from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tierwise_fixtures import decided

from tierwise import cli
from tierwise.cli import session


def test_what_is_shipped_is_fine_and_a_gap_is_an_error(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = tmp_path / "bundle"
    assert cli.run(["init", str(directory)]) == 0
    capsys.readouterr()
    assert cli.run(["policy", "analyse", str(directory), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "findings": [], "not_analysed": None, "days": 30, "unused": "not analysed: no database",
    }  # fmt: skip
    assert not list(home.iterdir())  # looking creates nothing
    routes = directory / "rules" / "routes.rules.yaml"
    text = routes.read_text()
    assert text.count("when: result.tier == 'C'\n") == 1
    routes.write_text(text.replace("when: result.tier == 'C'\n", "when: result.tier == 'C' && result.intent > 20\n"))
    assert cli.run(["policy", "analyse", str(directory)]) == 1
    told = capsys.readouterr().out
    assert "error gap · stage route" in told
    assert "for example lead: {" in told
    assert "rules/routes.rules.yaml:" in told
    assert "no test notices when 20 -> 19" in told
    text = routes.read_text()
    tests = "{name: tier C, lead: {}, result: {tier: C}, expect: match}"
    assert text.count(tests) == 1
    routes.write_text(text.replace(tests, "{name: tier C, lead: {}, result: {tier: C, intent: 40}, expect: match}"))
    assert cli.run(["policy", "publish", str(directory)]) == 1
    assert "policy check" in capsys.readouterr().err


def test_what_matched_nothing_for_weeks_is_told_from_stored_decisions(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["db", "upgrade"]) == 0
    capsys.readouterr()
    assert cli.run(["policy", "analyse", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["unused"] == "not analysed: no decisions in that time"
    with session.opened() as parts:
        decided.fill(parts, 40)
    assert cli.run(["policy", "analyse", "--json", "--days", "400"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["unused"] is None
    silent = {item["subject"]: item for item in found["findings"] if item["code"] == "silent"}
    assert silent
    with session.opened() as parts:
        fired = parts.store.decisions.fired(since=datetime(2000, 1, 1, tzinfo=UTC), limit=1000)
    assert fired.decisions == 40
    assert set(silent).isdisjoint({f"rule {name}" for name in fired.rules})
    assert set(silent).isdisjoint({f"reason {name}" for name in fired.reasons})
    rule = next(item for name, item in silent.items() if name.startswith("rule "))
    assert "in 40 decisions of the last 400 days" in rule["message"]
    assert rule["file"].endswith(".rules.yaml")
    assert not rule["blocks"]
