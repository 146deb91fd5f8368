"""Floors and doors hold (the contracts of pyproject.toml), and each contract would notice if they did not."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

# Libraries that any floor above domain may use, and what has no import name of its own to guard.
WITHOUT_DOOR = {"pydantic", "opentelemetry"}

# Planted lines for each contract.
VIOLATIONS = {
    "floors": {"worker/tierwise/errors.py": "import tierwise.ports"},
    "doors": {"worker/tierwise/ports/values.py": "import celery"},
    "promise": {"connectors/tierwise_hubspot/planted.py": "import tierwise.errors"},
    "open": {"worker/tierwise/ports/stores.py": "import tierwise_hubspot"},
    "strangers": {"connectors/tierwise_hubspot/planted.py": "import tierwise_sandbox"},
    "sandbox": {"connectors/tierwise_sandbox/planted.py": "import tierwise.sdk"},
    "acyclic": {
        "worker/tierwise/embedded/lifeline.py": "import tierwise.embedded.valkey",
        "worker/tierwise/embedded/valkey.py": "import tierwise.embedded.lifeline",
    },
}


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command as c; c()",
            "--no-cache",
            "--no-logo",
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(str(folder / name) for name in ("worker", "connectors"))},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def test_contracts_are_kept(root: Path) -> None:
    found = _lint(root)
    assert found.returncode == 0, found.stdout + found.stderr


def test_every_contract_notices_a_violation(root: Path, project: dict[str, Any], tmp_path: Path) -> None:
    for name in ("worker", "connectors"):
        shutil.copytree(root / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "pyproject.toml", tmp_path)
    for path, line in (planted for lines in VIOLATIONS.values() for planted in lines.items()):
        with open(tmp_path / path, "a") as file:
            file.write(f"\n{line}\n")
    (tmp_path / "worker/tierwise/stray.py").write_text("")

    found = _lint(tmp_path)

    names = {contract["id"]: contract["name"] for contract in project["tool"]["importlinter"]["contracts"]}
    assert names.keys() == VIOLATIONS.keys(), "a contract without a planted violation, or the other way round"
    assert found.returncode == 1, found.stdout + found.stderr
    kept = [name for name in names.values() if f"{name} KEPT" in " ".join(found.stdout.split())]
    assert not kept, found.stdout
    assert "tierwise.stray" in found.stdout, "a module without a floor was not noticed"


def test_every_dependency_has_a_door(project: dict[str, Any]) -> None:
    doors = next(c for c in project["tool"]["importlinter"]["contracts"] if c["id"] == "doors")
    guarded = set(doors["forbidden_modules"]) | WITHOUT_DOOR
    names: dict[str, set[str]] = {}
    for module, distributions in importlib.metadata.packages_distributions().items():
        for distribution in distributions:
            names.setdefault(_normal(distribution), set()).add(module)
    missing = [
        requirement
        for requirement in project["project"]["dependencies"]
        if not names.get(_normal(Requirement(requirement).name), set()) & guarded
    ]
    assert not missing, f"no door in [tool.importlinter] for {missing}"


@pytest.mark.parametrize("library", ["celery", "sqlalchemy", "litellm", "requests", "redis", "fastapi"])
def test_a_door_leads_to_one_place(project: dict[str, Any], library: str) -> None:
    doors = next(c for c in project["tool"]["importlinter"]["contracts"] if c["id"] == "doors")
    places = {
        line.split(" -> ")[0].removesuffix(".**") for line in doors["ignore_imports"] if line.endswith(f" -> {library}")
    }
    assert len(places) == 1, f"{library} has {len(places)} doors: {places}"


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
