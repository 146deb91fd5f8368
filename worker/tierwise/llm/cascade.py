"""The chain of models: cache, primary, secondary, and the lexicon when nobody answers. Implements `ports.Judge`.

Two further duties that no model may be trusted with: text that instructs sends the lead to a person, whatever a model
made of it; and two models that disagree too far are never averaged.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from tierwise import errors
from tierwise.domain import decision, lead, rubric
from tierwise.domain.decision import Judged
from tierwise.domain.lead import Lead
from tierwise.domain.policy import Runnable
from tierwise.domain.rubric import Assessment, Verdict
from tierwise.domain.scoring import Weighed
from tierwise.llm import cost, injection, lexicon, offline, prompt, redact, samples
from tierwise.llm.asking import Asker, ModelFailed, Question
from tierwise.llm.call import Clock, Limits, Lines, Sleep, Told
from tierwise.llm.client import Client, Complete
from tierwise.llm.ledger import Kind, Ledger
from tierwise.llm.once import Lookup

Cache = Callable[[Collection[str]], Mapping[str, Assessment]]


class _Ready(NamedTuple):
    """What a policy needs here, made once."""

    plan: prompt.Plan
    orders: tuple[prompt.Plan, ...]
    """The same questions in other orders, for samples."""
    terms: injection.Terms
    cues: str
    """For the offline model alone."""
    lexicon: str
    """Digest of what changes its answers besides the plan."""


class _Case(NamedTuple):
    """One lead under one policy."""

    runnable: Runnable
    ready: _Ready
    lead: Lead
    fields: Mapping[str, str]
    connection: str
    primary: str
    secondary: str | None
    """None where there is none but the primary."""


class _Story:
    """What happens to one lead on its way through the chain."""

    def __init__(self) -> None:
        self.assessments: list[Assessment] = []
        self.failures: list[str] = []


class Cascade:
    """Judges leads. Made in any thread, used on one event loop only."""

    def __init__(
        self,
        complete: Complete | None = None,
        *,
        primary: str | None = None,
        secondary: str | None = None,
        timeout_seconds: float = Limits().timeout_seconds,
        in_flight: int = Limits().in_flight,
        attempts: int = Limits().attempts,
        samples: int = 0,
        decisions: Collection[str] = (),
        cache: Cache | None = None,
        prices: cost.Prices | None = None,
        ledger: Ledger | None = None,
        when_spent: Kind = "hold",
        told: Told = lambda _: None,
        clock: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
        rng: random.Random | None = None,
        asker: type[Asker] = Asker,
    ) -> None:
        """`primary` and `secondary` override the rubric's models; `in_flight` is per model; `timeout_seconds` is per
        call. `cache` is called in a worker thread, with the content hashes of all leads that wait at that moment.
        `complete` is litellm where it is not given; `samples` are further answers of a doubtful primary, `decisions`
        the models that are decision models."""
        self._client = Client(prices, decisions=decisions)
        self._decisions = frozenset(decisions)
        # Nonces must not be guessable by who writes the lead.
        self._rng = rng or random.SystemRandom()
        self._lines = Lines(
            complete or self._client.complete,
            limits=Limits(in_flight=in_flight, attempts=attempts, timeout_seconds=timeout_seconds),
            clock=clock,
            rng=self._rng,
            sleep=sleep,
            told=told,
        )
        self._cache = cache
        self._primary = primary
        self._secondary = secondary
        self._samples = samples
        self._ledger = ledger
        self._holds = when_spent == "hold"
        self._told = told
        self._ready: dict[str, _Ready] = {}
        lookup: Lookup[Assessment] | None = Lookup(self._look_up) if cache is not None else None
        self._asker = asker(self._lines, rng=self._rng, lookup=lookup, ledger=ledger, told=told)

    async def judge(self, runnable: Runnable, lead: Lead, *, connection: str = "") -> Judged:
        """Verdicts on the criteria that models decide; empty where there are none or the lead has none of their fields.

        A model's failure ends in `errors` and, with no model left, in `fallback`. Raises Held where a budget is spent
        and leads are to wait for it, Misconfigured where the prompt cannot be rendered, and what the cache raises.
        """
        case, disguise = self._case(runnable, lead, connection)
        judged = await self._chain(case) if case.fields else Judged()
        suspects = frozenset(name for name, value in disguise.fields.items() if case.fields.get(name) != value)
        verdicts = self._warned(case, _in_own_words(judged.verdicts, disguise), suspects)
        weighed = tuple(_in_own_words(answer, disguise) for answer in judged.weighed)
        # Assessments keep their placeholders: they are kept by content, and served to whoever wrote the same.
        return judged.model_copy(update={"verdicts": verdicts, "weighed": weighed})

    def question(self, runnable: Runnable, lead: Lead, model: str, *, stage: str, connection: str) -> Question | None:
        """What that model would be asked about the lead; None where nothing of it would be shown."""
        case, _ = self._case(runnable, lead, connection)
        return self._question(case, model, stage=stage) if case.fields else None

    def keys(self, runnable: Runnable, lead: Lead) -> set[str]:
        """Content hashes under which answers of the chain about the lead are kept, whether there are any or not."""
        case, _ = self._case(runnable, lead, "")
        if not case.fields:
            return set()
        orders = (None, *case.ready.orders)
        asked = {self._question(case, case.primary, stage="primary", plan=plan).key for plan in orders}
        if case.secondary is not None:
            asked.add(self._question(case, case.secondary, stage="secondary").key)
        return asked

    async def close(self) -> None:
        """Cancel what is under way and close the models' sockets."""
        await self._asker.close()
        if self._ledger is not None:
            await self._ledger.close()
        await self._client.close()

    def _case(self, runnable: Runnable, lead: Lead, connection: str) -> tuple[_Case, redact.Disguise]:
        ready = self._prepared(runnable)
        disguise = prompt.disguised(lead, ready.plan.criteria)
        # Sentences that instruct reach no model: an order that is not read is not obeyed.
        kept = {name: injection.without(value, ready.terms) for name, value in disguise.fields.items()}
        fields = {name: value for name, value in kept.items() if value}
        models = runnable.policy.rubric.models
        primary, secondary = self._primary or models.primary, self._secondary or models.secondary
        other = secondary if secondary != primary else None
        return _Case(runnable, ready, lead, fields, connection, primary, other), disguise

    async def _chain(self, case: _Case) -> Judged:
        story = _Story()
        wanted = decision.escalate_below(case.runnable)
        first = await self._try(case, case.primary, story, stage="primary")
        if first is not None and case.secondary is None and not self._samples:
            # Nothing depends on how sure it is.
            return self._judged(first, story)
        if first is not None and self._card(case, first).confidence < wanted:
            first = await self._sampled(case, first, story)
        if first is not None and (case.secondary is None or self._card(case, first).confidence >= wanted):
            return self._judged(first, story)
        second = None
        if case.secondary is not None:
            second = await self._try(case, case.secondary, story, stage="secondary")
        if first is None and second is None:
            return await self._last_resort(case, story)
        if first is None or second is None:
            chosen = second if first is None else first
            assert chosen is not None
            # The lexicon standing in for a model that failed is the floor, wherever it was configured.
            fallback = first is None and chosen.model == offline.MODEL
            return self._judged(chosen, story, fallback=fallback)
        first_card, second_card = self._card(case, first), self._card(case, second)
        chosen = second if second_card.confidence > first_card.confidence else first
        both = decision.merged(case.runnable, (first.verdicts, second.verdicts))
        if both is not None:
            # What each is worth is known, so the likelier verdict of each criterion counts, not the surer model.
            chosen = second.model_copy(update={"verdicts": both})
        judged = self._judged(chosen, story).model_copy(update={"weighed": (first.verdicts, second.verdicts)})
        return judged.model_copy(update={"contradiction": decision.disputed(case.runnable, case.lead, judged)})

    async def _sampled(self, case: _Case, first: Assessment, story: _Story) -> Assessment:
        """The doubtful answer averaged with those of the same model to the same questions in other orders."""
        if case.primary == offline.MODEL or not self._samples:
            return first
        plans = case.ready.orders[: self._samples]
        found = await asyncio.gather(
            *(self._try(case, case.primary, story, stage="sample", plan=plan) for plan in plans)
        )
        answers = [first.verdicts, *(item.verdicts for item in found if item is not None)]
        return first.model_copy(update={"verdicts": samples.averaged(case.ready.plan.criteria, answers)})

    async def _last_resort(self, case: _Case, story: _Story) -> Judged:
        floor = None
        if offline.MODEL not in (case.primary, case.secondary):
            floor = await self._try(case, offline.MODEL, story, stage="fallback")
        return self._judged(floor, story, fallback=True)

    async def _try(
        self, case: _Case, model: str, story: _Story, *, stage: str, plan: prompt.Plan | None = None
    ) -> Assessment | None:
        try:
            assessment, problem = await self._asker.ask(self._question(case, model, stage=stage, plan=plan))
        except ModelFailed as failure:
            story.failures.append(str(failure.__cause__))
            return None
        except errors.Held as held:
            if self._holds:
                raise
            self._told(held)
            story.failures.append(str(held))
            return None
        story.assessments.append(assessment)
        if problem:
            story.failures.append(problem)
            return None
        return assessment

    def _question(self, case: _Case, model: str, *, stage: str, plan: prompt.Plan | None = None) -> Question:
        lexical = model == offline.MODEL
        return Question(
            plan or case.ready.plan,
            case.fields,
            case.ready.terms,
            model,
            stage,
            connection=case.connection,
            strong=case.secondary or "",
            cues=case.ready.cues if lexical else "",
            extra=case.ready.lexicon if lexical else None,
            how="decisions" if model in self._decisions else "chat",
        )

    def _card(self, case: _Case, assessment: Assessment) -> Weighed:
        return decision.weighed(case.runnable, case.lead, assessment.verdicts)

    def _judged(
        self,
        chosen: Assessment | None,
        story: _Story,
        *,
        fallback: bool = False,
    ) -> Judged:
        return Judged(
            assessments=tuple(story.assessments),
            verdicts=chosen.verdicts if chosen else (),
            used=chosen.model if chosen else None,
            fallback=fallback,
            errors=tuple(story.failures),
        )

    def _warned(self, case: _Case, verdicts: tuple[Verdict, ...], suspects: frozenset[str]) -> tuple[Verdict, ...]:
        """The verdicts, with INJECTION_SUSPECT on the first criterion that reads a field whose text instructs.

        That verdict's level stays, for the person who looks: under the flag nothing that was written earns points.
        """
        if not suspects or any("INJECTION_SUSPECT" in verdict.flags for verdict in verdicts):
            return verdicts
        reader = next(item for item in case.ready.plan.criteria if suspects.intersection(item.fields))
        known = {verdict.criterion: verdict for verdict in verdicts}
        bare = Verdict(criterion=reader.id, level=rubric.UNKNOWN, probability=0, decided_by="tierwise")
        verdict = known.get(reader.id, bare)
        known[reader.id] = verdict.model_copy(update={"flags": (*verdict.flags, "INJECTION_SUSPECT")})
        return tuple(known.values())

    def _prepared(self, runnable: Runnable) -> _Ready:
        ready = self._ready.get(runnable.digest)
        if ready is None:
            policy = runnable.policy
            cues = json.dumps(lexicon.spell_out(policy.rubric.asked), ensure_ascii=False)
            ready = _Ready(
                plan=prompt.plan(policy),
                orders=tuple(
                    prompt.plan(policy, samples.reordered(policy.rubric.asked, number))
                    for number in range(1, self._samples + 1)
                    if policy.rubric.asked
                ),
                terms=injection.terms(policy),
                cues=cues,
                lexicon=lead.digest({"version": lexicon.VERSION, "cues": cues}),
            )
            if len(self._ready) >= 8:
                self._ready.pop(next(iter(self._ready)))
            self._ready[runnable.digest] = ready
        return ready

    async def _look_up(self, hashes: Collection[str]) -> Mapping[str, Assessment]:
        assert self._cache is not None
        return await asyncio.to_thread(self._cache, hashes)


def _in_own_words(verdicts: tuple[Verdict, ...], disguise: redact.Disguise) -> tuple[Verdict, ...]:
    """The verdicts with quotes as the lead wrote them."""
    return tuple(
        verdict.model_copy(update={"quote": disguise.restored(verdict.field, verdict.quote)})
        if verdict.field is not None and verdict.quote is not None and "[" in verdict.quote
        else verdict
        for verdict in verdicts
    )
