"""Labels into lessons: which stored assessments people confirmed or corrected, and are right to learn from.

A label speaks of the tier, an assessment of each criterion. So a stored assessment is a lesson where the label is the
tier that it led to; where people corrected criteria, the corrected one is, if it leads to the tier that they gave.
Everything else is left out and counted: a tier that is wrong does not tell which criterion was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from tierwise import ports
from tierwise.domain import recall, scoring
from tierwise.domain.decision import Decision
from tierwise.domain.policy import Policy
from tierwise.domain.rubric import Rubric, Verdict
from tierwise.llm import lessons, prompt
from tierwise.pipeline import review
from tierwise.pipeline.backtest import lead_of

CERTAIN = 0.95
"""Probability of a level that a person gave: people err too."""
WHY = {
    "no_tier": "nobody said which tier is right",
    "no_decision": "their decision is not stored",
    "erased": "the lead was erased, or is of another version",
    "not_asked": "no model was asked",
    "other_questions": "other questions were asked then",
    "contradicted": "the label contradicts the tier, and nobody said which criterion was wrong",
    "unexplained": "the corrected criteria do not lead to the tier that was given",
    "withdrawn": "an answer was withdrawn for want of proof, and nobody corrected it",
    "unproved": "a level stands without words of the lead that prove it",
}
"""Reasons to leave a labelled decision out."""


class Tools(NamedTuple):
    """What choosing needs."""

    store: ports.Store
    policy: Policy
    """Whose questions are to be learnt: the active one."""
    digest: str
    asks: Callable[[str], str]
    """Digest of what the policy of a digest asks models."""


class Said(NamedTuple):
    """What people said of one decision, the last word of each matter."""

    tier: str | None
    """None: nobody said, or only that it is another one."""
    disputed: bool
    criteria: Mapping[str, review.Correction]


def examples(
    tools: Tools, *, left_out: Counter[str], source: str | None = None, raw: bool = False
) -> Iterator[list[prompt.Message]]:
    """Messages of every lesson, oldest label first; `left_out` counts the others by reason."""
    made = lessons.Lessons(tools.policy)
    for key, labels in _labelled(tools.store, source):
        try:
            decision, items = _decision(tools, key)
            lead = lead_of(
                ports.PastDecision(key.decision or 0, *key[:2], decision.policy, {}, decision.fields or None)
            )
            if lead is None:
                raise _LeftOut("erased")
            wanted = _wanted(tools, decision, _said(decision, labels, items))
            messages = made.messages(lead, wanted, raw=raw)
            if messages is None:
                raise _LeftOut("unproved")
        except _LeftOut as why:
            left_out[str(why)] += 1
        else:
            yield messages


class _LeftOut(Exception):
    """One of WHY."""


class _Key(NamedTuple):
    connection: str
    record_id: str
    decision: int | None


def _labelled(store: ports.Store, source: str | None) -> list[tuple[_Key, list[ports.Label]]]:
    groups: dict[_Key, list[ports.Label]] = {}
    for label in reversed(store.labels.list(source=source, limit=10_000_000)):
        if label.source in ("review", "rep_feedback"):
            groups.setdefault(_Key(label.connection, label.record_id, label.decision_id), []).append(label)
    return list(groups.items())


def _decision(tools: Tools, key: _Key) -> tuple[Decision, list[ports.ReviewItem]]:
    """With the items that were opened on it."""
    story = next(iter(tools.store.leads.story(key.connection, key.record_id)), None)
    link = next((one for one in story.decisions if one.id == key.decision), None) if story is not None else None
    if story is None or link is None:
        raise _LeftOut("no_decision")
    if link.decision.scorecard is None or not link.decision.assessments:
        raise _LeftOut("not_asked")
    if tools.asks(link.decision.policy) != tools.asks(tools.digest):
        raise _LeftOut("other_questions")
    return link.decision, [item for item in story.reviews if item.decision_id == key.decision]


def _wanted(tools: Tools, decision: Decision, said: Said) -> dict[str, lessons.Wanted]:
    """The answer that should have been given, by criterion."""
    if said.disputed and not said.criteria:
        raise _LeftOut("contradicted")
    if said.tier is None:
        raise _LeftOut("no_tier")
    policy = tools.store.policies.get(decision.policy)
    if policy is None:
        raise _LeftOut("other_questions")
    verdicts = _corrected(decision, policy.rubric, said.criteria)
    if said.criteria and _tier(decision, policy.rubric, verdicts) != said.tier:
        raise _LeftOut("unexplained")
    if any(verdict.flags for verdict in verdicts):
        raise _LeftOut("withdrawn")
    return {one.criterion: lessons.Wanted(one.level, one.probability, one.field, one.quote) for one in verdicts}


def _said(decision: Decision, labels: Sequence[ports.Label], items: Sequence[ports.ReviewItem]) -> Said:
    tiers = [label for label in labels if label.subject == "tier"]
    # Who reviewed saw the lead; a rep's feedback counts where nobody did.
    reviewed = [label.value for label in tiers if label.source == "review"]
    felt = [label.value for label in tiers if label.source == "rep_feedback"]
    tier: str | None = None
    disputed = False
    if reviewed:
        tier, disputed = reviewed[-1], reviewed[-1] != decision.tier
    elif felt:
        tier, disputed = (decision.tier, False) if felt[-1] == "right" else (None, True)
    answered = sorted((item for item in items if item.answer), key=lambda item: str(item.answered_at))
    criteria: dict[str, review.Correction] = {}
    for item in answered:
        for name, given in ((item.answer or {}).get("criteria") or {}).items():
            criteria[name] = review.Correction(given["level"], given.get("field"), given.get("words"))
    return Said(tier, disputed, criteria)


def _corrected(decision: Decision, rubric: Rubric, criteria: Mapping[str, review.Correction]) -> tuple[Verdict, ...]:
    found = recall.verdicts_of(decision.model_dump(mode="json"), rubric) or ()
    return tuple(
        one if (given := criteria.get(one.criterion)) is None
        else Verdict(
            criterion=one.criterion, level=given.level, probability=CERTAIN, decided_by="review", field=given.field,
            quote=given.words,
        )
        for one in found
    )  # fmt: skip


def _tier(decision: Decision, rubric: Rubric, verdicts: Sequence[Verdict]) -> str:
    """The tier that these verdicts lead to, with those of rules as they were."""
    assert decision.scorecard is not None
    asked = {criterion.id for criterion in rubric.asked}
    rules = [item.verdict for item in decision.scorecard.contributions if item.criterion not in asked]
    return scoring.score(rubric, (*rules, *verdicts), doubted=decision.scorecard.doubted).tier


def left_out_in_words(left_out: Mapping[str, int]) -> Iterator[str]:
    """One sentence a reason, the most frequent first."""
    for why, number in sorted(left_out.items(), key=lambda item: -item[1]):
        yield f"{number} left out: {WHY[why]}"
