"""Heavy libraries are loaded where they are used: litellm costs 2 s and 165 MB, and would try the network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# Module, and what importing it must not bring along.
LAZY = [
    ("tierwise", ("litellm", "celery", "sqlalchemy", "fastapi", "pydantic")),
    ("tierwise.sdk", ("litellm", "celery", "sqlalchemy", "fastapi", "pytest")),
    ("tierwise.pipeline", ("litellm", "celery", "fastapi")),
    ("tierwise.llm", ("litellm",)),
    ("tierwise.wiring", ("litellm", "celery", "fastapi")),
    ("tierwise.tasks", ("litellm", "fastapi", "typer")),
    ("tierwise.console", ("litellm", "celery", "typer")),
    ("tierwise.cli", ("litellm", "celery", "fastapi")),
    ("tierwise.__main__", ("litellm", "celery", "fastapi")),
]


def _present(root: Path, module: str) -> bool:
    path = root / "worker" / Path(*module.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


@pytest.mark.parametrize(("module", "heavy"), LAZY, ids=[module for module, _ in LAZY])
def test_import_brings_nothing_heavy(root: Path, module: str, heavy: tuple[str, ...]) -> None:
    assert _present(root, module), f"{module} is gone: correct this list"
    program = f"import sys, {module}; print(*sorted(set(sys.modules) & set({heavy!r})))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert found.returncode == 0, found.stderr
    assert not found.stdout.split(), f"importing {module} loads {found.stdout}"
