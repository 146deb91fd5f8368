"""Tries the examples of a rubric with the lexicon: whole decisions, the same every time, and no call to anybody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from tierwise.domain import decision as decisions
from tierwise.domain import rules
from tierwise.domain.decision import Decision
from tierwise.domain.example import Example
from tierwise.domain.lead import Lead
from tierwise.domain.policy import Policy, Runnable
from tierwise.domain.rubric import Models
from tierwise.errors import RejectRecord
from tierwise.policies import trials
from tierwise.policies.compiling import compile
from tierwise.policies.trials import TestResult

SUBJECT = "examples"
_THEN = datetime(2000, 1, 1, tzinfo=UTC)  # nothing of an example depends on when it is tried


def run(policy: Policy) -> Iterator[TestResult]:
    """Every example in order. Raises Misconfigured where the policy does not compile."""
    if not policy.rubric.examples:
        return
    from tierwise.llm import offline, recorded  # a policy without examples needs none of it

    models = Models(primary=offline.MODEL, secondary=None)
    lexical = policy.model_copy(update={"rubric": policy.rubric.model_copy(update={"models": models})})
    runnable = compile(lexical)
    judge = recorded.Recorded(lambda _: {}, primary=None, secondary=None)
    try:
        for example in policy.rubric.examples:
            yield _tried(runnable, example, judge)
    finally:
        judge.close()


def tier_of(policy: Policy, lead: Lead) -> tuple[str | None, dict[str, str]]:
    """Tier and levels that the lexicon gives a lead; no tier where a gate stops it."""
    from tierwise.llm import recorded

    judge = recorded.Recorded(lambda _: {}, primary=None, secondary=None)
    try:
        card = _decided(compile(policy), lead, judge).scorecard
    finally:
        judge.close()
    return (card.tier, {item.criterion: item.level for item in card.contributions}) if card is not None else (None, {})


def _tried(runnable: Runnable, example: Example, judge: trials.Judge) -> TestResult:
    try:
        lead = trials.lead_of(example.lead)
        made = _decided(runnable, lead, judge)
    except (ValueError, RejectRecord) as error:
        return TestResult(SUBJECT, example.name, passed=False, message=str(error))
    wrong = list(_wrong(example, made))
    return TestResult(SUBJECT, example.name, passed=not wrong, message="; ".join(wrong))


def _decided(runnable: Runnable, lead: Lead, judge: trials.Judge) -> Decision:
    gates = decisions.gate(runnable, lead)
    judged = judge.judge(runnable, lead) if rules.first(gates) is None else None
    return decisions.decide(
        runnable, lead, connection="examples", record_id="example", gates=gates, judged=judged, now=_THEN
    )


def _wrong(example: Example, made: Decision) -> Iterator[str]:
    card = made.scorecard
    if card is None:
        gate = next((hit.rule for hit in made.hits if hit.decides), "")
        why = f"the gate {gate} stopped it" if gate else made.status
        yield f"expected tier {example.tier}, but it was not scored: {why}"
        return
    if card.tier != example.tier:
        yield f"expected tier {example.tier}, got {card.tier} (score {card.score})"
    found = {item.criterion: item.level for item in card.contributions}
    for criterion, level in example.levels.items():
        if found.get(criterion) != level:
            yield f"{criterion}: expected {level}, got {found.get(criterion, 'no such criterion')}"
