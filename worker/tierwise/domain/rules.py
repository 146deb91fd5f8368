"""Rules of four stages over a lead: gates, contradictions, routing, guardrails.

A rule's expression is compiled elsewhere and comes in as a callable; here it is only asked and read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple

from pydantic import Field

from tierwise.domain.rubric import Frozen

Stage = Literal["gate", "contradiction", "route", "guardrail"]
Outcome = Literal["accept", "nurture", "reject", "review"]
Truth = Literal["match", "no_match", "unknown"]


class Answer(NamedTuple):
    """What an expression said of one lead."""

    truth: Truth
    missing: tuple[str, ...] = ()
    """Fields whose absence made it unknown, dotted (`lead.employee_count`)."""


Facts = Mapping[str, Mapping[str, Any]]
"""`lead`: the signals that are present; `result`: score, fit, intent, tier, confidence, outcome, route."""
Predicate = Callable[[Facts], Answer]


class RuleTest(Frozen):
    """A test inside the rule file."""

    name: str
    lead: Mapping[str, Any] = Field(default_factory=dict)
    result: Mapping[str, Any] = Field(default_factory=dict)
    expect: Truth


class Rule(Frozen):
    """One declarative rule. The smaller priority is asked first; in gate and route the first match wins."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    stage: Stage
    when: str = Field(max_length=2000)
    reason: str
    outcome: Outcome | None = None
    route: str | None = None
    confidence: float = Field(default=1.0, ge=0, le=1)
    priority: int = 100
    on_unknown: Literal["skip", "review"] = "skip"
    owner: str
    why: str
    """Sentence for people; `{lead.employee_count}` is replaced by the value, absent ones by "not stated"."""
    tests: tuple[RuleTest, ...] = ()

    @property
    def order(self) -> tuple[int, str, int]:
        """What is asked first sorts first."""
        return self.priority, self.id, 0

    @property
    def subject(self) -> str:
        """How it is called where something is said of it."""
        return f"rule {self.id}"


class Hit(Frozen):
    """One rule's verdict on one lead, kept in the decision."""

    rule: str
    stage: Stage
    truth: Truth
    reason: str
    outcome: Outcome | None = None
    route: str | None = None
    confidence: float = 1.0
    why: str = ""
    missing: tuple[str, ...] = ()

    @property
    def decides(self) -> bool:
        """The rule matched."""
        return self.truth == "match"


def evaluate(
    rules: Iterable[Rule],
    stage: Stage,
    *,
    predicates: Mapping[str, Predicate],
    facts: Facts,
    told: bool = True,
) -> tuple[Hit, ...]:
    """Every rule of the stage asked, in order of priority and id; unknown with `on_unknown: review` shows. Without
    `told` the sentences of those that match are left out."""
    # A mapping of its own: who evaluates may keep what it made of these facts until it is given others.
    facts = dict(facts)
    hits = []
    for rule, wordless in _chosen(rules if isinstance(rules, tuple) else tuple(rules), stage):
        answer = predicates[rule.id](facts)
        if told and answer.truth == "match":
            hits.append(_hit(rule, answer, outcome=rule.outcome, why=sentence(rule.why, facts)))
            continue
        hit = wordless.get(answer)
        if hit is None:
            hit = wordless[answer] = _silent(rule, answer)
        hits.append(hit)
    return tuple(hits)


def _silent(rule: Rule, answer: Answer) -> Hit:
    outcome = rule.outcome
    if answer.truth == "unknown":
        # Not the rule's own outcome: a rule that skips the unknown must not review it because it reviews a match.
        outcome = "review" if rule.on_unknown == "review" else None
    return _hit(rule, answer, outcome=outcome)


def _hit(rule: Rule, answer: Answer, *, outcome: Outcome | None, why: str = "") -> Hit:
    return Hit(
        rule=rule.id,
        stage=rule.stage,
        truth=answer.truth,
        reason=rule.reason,
        outcome=outcome,
        route=rule.route,
        confidence=rule.confidence,
        why=why,
        missing=answer.missing,
    )


_Chosen = tuple[tuple[Rule, dict[Answer, Hit]], ...]
_KEPT = 64
_orders: dict[tuple[int, Stage], tuple[tuple[Rule, ...], _Chosen]] = {}


def _chosen(rules: tuple[Rule, ...], stage: Stage) -> _Chosen:
    """The stage's rules in order, each with the hits it gave where it did not match. Most do not, and what they say
    then is the same for every lead."""
    key = (id(rules), stage)
    held = _orders.get(key)
    if held is not None and held[0] is rules:
        return held[1]
    ordered = sorted((rule for rule in rules if rule.stage == stage), key=lambda rule: rule.order)
    chosen: _Chosen = tuple((rule, {}) for rule in ordered)
    if len(_orders) >= _KEPT:
        _orders.clear()
    _orders[key] = (rules, chosen)
    return chosen


def first(hits: Iterable[Hit]) -> Hit | None:
    """The first hit that decides: a match, or an unknown whose rule asks for review."""
    # Looped, not searched by a generator: this is asked several times of every lead.
    for hit in hits:
        truth = hit.truth
        if truth == "match" or (truth == "unknown" and hit.outcome == "review"):
            return hit
    return None


_PLACE = re.compile(r"\{(lead|result)\.([a-z_]+)\}")


def sentence(template: str, facts: Facts) -> str:
    """The template with `{lead.x}` and `{result.x}` filled in; what is absent reads "not stated"."""
    if "{" not in template:
        return template
    return _PLACE.sub(lambda place: _shown(facts.get(place[1], {}).get(place[2])), template)


def _shown(value: Any) -> str:
    if value is None:
        return "not stated"
    if isinstance(value, float):
        return f"{value:g}" if abs(value) < 1e6 else f"{value:,.0f}"
    return str(value)
