"""Rules of four stages over a lead: gates, contradictions, routing, guardrails.

A rule's expression is compiled elsewhere and comes in as a callable; here it is only asked and read.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Generic, Literal, NamedTuple, TypeVar

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


T = TypeVar("T")
Facts = Mapping[str, Mapping[str, Any]]
"""`lead`: the signals that are present; `result`: score, fit, intent, tier, confidence, outcome, route."""
Predicate = Callable[[Facts], Answer]


class Alike(NamedTuple):
    """What the answers of several predicates depend on together: leads that are alike in it need to be asked once."""

    key: Callable[[Facts], Hashable | None]
    """Equal for facts of which the answers are equal; None for facts that have no equals."""
    untold: frozenset[int]
    """Places of the predicates that depend on more: these are asked of every lead."""


Likeness = Callable[[Sequence[Predicate]], Alike]


def unlike(predicates: Sequence[Predicate]) -> Alike:
    """Nothing is known of the predicates: each is asked of every lead."""
    return Alike(lambda _facts: None, frozenset(range(len(predicates))))


class Asked(Generic[T]):
    """Questions that are asked together, and their answers about leads that were alike."""

    __slots__ = ("_kept", "_key", "_questions", "_untold")
    _KEPT = 2048

    def __init__(
        self, questions: Sequence[Callable[[Facts], T]], key: Callable[[Facts], Hashable | None], untold: Iterable[int]
    ) -> None:
        """`key` and `untold`, places of questions, as in `Alike`."""
        self._questions = tuple(questions)
        self._key, self._untold = key, sorted(set(untold))
        self._kept: dict[Hashable, tuple[T, ...]] = {}

    def __call__(self, facts: Facts) -> tuple[T, ...]:
        """Of each its answer, in their order."""
        key = self._key(facts)
        found = None if key is None else self._kept.get(key)
        if found is None:
            found = tuple([question(facts) for question in self._questions])
            if key is not None:
                if len(self._kept) >= self._KEPT:
                    self._kept.clear()
                self._kept[key] = found
        elif self._untold:
            answers = list(found)
            for place in self._untold:
                answers[place] = self._questions[place](facts)
            found = tuple(answers)
        return found


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
    likeness: Likeness = unlike,
) -> tuple[Hit, ...]:
    """Every rule of the stage asked, in order of priority and id; unknown with `on_unknown: review` shows. Without
    `told` the sentences of those that match are left out. `likeness` tells which leads need to be asked once."""
    # A mapping of its own: who evaluates may keep what it made of these facts until it is given others.
    facts = dict(facts)
    chosen = _chosen(
        rules if isinstance(rules, tuple) else tuple(rules), stage, predicates=predicates, likeness=likeness
    )
    hits = chosen.hits(chosen.asked(facts))
    if not told:
        return hits.wordless
    if not hits.filled:
        return hits.worded
    made = list(hits.worded)
    for place, rule, answer in hits.filled:
        made[place] = _hit(rule, answer, outcome=rule.outcome, why=sentence(rule.why, facts))
    return tuple(made)


class _Hits(NamedTuple):
    """What a stage's answers come to: mostly the same for many leads."""

    wordless: tuple[Hit, ...]
    worded: tuple[Hit, ...]
    """With the sentences that are the same for every lead."""
    filled: tuple[tuple[int, Rule, Answer], ...]
    """Places of those whose sentence is filled in with the lead's own values."""


class _Chosen:
    """A stage's rules in order, made ready."""

    __slots__ = ("_kept", "_rules", "asked", "likeness", "of", "predicates")
    _KEPT = 2048

    def __init__(
        self, rules: tuple[Rule, ...], stage: Stage, *, predicates: Mapping[str, Predicate], likeness: Likeness
    ) -> None:
        self.of, self.predicates, self.likeness = rules, predicates, likeness
        self._rules = sorted((rule for rule in rules if rule.stage == stage), key=lambda rule: rule.order)
        asked = [predicates[rule.id] for rule in self._rules]
        self.asked = Asked(asked, *likeness(asked))
        self._kept: dict[tuple[Answer, ...], _Hits] = {}

    def hits(self, answers: tuple[Answer, ...]) -> _Hits:
        """Of the answers to all of them."""
        found = self._kept.get(answers)
        if found is None:
            if len(self._kept) >= self._KEPT:
                self._kept.clear()
            found = self._kept[answers] = self._hits(answers)
        return found

    def _hits(self, answers: tuple[Answer, ...]) -> _Hits:
        wordless = [_silent(rule, answer) for rule, answer in zip(self._rules, answers, strict=True)]
        worded, filled = list(wordless), []
        for place, (rule, answer) in enumerate(zip(self._rules, answers, strict=True)):
            if answer.truth != "match":
                continue
            if "{" in rule.why:
                filled.append((place, rule, answer))
            else:
                worded[place] = _hit(rule, answer, outcome=rule.outcome, why=rule.why)
        return _Hits(tuple(wordless), tuple(worded), tuple(filled))


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


_KEPT = 64
_orders: dict[tuple[int, Stage, int], _Chosen] = {}


def _chosen(
    rules: tuple[Rule, ...], stage: Stage, *, predicates: Mapping[str, Predicate], likeness: Likeness
) -> _Chosen:
    # By identity, as this is asked four times of every lead.
    key = (id(rules), stage, id(predicates))
    held = _orders.get(key)
    if held is not None and held.of is rules and held.predicates is predicates and held.likeness is likeness:
        return held
    made = _Chosen(rules, stage, predicates=predicates, likeness=likeness)
    if len(_orders) >= _KEPT:
        _orders.clear()
    _orders[key] = made
    return made


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
    text, places = _parsed(template)
    for root, field, after in places:
        text += _shown(facts.get(root, {}).get(field)) + after
    return text


@functools.lru_cache(maxsize=1024)
def _parsed(template: str) -> tuple[str, tuple[tuple[str, str, str], ...]]:
    """The text before the first place; of each place its root, its field and the text after it."""
    before, *rest = _PLACE.split(template)
    return before, tuple(zip(rest[::3], rest[1::3], rest[2::3], strict=True))


def _shown(value: Any) -> str:
    if value is None:
        return "not stated"
    if isinstance(value, float):
        return f"{value:g}" if abs(value) < 1e6 else f"{value:,.0f}"
    return str(value)
