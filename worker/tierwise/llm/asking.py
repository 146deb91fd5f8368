"""One question to one model: from the cache or another process where it was paid already, else called, checked,
repaired once, billed.

Knows nothing of chains: which model, and what its answer is worth beside another's, is `cascade`'s.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tierwise import errors
from tierwise.domain import lead
from tierwise.domain.policy import Policy
from tierwise.domain.rubric import Assessment, Verdict
from tierwise.llm import answer, cost, deciding, failures, injection, offline, prompt
from tierwise.llm.call import Lines, Told
from tierwise.llm.client import PARAMETERS, Completion
from tierwise.llm.ledger import Ledger, Unpriced
from tierwise.llm.once import Lookup, SingleFlight
from tierwise.ports import money


class Question(NamedTuple):
    """Everything about a lead that one model is asked."""

    plan: prompt.Plan
    fields: Mapping[str, str]
    terms: injection.Terms
    model: str
    stage: str
    """Part of the chain that asks: primary, sample, secondary or fallback."""
    connection: str = ""
    strong: str = ""
    """The model that would be asked about every lead without a cascade, "" where there is none."""
    cues: str = ""
    """For the offline model alone."""
    extra: str | None = None
    """What else changes the answer."""
    how: cost.How = "chat"

    @property
    def key(self) -> str:
        """Content hash."""
        parameters = deciding.PARAMETERS if self.how == "decisions" else PARAMETERS
        return prompt.content_hash(self.plan, self.fields, model=self.model, parameters=parameters, extra=self.extra)


class Asked:
    """What leads are asked under a policy, for whoever only counts and never calls."""

    def __init__(self, policy: Policy) -> None:
        self._plan = prompt.plan(policy)
        self._terms = injection.terms(policy)

    @property
    def criteria(self) -> int:
        """How many questions a model is asked about one lead."""
        return len(self._plan.criteria)

    def shown(self, given: lead.Lead) -> Mapping[str, str]:
        """What a model would see of the lead; empty where it would not be asked."""
        shown = prompt.shown(given, self._plan.criteria)
        # As the cascade: sentences that instruct reach no model.
        return {name: kept for name, value in shown.items() if (kept := injection.without(value, self._terms))}

    def key(self, fields: Mapping[str, str], *, model: str, decisions: bool = False) -> str:
        """Content hash of the question to that model, as the cascade asks it."""
        how: cost.How = "decisions" if decisions else "chat"
        return Question(self._plan, fields, injection.NO_TERMS, model, "primary", how=how).key

    def size(self, fields: Mapping[str, str]) -> int:
        """Bytes of the prompt."""
        return size(self._plan, fields)


class Result(NamedTuple):
    """What asking a model came to. With a problem, the assessment has no verdicts: only the cost is left of it."""

    assessment: Assessment
    problem: str = ""


class ModelFailed(errors.TierwiseError):
    """A model could not be asked; the cause says why. Keeps a model's failures apart from the database's."""


class _Tally:
    """Calls about one question as they come in."""

    def __init__(self) -> None:
        self.calls: list[Completion] = []
        self.troubles: list[str] = []
        self.reserved = 0
        self.characters = 0
        self.size = 0
        self.lost: list[int] = []


class Asker:
    """Asks. Belongs to one event loop."""

    def __init__(
        self,
        lines: Lines,
        *,
        rng: random.Random,
        lookup: Lookup[Assessment] | None,
        ledger: Ledger | None,
        told: Told,
    ) -> None:
        self._lines = lines
        self._rng = rng
        self._lookup = lookup
        self._ledger = ledger
        self._told = told
        self._flights: SingleFlight[Result] = SingleFlight()

    async def ask(self, question: Question) -> Result:
        """The answer. Raises ModelFailed, Held where a budget is spent, and what the database raises."""
        key = question.key
        # The ledger looks by itself, with many questions at once and again when it has the right to buy.
        known = None if self._buys(question) else await self._known(key)
        if known is not None:
            return Result(_cached(known))
        result, own = await self._flights.run(key, lambda: self._bought(question, key))
        # Who only waited for another lead's call did not pay for it.
        return result if own else result._replace(assessment=_cached(result.assessment))

    async def close(self) -> None:
        """Cancel what is under way."""
        await self._flights.close()

    async def _known(self, key: str) -> Assessment | None:
        return await self._lookup.get(key) if self._lookup is not None else None

    def _buys(self, question: Question) -> bool:
        # The lexicon is free, and asking it twice costs less than asking the database who does.
        return self._ledger is not None and question.model != offline.MODEL

    async def _bought(self, question: Question, key: str) -> Result:
        if self._ledger is None or not self._buys(question):
            return await self._asked(question, key, _Tally())
        tally = _Tally()
        tally.size = size(question.plan, question.fields)
        try:
            tally.reserved = self._estimate(question, tally.size)
        except Unpriced:
            # What was paid for once needs no price.
            known = await self._known(key)
            if known is None:
                raise
            return Result(_cached(known))
        bought = await self._ledger.buy(key, connection=question.connection, nano=tally.reserved)
        if bought is not None:
            return Result(_cached(bought))
        result: Result | None = None
        try:
            result = await self._asked(question, key, tally)
        finally:
            usable = result.assessment if result is not None and not result.problem else None
            # Nothing is kept of a lead that is only looked at.
            kept = usable if question.connection else None
            entries = (_entry(question, tally),) if tally.calls else ()
            if tally.lost:
                entries = (*entries, self._unanswered(question, tally.lost))
            stands = await self._ledger.settle(
                money.Bill(key, question.connection, tally.reserved, entries=entries, answer=kept)
            )
        if stands is not None:
            # Two were paid for, since we had been away for long; one lead must not get both.
            mine = result.assessment
            cost_of = {name: getattr(mine, name) for name in ("cost_usd", "tokens_in", "tokens_out", "latency_ms")}
            return Result(stands.model_copy(update={**cost_of, "kept": True}))
        return result._replace(assessment=result.assessment.model_copy(update={"kept": kept is not None}))

    async def _asked(self, question: Question, key: str, tally: _Tally) -> Result:
        user = prompt.user_message(question.fields, rng=self._rng)
        messages: list[prompt.Message] = [{"role": "system", "content": question.plan.system}, user]
        try:
            return Result(_assessment(await self._verified(question, messages, tally), tally, key=key))
        except answer.NotAnAnswer as refusal:
            if question.how == "decisions":
                # It writes nothing, so there is nothing to mend; asked the same, it says the same.
                problem = f"{question.model}: not every question was answered"
                return _unusable_result(key, tally, problem, once=self._rng.getrandbits(64))
            said = tally.calls[-1].text
            # Some providers refuse a message of theirs without text.
            messages += [{"role": "assistant", "content": said}] if said.strip() else []
            messages.append(prompt.repair_message(refusal.problems))
        try:
            await self._more(question, messages, tally)
            return Result(_assessment(await self._verified(question, messages, tally), tally, key=key))
        except answer.NotAnAnswer:
            problem = f"{question.model}: the answer did not have the schema, nor did its repair"
        except ModelFailed as failure:
            problem = (
                f"{question.model}: the answer did not have the schema, and the repair failed: {failure.__cause__}"
            )
        except errors.Held as held:
            problem = (
                f"{question.model}: the answer did not have the schema, and there is no money to repair it: {held}"
            )
        return _unusable_result(key, tally, problem, once=self._rng.getrandbits(64))

    async def _verified(
        self, question: Question, messages: Sequence[prompt.Message], tally: _Tally
    ) -> tuple[Verdict, ...]:
        """Verdicts of one call. Raises NotAnAnswer and ModelFailed."""
        model, plan = question.model, question.plan
        try:
            found = await self._lines.of(model).ask(
                messages,
                schema=plan.schema,
                cues=question.cues,
                lost=lambda: tally.lost.append(tally.size),
                again=lambda: self._more(question, messages, tally),
            )
        except errors.Held:
            raise
        except errors.TierwiseError as failure:
            raise ModelFailed(place=model) from failure
        tally.calls.append(found)
        tally.troubles += found.troubles
        tally.characters += sum(len(message["content"]) for message in messages) + plan.schema_size
        try:
            return read(question, found, mark=prompt.mark_of(question.fields))
        except answer.NotAnAnswer as error:
            self._trouble(tally, _unusable(model, error.kind))
            raise
        except errors.RejectRecord as failure:
            self._trouble(tally, failure)
            raise ModelFailed(place=model) from failure

    def _trouble(self, tally: _Tally, error: errors.TierwiseError) -> None:
        tally.troubles.append(error.fault)
        self._told(error)

    async def _more(self, question: Question, messages: Sequence[prompt.Message], tally: _Tally) -> None:
        """Money for another call: a repair, or one more after a call that may be billed without an answer."""
        if self._ledger is None or question.model == offline.MODEL:
            return
        tally.size = sum(len(message["content"].encode()) for message in messages) + question.plan.schema_size
        nano = self._estimate(question, tally.size)
        await self._ledger.more(connection=question.connection, nano=nano)
        tally.reserved += nano

    def _unanswered(self, question: Question, sizes: Sequence[int]) -> money.Entry:
        """What calls that brought no answer may be billed for, by their size."""
        assert self._ledger is not None
        out = cost.OUT_PER_CRITERION * len(question.plan.criteria)
        found = [
            self._ledger.worst(question.model, text_bytes=size, tokens_out=out, how=question.how) for size in sizes
        ]
        return money.Entry(
            question.connection,
            question.model,
            money.UNANSWERED,
            question.strong,
            questions=0,
            calls=len(sizes),
            nano_usd=sum(nano or 0 for nano in found),
            unpriced=found.count(None),
        )

    def _estimate(self, question: Question, size: int) -> int:
        assert self._ledger is not None
        out = cost.OUT_PER_CRITERION * len(question.plan.criteria)
        return self._ledger.estimate(
            question.model, connection=question.connection, text_bytes=size, tokens_out=out, how=question.how
        )


def read(question: Question, found: Completion, *, mark: str) -> tuple[Verdict, ...]:
    """The verified verdicts of one completion. Raises NotAnAnswer, RejectRecord where the model refused."""
    if found.finish == "refusal":
        raise failures.refusal(question.model)
    if not found.text.strip():
        raise answer.NotAnAnswer(["the answer is empty"], kind="empty")
    try:
        return answer.verdicts(
            found.text,
            question.plan.criteria,
            fields=question.fields,
            mark=mark,
            model=found.model,
            terms=question.terms,
            quotes=found.quotes,
        )
    except answer.NotAnAnswer as error:
        if found.finish == "length":
            raise answer.NotAnAnswer([*error.problems, "it broke off: be shorter"], kind="truncated") from error
        raise


def size(plan: prompt.Plan, fields: Mapping[str, str]) -> int:
    written = sum(len(name) + len(value.encode()) for name, value in fields.items())
    return len(plan.system.encode()) + plan.schema_size + written


def _unusable_result(key: str, tally: _Tally, problem: str, *, once: int) -> Result:
    # Kept for its cost, under a key that no look-up uses: no answer must never be served as one.
    spent = lead.digest({"unusable": key, "once": once})
    return Result(_assessment((), tally, key=spent), problem)


def _unusable(model: str, kind: str) -> errors.RejectRecord:
    made = errors.RejectRecord(f"the answer is no answer ({kind})", place=model)
    made.fault = kind
    return made


def _cached(assessment: Assessment) -> Assessment:
    return assessment.model_copy(update={"cached": True})


def _entry(question: Question, tally: _Tally) -> money.Entry:
    calls = tally.calls
    return money.Entry(
        question.connection,
        question.model,
        question.stage,
        question.strong,
        calls=len(calls),
        tokens_in=sum(call.tokens_in for call in calls),
        tokens_out=sum(call.tokens_out for call in calls),
        tokens_cached=sum(call.tokens_cached for call in calls),
        characters=tally.characters,
        repeated=len(calls) * question.plan.fixed,
        nano_usd=sum(round(call.cost_usd * money.NANO) for call in calls if call.cost_usd is not None),
        unpriced=sum(call.cost_usd is None for call in calls),
    )


def _assessment(verdicts: tuple[Verdict, ...], tally: _Tally, *, key: str) -> Assessment:
    calls = tally.calls
    return Assessment(
        model=calls[-1].model,
        verdicts=verdicts,
        content_hash=key,
        cost_usd=cost.total(call.cost_usd for call in calls),
        tokens_in=sum(call.tokens_in for call in calls),
        tokens_out=sum(call.tokens_out for call in calls),
        latency_ms=sum(call.latency_ms for call in calls),
        repaired=len(calls) > 1,
        troubles=tuple(tally.troubles),
    )
