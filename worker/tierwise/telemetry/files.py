"""The files in which the processes of one worker count: read together, and those of processes that ended made one.

prometheus_client keeps a file for each process and kind, for ever: a pool that renews its children would fill the disk.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path

NOBODY = 0
"""In place of a process id: the counts of all processes that ended."""
LONGEST_WAIT = 2.0
"""Seconds for which one process waits for another that reads or joins the files."""


@contextlib.contextmanager
def held(directory: Path, *, alone: bool) -> Iterator[bool]:
    """The files stay as they are for the block: no count is read twice. False where that could not be had in time."""
    with (directory / ".lock").open("ab") as lock:
        deadline = time.monotonic() + LONGEST_WAIT
        while True:
            try:
                fcntl.flock(lock, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    yield False
                    return
                time.sleep(0.01)
            else:
                yield True
                return


def join(directory: Path) -> int:
    """Add the counts of processes that ended to one file a kind, and remove theirs. How many files went."""
    gone = 0
    with held(directory, alone=True) as ours:
        for kind, files in _of_the_dead(directory).items() if ours else ():
            totals = _read(directory / f"{kind}_{NOBODY}.db")
            for file in files:
                for key, value in _read(file).items():
                    totals[key] = totals.get(key, 0.0) + value
            _write(directory / f"{kind}_{NOBODY}.db", totals)
            for file in files:
                file.unlink(missing_ok=True)
                gone += 1
    return gone


def _of_the_dead(directory: Path) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for file in sorted(directory.glob("*.db")):
        kind, _, pid = file.stem.rpartition("_")
        if kind in {"counter", "histogram"} and pid.isdigit() and int(pid) != NOBODY and not _alive(int(pid)):
            found.setdefault(kind, []).append(file)
    return found


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _read(file: Path) -> dict[str, float]:
    from prometheus_client import mmap_dict

    if not file.exists():
        return {}
    try:
        return {
            key: value
            for key, value, *_ in mmap_dict.MmapedDict.read_all_values_from_file(str(file))  # type: ignore[no-untyped-call]
        }
    except (struct.error, ValueError):
        return {}  # its process was killed before the first count stood in it


def _write(file: Path, totals: dict[str, float]) -> None:
    from prometheus_client import mmap_dict

    fresh = file.with_suffix(".new")  # by a name that nobody reads
    fresh.unlink(missing_ok=True)
    made = mmap_dict.MmapedDict(str(fresh))  # type: ignore[no-untyped-call]
    for key, value in totals.items():
        made.write_value(key, value, 0.0)  # type: ignore[no-untyped-call]
    made.close()  # type: ignore[no-untyped-call]
    fresh.replace(file)
