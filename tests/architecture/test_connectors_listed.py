"""An in-tree connector is named in several lists of pyproject.toml; they agree with the folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

# A tool, not a connector: nobody finds it through an entry point.
SANDBOX = "tierwise_sandbox"


@pytest.fixture
def folders(root: Path) -> set[str]:
    return {path.parent.name for path in (root / "connectors").glob("*/__init__.py")}


def test_there_are_connectors(folders: set[str]) -> None:
    assert {"tierwise_hubspot", SANDBOX} <= folders


def test_every_connector_is_packaged(folders: set[str], project: dict[str, Any]) -> None:
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert set(packages) == {"worker/tierwise"} | {f"connectors/{name}" for name in folders}


def test_every_connector_is_found_by_its_entry_point(folders: set[str], project: dict[str, Any]) -> None:
    entry_points = project["project"]["entry-points"]["tierwise"]
    connectors = {name.removeprefix("tierwise_"): name for name in folders - {SANDBOX}}
    assert entry_points == {**connectors, "enrichers": "tierwise.enrichers", "notifiers": "tierwise.notifiers"}


def test_every_connector_is_checked(folders: set[str], project: dict[str, Any]) -> None:
    tools = project["tool"]
    assert set(tools["importlinter"]["root_packages"]) == {"tierwise"} | folders
    assert set(tools["mypy"]["packages"]) == {"tierwise"} | folders
    contracts = {contract["id"]: contract for contract in tools["importlinter"]["contracts"]}
    assert set(contracts["promise"]["source_modules"]) == folders - {SANDBOX}
    assert set(contracts["doors"]["source_modules"]) == {"tierwise"} | folders - {SANDBOX}
    assert set(contracts["open"]["forbidden_modules"]) == folders
    assert set(contracts["strangers"]["modules"]) == folders
    assert set(contracts["acyclic"]["ancestors"]) == {"tierwise"} | folders


def test_no_root_is_a_package(root: Path) -> None:
    """Else `import worker` or `import tests` would work by accident, and only in a checkout."""
    assert not [
        name for name in ("worker", "connectors", "tests", "rules", "ops") if (root / name / "__init__.py").exists()
    ]
