"""Kinds of system by command; that a new one works is tests/plugin_package."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tierwise import cli


def test_installed_connectors_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["connectors", "list", "--json"]) == 0
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert found["files"]["package"] == "tierwise"
    assert (found["files"]["needs_token"], found["hubspot"]["needs_token"]) == (False, True)
    assert "drop" in found["files"]["options"]["folder"]
    assert cli.run(["connectors", "list"]) == 0
    assert "files" in capsys.readouterr().out


def test_a_new_package_has_everything_and_no_placeholder(tmp_path: Path) -> None:
    assert cli.run(["connectors", "new", "my-crm", "--in", str(tmp_path / "deep")]) == 0
    written = {str(path.relative_to(tmp_path / "deep")) for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {
        f"tierwise-my-crm/{name}"
        for name in (
            "pyproject.toml", "README.md", "tierwise_my_crm/__init__.py", "tierwise_my_crm/connector.py",
            "tests/test_contract.py", "maps/my_crm.yaml",
        )
    }  # fmt: skip
    for path in (tmp_path / "deep").rglob("*"):
        assert path.is_dir() or "$" not in path.read_text()


@pytest.mark.parametrize(
    ("name", "told"),
    [("My Crm", "no name"), ("../up", "no name"), ("files", "already"), ("9lives", "no name"), ("x" * 60, "no name")],
)
def test_a_name_that_cannot_be_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, told: str
) -> None:
    assert cli.run(["connectors", "new", name, "--in", str(tmp_path)]) == 2
    assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tierwise-acme").mkdir()
    assert cli.run(["connectors", "new", "acme", "--in", str(tmp_path)]) == 2
    assert "there already" in capsys.readouterr().err
