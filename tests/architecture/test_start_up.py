"""What a command does not need is not imported for it: people wait for a command to start."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import typer

from tierwise import cli

HEAVY = ("celery", "litellm", "redis", "alembic", "uvicorn", "fastapi", "playwright", "z3")


@pytest.mark.parametrize("group", sorted(cli._GROUPS))
def test_a_group_alone_is_what_it_is_among_all(group: str) -> None:
    whole: Any = typer.main.get_command(cli.app)
    alone: Any = typer.main.get_command(cli.commands(group))
    assert list(alone.commands) == [group]
    assert sorted(alone.commands[group].commands) == sorted(whole.commands[group].commands)


@pytest.mark.parametrize("group", ["policy", "users", "review"])
def test_a_group_starts_without_what_it_does_not_need(group: str) -> None:
    code = f"""
import sys
from tierwise import cli
cli.commands({group!r})
print(*[name for name in {HEAVY!r} if name in sys.modules])
print(*[name for name in sys.modules if name in ("tierwise.cli.demo", "tierwise.cli.leads", "tierwise.cli.setup")])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == []
