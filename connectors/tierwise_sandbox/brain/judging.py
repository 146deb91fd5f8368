"""One criterion against one lead: which level, how sure, and the words that it rests on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tierwise_sandbox.brain.lexicon import DENIAL, IDEAS
from tierwise_sandbox.brain.reading import UNKNOWN, Criterion, Field

_WORD = re.compile(r"[^\W\d_]{4,}")
_STOP = frozenset(
    _WORD.findall(
        "about after also been before between could does each from have here into lead leads level like more most "
        "much only other over said same should some such than that their them then there these they this those very "
        "what when where which while will with would your company message says states stated mentions person clear"
    )
)
_SENTENCE = re.compile(r"[^.!?。？！\n]+[.!?。？！]?")
_MAX_QUOTE = 160
_STEADY = 0.5
"""A throw of the dice that moves nothing."""


@dataclass(frozen=True)
class Sentence:
    """One sentence of a field, with what it shows; worked out once for all criteria."""

    field: str
    quote: str
    stems: frozenset[str]
    ideas: frozenset[str]
    has_number: bool


@dataclass(frozen=True)
class Evidence:
    sentence: Sentence
    strength: float


def sentences(fields: Sequence[Field]) -> list[Sentence]:
    """All sentences of all fields, in order."""
    return [_sentence(field, found) for field in fields for found in _SENTENCE.finditer(field.plain)]


def _sentence(field: Field, found: re.Match[str]) -> Sentence:
    text = found.group()
    return Sentence(
        field=field.name,
        quote=_quote(field, found.start(), found.end()),
        stems=_stems(text),
        ideas=frozenset(idea.name for idea in IDEAS if idea.shown.search(text)),
        has_number=any(map(str.isdigit, text)),
    )


def _quote(field: Field, start: int, stop: int) -> str:
    text = field.raw[start : min(stop, start + _MAX_QUOTE)]
    blank = field.plain[start : start + len(text)]
    return text[len(blank) - len(blank.lstrip()) : len(blank.rstrip())]


def judge(criterion: Criterion, read: Sequence[Sentence], *, model: str, seed: str) -> dict[str, Any]:
    """The answer for one criterion in the shape its schema asks for. `seed` stands for the lead."""
    # Some models want more than others before they commit.
    return _judged(criterion, read, dice=_dice(model, criterion.id, seed), caution=0.15 * _dice(model))


def level(criterion: Criterion, read: Sequence[Sentence]) -> str:
    """The level that the words show, without any model's slips."""
    return str(_judged(criterion, read, dice=_STEADY, caution=0.0)["level"])


def _judged(criterion: Criterion, read: Sequence[Sentence], *, dice: float, caution: float) -> dict[str, Any]:
    allowed = [one for one in read if not criterion.fields or one.field in criterion.fields]
    evidence = max((_evidence(criterion, one) for one in allowed), key=lambda found: found.strength, default=None)
    if evidence is None or evidence.strength < 1.0 + caution:
        level, probability, quote, place = _nothing(criterion, dice)
    else:
        level = _level(criterion, evidence, dice)
        probability = min(0.97, 0.52 + 0.11 * evidence.strength - caution + 0.08 * (dice - 0.5))
        quote, place = evidence.sentence.quote, evidence.sentence.field
    answer = {"level": level, "probability": round(probability, 3), "quote": quote, "field": place}
    return {key: value for key, value in answer.items() if key in criterion.keys}


def _nothing(criterion: Criterion, dice: float) -> tuple[str, float, str, str]:
    place = "" if "" in criterion.fields or not criterion.fields else criterion.fields[0]
    if criterion.has_unknown:
        return UNKNOWN, 0.55 + 0.2 * dice, "", place
    return ladder(criterion)[-1], 0.5 + 0.1 * dice, "", place


def strength(criterion: Criterion, sentence: Sentence) -> float:
    """How much a sentence says about what a criterion asks."""
    return _evidence(criterion, sentence).strength


def _evidence(criterion: Criterion, sentence: Sentence) -> Evidence:
    stems, ideas = _asked(criterion)
    about = len(sentence.ideas & ideas)
    number = 0.4 if about and sentence.has_number else 0.0
    return Evidence(sentence, 1.4 * about + 0.6 * len(sentence.stems & stems) + number)


def _level(criterion: Criterion, evidence: Evidence, dice: float) -> str:
    order = ladder(criterion)
    own_stems, own_ideas = _differences(criterion)
    sentence = evidence.sentence
    by_idea = _winner(order, [len(own_ideas[level] & sentence.ideas) for level in order])
    by_words = _winner(order, [len(own_stems[level] & sentence.stems) // 2 for level in order])
    if by_idea is not None:
        step = order.index(by_idea)
    elif sentence.ideas & {"doubt", "outsider"}:
        step = len(order) - 1
    elif by_words is not None:
        step = order.index(by_words)
    else:
        step = 0 if evidence.strength >= 1.4 else min(1, len(order) - 1)
    if dice < 0.08:  # now and then a model is one level off
        step = step + 1 if step + 1 < len(order) else max(0, step - 1)
    return order[step]


def _winner(ladder: Sequence[str], counts: Sequence[int]) -> str | None:
    """The level with the highest count, if there is one and only one."""
    most = max(counts)
    return ladder[counts.index(most)] if most > 0 and counts.count(most) == 1 else None


@lru_cache(maxsize=512)
def _differences(criterion: Criterion) -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
    """What the description of each level has that not all of them have: stems, and ideas asked for."""
    stems = {level: _stems(text.lower()) for level, text in _described(criterion)}
    ideas = {
        level: frozenset(idea.name for idea in IDEAS if idea.asked.search(text))
        for level, text in _described(criterion)
    }
    return _without_common(stems), _without_common(ideas)


def _described(criterion: Criterion) -> list[tuple[str, str]]:
    return list(zip(criterion.levels, criterion.descriptions, strict=True))


def _without_common(sets: dict[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    common = frozenset.intersection(*sets.values()) if sets else frozenset()
    return {level: found - common for level, found in sets.items()}


@lru_cache(maxsize=512)
def ladder(criterion: Criterion) -> tuple[str, ...]:
    """The levels from best to worst: the end that is described by denial is the worse one."""
    denials = [len(DENIAL.findall(f"{level} {text}")) for level, text in _described(criterion)]
    if denials and denials[0] > denials[-1]:
        return criterion.levels[::-1]
    return criterion.levels


@lru_cache(maxsize=512)
def _asked(criterion: Criterion) -> tuple[frozenset[str], frozenset[str]]:
    text = " ".join((criterion.id.replace("_", " "), criterion.question, *criterion.descriptions)).lower()
    question = f"{criterion.id} {criterion.question}"
    ideas = {idea.name for idea in IDEAS if idea.asked.search(question)}
    _, by_level = _differences(criterion)
    ideas |= frozenset().union(*by_level.values()) - {"doubt"}  # doubt about something else decides nothing here
    return _stems(text), frozenset(ideas)


@lru_cache(maxsize=8192)
def _stems(text: str) -> frozenset[str]:
    return frozenset(word[:6] for word in _WORD.findall(text) if word not in _STOP)


def _dice(*parts: str) -> float:
    """0 to 1, always the same for the same parts."""
    hashed = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return int.from_bytes(hashed[:6], "big") / (1 << 48)
