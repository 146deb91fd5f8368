"""Work that many coroutines ask for at the same time is done once: equal model calls, and look-ups in one query.

Belongs to one event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

T = TypeVar("T")
Item = TypeVar("Item")


class Shared(NamedTuple, Generic[T]):
    """A result, and whether it was this caller's own call that made it."""

    value: T
    own: bool


class _Flight(Generic[T]):
    def __init__(self, task: asyncio.Task[T]) -> None:
        self.task = task
        self.waiting = 0


class SingleFlight(Generic[T]):
    """Callers with the same key share one run. It is cancelled when the last of them is."""

    def __init__(self) -> None:
        self._flights: dict[str, _Flight[T]] = {}

    async def run(self, key: str, make: Callable[[], Coroutine[Any, Any, T]]) -> Shared[T]:
        """The result of the run under way with this key, else of a new one. Raises what the run raises."""
        flight = self._flights.get(key)
        own = flight is None
        if flight is None:
            flight = _Flight(asyncio.get_running_loop().create_task(make()))
            self._flights[key] = flight
            flight.task.add_done_callback(lambda _: self._flights.pop(key, None))
        flight.waiting += 1
        try:
            return Shared(await asyncio.shield(flight.task), own=own)
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                # Out of the table first: whoever comes next must not join a run that is ending.
                self._flights.pop(key, None)
                flight.task.cancel()

    async def close(self) -> None:
        """Cancel what is under way."""
        tasks = [flight.task for flight in self._flights.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Lookup(Generic[T]):
    """Keys that coroutines ask for while a query runs go together into the next one."""

    def __init__(self, query: Callable[[Collection[str]], Awaitable[Mapping[str, T]]]) -> None:
        self._query = query
        self._waiting: dict[str, list[asyncio.Future[T | None]]] = {}
        self._running: asyncio.Task[None] | None = None

    async def get(self, key: str) -> T | None:
        """The value of the key, None where there is none. Raises what the query raises."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T | None] = loop.create_future()
        self._waiting.setdefault(key, []).append(future)
        if self._running is None or self._running.done():
            self._running = loop.create_task(self._drain())
        return await future

    async def _drain(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, {}
            query = asyncio.ensure_future(self._query(list(batch)))
            try:
                # `wait` raises nothing of the query's: its failure is for those who asked, not for this task.
                await asyncio.wait([query])
            finally:
                for key, futures in batch.items():
                    for future in futures:
                        _settle(future, query, key)


def _settle(future: asyncio.Future[T | None], query: asyncio.Future[Mapping[str, T]], key: str) -> None:
    if future.done():
        return
    if not query.done() or query.cancelled():
        future.cancel()
    elif (failure := query.exception()) is not None:
        future.set_exception(failure)
    else:
        future.set_result(query.result().get(key))


class Gathered(Generic[Item, T]):
    """Items that coroutines bring within a moment, or while a call runs, go together into the next call."""

    def __init__(
        self, call: Callable[[Sequence[Item]], Awaitable[Sequence[T]]], *, linger: float, longest: float | None = None
    ) -> None:
        """`linger` seconds are waited for company before each call; where `longest` is given, the longer the more came
        the last time, up to that."""
        self._call = call
        self._linger = linger
        self._longest = linger if longest is None else longest
        self._pause = linger
        self._waiting: list[tuple[Item, asyncio.Future[T]]] = []
        self._running: asyncio.Task[None] | None = None

    async def add(self, item: Item) -> T:
        """What the call made of this item. Raises what the call raises."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.append((item, future))
        if self._running is None or self._running.done():
            self._running = loop.create_task(self._drain())
        return await future

    async def _drain(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._pause)
            batch, self._waiting = self._waiting, []
            self._pause = max(self._linger, min(self._longest, self._linger * len(batch)))
            items = [item for item, _ in batch]
            call = asyncio.ensure_future(self._call(items))
            try:
                await asyncio.wait([call])
            finally:
                for place, (_, future) in enumerate(batch):
                    _hand(future, call, place)


def _hand(future: asyncio.Future[T], call: asyncio.Future[Sequence[T]], place: int) -> None:
    if future.done():
        return
    if not call.done() or call.cancelled():
        future.cancel()
    elif (failure := call.exception()) is not None:
        future.set_exception(failure)
    else:
        future.set_result(call.result()[place])
