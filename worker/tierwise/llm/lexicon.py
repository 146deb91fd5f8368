"""Phrases of the rubric found in a lead's text: the whole of what the offline model knows.

Understands negation in the same clause, in eleven languages by their commonest words; understands nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tierwise.domain.rubric import UNKNOWN, Criterion
from tierwise.llm import text

VERSION = 2
"""Part of the content hash: a change of these rules is a change of model."""

_SENTENCE = re.compile(r"[^.!?;。！？]+(?:[.!?;]+(?!\s)[^.!?;。！？]+)*[.!?;。！？]*")
_CLAUSE = re.compile(r"[,:()]|\b(?:but|however|although|aber|jedoch|mais|pero|ma|mas|maar)\b")
_NEGATION = re.compile(
    r"\b(?:no|not|never|none|neither|nor|without|cannot|\w+n't|lack(?:s|ing)?|isnt|dont|"
    r"kein\w*|nicht|nie|niemals|ohne|pas|jamais|sans|aucune?|sin|nunca|ningun\w*|non|senza|nessun\w*|"
    r"nao|sem|nenhum\w*|niet|geen|nooit|zonder|nie|bez|nikdy|inte|ingen|utan|не|нет|без)\b"
)
# In these languages the negation may follow what it denies ("wir planen das nicht").
_TRAILING = re.compile(r"^\W*(?:\w+\W+){0,2}?(?:nicht|niet|pas)\b")
_WORD = re.compile(r"\w+")
_UNSPACED = "\u2e80"  # from here on scripts mostly write words without spaces between them
_REACH = 5  # words between a negation and what it denies

# The commonest words of the languages that the cues speak: a text of such a language that holds no cue says nothing.
_COMMON = tuple(
    frozenset(words.split())
    for words in (
        "the a an and or of to in on for with is are was we i you it this that our your my have has can "
        "do at from be as "
        "not would like please need about want looking interested",
        "der die das und oder von zu in im auf fur mit ist sind wir ich sie es den dem ein eine einen "
        "unser unsere haben "
        "hat kann nicht bei aus als auch an bitte noch nur",
        "le la les de des du et ou un une a au aux en dans pour avec est sont nous je vous il elle que "
        "qui ce cette notre "
        "nos avons pas sur par plus votre",
        "el la los las de del y o un una a al en para con es son que se nos yo su sus mi nuestro "
        "nuestra tenemos no por "
        "lo como mas me",
        "o a os as de do da dos das e ou um uma em no na para com que se nos eu seu sua meu minha nosso "
        "temos nao por "
        "como mais",
        "il lo la i gli le di del della dei e o un una a al in nel per con che si noi io suo nostro "
        "abbiamo non da come "
        "piu mi ci",
        "de het een en of van te in op voor met is zijn wij we ik u je dat die ons onze hebben niet aan "
        "bij uit als ook "
        "graag kunt er",
        "i w na z do o sie nie to jest dla za od po jak czy mamy nasz przed prosze",
    )
)
_ENOUGH_WORDS = 5  # fewer say nothing by their silence
_COMMON_SHARE = 0.18
_ENOUGH_LETTERS = 12  # of a script that writes no spaces

_ONE_WORD, _PHRASE = 0.6, 0.75  # how far one cue is trusted alone
_MOST = 0.92  # a lexicon is never surer than that
_SILENCE = 0.6  # a text in a language of the cues that says nothing about it
_DENIED = 0.75


class Cue(NamedTuple):
    """One compiled phrase of a level."""

    pattern: re.Pattern[str]
    needle: str
    """Letters that every match holds: looking for them first is ten times faster than the pattern."""
    trust: float


class Question(NamedTuple):
    """A criterion as the lexicon sees it: levels best first."""

    id: str
    fields: tuple[str, ...]
    levels: tuple[tuple[str, tuple[Cue, ...]], ...]
    lowest: str


class Finding(NamedTuple):
    """The lexicon's verdict on one criterion."""

    level: str
    probability: float
    quote: str = ""
    field: str = ""


class _Evidence(NamedTuple):
    doubt: float
    """Product of (1 - trust) over the distinct cues that were found."""
    quote: str
    field: str
    trust: float


def spell_out(criteria: Sequence[Criterion]) -> list[dict[str, Any]]:
    """The criteria's cues as plain data, as they travel in the call's parameters."""
    return [
        {
            "id": criterion.id,
            "fields": list(criterion.fields),
            "lowest": criterion.lowest.id,
            "levels": [
                {"id": level.id, "cues": list(level.cues)}
                for level in sorted(criterion.levels, key=lambda level: -level.points)
            ],
        }
        for criterion in criteria
    ]


