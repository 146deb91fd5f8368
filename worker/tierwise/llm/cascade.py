"""The chain of models: cache, primary, secondary, and the lexicon when nobody answers. Implements `ports.Judge`.

Two further duties that no model may be trusted with: text that instructs sends the lead to a person, whatever a model
made of it; and two models that disagree too far are never averaged.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from tierwise import errors
from tierwise.domain import decision, lead, rubric
from tierwise.domain.decision import Judged
from tierwise.domain.lead import Lead
from tierwise.domain.policy import Runnable
from tierwise.domain.rubric import Assessment, Scorecard, Verdict
from tierwise.llm import answer, cost, injection, lexicon, offline, prompt
from tierwise.llm.call import Clock, Limits, Lines, Sleep
from tierwise.llm.client import PARAMETERS, Client, Complete, Completion
from tierwise.llm.once import Lookup, SingleFlight

Cache = Callable[[Collection[str]], Mapping[str, Assessment]]
TOO_FAR = 2  # tiers between two models that make a contradiction


class _Ready(NamedTuple):
    """What a policy needs here, made once."""

    plan: prompt.Plan
    terms: frozenset[str]
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


class _Result(NamedTuple):
    """What asking a model came to. With a problem, the assessment has no verdicts: only the cost is left of it."""

    assessment: Assessment
    problem: str = ""


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
        cache: Cache | None = None,
        clock: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
        rng: random.Random | None = None,
    ) -> None:
        """`primary` and `secondary` override the rubric's models; `in_flight` is per model; `timeout_seconds` is per
        call. `cache` is called in a worker thread, with the content hashes of all leads that wait at that moment.
        `complete` is litellm where it is not given."""
        self._client = Client()
        # Nonces must not be guessable by who writes the lead.
        self._rng = rng or random.SystemRandom()
        self._lines = Lines(
            complete or self._client.complete,
            limits=Limits(in_flight=in_flight, attempts=attempts, timeout_seconds=timeout_seconds),
            clock=clock,
            rng=self._rng,
            sleep=sleep,
        )
        self._cache = cache
        self._primary = primary
        self._secondary = secondary
        self._ready: dict[str, _Ready] = {}
        self._flights: SingleFlight[_Result] = SingleFlight()
        self._lookup: Lookup[Assessment] = Lookup(self._look_up)

    async def judge(self, runnable: Runnable, lead: Lead) -> Judged:
        """Verdicts on the criteria that models decide; empty where there are none or the lead has none of their fields.

        A model's failure ends in `errors` and, with no model left, in `fallback`. Raises Misconfigured where the
        prompt cannot be rendered, and what the cache raises.
        """
        ready = self._prepared(runnable)
        fields = prompt.shown(lead, ready.plan.criteria)
        if not fields:
            return Judged()
        case = _Case(runnable, ready, lead, fields)
        judged = await self._chain(case)
        return judged.model_copy(update={"verdicts": self._warned(case, judged.verdicts)})

    async def close(self) -> None:
        """Cancel what is under way and close the models' sockets."""
        await self._flights.close()
        await self._client.close()

    async def _chain(self, case: _Case) -> Judged:
        models = case.runnable.policy.rubric.models
        primary = self._primary or models.primary
        secondary = self._secondary or models.secondary
        assessments: list[Assessment] = []
        failures: list[str] = []
        wanted = decision.escalate_below(case.runnable)
        first = await self._try(case, primary, assessments=assessments, failures=failures)
        alone = secondary is None or secondary == primary
        if first is not None and (alone or self._card(case, first).confidence >= wanted):
            return self._judged(first, assessments, failures=failures)
        second = None
        if secondary is not None and not alone:
            second = await self._try(case, secondary, assessments=assessments, failures=failures)
        if first is None and second is None:
            return await self._last_resort(case, assessments, failures=failures, tried={primary, secondary})
        if first is None or second is None:
            chosen = second if first is None else first
            assert chosen is not None
            # The lexicon standing in for a model that failed is the floor, wherever it was configured.
            fallback = first is None and chosen.model == offline.MODEL
            return self._judged(chosen, assessments, failures=failures, fallback=fallback)
        first_card, second_card = self._card(case, first), self._card(case, second)
        chosen = second if second_card.confidence > first_card.confidence else first
        apart = contradicts(case.runnable.policy.rubric, first_card, second_card)
        both = decision.merged(case.runnable, (first.verdicts, second.verdicts))
        if both is not None:
            # What each is worth is known, so the likelier verdict of each criterion counts, not the surer model.
            chosen = second.model_copy(update={"verdicts": both})
        return self._judged(chosen, assessments, failures=failures, contradiction=apart)

    async def _last_resort(
        self, case: _Case, assessments: list[Assessment], *, failures: list[str], tried: Collection[str | None]
    ) -> Judged:
        floor = None
        if offline.MODEL not in tried:
            floor = await self._try(case, offline.MODEL, assessments=assessments, failures=failures)
        return self._judged(floor, assessments, failures=failures, fallback=True)

    async def _try(
        self, case: _Case, model: str, *, assessments: list[Assessment], failures: list[str]
    ) -> Assessment | None:
        try:
            assessment, problem = await self._assessed(case, model)
        except _ModelFailed as failure:
            failures.append(str(failure.__cause__))
            return None
        assessments.append(assessment)
        if problem:
            failures.append(problem)
            return None
        return assessment

    async def _assessed(self, case: _Case, model: str) -> _Result:
        extra = case.ready.lexicon if model == offline.MODEL else None
        key = prompt.content_hash(case.ready.plan, case.fields, model=model, parameters=PARAMETERS, extra=extra)
        known = await self._lookup.get(key) if self._cache is not None else None
        if known is not None:
            return _Result(known.model_copy(update={"cached": True}))
        (assessment, problem), own = await self._flights.run(key, lambda: self._asked(case, model, key))
        # Who only waited for another lead's call did not pay for it.
        return _Result(assessment if own else assessment.model_copy(update={"cached": True}), problem)

    async def _asked(self, case: _Case, model: str, key: str) -> _Result:
        user = prompt.user_message(case.fields, rng=self._rng)
        messages: list[prompt.Message] = [{"role": "system", "content": case.ready.plan.system}, user]
        calls = [await self._call(case, model, messages)]
        try:
            return _Result(_assessment(self._verified(case, calls[-1], user), calls, key=key))
        except answer.NotAnAnswer as refusal:
            messages += [{"role": "assistant", "content": calls[-1].text}, prompt.repair_message(refusal.problems)]
        try:
            calls.append(await self._call(case, model, messages))
            return _Result(_assessment(self._verified(case, calls[-1], user), calls, key=key))
        except answer.NotAnAnswer:
            problem = f"{model}: the answer did not have the schema, nor did its repair"
        except _ModelFailed as failure:
            problem = f"{model}: the answer did not have the schema, and the repair failed: {failure.__cause__}"
        # Kept for its cost, under a key that no look-up uses: no answer must never be served as one.
        spent = lead.digest({"unusable": key, "once": self._rng.getrandbits(64)})
        return _Result(_assessment((), calls, key=spent), problem)

    async def _call(self, case: _Case, model: str, messages: Sequence[prompt.Message]) -> Completion:
        cues = case.ready.cues if model == offline.MODEL else ""
        try:
            return await self._lines.of(model).ask(messages, schema=case.ready.plan.schema, cues=cues)
        except errors.TierwiseError as failure:
            raise _ModelFailed(place=model) from failure

    def _verified(self, case: _Case, completion: Completion, user: prompt.Message) -> tuple[Verdict, ...]:
        return answer.verdicts(
            completion.text,
            case.ready.plan.criteria,
            fields=case.fields,
            mark=prompt.read_back(user["content"]).mark,
            model=completion.model,
            terms=case.ready.terms,
        )

    def _card(self, case: _Case, assessment: Assessment) -> Scorecard:
        return decision.weighed(case.runnable, case.lead, assessment.verdicts)

    def _judged(
        self,
        chosen: Assessment | None,
        assessments: Sequence[Assessment],
        *,
        failures: Sequence[str],
        contradiction: bool = False,
        fallback: bool = False,
    ) -> Judged:
        return Judged(
            assessments=tuple(assessments),
            verdicts=chosen.verdicts if chosen else (),
            used=chosen.model if chosen else None,
            contradiction=contradiction,
            fallback=fallback,
            errors=tuple(failures),
        )

    def _warned(self, case: _Case, verdicts: tuple[Verdict, ...]) -> tuple[Verdict, ...]:
        """The verdicts, with INJECTION_SUSPECT on the first criterion that reads a field whose text instructs.

        That verdict's level stays: its quote was checked on its own, and one flag is enough to bring a person.
        """
        suspects = set(injection.suspicious_fields(case.fields, case.ready.terms))
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


class _ModelFailed(errors.TierwiseError):
    """A model could not be asked; the cause says why. Keeps a model's failures apart from the cache's."""


def contradicts(rubric_: rubric.Rubric, first: Scorecard, second: Scorecard) -> bool:
    """Tiers two or more apart, or a knockout that only one of the two found."""
    order = list(rubric_.tiers)
    apart = abs(order.index(first.tier) - order.index(second.tier))
    return apart >= TOO_FAR or (first.knockout is None) != (second.knockout is None)


def _assessment(verdicts: tuple[Verdict, ...], calls: Sequence[Completion], *, key: str) -> Assessment:
    return Assessment(
        model=calls[-1].model,
        verdicts=verdicts,
        content_hash=key,
        cost_usd=cost.total(call.cost_usd for call in calls),
        tokens_in=sum(call.tokens_in for call in calls),
        tokens_out=sum(call.tokens_out for call in calls),
        latency_ms=sum(call.latency_ms for call in calls),
        repaired=len(calls) > 1,
    )
