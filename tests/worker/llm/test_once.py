from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence

import pytest

from tierwise.llm.once import Gathered, Lookup, SingleFlight


async def _turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_callers_with_the_same_key_share_one_run() -> None:
    async def main() -> None:
        runs: list[str] = []
        gate = asyncio.Event()

        async def make(name: str) -> str:
            runs.append(name)
            await gate.wait()
            return name.upper()

        flights: SingleFlight[str] = SingleFlight()
        waiting = [asyncio.create_task(flights.run(key, lambda key=key: make(key))) for key in ("a", "a", "b", "a")]  # type: ignore[misc]
        await _turns()
        gate.set()
        results = await asyncio.gather(*waiting)
        assert runs == ["a", "b"]
        assert [(result.value, result.own) for result in results] == [
            ("A", True),
            ("A", False),
            ("B", True),
            ("A", False),
        ]
        gate.set()
        assert (await flights.run("a", lambda: make("a"))).own, "a finished run is not served again"

    asyncio.run(main())


def test_the_first_caller_may_leave_without_taking_the_run_along() -> None:
    async def main() -> None:
        gate, ended = asyncio.Event(), asyncio.Event()

        async def make() -> str:
            try:
                await gate.wait()
            except asyncio.CancelledError:
                ended.set()
                raise
            return "done"

        flights: SingleFlight[str] = SingleFlight()
        first = asyncio.create_task(flights.run("a", make))
        second = asyncio.create_task(flights.run("a", make))
        await _turns()
        first.cancel()
        await _turns()
        assert not ended.is_set()
        gate.set()
        assert (await second).value == "done"

        gate.clear()
        last = asyncio.create_task(flights.run("a", make))
        await _turns()
        last.cancel()
        await asyncio.wait_for(ended.wait(), 5)

    asyncio.run(main())


def test_a_failure_reaches_every_caller() -> None:
    async def main() -> None:
        async def make() -> str:
            await asyncio.sleep(0)
            raise LookupError("no")

        flights: SingleFlight[str] = SingleFlight()
        results = await asyncio.gather(flights.run("a", make), flights.run("a", make), return_exceptions=True)
        assert [type(result) for result in results] == [LookupError, LookupError]

    asyncio.run(main())


def test_closing_cancels_what_is_under_way() -> None:
    async def main() -> None:
        flights: SingleFlight[None] = SingleFlight()
        waiting = asyncio.create_task(flights.run("a", asyncio.Event().wait))  # type: ignore[arg-type]
        await _turns()
        await flights.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(main())


def test_keys_that_are_asked_for_meanwhile_go_into_one_query() -> None:
    async def main() -> None:
        queries: list[set[str]] = []
        gate = asyncio.Event()

        async def query(keys: Collection[str]) -> Mapping[str, int]:
            queries.append(set(keys))
            await gate.wait()
            return {key: int(key) for key in keys if key != "9"}

        lookup: Lookup[int] = Lookup(query)
        first = asyncio.create_task(lookup.get("1"))
        await _turns()
        later = [asyncio.create_task(lookup.get(key)) for key in ("2", "3", "3", "9")]
        await _turns()
        later[1].cancel()
        gate.set()
        assert await first == 1
        results = await asyncio.gather(*later, return_exceptions=True)
        assert queries == [{"1"}, {"2", "3", "9"}]
        assert [results[0], type(results[1]), results[2], results[3]] == [2, asyncio.CancelledError, 3, None]
        assert await lookup.get("4") == 4

    asyncio.run(main())


def test_a_failing_query_fails_its_own_callers_only() -> None:
    async def main() -> None:
        async def query(keys: Collection[str]) -> Mapping[str, int]:
            await asyncio.sleep(0)
            if "bad" in keys:
                raise ConnectionError("away")
            return dict.fromkeys(keys, 1)

        lookup: Lookup[int] = Lookup(query)
        with pytest.raises(ConnectionError):
            await lookup.get("bad")
        assert await lookup.get("good") == 1

    asyncio.run(main())


def test_what_is_brought_within_a_moment_goes_together() -> None:
    async def main() -> None:
        calls: list[list[int]] = []

        async def double(items: Sequence[int]) -> list[int]:
            calls.append(list(items))
            await _turns()
            if 13 in items:
                raise ValueError("unlucky")
            return [2 * item for item in items]

        gathered: Gathered[int, int] = Gathered(double, linger=0.01)
        first = [asyncio.create_task(gathered.add(item)) for item in (1, 2, 3)]
        assert await asyncio.gather(*first) == [2, 4, 6]
        assert calls == [[1, 2, 3]]
        mixed = [asyncio.create_task(gathered.add(item)) for item in (13, 4)]
        found = await asyncio.gather(*mixed, return_exceptions=True)
        assert [type(item) for item in found] == [ValueError, ValueError]
        assert await gathered.add(5) == 10, "a failure is of its own batch"

    asyncio.run(main())


def test_who_leaves_does_not_take_the_batch_along() -> None:
    async def main() -> None:
        async def echo(items: Sequence[int]) -> Sequence[int]:
            await asyncio.sleep(0.01)
            return items

        gathered: Gathered[int, int] = Gathered(echo, linger=0)
        one, two = (asyncio.create_task(gathered.add(item)) for item in (1, 2))
        await _turns(2)
        one.cancel()
        assert await two == 2
        with pytest.raises(asyncio.CancelledError):
            await one

    asyncio.run(main())


def test_the_more_come_the_longer_the_next_are_waited_for() -> None:
    async def main() -> None:
        async def echo(items: Sequence[int]) -> Sequence[int]:
            return items

        gathered: Gathered[int, int] = Gathered(echo, linger=0.001, longest=0.004)
        pauses = []
        for count in (1, 3, 50, 2, 1):
            await asyncio.gather(*(gathered.add(item) for item in range(count)))
            pauses.append(round(gathered._pause, 4))
        assert pauses == [0.001, 0.003, 0.004, 0.002, 0.001]

    asyncio.run(main())