def compiled(spelled: Sequence[Mapping[str, Any]]) -> tuple[Question, ...]:
    """What `spell_out` gave, ready to match."""
    return tuple(
        Question(
            id=item["id"],
            fields=tuple(item["fields"]),
            lowest=item["lowest"],
            levels=tuple((level["id"], tuple(map(_cue, level["cues"]))) for level in item["levels"]),
        )
        for item in spelled
    )


def assess(questions: Sequence[Question], fields: Mapping[str, str]) -> dict[str, Finding]:
    """One finding per question.

    The level with the strongest evidence wins, doubted by what speaks for others. Evidence that is only denied gives
    the lowest level. Silence gives the lowest level where a text of some length in a language of the cues was read,
    else `unknown`: in other languages silence may only mean that the cues do not speak them.
    """
    sentences = {name: _sentences(value) for name, value in fields.items()}
    return {question.id: _finding(question, fields, sentences) for question in questions}


Sentences = Mapping[str, Sequence[tuple[str, str]]]
"""By field: every sentence as it stands, and folded."""


def _finding(question: Question, fields: Mapping[str, str], sentences: Sentences) -> Finding:
    evidence: dict[str, _Evidence] = {}
    denied: Finding | None = None
    for name in question.fields:
        for level, cue, sentence, plain in _possible(question, sentences.get(name, ())):
            match = cue.pattern.search(plain)
            if match is None:
                continue
            if level != question.lowest and _is_denied(plain, match):
                denied = denied or Finding(question.lowest, _DENIED, quote=sentence, field=name)
                continue
            evidence[level] = _more(evidence.get(level), cue, sentence=sentence, field=name)
    if evidence:
        return _strongest(evidence, [level for level, _ in question.levels])
    if denied is not None:
        return denied
    if any(_silent(fields[name]) for name in question.fields if name in fields):
        return Finding(question.lowest, _SILENCE)
    return Finding(UNKNOWN, 0.0)


def _possible(question: Question, sentences: Sequence[tuple[str, str]]) -> Iterator[tuple[str, Cue, str, str]]:
    whole = " ".join(plain for _, plain in sentences)
    there = [(level, cue) for level, cues in question.levels for cue in cues if cue.needle in whole]
    for sentence, plain in sentences:
        for level, cue in there:
            if cue.needle in plain:
                yield level, cue, sentence, plain


def _strongest(evidence: Mapping[str, _Evidence], order: Sequence[str]) -> Finding:
    ranked = sorted(evidence, key=lambda level: (evidence[level].doubt, order.index(level)))
    best = evidence[ranked[0]]
    probability = 1 - best.doubt
    if len(ranked) > 1:
        probability *= 1 - 0.5 * (1 - evidence[ranked[1]].doubt)
    return Finding(ranked[0], round(min(_MOST, probability), 3), quote=best.quote, field=best.field)


def _more(known: _Evidence | None, cue: Cue, *, sentence: str, field: str) -> _Evidence:
    if known is None:
        return _Evidence(1 - cue.trust, sentence, field, cue.trust)
    doubt = known.doubt * (1 - cue.trust / 2)
    if cue.trust > known.trust:
        return _Evidence(doubt, sentence, field, cue.trust)
    return known._replace(doubt=doubt)


def _is_denied(plain: str, match: re.Match[str]) -> bool:
    before = _CLAUSE.split(plain[: match.start()])[-1]
    after = _CLAUSE.split(plain[match.end() :])[0]
    if _TRAILING.match(after):
        return True
    found = list(_NEGATION.finditer(before))
    # The cue may carry its own negation ("no budget"): that one is part of what it says.
    return bool(found) and len(_WORD.findall(before[found[-1].end() :])) <= _REACH and len(found) % 2 == 1


def _silent(value: str) -> bool:
    plain = text.folded(value)
    if sum(letter >= _UNSPACED for letter in plain) >= _ENOUGH_LETTERS:
        return True
    words = _WORD.findall(plain)
    enough = _COMMON_SHARE * len(words)
    return len(words) >= _ENOUGH_WORDS and any(sum(word in known for word in words) >= enough for known in _COMMON)


def _sentences(value: str) -> list[tuple[str, str]]:
    found = [match.group().strip() for match in _SENTENCE.finditer(value)]
    return [(sentence, text.folded(sentence).replace("_", " ")) for sentence in found if sentence]


def _cue(phrase: str) -> Cue:
    """Whole words; a `*` at the end of a word stands for any ending."""
    words = text.folded(phrase).replace("_", " ").split()
    parts = [re.escape(word.rstrip("*")) + (r"\w*" if word.endswith("*") else "") for word in words]
    trust = _ONE_WORD if len(words) == 1 else _PHRASE
    needle = max((word.rstrip("*") for word in words), key=len, default="")
    start = "" if needle and words[0][0] >= _UNSPACED else r"(?<!\w)"
    end = "" if needle and words[-1][-1] >= _UNSPACED else r"(?!\w)"
    return Cue(re.compile(start + r"[\s\-]+".join(parts) + end), needle, trust)
