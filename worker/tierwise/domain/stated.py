"""What a lead's own words state of its size, volume and role, held against the fields that state them too.

Words that claim several times what a field says, or a rank that the title does not hold, cannot be true with it, so a
person looks. Numbers count only beside their unit, volumes only by month: a day's number says something else.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import NamedTuple

from tierwise.domain.lead import Lead

FACTOR = 3.0
"""How many times the field's number a claim must be; below it, rounding and growth explain the difference."""

_NUMBER = (
    r"(?<![\d.,])(\d{1,3}(?:[.,'’\u00a0\u202f ]\d{3})+|\d{1,7}(?:[.,]\d)?)\s?(k\b|thousand|tausend|mille|"
    r"mil\b|mila|tys\w*|тыс\w*|bin\b|tusen|duizend|万|만)?"
)
_PEOPLE = (
    r"employees|people work|staff|headcount|mitarbeiter\w*|beschäftigte\w*|employés|salariés|collaborateurs|"
    r"empleados|trabajadores|funcionários|colaboradores|dipendenti|addetti|medewerkers|werknemers|pracowników|сотрудник\w*|çalışan\w*|"
    r"anställda|名の?(?:従業員|社員)|名员工|员工|직원|موظف"
)
_BEFORE = "従業員|社員|员工|員工|직원|сотрудников|employees|mitarbeiter|headcount"
_PEOPLE_BEFORE = rf"(?:{_BEFORE})\s?(?:数|:|of)?\s?"
_GOODS = (
    r"orders|parcels|shipments|packages|pakete|bestellungen|sendungen|colis|commandes|"
    r"expéditions|pedidos|paquetes|envíos|"
    r"encomendas|pacotes|envios|ordini|pacchi|spedizioni|pakketten|bestellingen|zendingen|paczek|zamówień|"
    r"заказ\w*|посыл\w*|sipariş\w*|"
    r"paket\w*|ordrar"
)
_ORDERS = (
    rf"(?:\w+\s){{0,2}}?(?:{_GOODS})\s?(?:(?:a|per|each|every|pro|im|par|al|por|ao|no|al|per|w|в|per)\s?)?(?:month|monat|mois|"
    r"mes|mês|mese|maand|miesiąc\w*|"
    r"месяц|ay\b|månad\w*|monthly|monatlich|mensuel\w*|mensual\w*|mensa\w+)"
)
_PATTERNS = {
    "employee_count": re.compile(
        rf"{_NUMBER}\s?(?:full-time |permanent )?(?:{_PEOPLE})|{_PEOPLE_BEFORE}{_NUMBER}", re.IGNORECASE
    ),
    "monthly_volume": re.compile(rf"{_NUMBER}\s?{_ORDERS}", re.IGNORECASE),
}


def _small(text: str) -> str:
    # To `re` these two are an i where case is ignored; to `casefold` they are not.
    return text.replace("\u0130", "i").replace("\u0131", "i").casefold()


def _words(*alternatives: str) -> tuple[str, ...]:
    """What the alternatives begin with, `_small`: a text that holds none of it matches none of them."""
    stems = {re.split(r"\\|の|\(|\[|.\?", word)[0] for listed in alternatives for word in listed.split("|")}
    return tuple(sorted(_small(stem) for stem in stems if stem and not stem.endswith(")")))


_NUMBER_FIRST = frozenset({"monthly_volume"})
_DIGIT = re.compile(r"\d")
_NEEDED = {"employee_count": _words(_PEOPLE, _BEFORE), "monthly_volume": _words(_GOODS)}
_THOUSANDS = re.compile(r"(?<=\d)[.,'’\u00a0\u202f ](?=\d{3}(?!\d))")
_TEN_THOUSAND = ("万", "만")


_LISTED = re.compile(r"\bfortune[ -]?(?:100|500|1000)\b|\bglobal 2000\b", re.IGNORECASE)
_LISTED_PEOPLE = 5_000.0  # no company on those lists has fewer

