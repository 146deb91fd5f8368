"""The README's "Use your own models", word for word, against the sandbox's model server: what it tells is typed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(120)

README = Path(__file__).parents[2] / "README.md"
TEXT = "We run {n} orders a month and need stock, returns and carriers in one place next quarter."


def _told() -> list[str]:
    """The lines of the section's block."""
    section = README.read_text().split("## Use your own models")[1].split("\n## ")[0]
    block = re.search(r"```\n(.+?)```", section, re.DOTALL)
    assert block is not None
    return block.group(1).splitlines()


def _line(start: str, **replaced: str) -> str:
    """The one that begins so, with the reader's own in place of what the README leaves open."""
    (found,) = [line for line in _told() if line.startswith(start)]
    for old, new in replaced.items():
        found, times = re.subn(rf"{old}=\S+", f"{old}={new}", found)
        assert times == 1, (old, start)
    return found.replace("=...", "=any-text")


def _type(lines: list[str], where: Path) -> subprocess.CompletedProcess[str]:
    """In a shell that knows no model yet."""
    env = {name: value for name, value in os.environ.items() if not re.match(r"TIERWISE|OPENAI|ANTHROPIC|OLLAMA", name)}
    env |= {"PATH": f"{Path(sys.executable).parent}:{env['PATH']}", "TIERWISE_HOME": str(where / "home")}
    return subprocess.run(
        ["bash", "-euc", "\n".join(lines)], env=env, cwd=where, capture_output=True, text=True, timeout=100,
        check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def _leads(where: Path, count: int) -> None:
    rows = [
        f"lead{number}@works{number}.example,Works {number},{40 + number},retail,demo_request,DE,"
        f'"{TEXT.format(n=900 + 100 * number)}"'
        for number in range(count)
    ]
    (where / "leads.csv").write_text("email,company,employee_count,industry,source,country,message\n" + "\n".join(rows))


def test_two_providers_and_anything_that_speaks_openais_chat(sandbox: Any, tmp_path: Path) -> None:
    box = sandbox(leads=0)
    _leads(tmp_path, 20)
    box.faults({"models": {"gpt-6-luna": {"accuracy": 0.9, "stated": [0.2, 0.6]}}})
    lines = [
        _line("export TIERWISE_MODEL__PRIMARY=openai"),
        _line("export OPENAI_API_KEY"),
        _line("export OPENAI_API_BASE", OPENAI_API_BASE=f"{box.model_url}/v1"),
        f"export ANTHROPIC_API_BASE={box.model_url}",
    ]
    done = _type([*lines, "tierwise score leads.csv --json"], tmp_path)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == 20
    assert {item["status"] for item in found} <= {"scored", "in_review"}
    calls = box.stats()["model_calls_by_model"]
    assert set(calls) == {"gpt-6-luna", "claude-haiku-5-5"}, "the second is asked where the first is unsure"
    assert calls["gpt-6-luna"] >= 20


def test_your_own_machine_is_tried_on_a_file(sandbox: Any, tmp_path: Path) -> None:
    box = sandbox(leads=0)
    _leads(tmp_path, 6)
    named = _line("export TIERWISE_MODEL__PRIMARY=ollama", OLLAMA_API_BASE=box.model_url)
    done = _type([named, _line("tierwise score")], tmp_path)
    assert done.returncode == 0, done.stderr
    assert "leads.csv" in done.stdout
    assert box.stats()["model_calls_by_model"] == {"qwen3:8b": 6}
    assert not list((tmp_path / "home").rglob("*.db")), "nothing is stored"
