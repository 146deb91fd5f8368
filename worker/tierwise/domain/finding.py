"""What a policy makes of one lead, before it is put into words: what a decision records and a replay compares.

There is one way to decide; whoever needs no sentences and no record stops here.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tierwise.domain import calibration as calibrations
from tierwise.domain import rubric as rubrics
from tierwise.domain import rules, scoring, stated
from tierwise.domain.lead import Lead
from tierwise.domain.policy import Runnable
from tierwise.domain.review import ReviewKind
from tierwise.domain.scoring import Weighed
from tierwise.domain.verdict import Judged, Verdict


class Ground(NamedTuple):
    """One thing that a decision stands on."""

    code: str
    source: str
    """`criterion:<id>`, `rule:<id>` or `tierwise`."""
    why: str = ""
    """The rule's own sentence, where there is one."""
    quote: str | None = None
    field: str | None = None


class Finding(NamedTuple):
    """All of it."""

    outcome: rules.Outcome
    route: str | None
    review: ReviewKind | None
    grounds: tuple[Ground, ...]
    """Each code once a source."""
    hits: tuple[rules.Hit, ...]
    facts: rules.Facts
    """What the sentences are filled in from."""
    weighed: Weighed | None = None
    """None where a gate decided."""
    confidence: float | None = None
    calibration: str | None = None
    """Digest of the calibration that `confidence` is by."""

    @property
    def codes(self) -> tuple[str, ...]:
        """In order, each once."""
        return tuple(dict.fromkeys(ground.code for ground in self.grounds))


def find(
    runnable: Runnable,
    lead: Lead,
    signals: Mapping[str, Any],
    *,
    gates: Sequence[rules.Hit],
    judged: Judged | None,
    told: bool = True,
) -> Finding:
    """What is made of the lead with these signals. `judged` is None exactly where a gate decided. Without `told` the
    rules' own sentences are left out."""
    facts: dict[str, Mapping[str, Any]] = {"lead": signals}
    if judged is None:
        stopped = rules.first(gates)
        if stopped is None:
            raise ValueError("a lead that no gate stopped must be judged")
        outcome = stopped.outcome or "review"
        return Finding(
            outcome,
            stopped.route,
            "guardrail" if outcome == "review" else None,
            (_of_hit(stopped),),
            tuple(gates),
            facts,
        )
    rubric = runnable.policy.rubric
    contradictions = evaluated(runnable, "contradiction", facts, told=told)
    mismatches = bool(stated.mismatches(lead))
    said = rule_verdicts(runnable, facts)
    card = scoring.weigh(rubric, (*said, *judged.verdicts), doubted=mismatches)
    sure, by = confidence(runnable, judged, card.confidence, rules_said=said, doubted=mismatches)
    result: dict[str, Any] = {
        "score": card.score, "fit": card.fit, "intent": card.intent, "tier": card.tier, "confidence": sure,
    }  # fmt: skip
    facts["result"] = result
    routes = evaluated(runnable, "route", facts, told=told)
    routed = rules.first(routes)
    outcome = (routed.outcome if routed else None) or "review"
    result["outcome"] = outcome
    if routed and routed.route:
        result["route"] = routed.route
    guardrails = evaluated(runnable, "guardrail", facts, told=told)
    stopped = rules.first(guardrails)
    disputed = [hit for hit in contradictions if rules.first((hit,))]
    kind = _review_kind(
        card, judged=judged, disputed=bool(disputed or mismatches), guarded=stopped, outcome=outcome,
        doubtful=sure < review_below(runnable),
    )  # fmt: skip
    grounds = (
        *_of_levels(card),
        *(_of_hit(hit) for hit in disputed),
        _of_hit(routed) if routed else _own("NO_ROUTE"),
        *([_of_hit(stopped)] if stopped else []),
        *([_own("CLAIM_MISMATCH")] if mismatches else []),
        *(_own(code) for code in _own_codes(card, judged, kind=kind)),
    )
    # A guardrail speaks last: it may reject or nurture as well as ask for review.
    final: rules.Outcome = "review" if kind else (stopped.outcome if stopped else None) or outcome
    return Finding(
        outcome=final,
        route=(stopped.route if stopped and stopped.route else None) or (routed.route if routed else None),
        review=kind,
        grounds=tuple({(ground.code, ground.source): ground for ground in grounds}.values()),
        hits=(*gates, *contradictions, *routes, *guardrails),
        facts=facts,
        weighed=card,
        confidence=sure,
        calibration=by,
    )


def evaluated(
    runnable: Runnable, stage: rules.Stage, facts: rules.Facts, *, told: bool = True
) -> tuple[rules.Hit, ...]:
    """What the rules of a stage say of these facts."""
    return rules.evaluate(
        runnable.policy.every_rule, stage, predicates=runnable.rules, facts=facts, told=told, likeness=runnable.likeness
    )


def rule_verdicts(runnable: Runnable, facts: rules.Facts) -> tuple[Verdict, ...]:
    """Verdicts of the criteria that expressions decide; the first level that holds wins."""
    return _ruled(runnable).asked(facts)