_RANKS = (
    r"ceo|founder|owner|managing director|president|geschäftsführer\w*|inhaber\w*|gründer\w*|vorstand|pdg|"
    r"gérante?|propriétaire|directeur général|dueñ[oa]|propietari[oa]|director general|don[oa]|proprietári[oa]|"
    r"titolare|proprietari[oa]|"
    r"amministratore|eigenaar|directeur|właściciel\w*|prezes\w*|владелец|генеральный директор|ägare|vd"
)
_RANKS_BEHIND = "社長|代表|总经理|老板|ceo"  # what is said without a space before it
_RANK = re.compile(
    r"\b(?:i am|i'm|ich bin|je suis|soy|eu sou|sou|io sono|sono|ik ben|jestem|jag är|я)\s(?:the |der |die |le |"
    r"la |el |o |a |il |de |also |auch )?"
    rf"(?:sole |only |alleinige[rn]? )?(?:{_RANKS})\b|"
    rf"(?:私は|我是)(?:{_RANKS_BEHIND})",
    re.IGNORECASE,
)
_RANK_WORDS = _words(_RANKS, _RANKS_BEHIND)
_RANKED = re.compile(
    r"chief|\bc[eotfmi]o\b|founder|owner|president|managing|director|direktor|directeur|direct(?:rice|ora?)|"
    r"geschäft|inhaber|gründer|vorstand|leit(?:er|ung)|"
    r"\bpdg\b|gérant|propriétaire|dueñ|propietari|fundador|gerente|\bdon[oa]\b|sóci|proprietári|diretor|"
    r"titolare|proprietari|amministrat|eigenaar|"
    r"właściciel|prezes|директор|владел|основател|ägare|\bvd\b|sahib|müdür|代表|社長|取締役|总经理|总裁|老板|"
    r"创始|대표|사장|مدير|مالك|head|\bvp\b|partner|principal|self.?employed",
    re.IGNORECASE,
)


class Mismatch(NamedTuple):
    """What the text claims and the lead's own field denies."""

    field: str
    stated: str
    known: str


def stated(text: str) -> dict[str, float]:
    """By field, the highest number that the text claims for it."""
    return _stated(text, _small(text))


def _stated(text: str, small: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for field, pattern in _PATTERNS.items():
        if not any(map(small.__contains__, _NEEDED[field])):
            continue
        claims = _from_digits(pattern, text) if field in _NUMBER_FIRST else pattern.finditer(text)
        numbers = [_value(match) for match in claims]
        if numbers:
            found[field] = max(numbers)
    if ("fortune" in small or "global" in small) and _LISTED.search(text):
        found["employee_count"] = max(found.get("employee_count", 0.0), _LISTED_PEOPLE)
    return found


def _from_digits(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """What `finditer` finds of a pattern that begins with a digit, without looking at everything between digits."""
    end = 0
    for digit in _DIGIT.finditer(text):
        match = pattern.match(text, digit.start()) if digit.start() >= end else None
        if match is not None:
            end = match.end()
            yield match


def mismatches(lead: Lead) -> tuple[Mismatch, ...]:
    """Claims of the message that are FACTOR times what the lead's own field says, or above what its title says."""
    if not lead.message:
        return ()
    return _mismatches(lead.message, lead.employee_count, lead.monthly_volume, lead.job_title)


@functools.lru_cache(maxsize=64)  # a replay asks under two policies
def _mismatches(message: str, people: int | None, volume: float | None, title: str | None) -> tuple[Mismatch, ...]:
    found = []
    small = _small(message)
    known = {"employee_count": people, "monthly_volume": volume}
    for field, claim in _stated(message, small).items():
        said = known[field]
        if said is not None and claim >= FACTOR * max(said, 1):
            found.append(Mismatch(field, f"{claim:g}", f"{said:g}"))
    if title and any(map(small.__contains__, _RANK_WORDS)) and not _RANKED.search(title):
        rank = _RANK.search(message)
        if rank is not None:
            found.append(Mismatch("job_title", rank.group(), title))
    return tuple(found)


def _value(match: re.Match[str]) -> float:
    number, unit = next((n, u) for n, u in zip(match.groups()[::2], match.groups()[1::2], strict=True) if n)
    value = float(_THOUSANDS.sub("", number).replace(",", "."))
    return value * (10_000 if unit in _TEN_THOUSAND else 1_000) if unit else value
