from __future__ import annotations

import asyncio
import contextvars
import functools
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

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


def test_what_is_submitted_while_the_loop_is_busy_starts_together_and_in_order() -> None:
    thread, count = LoopThread(), 50
    busy, go_on = threading.Event(), threading.Event()
    started: list[int] = []

    async def block() -> None:
        busy.set()
        go_on.wait(10)

    async def start(number: int) -> int:
        started.append(number)
        return number

    try:
        first = thread.submit(block())
        assert busy.wait(10)
        futures = [thread.submit(start(number)) for number in range(count)]
        go_on.set()
        assert [future.result(10) for future in futures] == started == list(range(count))
        assert first.result(10) is None
    finally:
        thread.stop()


def test_whoever_no_longer_waits_disturbs_nobody() -> None:
    thread, go_on = LoopThread(), threading.Event()

    async def wait() -> str:
        await asyncio.to_thread(go_on.wait, 10)
        return "late"

    try:
        dropped, kept = thread.submit(wait()), thread.submit(wait())
        assert dropped.cancel()
        go_on.set()
        assert kept.result(10) == "late"
        assert thread.submit(_where()).result(10)
    finally:
        thread.stop()


def _handed_over(model: str, completion: Callable[..., Any]) -> Any:
    """What litellm wants run in a thread, in the shape in which it does."""
    return functools.partial(
        contextvars.copy_context().run, functools.partial(completion, model=model, messages=[], acompletion=True)
    )


@pytest.mark.parametrize(
    ("model", "at_once"),
    [
        ("openai/gpt-6-luna", True),
        ("anthropic/claude-haiku-4-5", True),
        ("ollama_chat/qwen3", False),  # litellm asks its address what the model can do
        ("vertex_ai/gemini-3-pro", False),  # a token may have to be fetched
    ],
)
def test_what_only_prepares_a_call_runs_where_it_was_asked_for(model: str, at_once: bool) -> None:
    thread = LoopThread()

    async def main() -> bool:
        loop = asyncio.get_running_loop()
        ran = await loop.run_in_executor(None, _handed_over(model, lambda **_: threading.get_ident()))
        return bool(ran == threading.get_ident())

    try:
        assert thread.submit(main()).result(30) is at_once
    finally:
        thread.stop()


def test_its_failure_is_raised_where_it_is_awaited() -> None:
    thread = LoopThread()

    def refuse(**_: Any) -> None:
        raise ValueError("not with these arguments")

    async def main() -> None:
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(None, _handed_over("openai/gpt-6-luna", refuse))
        with pytest.raises(ValueError, match="not with these"):
            await future

    try:
        thread.submit(main()).result(30)
    finally:
        thread.stop()


def test_all_else_has_a_thread_of_its_own() -> None:
    thread = LoopThread()

    async def main() -> set[int]:
        loop = asyncio.get_running_loop()
        return {
            await loop.run_in_executor(None, threading.get_ident),
            await asyncio.to_thread(threading.get_ident),
            await loop.run_in_executor(None, functools.partial(threading.get_ident)),
        } - {threading.get_ident()}

    try:
        assert thread.submit(main()).result(30)
    finally:
        thread.stop()
