"""Verdicts of a model that is right with a given probability and says how sure it is, more or less honestly.

What it says of a lead depends on the behaviour's seed, the model's name, the criterion and the lead's text alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any

from tierwise_sandbox.brain import judging
from tierwise_sandbox.brain.behaviour import Behaviour, dice
from tierwise_sandbox.brain.reading import UNKNOWN, Criterion, Field
from tierwise_sandbox.brain.truth import Truth

_NORMAL = NormalDist()
_EDGE = 1e-4  # an area of exactly 0 or 1 would be infinitely far away
_ORDERS = re.compile(
    r"ignore (?:all|any|the|your|previous)|disregard|system prompt|you (?:are|must) now|instructions?\b|assistant"
    r"|as an ai|output (?:only|the)|respond with|answer (?:with|only)|set (?:the )?(?:score|level|tier)"
    r"|ignorier|ignorez|ignora |ignore as|anweisung|忽略|無視",
    re.IGNORECASE,
)


def levels(criteria: Sequence[Criterion], fields: Sequence[Field], truth: Truth) -> dict[str, str]:
    """The true level of every criterion."""
    told = truth.levels(fields) or {}
    read = judging.sentences(fields)
    found = {}
    for criterion in criteria:
        level = told.get(criterion.id)
        if level not in (*criterion.levels, UNKNOWN):
            level = judging.level(criterion, read)
        found[criterion.id] = level if _readable(criterion, fields) else _silence(criterion)
    return found


def judge(
    criterion: Criterion, fields: Sequence[Field], *, behaviour: Behaviour, model: str, true: str
) -> dict[str, Any]:
    """The answer for one criterion in the shape that its schema asks for."""
    chosen, stated = verdict(criterion, fields, behaviour=behaviour, model=model, true=true)
    quote, place = _proof(criterion, fields, chosen)
    answer = {"level": chosen, "probability": stated, "quote": quote, "field": place}
    return {key: value for key, value in answer.items() if key in criterion.keys}


def verdict(
    criterion: Criterion, fields: Sequence[Field], *, behaviour: Behaviour, model: str, true: str
) -> tuple[str, float]:
    """The level it says, and how sure it says it is."""
    rng = dice(behaviour.seed, model, criterion.id, _text(fields))
    if not _readable(criterion, fields):
        return _silence(criterion), stated(1.0, 0.5, right=True, within=behaviour.stated, draw=rng.random())
    accuracy, auroc = behaviour.share("accuracy", criterion.id), behaviour.share("auroc", criterion.id)
    right = rng.random() < accuracy
    chosen = true if right else _mistaken(criterion, true, adjacent=behaviour.wrong == "adjacent", draw=rng.random())
    probability = stated(accuracy, auroc, right=chosen == true, within=behaviour.stated, draw=rng.random())
    return chosen, probability


def stated(accuracy: float, auroc: float, *, right: bool, within: tuple[float, float], draw: float) -> float:
    """A probability for `draw` (uniform in 0-1): over all answers uniform `within`, higher for right ones by `auroc`.

    Two normal distributions whose distance makes the area, each value put where it stands among all answers.
    """
    distance = math.sqrt(2) * _NORMAL.inv_cdf(min(1 - _EDGE, max(_EDGE, auroc)))
    seen = _NORMAL.inv_cdf(min(1 - 1e-12, max(1e-12, draw))) + (distance if right else 0.0)
    place = accuracy * _NORMAL.cdf(seen - distance) + (1 - accuracy) * _NORMAL.cdf(seen)
    low, high = within
    return round(low + (high - low) * place, 4)


def obeys(fields: Sequence[Field], *, behaviour: Behaviour, model: str) -> Field | None:
    """The field whose text tells it what to answer, where it does as it is told."""
    if not behaviour.injected:
        return None
    ordering = next((field for field in fields if _ORDERS.search(field.plain)), None)
    if ordering is None or dice(behaviour.seed, model, "injected", _text(fields)).random() >= behaviour.injected:
        return None
    return ordering


def obedient(criterion: Criterion, ordering: Field) -> dict[str, Any]:
    """The best level, with the order's own words as its proof."""
    found = _ORDERS.search(ordering.plain)
    start = found.start() if found else 0
    best = judging.ladder(criterion)[0]
    answer = {"level": best, "probability": 0.99, "quote": ordering.raw[start : start + 80], "field": ordering.name}
    return {key: value for key, value in answer.items() if key in criterion.keys}


def spread(criterion: Criterion, chosen: str, probability: float) -> Mapping[str, float]:
    """Probability of every option, for decision models: the rest goes to the others in equal parts."""
    options = (*criterion.levels, *((UNKNOWN,) if criterion.has_unknown else ()))
    rest = (1 - probability) / max(1, len(options) - 1)
    return {option: probability if option == chosen else rest for option in options}


def _mistaken(criterion: Criterion, true: str, *, adjacent: bool, draw: float) -> str:
    order = judging.ladder(criterion)
    options = (*order, *((UNKNOWN,) if criterion.has_unknown else ()))
    others = [level for level in options if level != true]
    if adjacent and true in order:
        place = order.index(true)
        others = [order[step] for step in (place - 1, place + 1) if 0 <= step < len(order)]
    return others[int(draw * len(others))] if others else true


def _proof(criterion: Criterion, fields: Sequence[Field], level: str) -> tuple[str, str]:
    """Words to rest the level on: the lexicon's where it has any, else the first sentence there is."""
    allowed = [field for field in fields if not criterion.fields or field.name in criterion.fields]
    place = "" if not criterion.fields or "" in criterion.fields else criterion.fields[0]
    if level == UNKNOWN or not allowed:
        return "", place
    read = judging.sentences(allowed)
    best = max(read, key=lambda one: judging.strength(criterion, one), default=None)
    return (best.quote, best.field) if best is not None and best.quote else (allowed[0].raw, allowed[0].name)


def _readable(criterion: Criterion, fields: Sequence[Field]) -> bool:
    return any(not criterion.fields or field.name in criterion.fields for field in fields)


def _silence(criterion: Criterion) -> str:
    return UNKNOWN if criterion.has_unknown else judging.ladder(criterion)[-1]


def _text(fields: Sequence[Field]) -> str:
    return "\x1e".join(f"{field.name}={' '.join(field.plain.split())}" for field in fields)
