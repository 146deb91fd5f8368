"""A parent that cannot say goodbye takes what it held with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest

from tierwise.embedded import lifeline

# Starts a nursery child, holds it, then waits to be killed. Prints the watcher's process id, then its own copy's.
PARENT = """
    import os, subprocess, sys, time
    from tierwise.embedded import lifeline
    kind, argv = sys.argv[1], sys.argv[2:]
    line = lifeline.Lifeline(grace=0.5)
    held = subprocess.Popen(argv, start_new_session=True)
    line.hold(held.pid)
    copy = 0
    if kind == "released":
        line.release(held.pid)
    elif kind == "forked":
        copy = os.fork()
        if copy == 0:
            time.sleep(60)
    elif kind == "watcher killed":
        os.kill(line.pid(), 9)
        os.waitpid(line.pid(), 0)
        line.tend()
    print(line.pid(), copy, flush=True)
    time.sleep(60)
"""


def _start(process: subprocess.Popen[str]) -> tuple[int, int]:
    assert process.stdout is not None
    watcher, copy = map(int, process.stdout.readline().split())
    return watcher, copy


@pytest.fixture
def held(nursery: Any) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(nursery.child("held").argv, start_new_session=True)
    yield process
    lifeline.kill(process.pid)
    process.wait()


@pytest.mark.parametrize("kind", ["plain", "forked", "watcher killed"])
def test_a_killed_parent_takes_the_group_with_it(
    script: Callable[..., subprocess.Popen[str]],
    nursery: Any,
    until: Callable[..., None],
    gone: Callable[[int], bool],
    kind: str,
) -> None:
    parent = script(PARENT, kind, *nursery.child("held", kind="pool").argv)
    watcher, copy = _start(parent)
    until(lambda: nursery.alive("held") and nursery.alive("held-member"))
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    until(lambda: gone(nursery.pid("held")) and gone(nursery.pid("held-member")))
    until(lambda: gone(watcher))
    if copy:
        assert not gone(copy), "the copy was to keep the pipe open"
        os.kill(copy, signal.SIGKILL)
    assert nursery.ended() == ["held"]


def test_a_released_group_lives_on(
    script: Callable[..., subprocess.Popen[str]], nursery: Any, until: Callable[..., None], gone: Callable[[int], bool]
) -> None:
    parent = script(PARENT, "released", *nursery.child("held").argv)
    watcher, _ = _start(parent)
    until(lambda: nursery.alive("held"))
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    until(lambda: gone(watcher))
    try:
        assert not gone(nursery.pid("held"))
    finally:
        os.kill(nursery.pid("held"), signal.SIGKILL)


def test_a_parent_that_dies_at_once_takes_the_group_with_it(
    script: Callable[..., subprocess.Popen[str]], nursery: Any, until: Callable[..., None], gone: Callable[[int], bool]
) -> None:
    """The watcher may not even have started when its parent is gone; what was written is still read."""
    source = """
        import os, subprocess, sys
        from tierwise.embedded import lifeline
        held = subprocess.Popen(sys.argv[1:], start_new_session=True)
        print(held.pid, flush=True)
        lifeline.Lifeline(grace=0.1).hold(held.pid)
        os._exit(1)
    """
    parent = script(source, *nursery.child("held", kind="stubborn").argv)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    until(lambda: gone(pid))
    assert parent.wait(20) == 1


def test_closing_ends_what_is_still_held(
    held: subprocess.Popen[bytes], nursery: Any, until: Callable[..., None]
) -> None:
    until(lambda: nursery.alive("held"))
    line = lifeline.Lifeline(grace=0.5)
    line.hold(held.pid)
    line.close()
    assert held.wait(20) == 0
    assert nursery.ended() == ["held"]
    assert line.pid() is None


def test_the_watcher_is_deaf_to_a_terminal_and_small(until: Callable[..., None]) -> None:
    line = lifeline.Lifeline(grace=0.5)
    line.tend()
    pid = line.pid()
    assert pid is not None
    try:
        assert os.getsid(pid) == pid
        # Between fork and exec there is no command line.
        until(lambda: len(psutil.Process(pid).cmdline()) > 3)
        program = psutil.Process(pid).cmdline()
        assert program[:4] == [sys.executable, "-I", "-S", lifeline.__file__]
        until(lambda: psutil.Process(pid).memory_info().rss > 0)
        assert psutil.Process(pid).memory_info().rss < 40_000_000
    finally:
        line.close()


def test_exists_and_kill_speak_of_groups(held: subprocess.Popen[bytes]) -> None:
    assert lifeline.exists(held.pid)
    lifeline.kill(held.pid)
    held.wait()
    assert not lifeline.exists(held.pid)
    lifeline.kill(held.pid)
