"""Small real processes to supervise."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tierwise import embedded

# Writes NAME.pid when its handler stands; on SIGTERM appends its name to `ended`, unless it is a stubborn one.
CHILD = """
import os, pathlib, signal, sys, time
name, folder, kind = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
def end(*_):
    with open(folder / "ended", "a") as file:
        file.write(name + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if kind == "stubborn" else end)
if kind == "pool" and os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    name = name + "-member"
(folder / (name + ".new")).write_text(str(os.getpid()))
os.rename(folder / (name + ".new"), folder / (name + ".pid"))
while True:
    time.sleep(60)
"""


@dataclasses.dataclass(frozen=True)
class Nursery:
    """Makes children that say where they are."""

    folder: Path

    def child(self, name: str, *, kind: str = "plain", **options: Any) -> embedded.Child:
        """A child that is ready once its process id is on file."""
        argv = (sys.executable, "-I", "-S", "-c", CHILD, name, str(self.folder), kind)
        # A killed child leaves its file behind, so the file alone does not say that the new one is up.
        return embedded.Child(name=name, argv=argv, **{"ready": lambda: self.alive(name), **options})

    def alive(self, name: str) -> bool:
        """Whether the process that wrote the file runs."""
        pid = self.pid(name)
        return pid > 0 and _exists(pid)

    def pid(self, name: str) -> int:
        """The process id that the child wrote, 0 before."""
        path = self.folder / f"{name}.pid"
        return int(path.read_text()) if path.exists() else 0

    def ended(self) -> list[str]:
        """The names of those that ended by SIGTERM, in order."""
        path = self.folder / "ended"
        return path.read_text().split() if path.exists() else []


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def nursery(tmp_path: Path) -> Nursery:
    """Children that write into this test's own folder."""
    return Nursery(tmp_path)


@pytest.fixture
def script() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """`script(source, *arguments)` runs a program of its own; killed after the test."""
    started: list[subprocess.Popen[str]] = []

    def start(source: str, *arguments: object) -> subprocess.Popen[str]:
        program = [sys.executable, "-c", textwrap.dedent(source), *map(str, arguments)]
        started.append(subprocess.Popen(program, stdout=subprocess.PIPE, text=True, start_new_session=True))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
