"""Verdicts in; score, tier and raw confidence out.

Models never emit a score. They pick a level per criterion; everything numeric is computed here, exactly, in
hundredths of a point. What a rubric alone decides is worked out once a rubric: a replay scores thousands of leads.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from tierwise.domain import stability
from tierwise.domain.rubric import Contribution, Criterion, Dimension, Rubric, Scorecard
from tierwise.domain.verdict import UNKNOWN, Flag, Verdict

_HUNDRED = 100


class _Step(NamedTuple):
    """What one level of a criterion is worth, or its absence."""

    level: str
    points: float
    hundredths: int
    reason: str | None
    tells: bool
    """It supports the top tier, where it is proven."""


class _Gained(NamedTuple):
    """What one criterion comes to."""

    reached: Reached
    hundredths: int
    unknown: int
    """Its weight, where it is structured and nothing is known of it."""
    corroborates: bool


class Reached(NamedTuple):
    """What one criterion added to the score: a Contribution that was not built yet."""

    criterion: Criterion
    level: str
    points: float
    reason: str | None
    verdict: Verdict
    made: Contribution | None = None
    """Built already, where every lead has the same."""


class Weighed(NamedTuple):
    """Everything that a Scorecard says, quicker to make: see there."""

    score: int
    fit: int
    intent: int
    tier: str
    confidence: float
    reached: tuple[Reached, ...]
    capped: bool
    doubted: bool
    corroborated: bool
    knockout: str | None
    flags: tuple[Flag, ...]

    def card(self) -> Scorecard:
        """As it is kept."""
        return Scorecard.model_validate(self.plain())

    def plain(self) -> dict[str, Any]:
        """What a Scorecard is made of."""
        made = self._asdict()
        made["contributions"] = [item.made or _contribution(item) for item in made.pop("reached")]
        return made


def score(
    rubric: Rubric,
    verdicts: Sequence[Verdict],
    *,
    doubted: bool = False,
    beliefs: Mapping[str, Mapping[str, float]] | None = None,
) -> Scorecard:
    """Score, tier and raw confidence from one verdict per criterion; a missing verdict counts as unknown.

    Text that is `doubted`, or that some verdict calls suspect, earns nothing; a knockout found in it still holds.
    `beliefs` change the confidence alone: see `tier_probabilities`.
    """
    return weigh(rubric, verdicts, doubted=doubted, beliefs=beliefs).card()


def weigh(
    rubric: Rubric,
    verdicts: Sequence[Verdict],
    *,
    doubted: bool = False,
    beliefs: Mapping[str, Mapping[str, float]] | None = None,
) -> Weighed:
    """What `score` says, without the card."""
    plan = _plan(rubric)
    flags = {flag for verdict in verdicts if verdict.flags for flag in verdict.flags}
    doubted = doubted or "INJECTION_SUSPECT" in flags
    by_criterion = {verdict.criterion: verdict for verdict in verdicts}
    free = structured = unknown = 0
    earned = {"fit": 0, "intent": 0}
    corroborated = False
    reached = []
    for row in plan.rows:
        gained = row.gained(by_criterion.get(row.criterion.id) or row.nothing, doubted)
        if row.reported:
            free += gained.hundredths
        else:
            structured += gained.hundredths
            unknown += gained.unknown
            corroborated = corroborated or gained.corroborates
        earned[row.criterion.dimension] += gained.hundredths
        reached.append(gained.reached)
    cap = 0 if doubted else plan.cap(unknown)
    value = _rounded(structured + min(free, cap))
    knockout = plan.knockout(reached)
    tier = plan.settle(value * _HUNDRED, corroborated, knockout is not None)
    held = knockout is None and tier != plan.settle(value * _HUNDRED, True, False)
    confidence = _likely(plan, [item.verdict for item in reached], cap=cap, beliefs=beliefs).get(tier, 0.0)
    return Weighed(
        score=value,
        fit=plan.share(earned["fit"], "fit"),
        intent=plan.share(earned["intent"], "intent"),
        tier=tier,
        confidence=round(min(1.0, max(0.0, confidence)), 6),
        reached=tuple(reached),
        capped=free > cap,
        doubted=doubted,
        corroborated=not held,
        knockout=knockout,
        flags=tuple(sorted({flag for item in reached for flag in item.verdict.flags})) if flags else (),
    )


def tier_of(rubric: Rubric, value: int) -> str:
    """The tier whose cut-off the score reaches first, best first."""
    return next(tier for tier, cut in rubric.tiers.items() if value >= cut)


def level_probabilities(criterion: Criterion, verdict: Verdict) -> dict[str, float]:
    """Probability of every level: the stated one, the rest spread evenly over the others.

    Who says `unknown` says that the lead tells nothing, as surely as stated; without a probability, as where an answer
    was withdrawn or a field is missing, every level is as likely.
    """
    ids = [level.id for level in criterion.levels]
    if verdict.level not in ids:
        spread = dict.fromkeys(ids, (1 - verdict.probability) / len(ids))
        return {**spread, UNKNOWN: verdict.probability} if verdict.probability else spread
    rest = (1 - verdict.probability) / (len(ids) - 1)
    even = {level: verdict.probability if level == verdict.level else rest for level in ids}
    return even if verdict.spread is None else {level: verdict.spread.get(level, 0.0) for level in ids}


def tier_probabilities(
    rubric: Rubric,
    contributions: Sequence[Contribution],
    *,
    cap: int | None = None,
    beliefs: Mapping[str, Mapping[str, float]] | None = None,
) -> dict[str, float]:
    """How likely each tier is, if criteria err independently. `beliefs`: by criterion, how likely each level and
    `unknown` is; a criterion that is not in them is believed as it was stated. `cap`: hundredths of points that words
    can earn, by default what the facts allow."""
    plan = _plan(rubric)
    if cap is None:
        known = {row.criterion.id for row in plan.rows if not row.reported}
        facts = [item for item in contributions if item.criterion in known and item.level == UNKNOWN]
        cap = plan.cap(sum(item.weight for item in facts))
    return _likely(plan, [item.verdict for item in contributions], cap=cap, beliefs=beliefs)


# -- what a rubric alone decides ----------------------------------------------------------------------------------


class _Row:
    """One criterion, made ready."""

    __slots__ = ("_gained", "_stated", "_worth", "criterion", "nothing", "reported", "steps", "unknown")
    _KEPT = 4096

    def __init__(self, rubric: Rubric, criterion: Criterion) -> None:
        self.criterion = criterion
        self.reported = criterion.self_reported
        self.nothing = Verdict(criterion=criterion.id, level=UNKNOWN, probability=0, decided_by=criterion.decide)
        self.steps = {
            level.id: _step(
                level.id, criterion.weight * level.points, level.reason,
                tells=not self.reported and level.points > criterion.lowest.points,
            )
            for level in criterion.levels
        }  # fmt: skip
        self.unknown = _step(UNKNOWN, criterion.weight * criterion.unknown_points, None, tells=False)
        knockouts = {knockout.level for knockout in rubric.knockouts if knockout.criterion == criterion.id}
        self._worth = {
            level: stability.world(step.hundredths, corroborates=step.tells, knocks=level in knockouts)
            for level, step in self.steps.items()
        }
        self._worth[UNKNOWN] = stability.world(self.unknown.hundredths)
        self._stated: dict[tuple[str, float, bool], stability.Options] = {}
        self._gained: dict[int, _Gained] = {}

    def gained(self, verdict: Verdict, doubted: bool) -> _Gained:
        """What the verdict earns; nothing where it rests on words that are doubted."""
        if self.criterion.decide == "model":
            return self._weighed(verdict, doubted)
        # By identity: rules have one verdict for each level, the same for every lead.
        held = self._gained.get(id(verdict))
        if held is None or held.reached.verdict is not verdict:
            if len(self._gained) >= self._KEPT:
                self._gained.clear()
            fresh = self._weighed(verdict, doubted)
            made = Contribution.model_validate(_contribution(fresh.reached))
            held = self._gained[id(verdict)] = fresh._replace(reached=fresh.reached._replace(made=made))
        return held

    def _weighed(self, verdict: Verdict, doubted: bool) -> _Gained:
        step = self.steps.get(verdict.level) or self.unknown
        points, hundredths = (0.0, 0) if doubted and self.reported else (step.points, step.hundredths)
        reached = Reached(self.criterion, step.level, points, step.reason, verdict)
        unknown = self.criterion.weight if step is self.unknown and not self.reported else 0
        return _Gained(reached, hundredths, unknown, step.tells and _proven(verdict))

    def stated(self, verdict: Verdict) -> stability.Options:
        """What each level would add and how likely it is, as the verdict has it."""
        if verdict.spread is not None:
            return self.believed(level_probabilities(self.criterion, verdict), proven=_proven(verdict))
        key = (verdict.level, verdict.probability, _proven(verdict))
        found = self._stated.get(key)
        if found is None:
            if len(self._stated) >= self._KEPT:
                self._stated.clear()
            found = self.believed(level_probabilities(self.criterion, verdict), proven=key[2])
            self._stated[key] = found
        return found

    def believed(self, likely: Mapping[str, float], *, proven: bool) -> stability.Options:
        """The same of probabilities that are known already."""
        mask = -1 if proven else ~stability.CORROBORATED
        return tuple((self._worth[level] & mask, probability) for level, probability in likely.items())


class _Plan:
    """A rubric, made ready."""

    __slots__ = ("_cap", "_knockouts", "_shrinks", "_weights", "rows", "rubric", "settle")

    def __init__(self, rubric: Rubric) -> None:
        self.rubric = rubric
        self.rows = tuple(_Row(rubric, criterion) for criterion in rubric.criteria)
        self._weights = {name: _weight(rubric.criteria, name) for name in ("fit", "intent")}
        places = {row.criterion.id: place for place, row in enumerate(self.rows)}
        self._knockouts = [
            (places[item.criterion], item.level, f"{item.criterion}/{item.level}")
            for item in rubric.knockouts
            if item.criterion in places
        ]
        self._cap = rubric.free_text_cap * _HUNDRED
        structured = sum(row.criterion.weight for row in self.rows if not row.reported)
        self._shrinks = structured if rubric.free_text_needs_facts else 0
        self.settle: Callable[[int, bool, bool], str] = functools.lru_cache(maxsize=None)(
            functools.partial(_settled, tuple(rubric.tiers.items()))
        )
        """Tier of hundredths of points; there are only so many of them."""

    def cap(self, unknown: int) -> int:
        """Hundredths of a point that free text can earn where so much structured weight is unknown."""
        if not self._shrinks:
            return self._cap
        return max(0, self._cap * (self._shrinks - 2 * unknown) // self._shrinks)

    def knockout(self, reached: Sequence[Reached]) -> str | None:
        """The first knockout, as it is told, whose level was reached."""
        return next((told for place, level, told in self._knockouts if reached[place].level == level), None)

    def share(self, hundredths: int, dimension: Dimension) -> int:
        """Of a dimension's whole weight, 0-100."""
        weight = self._weights[dimension]
        return _rounded(hundredths * _HUNDRED // weight) if weight else 0


_KEPT = 64
_plans: dict[int, _Plan] = {}


def _plan(rubric: Rubric) -> _Plan:
    # By identity: a rubric is frozen, and a digest of it would cost more than a score.
    found = _plans.get(id(rubric))
    if found is not None and found.rubric is rubric:
        return found
    if len(_plans) >= _KEPT:
        _plans.clear()
    made = _plans[id(rubric)] = _Plan(rubric)
    return made


def _step(level: str, points: float, reason: str | None, *, tells: bool) -> _Step:
    points = round(points, 4)
    return _Step(level, points, round(points * _HUNDRED), reason, tells)


def _weight(criteria: Iterable[Criterion], dimension: str) -> int:
    return sum(criterion.weight for criterion in criteria if criterion.dimension == dimension)


# -- arithmetic ---------------------------------------------------------------------------------------------------


def _likely(
    plan: _Plan,
    verdicts: Sequence[Verdict],
    *,
    cap: int,
    beliefs: Mapping[str, Mapping[str, float]] | None,
) -> dict[str, float]:
    written: list[stability.Options] = []
    structured: list[stability.Options] = []
    for row, verdict in zip(plan.rows, verdicts, strict=True):
        believed = beliefs.get(row.criterion.id) if beliefs else None
        options = row.believed(believed, proven=_proven(verdict)) if believed else row.stated(verdict)
        (written if row.reported else structured).append(options)
    return stability.tiers(written, structured, cap=cap, settle=plan.settle)


def _settled(tiers: Sequence[tuple[str, int]], hundredths: int, corroborated: bool, knocked: bool) -> str:
    """The tier of a score after knockouts, and after the top tier's need of a corroborator."""
    if knocked:
        return tiers[-1][0]
    value = _rounded(hundredths)
    place = next(place for place, (_, cut) in enumerate(tiers) if value >= cut)
    return tiers[1][0] if place == 0 and len(tiers) > 1 and not corroborated else tiers[place][0]


def _rounded(hundredths: int) -> int:
    return (hundredths + _HUNDRED // 2) // _HUNDRED


def _proven(verdict: Verdict) -> bool:
    return verdict.quote is not None or verdict.field is None  # a decision model names a field and quotes nothing


def _contribution(item: Reached) -> dict[str, Any]:
    """What a Contribution is made of. Checked with the whole card, which takes half as long as one by one."""
    return {
        "criterion": item.criterion.id,
        "dimension": item.criterion.dimension,
        "weight": item.criterion.weight,
        "level": item.level,
        "points": item.points,
        "reason": item.reason,
        "verdict": item.verdict,
    }
