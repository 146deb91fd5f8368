"""A request to end reaches every process of a worker."""

from __future__ import annotations

import os

from tierwise.wiring import stopping


def _child_sees(flag: stopping.Flag, told: int) -> int:
    """Exit status 0 where a process forked before the flag was set sees it set afterwards."""
    child = os.fork()
    if child == 0:
        os.read(told, 1)
        os._exit(0 if flag.is_set() else 1)
    return child


def test_a_process_forked_before_sees_it() -> None:
    flag = stopping.Flag()
    reader, writer = os.pipe()
    child = _child_sees(flag, reader)
    assert not flag.is_set()
    flag.set()
    os.write(writer, b"x")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    os.close(reader)
    os.close(writer)
    flag.clear()
    assert not flag.is_set()


def test_two_flags_are_two() -> None:
    one, two = stopping.Flag(), stopping.Flag()
    one.set()
    assert not two.is_set()
