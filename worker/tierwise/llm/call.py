"""One model behind its semaphore, its breaker and its retries.

Belongs to one event loop. It knows nothing of leads: messages in, a completion out, or one of our errors.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from tierwise import errors
from tierwise.llm.breaker import Breaker
from tierwise.llm.client import Complete, Completion

Told = Callable[[errors.TierwiseError], None]
"""Hears of every call that failed, also of one that is tried again; the error has place and fault."""
Sleep = Callable[[float], Awaitable[None]]
Lost = Callable[[], None]
"""Hears of every call that went out and brought no answer: it may be billed all the same."""
Again = Callable[[], Awaitable[None]]
"""Asked before a call is made again that may have been billed; raises where it must not be."""
Clock = Callable[[], float]
"""Monotonic seconds."""


class Limits(NamedTuple):
    """How one model may be called."""

    in_flight: int = 50
    attempts: int = 3
    timeout_seconds: float = 30.0
    backoff_seconds: float = 0.5
    """The first pause is random up to this, each later one up to twice the last."""
    patience_seconds: float = 45.0
    """All calls and pauses for one question together; a provider that asks for a longer pause is not waited for."""


class Line:
    """Calls to one model."""

    def __init__(
        self,
        model: str,
        complete: Complete,
        *,
        limits: Limits,
        breaker: Breaker,
        clock: Clock,
        rng: random.Random,
        sleep: Sleep,
        told: Told = lambda _: None,
    ) -> None:
        self.model = model
        self._told = told
        self.breaker = breaker
        self._complete = complete
        self._limits = limits
        self._clock = clock
        self._rng = rng
        self._sleep = sleep
        self._slots = asyncio.Semaphore(limits.in_flight)

    async def ask(
        self,
        messages: Sequence[Mapping[str, str]],
        *,
        schema: Mapping[str, Any],
        cues: str,
        lost: Lost = lambda: None,
        again: Again | None = None,
    ) -> Completion:
        """An answer. Raises RetryLater after the last attempt or while the breaker is open, else what the client does.

        The slot is given back during pauses: a lead that waits must not hold up one that could be asked.
        """
        attempt, left = 1, self._limits.patience_seconds
        troubles: list[str] = []
        while True:
            try:
                async with self._slots:
                    # Waiting for a slot is our own doing and does not count against the provider.
                    started = self._clock()
                    found = await self._once(messages, schema=schema, cues=cues, left=left, lost=lost)
                    return found._replace(troubles=tuple(troubles)) if troubles else found
            except Resting:
                raise
            except errors.RetryLater as error:
                troubles.append(error.fault)
                pause = self._pause(attempt, error)
                left -= self._clock() - started + pause
                if attempt >= self._limits.attempts or left <= 0:
                    raise
                billed = error.sent
            if billed and again is not None:
                await again()
            attempt += 1
            await self._sleep(pause)

    async def _once(
        self, messages: Sequence[Mapping[str, str]], *, schema: Mapping[str, Any], cues: str, left: float, lost: Lost
    ) -> Completion:
        ticket = self.breaker.enter()
        if ticket is None:
            raise Resting("not asked: it rests after failures in a row", place=self.model)
        told = False
        try:
            completion = await self._complete(
                self.model,
                messages,
                schema=schema,
                cues=cues,
                timeout_seconds=min(left, self._limits.timeout_seconds),
            )
        except asyncio.CancelledError:
            lost()
            raise
        except (errors.PauseConnection, errors.Misconfigured) as error:
            told = True
            self.breaker.trip()
            self._told(error)
            raise
        except errors.RetryLater as error:
            told = True
            self.breaker.failed(ticket)
            self._told(error)
            if error.sent:
                lost()
            raise
        except errors.RejectRecord as error:
            self._told(error)
            raise
        else:
            told = True
            self.breaker.succeeded(ticket)
            return completion
        finally:
            if not told:
                self.breaker.abandoned(ticket)

    def _pause(self, attempt: int, error: errors.RetryLater) -> float:
        jitter = self._rng.uniform(0, self._limits.backoff_seconds * 2 ** (attempt - 1))
        return jitter if error.after is None else error.after + jitter


class Resting(errors.RetryLater):
    """The breaker of this model is open."""

    fault = "resting"


class Lines:
    """The lines of all models, each made when it is first asked for."""

    def __init__(
        self,
        complete: Complete,
        *,
        limits: Limits | None = None,
        clock: Clock = time.monotonic,
        rng: random.Random | None = None,
        sleep: Sleep = asyncio.sleep,
        told: Told = lambda _: None,
    ) -> None:
        self._told = told
        self._complete = complete
        self._limits = limits or Limits()
        self._clock = clock
        self._rng = rng or random.SystemRandom()
        self._sleep = sleep
        self._lines: dict[str, Line] = {}

    def of(self, model: str) -> Line:
        """The one line of this model."""
        if model not in self._lines:
            self._lines[model] = Line(
                model,
                self._complete,
                limits=self._limits,
                breaker=Breaker(self._clock),
                clock=self._clock,
                rng=self._rng,
                sleep=self._sleep,
                told=self._told,
            )
        return self._lines[model]
