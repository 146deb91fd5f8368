"""The ONE long-lived event loop of a process, on a thread of its own.

`asyncio.run` per task leaks every socket of litellm's clients; a loop made before a fork is dead in the child. So the
loop starts with the first coroutine, and a child process that inherited this object starts its own.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

from tierwise import errors
from tierwise.llm import client

T = TypeVar("T")


class _Loop(asyncio.SelectorEventLoop):
    """Runs what only prepares a request where it is asked for.

    litellm hands each of its calls to a thread before it awaits it, since with some providers that part may wait. Where
    it cannot, waking a thread and being woken by it takes as much processor time as the part itself.
    """

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """As asyncio's, for all that may wait."""
        if executor is not None or args or not client.only_prepares(func):
            return super().run_in_executor(executor, func, *args)
        return self.create_task(_run_here(func))


async def _run_here(func: Callable[[], T]) -> T:
    return func()


class LoopThread:
    """Runs coroutines of any thread on one loop. Safe to use from several threads."""

    def __init__(self, name: str = "tierwise-loop") -> None:
        self._name = name
        self._lock = threading.Lock()
        self._pid = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopped = False
        # A fork may happen while another thread holds the lock; the child's copy would be locked for ever.
        forget = weakref.WeakMethod(self._forget)
        os.register_at_fork(after_in_child=lambda: (call := forget()) and call())

    @property
    def running(self) -> bool:
        """Whether this process has the loop running."""
        return self._pid == os.getpid() and self._thread is not None and self._thread.is_alive()

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Start the coroutine on the loop, which starts if need be. Raises RetryLater after `stop`."""
        with self._lock:
            if self._stopped:
                coroutine.close()
                raise errors.RetryLater("the worker is shutting down")
            # Within the lock, so that `stop` comes after it and cancels what was just submitted.
            return asyncio.run_coroutine_threadsafe(coroutine, self._started())

    def stop(self, *, timeout_seconds: float = 10.0) -> None:
        """Cancel what still runs, let it clean up, end the thread. Never to be called from the loop itself."""
        with self._lock:
            self._stopped = True
            loop, thread = self._loop, self._thread
            mine = self._pid == os.getpid()
            self._loop = self._thread = None
        if not mine or loop is None or thread is None or not thread.is_alive():
            return
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout_seconds)

    def _started(self) -> asyncio.AbstractEventLoop:
        if self._loop is not None and self.running:
            return self._loop
        loop = _Loop()
        thread = threading.Thread(target=_run, args=(loop,), name=self._name, daemon=True)
        self._loop, self._thread, self._pid = loop, thread, os.getpid()
        thread.start()
        return loop

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._loop = self._thread = None
        self._stopped = False


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        _wind_down(loop)


def _wind_down(loop: asyncio.AbstractEventLoop) -> None:
    try:
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        asyncio.set_event_loop(None)
        loop.close()
