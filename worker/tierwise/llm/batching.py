"""Which question a lead waits for, and what an answer that came in a batch is worth: both by the cascade's own rules.

Asks nobody. Whatever is answered here is found by the cascade as an answer that was paid before.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tierwise import errors
from tierwise.domain.lead import Lead
from tierwise.domain.policy import Runnable
from tierwise.domain.rubric import Assessment
from tierwise.llm import answer, asking, cost, offline, prompt
from tierwise.llm.asking import Question
from tierwise.llm.cascade import Cache, Cascade
from tierwise.llm.client import Completion
from tierwise.ports import money

BATCHED = frozenset({"primary", "secondary"})
"""Stages whose questions go in a batch. Samples go with a lead that is decided just now."""


class Asked(NamedTuple):
    """A lead and for whom it is asked."""

    lead: Lead
    connection: str


class Result(NamedTuple):
    """What an answer came to."""

    entry: money.Entry
    assessment: Assessment | None
    fault: str = ""
    """Why it cannot be used."""


class _Wanted(Exception):
    def __init__(self, question: Question) -> None:
        super().__init__()
        self.question = question


class _Seeker(asking.Asker):
    """Asks nobody but the cache and the lexicon."""

    async def ask(self, question: Question) -> asking.Result:
        if question.model == offline.MODEL:
            return await super().ask(question)
        known = await self._lookup.get(question.key) if self._lookup is not None else None
        if known is None:
            raise _Wanted(question)
        return asking.Result(known.model_copy(update={"cached": True}))


class Seeker:
    """Finds the next question of each lead. One thread's; close it."""

    def __init__(self, cache: Cache, *, primary: str | None, secondary: str | None, **more: Any) -> None:
        """As the cascade is made where leads are decided; `more` are its `samples` and `decisions`."""
        self._cascade = Cascade(
            _lexicon, primary=primary, secondary=secondary, attempts=1, cache=cache, asker=_Seeker, **more
        )
        self._loop = asyncio.new_event_loop()

    def next(self, runnable: Runnable, leads: Sequence[Asked]) -> list[Question | None]:
        """The first question of each that nobody answered yet; None where none is left, or where asking fails.

        Raises RetryLater where the store cannot tell.
        """
        return self._loop.run_until_complete(self._all(runnable, leads))

    def question(self, runnable: Runnable, asked: Asked, *, model: str, stage: str) -> Question | None:
        """What that model is asked about the lead; None where nothing would be shown."""
        return self._cascade.question(runnable, asked.lead, model, stage=stage, connection=asked.connection)

    def keys(self, runnable: Runnable, lead: Lead) -> set[str]:
        """Content hashes under which answers about the lead are kept. Raises Misconfigured as the cascade does."""
        return self._cascade.keys(runnable, lead)

    def close(self) -> None:
        """Let go of the loop and its threads."""
        self._loop.run_until_complete(self._cascade.close())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    async def _all(self, runnable: Runnable, leads: Sequence[Asked]) -> list[Question | None]:
        # All to their end, so that none is left on the loop where one fails.
        found = await asyncio.gather(*(self._one(runnable, asked) for asked in leads), return_exceptions=True)
        for item in found:
            if isinstance(item, BaseException):
                raise item
        return [item for item in found if not isinstance(item, BaseException)]

    async def _one(self, runnable: Runnable, asked: Asked) -> Question | None:
        try:
            await self._cascade.judge(runnable, asked.lead, connection=asked.connection)
        except _Wanted as wanted:
            return wanted.question
        except errors.RetryLater:
            raise  # the store's: what is answered is not known just now
        except errors.TierwiseError:
            return None  # asked live, what is wrong is told there
        return None


def estimate(question: Question, prices: cost.Prices) -> float | None:
    """USD of the question in a batch, before it is asked; None where the price is unknown."""
    price = prices.of(question.model, "batch")
    if price is None:
        return None
    tokens_in = cost.estimated_tokens(asking.size(question.plan, question.fields))
    return price.of(tokens_in=tokens_in, tokens_out=cost.OUT_PER_CRITERION * len(question.plan.criteria))


def result(question: Question | None, found: Completion, blank: money.Entry, *, prices: cost.Prices) -> Result:
    """What the completion is worth. `question` is None where its lead is not what it was: paid, and of no use.

    `blank` says who pays, for which model and stage.
    """
    entry = _entry(question, found, blank, prices=prices)
    if question is None:
        return Result(entry, None, "stale")
    try:
        verdicts = asking.read(question, found, mark=prompt.mark_of(question.fields))
    except answer.NotAnAnswer as refusal:
        return Result(entry, None, refusal.kind)
    except errors.RejectRecord as refusal:
        return Result(entry, None, refusal.fault)
    made = Assessment(
        model=found.model,
        verdicts=verdicts,
        content_hash=question.key,
        cost_usd=found.cost_usd,
        tokens_in=found.tokens_in,
        tokens_out=found.tokens_out,
        latency_ms=0,
    )
    return Result(entry, made)


def _entry(question: Question | None, found: Completion, blank: money.Entry, *, prices: cost.Prices) -> money.Entry:
    live = prices.of(blank.model)
    usd = found.cost_usd
    saved = 0
    if live is not None and usd is not None:
        full = live.of(tokens_in=found.tokens_in, tokens_out=found.tokens_out, tokens_cached=found.tokens_cached)
        saved = max(0, round((full - usd) * money.NANO))
    plan = question.plan if question is not None else None
    characters = 0
    if question is not None:
        user = prompt.user_message(question.fields, rng=random.Random(0))  # noqa: S311  (only its length counts)
        characters = len(question.plan.system) + len(user["content"]) + question.plan.schema_size
    return blank._replace(
        tokens_in=found.tokens_in,
        tokens_out=found.tokens_out,
        tokens_cached=found.tokens_cached,
        characters=characters,
        repeated=plan.fixed if plan is not None else 0,
        nano_usd=round(usd * money.NANO) if usd is not None else 0,
        unpriced=int(usd is None),
        batched=1,
        nano_saved=saved,
    )


async def _lexicon(
    model: str,
    messages: Sequence[Mapping[str, str]],
    *,
    schema: Mapping[str, Any],
    cues: str,
    timeout_seconds: float,
) -> Completion:
    del schema, timeout_seconds
    return Completion(offline.answer(messages, cues), model, 0, 0, 0.0, 0)
