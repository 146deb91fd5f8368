"""Real processes: the commands as a user types them, and the demo's own stack with children to kill."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest


class Result(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Standard output as one JSON document."""
        return json.loads(self.out)

    def json_lines(self) -> list[Any]:
        """Standard output as one JSON object a line."""
        return [json.loads(line) for line in self.out.splitlines()]


Tierwise = Callable[..., Result]


@pytest.fixture
def tierwise(tmp_path: Path) -> Tierwise:
    """`tierwise("connections", "list", env={...})`: the installed command, in a directory of its own."""

    def run(*arguments: str, env: dict[str, str] | None = None, cwd: Path | None = None) -> Result:
        done = subprocess.run(
            [sys.executable, "-m", "tierwise", *arguments],
            env={**os.environ, "TIERWISE_HOME": str(tmp_path / "home"), "COLUMNS": "200", **(env or {})},
            cwd=cwd or tmp_path,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def own_environment() -> Iterator[None]:
    """The process's environment is put back after a test that runs the demo's stack in-process."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
