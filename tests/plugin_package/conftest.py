"""Distributions installed for real, into a folder that only a test sees."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """`installed(project)` builds and installs the project; the folder to put on the path. Needs no network."""

    def install(project: Path) -> Path:
        target = tmp_path_factory.mktemp("site")
        argv = [
            sys.executable, "-m", "uv", "pip", "install", "--quiet", "--offline", "--no-deps", "--no-build-isolation",
            "--no-cache", "--python", sys.executable, "--target", str(target), str(project),
        ]  # fmt: skip
        found = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=100)
        assert found.returncode == 0, found.stderr
        return target

    return install
