"""That a worker was asked to end, seen by all of its processes: a byte that they share, not an event of one of them."""

from __future__ import annotations

import mmap


class Flag:
    """Seen by every thread, and by every process forked after it was made. Safe to set in a signal handler."""

    def __init__(self) -> None:
        self._byte = mmap.mmap(-1, 1)  # anonymous and shared: a fork copies the mapping, not the byte

    def set(self) -> None:
        """From now on, everywhere."""
        self._byte[0] = 1

    def clear(self) -> None:
        """As if it had never been set."""
        self._byte[0] = 0

    def is_set(self) -> bool:
        """Whether it was set anywhere."""
        return self._byte[0] == 1
