from __future__ import annotations

import json
from pathlib import Path

import pytest

from tierwise import cli


def test_what_is_shipped_is_fine_and_a_gap_is_an_error(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = tmp_path / "bundle"
    assert cli.run(["init", str(directory)]) == 0
    capsys.readouterr()
    assert cli.run(["policy", "analyse", str(directory), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"findings": [], "not_analysed": None}
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
