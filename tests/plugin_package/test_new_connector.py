"""`tierwise connectors new` writes a package that passes the contract untouched, once it is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tierwise import cli, policies
from tierwise.domain import mapping


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("new")
    assert cli.run(["connectors", "new", "acme-crm", "--in", str(folder)]) == 0
    return folder / "tierwise-acme-crm"


@pytest.fixture(scope="module")
def environment(package: Path, installed: Callable[[Path], Path]) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(installed(package))}


def test_it_passes_the_contract_untouched(package: Path, environment: dict[str, str]) -> None:
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:valkey", "-p", "no:xdist"]
    found = subprocess.run(argv, cwd=package, env=environment, capture_output=True, text=True, timeout=110, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    assert " passed" in found.stdout
    assert "skipped" not in found.stdout


def test_it_is_listed_with_its_package(environment: dict[str, str], tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "tierwise", "connectors", "list", "--json"]
    found = subprocess.run(argv, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert found.returncode == 0, found.stderr
    listed = {one["name"]: one for one in json.loads(found.stdout)}
    assert (listed["acme_crm"]["package"], listed["acme_crm"]["version"]) == ("tierwise-acme-crm", "0.1.0")
    assert set(listed["acme_crm"]["options"]) == {"path", "page_size"}
    assert {"files", "hubspot"} <= listed.keys()


def test_its_map_passes_its_own_tests(package: Path) -> None:
    assert mapping.run_tests(policies.read_map(package / "maps" / "acme_crm.yaml")) == []


def test_it_is_as_clean_as_ours(package: Path) -> None:
    root = Path(__file__).parents[2]
    argv = [sys.executable, "-m", "ruff", "--config", str(root / "pyproject.toml"), "--no-cache"]
    checked = subprocess.run(
        [*argv[:3], "check", *argv[3:], "--ignore", "S101,S105,S608", str(package)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout
    formatted = subprocess.run(
        [*argv[:3], "format", "--check", *argv[3:], str(package)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert formatted.returncode == 0, formatted.stdout
