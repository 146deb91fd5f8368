"""Ends the process groups of a parent that died without being able to (kill -9, a crash).

`Lifeline` holds a pipe to a small process of its own session that runs this file as a script: end of file
means that the parent is gone. PR_SET_PDEATHSIG would not do: it misses grandchildren (a pool), fires when only
the *thread* that started the child ends, and is Linux only. Must not import anything but the standard library.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time

GRACE = 3.0
"""Seconds between the request to end and SIGKILL."""


class Lifeline:
    """Names the process groups that must not outlive this process. Not thread-safe: one thread at a time."""

    def __init__(self, *, grace: float = GRACE) -> None:
        self._grace = grace
        self._process: subprocess.Popen[bytes] | None = None
        self._groups: list[int] = []

    def hold(self, group: int) -> None:
        """From now on `group` (a process group that its leader began) ends when we do."""
        self._groups.append(group)
        self._tell(f"+{group}\n")

    def release(self, group: int) -> None:
        """`group` has ended, or may go on without us."""
        if group in self._groups:
            self._groups.remove(group)
            self._tell(f"-{group}\n")

    def tend(self) -> None:
        """Start the watching process, again if somebody killed it."""
        if self._process is not None and self._process.poll() is None:
            return
        self._drop()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, str(os.getpid()), str(self._grace)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        for group in self._groups:
            self._write(f"+{group}\n")

    def pid(self) -> int | None:
        """The watching process, None before it was needed."""
        return self._process.pid if self._process is not None else None

    def close(self) -> None:
        """Everything still held is ended now; without anything held, only the watching process goes."""
        self._drop()
        self._groups.clear()

    def _tell(self, line: str) -> None:
        if self._process is not None and self._process.poll() is None and self._write(line):
            return
        self.tend()

    def _write(self, line: str) -> bool:
        if self._process is None or self._process.stdin is None:
            return False
        try:
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()
        except BrokenPipeError:
            return False
        return True

    def _drop(self) -> None:
        if self._process is None:
            return
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        self._process.wait()
        self._process = None


def exists(group: int) -> bool:
    """Whether any process of the group is left (a zombie counts)."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def kill(group: int) -> None:
    """SIGKILL to all that is left of the group; no error where nothing is."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _held(parent: int) -> list[int]:
    """Follow the pipe until the parent is gone; the groups that were held then, oldest first."""
    groups: list[int] = []
    rest = b""
    while True:
        # Not the end of file alone: a parent that forked left a copy that keeps the pipe open. And asked before
        # the pipe, so that what the parent wrote last is still read.
        orphaned = os.getppid() != parent
        if not select.select([0], [], [], 0.0 if orphaned else 1.0)[0]:
            if orphaned:
                break
            continue
        chunk = os.read(0, 4096)
        if not chunk:
            break
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            group = int(line[1:])
            if line.startswith(b"+"):
                groups.append(group)
            elif group in groups:
                groups.remove(group)
    return groups


def _end(groups: list[int], *, grace: float) -> None:
    for group in reversed(groups):
        # The leader only: it tells its own children, which would otherwise die in the middle of their work.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(group, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while any(exists(group) for group in groups) and time.monotonic() < deadline:
        time.sleep(0.02)
    for group in groups:
        kill(group)


if __name__ == "__main__":
    for ignored in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    _end(_held(int(sys.argv[1])), grace=float(sys.argv[2]))
