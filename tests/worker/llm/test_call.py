from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tierwise import errors
from tierwise.llm.call import Limits, Line, Lines
from tierwise.llm.client import Completion


class World:
    """A clock that sleeping moves, and a model that plays a script of (seconds, outcome)."""

    def __init__(self, *script: tuple[float, BaseException | None]) -> None:
        self.now = 0.0
        self.script = list(script)
        self.pauses: list[float] = []
        self.timeouts: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    async def complete(
        self,
        model: str,
        messages: Sequence[Mapping[str, str]],
        *,
        schema: Mapping[str, Any],
        cues: str,
        timeout_seconds: float,
    ) -> Completion:
        self.timeouts.append(timeout_seconds)
        seconds, outcome = self.script.pop(0)
        self.now += seconds
        if outcome is not None:
            raise outcome
        return Completion("{}", model, 1, 1, 0.1, round(seconds * 1000))

    def line(self, **limits: Any) -> Line:
        lines = Lines(
            self.complete, limits=Limits(**limits), clock=lambda: self.now, rng=random.Random(3), sleep=self.sleep
        )
        assert lines.of("test/one") is lines.of("test/one")
        assert lines.of("test/one") is not lines.of("test/two")
        return lines.of("test/one")


def ask(line: Line) -> Completion:
    return asyncio.run(line.ask([], schema={}, cues=""))


def busy(after: float | None = None) -> errors.RetryLater:
    return errors.RetryLater("busy", after=after)


def test_it_tries_again_with_full_jitter_that_doubles() -> None:
    spread = [World((0.1, busy()), (0.1, busy()), (0.1, None)) for _ in range(1)]
    world = spread[0]
    assert ask(world.line(attempts=3, backoff_seconds=2)).text == "{}"
    assert 0 <= world.pauses[0] <= 2
    assert 0 <= world.pauses[1] <= 4
    assert world.pauses != [2, 4]


def test_the_other_sides_wish_is_the_shortest_pause() -> None:
    world = World((0.1, busy(after=7)), (0.1, None))
    ask(world.line(backoff_seconds=1))
    assert 7 <= world.pauses[0] <= 8


def test_it_gives_up_after_its_attempts() -> None:
    world = World(*[(0.1, busy())] * 5)
    with pytest.raises(errors.RetryLater, match="busy"):
        ask(world.line(attempts=3))
    assert len(world.timeouts) == 3


def test_a_pause_beyond_its_patience_is_not_waited_for() -> None:
    world = World((0.1, busy(after=600)), (0.1, None))
    with pytest.raises(errors.RetryLater):
        ask(world.line(attempts=3, patience_seconds=45))
    assert world.pauses == []


def test_calls_and_pauses_together_stay_within_its_patience() -> None:
    world = World((30, errors.Unreachable("no answer")), (14.9, errors.Unreachable("no answer")), (1, None))
    with pytest.raises(errors.Unreachable):
        ask(world.line(attempts=5, timeout_seconds=30, patience_seconds=45, backoff_seconds=0.1))
    assert world.timeouts[0] == 30
    assert 14 < world.timeouts[1] <= 15
    assert world.now <= 45


@pytest.mark.parametrize(
    "failure", [errors.RejectRecord("no"), errors.PauseConnection("no"), errors.Misconfigured("no")]
)
def test_what_would_fail_again_is_not_tried_again(failure: errors.TierwiseError) -> None:
    world = World((0.1, failure), (0.1, None))
    with pytest.raises(type(failure)):
        ask(world.line())
    assert len(world.timeouts) == 1


def test_the_breaker_opens_on_failures_and_the_next_lead_does_not_wait() -> None:
    world = World(*[(0.1, busy())] * 5, (0.1, None))
    line = world.line(attempts=5, backoff_seconds=0)
    with pytest.raises(errors.RetryLater, match="busy"):
        ask(line)
    with pytest.raises(errors.RetryLater, match="rests"):
        ask(line)
    assert len(world.timeouts) == 5
    world.now += 30
    assert ask(line).text == "{}"
    assert line.breaker.state == "closed"


def test_a_refused_key_opens_the_breaker_at_once_and_a_refused_lead_never() -> None:
    world = World((0.1, errors.RejectRecord("this lead")), *[(0.1, errors.RejectRecord("this lead"))] * 9)
    line = world.line()
    for _ in range(10):
        with pytest.raises(errors.RejectRecord):
            ask(line)
    assert line.breaker.state == "closed"
    world.script = [(0.1, errors.PauseConnection("key"))]
    with pytest.raises(errors.PauseConnection):
        ask(line)
    assert line.breaker.state == "open"


def test_a_cancelled_probe_lets_the_next_one_through() -> None:
    async def main() -> None:
        world = World(*[(0.1, busy())] * 5)
        line = world.line(attempts=5, backoff_seconds=0)
        with pytest.raises(errors.RetryLater):
            await line.ask([], schema={}, cues="")
        world.now += 31
        world.script = [(0.1, asyncio.CancelledError())]
        with pytest.raises(asyncio.CancelledError):
            await line.ask([], schema={}, cues="")
        world.script = [(0.1, None)]
        await line.ask([], schema={}, cues="")

    asyncio.run(main())


def test_no_more_calls_are_in_flight_than_there_are_slots_and_pauses_hold_none() -> None:
    async def main() -> None:
        flying, most = 0, 0
        resume = asyncio.Event()
        failed_once: set[int] = set()

        async def complete(
            model: str, messages: Sequence[Mapping[str, str]], *, schema: Any, cues: str, timeout_seconds: float
        ) -> Completion:
            nonlocal flying, most
            flying += 1
            most = max(most, flying)
            for _ in range(3):
                await asyncio.sleep(0)
            flying -= 1
            number = int(messages[0]["content"])
            if number < 4 and number not in failed_once:
                failed_once.add(number)
                raise busy()
            return Completion("{}", model, 1, 1, None, 1)

        async def sleep(_: float) -> None:
            await resume.wait()

        line = Lines(complete, limits=Limits(in_flight=4), sleep=sleep, rng=random.Random(1)).of("test/one")
        tasks = [asyncio.create_task(line.ask([{"content": str(n)}], schema={}, cues="")) for n in range(12)]
        done, _ = await asyncio.wait(tasks[4:], timeout=10)
        assert len(done) == 8, "four leads that pause must not hold up the other eight"
        resume.set()
        await asyncio.gather(*tasks)
        assert most == 4

    asyncio.run(main())
