"""Batches: leads of backfills and replays gathered, and what became of their questions."""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable

from tierwise.domain.policy import Policy
from tierwise.llm import batch_door, batching
from tierwise.pipeline import batch, turns
from tierwise.pipeline import gather as gathering
from tierwise.pipeline import inquire as inquiring
from tierwise.ports.batches import Batch
from tierwise.wiring.automation import Automating
from tierwise.wiring.parts import told


class Batching(Automating):
    """Parts that ask for half the price."""

    @functools.cached_property
    def _offers(self) -> dict[str, bool]:
        return {}

    def batchable(self, model: str) -> bool:
        """Whether questions to that model can wait for a batch: by settings and provider. Imports litellm."""
        if self.settings.batch.mode == "never":
            return False
        if model not in self._offers:
            self._offers[model] = batch_door.offers(model, decisions=self.settings.model.decisions)
        return self._offers[model]

    def batched(self, policy: Policy) -> tuple[str, ...]:
        """Models of a policy's chain that are asked in batches where leads can wait."""
        return tuple(model for model in self.chain(policy) if self.batchable(model))

    def gather(self) -> gathering.Gathered:
        """Put leads that wait into batches, and delete at providers what ended batches left there."""
        given = self.settings.batch
        with self._seeker() as seeker:
            batch.tidy(self._batch_tools(seeker))
            tools = self._gathering(seeker)
            if given.mode == "never":
                return gathering.Gathered(released=gathering.release_all(tools))
            return gathering.gather(tools, self._gather_pace(), stop=self.stopping.is_set)

    def inquire(self, policy: str | None = None, *, turn: turns.Turn | None = None) -> inquiring.Inquired | None:
        """Ask models what backtests wait for, of one policy or of all: in batches, else live. None where this process
        does so already; it ends where its `turn` is over."""
        if not self._inquiring.acquire(blocking=False):
            return None
        try:
            return self._inquire(policy, stop=lambda: self.stopping.is_set() or (turn is not None and turn.over()))
        finally:
            self._inquiring.release()

    def _inquire(self, policy: str | None, *, stop: Callable[[], bool]) -> inquiring.Inquired:
        with self._seeker() as seeker:
            tools = inquiring.Tools(
                gathering=self._gathering(seeker), runnable=self.runnable, ask=self._ask_or_hold, random=random.random
            )
            # A claim must outlast the longest calls, of both models with their retries.
            longest = 4 * self.settings.model.timeout_seconds * self.settings.model.attempts
            pace = inquiring.Pace(
                batches=self._gather_pace(), live=self.settings.model.in_flight, lease=max(180, longest)
            )
            return inquiring.inquire(tools, pace, policy=policy, stop=stop)

    def _gather_pace(self) -> gathering.Pace:
        given = self.settings.batch
        return gathering.Pace(fewest=given.fewest, most=given.most, linger=given.gather_seconds)

    def _gathering(self, seeker: batching.Seeker) -> gathering.Tools:
        return gathering.Tools(
            store=self.store,
            seeker=seeker,
            offers=self.batchable,
            runnable=self.runnable,
            prices=self.prices,
            budgets=self.budgets,
            clock=self.clock,
        )

    def advance(self, batch_id: int) -> Batch | None:
        """Take one batch as far as it goes now; None where somebody else does, or it ended before."""
        given = self.settings.batch
        # A claim must outlast the longest call of the door, and what is done before and after it.
        lease = max(given.lease_seconds, 5 * self.settings.model.timeout_seconds)
        pace = batch.Pace(look=given.look_seconds, hours=given.hours, lease=lease)
        with self._seeker() as seeker:
            tools = self._batch_tools(seeker)
            found = batch.advance(tools, batch_id, pace)
            if found is not None and found.state == "ended":
                batch.tidy(tools)
            return found

    def _batch_tools(self, seeker: batching.Seeker) -> batch.Tools:
        seconds = self.settings.model.timeout_seconds
        return batch.Tools(
            store=self.store,
            seeker=seeker,
            door=lambda model: batch_door.Door(model, timeout_seconds=seconds),
            runnable=self.runnable,
            prices=self.prices,
            clock=self.clock,
            monotonic=time.monotonic,
            # Nonces must not be guessable by who writes the lead.
            rng=random.SystemRandom(),
            told=told,
        )
