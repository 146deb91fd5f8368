"""Counts of processes that ended stay, their files do not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tierwise.telemetry import files

COUNT = """
import os, sys
from pathlib import Path
os.environ["PROMETHEUS_MULTIPROC_DIR"] = sys.argv[1]
from tierwise import telemetry
telemetry.count("tierwise_writes_total", int(sys.argv[2]), connection="c", result="sent")
telemetry.observe("tierwise_model_seconds", 0.3, model="m")
"""
SHOW = """
import os, sys
os.environ["PROMETHEUS_MULTIPROC_DIR"] = sys.argv[1]
from tierwise import telemetry
sys.stdout.buffer.write(telemetry.exposition()[0])
"""


def _run(program: str, *arguments: object) -> str:
    argv = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60).stdout


def _shown(directory: Path) -> list[str]:
    wanted = ("tierwise_writes_total{", "tierwise_model_seconds_")
    return sorted(line for line in _run(SHOW, directory).splitlines() if line.startswith(wanted))


def test_what_was_counted_is_the_same_before_and_after_in_one_file_a_kind(tmp_path: Path) -> None:
    for amount in (1, 2):
        _run(COUNT, tmp_path, amount)
    before = _shown(tmp_path)
    assert 'tierwise_writes_total{connection="c",result="sent"} 3.0' in before
    assert files.join(tmp_path) == 4
    assert sorted(path.name for path in tmp_path.glob("*.db")) == ["counter_0.db", "histogram_0.db"]
    assert _shown(tmp_path) == before
    _run(COUNT, tmp_path, 4)
    assert files.join(tmp_path) == 2
    assert 'tierwise_writes_total{connection="c",result="sent"} 7.0' in _shown(tmp_path)
    assert files.join(tmp_path) == 0


def test_a_living_process_keeps_its_file(tmp_path: Path) -> None:
    _run(COUNT, tmp_path, 1)
    mine = tmp_path / f"counter_{os.getpid()}.db"
    next(tmp_path.glob("counter_*.db")).rename(mine)
    assert files.join(tmp_path) == 1  # the histogram's
    assert mine.exists()


@pytest.mark.parametrize("content", [b"", b"\x00" * 8, b"\xff" * 3])
def test_a_process_killed_before_its_first_count_is_no_fault(tmp_path: Path, content: bytes) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (tmp_path / f"counter_{ended.pid}.db").write_bytes(content)
    assert files.join(tmp_path) == 1
    assert [path.name for path in tmp_path.glob("*.db")] == ["counter_0.db"]


def test_nobody_joins_the_files_while_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LONGEST_WAIT", 0.0)
    _run(COUNT, tmp_path, 1)
    with files.held(tmp_path, alone=False) as first, files.held(tmp_path, alone=False) as second:
        assert first
        assert second
        assert files.join(tmp_path) == 0
    assert files.join(tmp_path) == 2