class _Ruled:
    """The criteria that expressions decide, made ready."""

    __slots__ = ("asked", "levels", "likeness", "rubric")

    def __init__(self, runnable: Runnable) -> None:
        self.rubric, self.levels, self.likeness = runnable.policy.rubric, runnable.levels, runnable.likeness
        criteria = [
            (item.id, [(level.id, self.levels[item.id, level.id]) for level in item.levels])
            for item in self.rubric.criteria
            if item.decide == "rule"
        ]
        # Leads are alike in a criterion where they are in all of its levels.
        every = [(place, asked) for place, (_, levels) in enumerate(criteria) for _, asked in levels]
        key, untold = self.likeness([asked for _, asked in every])
        questions = [functools.partial(_rule_verdict, name, levels) for name, levels in criteria]
        self.asked = rules.Asked(questions, key, (every[number][0] for number in untold))


_KEPT = 64
_made: dict[tuple[int, int], _Ruled] = {}


def _ruled(runnable: Runnable) -> _Ruled:
    # By identity, as every lead is asked about.
    rubric, levels = runnable.policy.rubric, runnable.levels
    held = _made.get((id(rubric), id(levels)))
    if held is not None and held.rubric is rubric and held.levels is levels and held.likeness is runnable.likeness:
        return held
    if len(_made) >= _KEPT:
        _made.clear()
    made = _made[id(rubric), id(levels)] = _Ruled(runnable)
    return made


def _rule_verdict(name: str, levels: Sequence[tuple[str, rules.Predicate]], facts: rules.Facts) -> Verdict:
    for level, asked in levels:
        answer = asked(facts)
        if answer.truth == "match":
            return _by_rule(name, level, 1.0)
        if answer.truth == "unknown":
            # A better level might hold if the field were there, so a worse one must not be claimed.
            break
    return _by_rule(name, rubrics.UNKNOWN, 0.0)


@functools.lru_cache(maxsize=4096)
def _by_rule(criterion: str, level: str, probability: float) -> Verdict:
    """There are only as many as levels, and they are frozen."""
    return Verdict(criterion=criterion, level=level, probability=probability, decided_by="rule")


def review_below(runnable: Runnable) -> float:
    """Confidence under which a person is asked: the calibration's own, else the rubric's."""
    found = runnable.calibration.review if runnable.calibration else None
    return runnable.policy.rubric.thresholds.review_below if found is None or found.value is None else found.value


def confidence(
    runnable: Runnable,
    judged: Judged,
    raw: float,
    *,
    rules_said: tuple[Verdict, ...],
    doubted: bool = False,
) -> tuple[float, str | None]:
    """Confidence of a card whose own is `raw`, and the digest of the calibration it is by: none for who is outside
    its chain of models."""
    made = runnable.calibration
    if made is None or judged.fallback or (judged.used is not None and judged.used not in made.models):
        return raw, None
    rubric = runnable.policy.rubric
    answers = judged.weighed or calibrations.answers_of(judged.assessments)
    believed = calibrations.beliefs_of(rubric, calibrations.Answered(rules_said, answers), made.beliefs)
    weighed = scoring.weigh(rubric, (*rules_said, *judged.verdicts), doubted=doubted, beliefs=believed)
    return made.confidence(weighed.confidence), made.digest()


def _review_kind(
    card: Weighed,
    *,
    judged: Judged,
    disputed: bool,
    guarded: rules.Hit | None,
    outcome: rules.Outcome,
    doubtful: bool,
) -> ReviewKind | None:
    if "INJECTION_SUSPECT" in card.flags:
        return "guardrail"
    if disputed or judged.contradiction:
        return "contradiction"
    if guarded is not None and (guarded.outcome or "review") == "review":
        return "guardrail"
    if judged.fallback or doubtful:
        return "low_confidence"
    return "guardrail" if outcome == "review" else None


def _own_codes(card: Weighed, judged: Judged, *, kind: ReviewKind | None) -> list[str]:
    codes: list[str] = list(card.flags)
    if not card.corroborated:
        codes.append("NO_CORROBORATION")
    if judged.contradiction:
        codes.append("MODELS_DISAGREE")
    if judged.fallback:
        codes.append("MODEL_UNAVAILABLE")
    elif kind == "low_confidence":
        codes.append("LOW_CONFIDENCE")
    return codes


def _of_levels(card: Weighed) -> list[Ground]:
    """Of the levels reached, the weightiest first."""
    given = []
    for item in sorted(card.reached, key=lambda item: (-item.points, item.criterion.id)):
        if item.reason is None:
            continue
        name = item.criterion.id
        if card.doubted and item.criterion.self_reported and card.knockout != f"{name}/{item.level}":
            # Doubted words gave no reason for anything, but for a knockout.
            continue
        given.append(Ground(item.reason, f"criterion:{name}", "", item.verdict.quote, item.verdict.field))
    return given


def _of_hit(hit: rules.Hit) -> Ground:
    return Ground(hit.reason, f"rule:{hit.rule}", hit.why)


def _own(code: str) -> Ground:
    return Ground(code, "tierwise")
