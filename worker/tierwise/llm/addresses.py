"""Streets and post codes as they are written in the countries whose languages the project's texts are in.

A town alone is no address: where a company ships from is what criteria are about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from tierwise.domain import needed

_UPPER = "A-ZÀ-ÖØ-ÞŁŚŻŹĆ"
_PLACE = rf"[{_UPPER}](?:[^\W\d_]|['’.-])+(?!\w)"
_TOWN = rf"{_PLACE}(?:[ ](?:am|an der|bei|upon|sur|sous|de|del|di)[ ]{_PLACE}|[ ]{_PLACE})?"
_CAP = rf"[{_UPPER}][\w.'’-]*"
_SMALL = (
    r"(?:de|del|de la|de las|de los|du|des|de l['’]|la|le|les|"
    r"l['’]|d['’]|della|delle|dei|di|do|da|dos|das|van|van de|van der|y|e)"
)
_ABOUT = r"(?:n\.?[ ]?[º°o]?\.?[ ]?)"
_NUMBER = r"\d{1,4}[ ]?(?:[a-zA-Z]\b)?(?:[ ]?[-/][ ]?\d{1,4}[a-zA-Z]?)?"
_GERMAN_TOWN = rf"(?:[,\s]+(?:D-|A-|CH-|DE-|AT-)?\d{{4,5}}[ ]{_TOWN})"
_DUTCH_TOWN = rf"(?:[,\s]+\d{{4}}[ ]?[A-Z]{{2}}\b(?:[ ,]+{_TOWN})?)"
_LATIN_TOWN = rf"(?:[,\s]+(?:(?:F|E|I|CP|C\.P\.|CAP)[ -])?\d{{4,5}}(?:-\d{{3}})?[ ,]+{_TOWN})"
_UK_CODE = r"[A-Z]{1,2}\d[A-Z\d]?[ ]\d[A-Z]{2}\b"
_ANY_DIGIT = re.compile(r"\d")
# `\b` before a digit or capital, said behind it: the engine then looks for these, and not at every place.
_DIGIT, _CAPITAL = r"\d(?<!\w\d)", r"[A-Z](?<!\w[A-Z])"
_US_TAIL = (
    rf"(?:,?[ ](?:Suite|Ste\.?|Apt\.?|Unit|Floor|\#)[ ]?\w{{1,6}})?(?:,[ ]?{_TOWN})?"
    rf"(?:,?[ ][A-Z]{{2}}[ ]\d{{5}}(?:-\d{{4}})?\b)?(?:,?[ ]{_UK_CODE})?"
)

_KIND = r"(?i:rue|avenue|av\.|boulevard|bd|place|chemin|allée|impasse|quai|route|cours|square|passage)"
_GROUPS = (
    (
        # The number comes first.
        rf"\d(?:[a-zA-Z]|[ ]?(?:bis|ter|[A-D]))?,?[ ](?:[{_UPPER}]|{_KIND})",
        # English.
        rf"{_DIGIT}\d{{0,4}}[a-zA-Z]?[ ](?:(?:N|S|E|W|North|South|East|West)\.?[ ])?(?:{_CAP}[ ]){{1,3}}(?:Street|St|"
        rf"Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Boulevard|Blvd|Way|Court|Square|Sq|Place|Terrace|Parkway|Pkwy|Highway|Hwy|"
        rf"Close|Crescent|Row|Quay|Gardens|Park)\b\.?{_US_TAIL}",
        # French: number, kind, name.
        rf"{_DIGIT}\d{{0,3}}(?:[ ]?(?:bis|ter|[A-D]))?,?[ ]{_KIND}[ ]"
        rf"(?:{_SMALL}[ ]?){{0,2}}{_CAP}(?:[ -](?:{_SMALL}[ ]?)?{_CAP}){{0,3}}{_LATIN_TOWN}?",
    ),
    (
        # The number comes last, behind a word in capitals.
        rf"[{_UPPER}][\w.'’-]*,?[ ]{_ABOUT}?\d",
        # German: the kind of street is the end of a word.
        rf"\b{_CAP}(?:[ -]{_CAP})?(?:stra(?:ß|ss)e|str\.|weg|platz|allee|gasse|ring|damm|ufer|chaussee|steig|hof)[ ]"
        rf"{_NUMBER}{_GERMAN_TOWN}?",
        rf"\b(?:{_CAP}[ -]){{1,3}}(?:Stra(?:ß|ss)e|Str\.|Weg|Platz|Allee|Ring|Damm|Ufer|Chaussee)[ ]"
        rf"{_NUMBER}{_GERMAN_TOWN}?",
        rf"\b(?:Am|An der|Auf der|Auf dem|Im|In der|Zum|Zur|Unter den)[ ]{_CAP}(?:[ ]{_CAP})?[ ]"
        rf"{_NUMBER}{_GERMAN_TOWN}",
        # Dutch.
        rf"\b{_CAP}(?:[ ]{_CAP})?(?:straat|laan|weg|plein|gracht|kade|singel|dijk|steeg|hof|pad)[ ]"
        rf"{_NUMBER}{_DUTCH_TOWN}?",
        # Spanish, Portuguese, Italian, Polish: kind, name, number.
        rf"\b(?:[Cc]alle|C/|[Aa]venida|[Aa]vda\.?|[Aa]v\.|[Pp]aseo|[Pp]laza|[Pp]za\.?|[Cc]amino|[Cc]arretera|[Rr]onda|"
        rf"[Tt]ravesía|Rua|rua|R\.|[Tt]ravessa|[Ll]argo|[Pp]raça|[Aa]lameda|[Ee]strada|(?<=in )via|Via|"
        rf"[Vv]iale|[Pp]iazza|[Cc]orso|"
        rf"[Vv]icolo|[Ss]trada)[ ]?(?:{_SMALL}[ ]?){{0,2}}{_CAP}(?:[ ](?:{_SMALL}[ ]?)?{_CAP}){{0,3}},?[ ]"
        rf"{_ABOUT}?{_NUMBER}(?:,[ ]\d{{1,2}}[º°ª](?:[ ]?[A-Z]\b)?)?{_LATIN_TOWN}?",
        rf"\b(?:ul\.|al\.|pl\.|os\.|ulica)[ ]{_CAP}(?:[ ]{_CAP})?[ ]{_NUMBER}(?:[,\s]+\d{{2}}-\d{{3}}[ ]{_TOWN})?",
    ),
    (
        # Boxes.
        r"\d(?<=[xhsoelP.][ ]\d)",
        r"\b(?:P\.?[ ]?O\.?[ ]Box|Postfach|Postbus|Apartado(?:[ ]de[ ]correos)?|Casella[ ]postale|Caixa[ ]postal|"
        rf"B\.?P\.?)[ ]\d{{1,6}}(?:[ ]\d{{2,3}}){{0,2}}\b(?:{_DUTCH_TOWN}|{_LATIN_TOWN})?",
    ),
    # Codes that are nothing else.
    (r"-\d{3}[ ]", rf"{_DIGIT}\d-\d{{3}}[ ]{_TOWN}"),
    (
        r"\d",
        rf"{_CAPITAL}[A-Z]?\d[A-Z\d]?[ ]\d[A-Z]{{2}}\b",
        r"(?:\b(?:PLZ|CAP|CP|C\.P\.|ZIP|ZIP code|post ?code|postcode)[ :]+)(?:\d{4,6}|\d{4}[ ]?[A-Z]{2})\b",
    ),
)  # fmt: skip
"""Patterns, and before those of each group one that all their matches hold and that is quick to look for."""


class _Group(NamedTuple):
    sign: re.Pattern[str]
    patterns: tuple[tuple[needed.Words, re.Pattern[str]], ...]
    """Each with the words of which a text must hold one, as they are spelt; none where nothing is known."""


@lru_cache(maxsize=1)
def _groups() -> tuple[_Group, ...]:
    return tuple(
        _Group(re.compile(sign), tuple((_needs(source), re.compile(source)) for source in sources))
        for sign, *sources in _GROUPS
    )


def _needs(source: str) -> needed.Words:
    if source.startswith((_DIGIT, _CAPITAL)):
        # Rare enough to begin with, so that looking for words would cost more.
        return frozenset()
    told = needed.conditions(source)
    # Few words, and long ones.
    return max(told, key=lambda words: (min(map(len, words)), -len(words)), default=frozenset())


def found(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of what looks like a postal address; may overlap."""
    if not _ANY_DIGIT.search(text):
        return
    for sign, patterns in _groups():
        if sign.search(text):
            for told, pattern in patterns:
                if not told or any(map(text.__contains__, told)):
                    for match in pattern.finditer(text):
                        yield match.span()
