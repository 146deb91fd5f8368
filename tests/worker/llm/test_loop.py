from __future__ import annotations

import asyncio
import os
import signal
import threading

import pytest

from tierwise import errors
from tierwise.llm.loop import LoopThread


async def _where() -> tuple[int, int]:
    return id(asyncio.get_running_loop()), threading.get_ident()


def test_everything_runs_on_one_loop_that_starts_with_the_first_coroutine() -> None:
    loop = LoopThread()
    assert not loop.running
    before = threading.active_count()
    seen = {loop.submit(_where()).result(5) for _ in range(20)}
    assert len(seen) == 1
    assert threading.active_count() == before + 1
    assert next(iter(seen))[1] != threading.get_ident()
    loop.stop()
    assert not loop.running
    assert threading.active_count() == before


def test_many_threads_start_it_once() -> None:
    loop = LoopThread()
    seen: set[tuple[int, int]] = set()
    barrier = threading.Barrier(8)

    def start() -> None:
        barrier.wait(5)
        seen.add(loop.submit(_where()).result(5))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    loop.stop()
    assert len(seen) == 1


def test_stopping_cancels_what_runs_and_lets_it_clean_up() -> None:
    loop = LoopThread()
    started, cleaned = threading.Event(), threading.Event()

    async def work() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.set()

    future = loop.submit(work())
    assert started.wait(5)
    loop.stop()
    assert cleaned.is_set()
    assert future.cancelled()
    coroutine = work()
    with pytest.raises(errors.RetryLater, match="shutting down"):
        loop.submit(coroutine)
    loop.stop()


def test_a_failure_is_the_callers() -> None:
    loop = LoopThread()

    async def fail() -> None:
        raise LookupError("no")

    with pytest.raises(LookupError):
        loop.submit(fail()).result(5)
    assert loop.submit(_where()).result(5)
    loop.stop()


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_makes_its_own() -> None:
    loop = LoopThread()
    parent = loop.submit(_where()).result(5)
    reading, writing = os.pipe()
    loop._lock.acquire()  # as another thread of the parent might hold it just then
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        try:
            fresh = not loop.running
            mine = loop.submit(_where()).result(5)
            # The thread's identifier may repeat after a fork, the process does not.
            os.write(writing, b"own" if fresh and mine and loop.running else b"no")
            loop.stop()
        finally:
            os._exit(0)
    loop._lock.release()
    os.close(writing)
    with os.fdopen(reading, "rb") as answers:
        assert answers.read() == b"own"
    os.waitpid(child, 0)
    assert loop.submit(_where()).result(5) == parent, "the parent's loop goes on"
    loop.stop()
