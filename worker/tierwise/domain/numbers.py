"""Numbers as people write them: "1.000", "1,5k", "51-200", "over 10k", "€1.200,50", "about 3000 orders".

Strict where guessing would be wrong: text that holds anything but one quantity is refused, by a ValueError that never
repeats the text. All arithmetic is decimal, so that 1,5k is exactly 1500.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Literal, NamedTuple

Take = Literal["low", "middle", "high"]
Mark = Literal[".", ","]
LARGEST = Decimal(10) ** 15
_LONGEST = 120  # characters; longer text is prose

_MULTIPLIERS = {
    **dict.fromkeys(("k", "tsd", "thousand", "thousands", "tausend"), Decimal(1_000)),
    **dict.fromkeys(("lakh", "lakhs", "lac"), Decimal(100_000)),
    **dict.fromkeys(("m", "mm", "mn", "mln", "mio", "million", "millions", "millionen"), Decimal(1_000_000)),
    **dict.fromkeys(("crore", "crores"), Decimal(10_000_000)),
    **dict.fromkeys(("b", "bn", "billion", "billions", "mrd", "milliarden", "milliards"), Decimal(1_000_000_000)),
}  # fmt: skip
_ABOUT = (
    r"(?:(?:about|approximately|approx|around|roughly|circa|ca|c|etwa|ungefähr|rund|environ|aprox|unos)\b\.?|[~≈])\s*"
)
_AT_LEAST = (
    r"(?:more than|at least|greater than|upwards of|over|above|from|min|minimum|mehr als|mindestens|über|ab|plus de"
    r"|más de)\b\.?|>=|≥|>"
)
_AT_MOST = (
    r"(?:less than|fewer than|at most|up to|under|below|max|maximum|weniger als|unter|bis zu|bis|moins de"
    r"|menos de)\b\.?|<=|≤|<"
)
_OPEN = r"\+|plus\b|or more\b|and more\b|and above\b|und mehr\b"
_NUMBER = r"\d(?:[\d.,'’_ ]*\d)?"
_SUFFIX = "|".join(sorted(_MULTIPLIERS, key=len, reverse=True))
_QUANTITY = rf"(?P<{{0}}>{_NUMBER})(?:\s*(?P<{{0}}_by>{_SUFFIX})\b\.?)?"
_LOW, _HIGH = _QUANTITY.format("low"), _QUANTITY.format("high")
# What is counted ("orders per month"). Glued to the number it might be a multiplier that we do not know, and so might
# these words: better nothing than a thousandth.
_TAIL = (
    r"(?P<tail>(?:\s+|\s*[/(]\s*)(?!(?:mil|mill|mille|milj|bio|dozen|hundred|hundreds|hundert|trillion|percent|to|bis)\b)"
    r"[^\W\d][^\d%]*|[\s.]*)"
)
_ONE = re.compile(
    rf"(?:{_ABOUT})?(?:(?P<least>{_AT_LEAST})|(?P<most>{_AT_MOST}))?\s*(?:{_ABOUT})?{_LOW}\s*(?P<open>{_OPEN})?{_TAIL}"
)
_TWO = re.compile(
    rf"(?:{_ABOUT}|(?:between|zwischen|entre|from|von|de)\b\s*)?{_LOW}"
    rf"\s*(?:\.\.+|[-–—−~]|\b(?:to|and|bis|und|a|à|y|et)\b)\s*{_HIGH}{_TAIL}"
)
_PER = r"(?:/|\b(?:per|a|an|each|every|pro|im|par|por)\b)\s*"
_PERIODS = tuple(
    (name, re.compile(rf"{_PER}(?:{words})\b|\b(?:{adverbs})\b"), factor)
    for name, words, adverbs, factor in (
        ("day", "day|d|tag|jour|día|dia", "daily|täglich", Decimal(365) / 12),
        ("week", "week|wk|woche|semaine|semana", "weekly|wöchentlich", Decimal(52) / 12),
        ("quarter", "quarter|quartal|trimestre", "quarterly", Decimal(1) / 3),
        ("year", "year|annum|yr|y|jahr|an|année|año", "yearly|annually|annual|jährlich|p\\.a", Decimal(1) / 12),
    )
)
_SYMBOLS = {
    "us$": "USD", "a$": "AUD", "au$": "AUD", "c$": "CAD", "ca$": "CAD", "nz$": "NZD", "hk$": "HKD", "s$": "SGD",
    "r$": "BRL", "$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY",
    "₪": "ILS", "₴": "UAH",
}  # fmt: skip
_WORDS = {
    "zł": "PLN",
    "rs": "INR",
    "us dollars": "USD",
    "dollars": "USD",
    "dollar": "USD",
    "euros": "EUR",
    "euro": "EUR",
    "pounds": "GBP",
    "kr": "KR",  # Swedish, Norwegian or Danish: named, and convertible by nobody's guess
}
_CODES = (
    "usd|eur|gbp|chf|jpy|cny|inr|brl|mxn|cad|aud|nzd|sek|nok|dkk|pln|czk|huf|ron|try|rub|uah|krw|hkd|sgd|twd|thb|idr"
    "|myr|php|vnd|zar|aed|sar|ils|clp|cop|ars|pen|egp|ngn|kes"
)
_CURRENCY = re.compile(
    "|".join(map(re.escape, sorted(_SYMBOLS, key=len, reverse=True)))
    + rf"|\b(?:{'|'.join(_WORDS)}|{_CODES})(?![^\W\d_])\.?"
)


class Range(NamedTuple):
    """Both ends of what was stated; equal for a single number, `high` None where it is open."""

    low: Decimal
    high: Decimal | None
    note: str = ""

    def pick(self, take: Take) -> Decimal:
        """One number of the range. Of an open one only the low end is known."""
        if self.high is None or take == "low":
            return self.low
        return self.high if take == "high" else (self.low + self.high) / 2


class Money(NamedTuple):
    """An amount or a range of amounts, with the currency that was named (ISO 4217), None where none was."""

    amount: Range
    currency: str | None


def quantity(value: object, *, mark: Mark | None = None, per_month: bool = False) -> Range:
    """A number or range from text or a plain number; `mark` fixes the decimal mark where the source is a machine.

    With `per_month` a quantity that names another period ("100 per day") is converted. Raises ValueError.
    """
    if isinstance(value, bool) or not isinstance(value, str):
        number = _plain(value)
        return Range(number, number)
    text = _prepared(value)
    match = _TWO.fullmatch(text) or _ONE.fullmatch(text)
    if match is None:
        below = text[0] in "-−–" and _ONE.fullmatch(text[1:].lstrip())
        raise ValueError("is negative" if below else "is not a number or a range")
    found = _two(match, mark) if match.re is _TWO else _one(match, mark)
    factor, note = _period(match["tail"]) if per_month else (Decimal(1), "")
    high = None if found.high is None else _bounded(found.high * factor)
    return Range(_bounded(found.low * factor), high, "; ".join(filter(None, (found.note, note))))


def money(value: object, *, mark: Mark | None = None) -> Money:
    """An amount with an optional currency before or after it. Raises ValueError."""
    if not isinstance(value, str):
        return Money(quantity(value), None)
    text = _prepared(value)
    named = {_named(found) for found in _CURRENCY.findall(text)}
    if len(named) > 1:
        raise ValueError("names more than one currency")
    return Money(quantity(_CURRENCY.sub(" ", text), mark=mark), named.pop() if named else None)


def convert(stated: Money, into: str | None, *, rates: Mapping[str, float]) -> Range:
    """The amount in the currency `into`; None takes any currency as it is. `rates`: units of `into` for one of another.

    Raises ValueError where the map gives no rate for the currency that was named.
    """
    amount, named = stated.amount, stated.currency
    if into is None or named is None or named == into:
        return amount
    if named not in rates:
        raise ValueError(f"is in {named}, and the map gives no rate to {into}")
    rate = Decimal(str(rates[named]))
    high = None if amount.high is None else _bounded(amount.high * rate)
    note = f"converted from {named} at {rate}"
    return Range(_bounded(amount.low * rate), high, "; ".join(filter(None, (amount.note, note))))


def _prepared(text: str) -> str:
    if any(unicodedata.category(character) == "No" for character in text):
        raise ValueError("holds raised or fractional digits")  # NFKC would make 102 of 10²
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    if not plain:
        raise ValueError("is empty")
    if len(plain) > _LONGEST:
        raise ValueError("is too long for a number")
    return "".join(str(unicodedata.decimal(c)) if unicodedata.category(c) == "Nd" else c for c in plain)


def _plain(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("is not a number")
    if isinstance(value, int) and abs(value) > LARGEST:
        raise ValueError("is larger than any real quantity")
    number = Decimal(str(value))
    if not number.is_finite():
        raise ValueError("is not a finite number")
    return _bounded(number)


def _bounded(number: Decimal) -> Decimal:
    if number < 0:
        raise ValueError("is negative")
    if number > LARGEST:
        raise ValueError("is larger than any real quantity")
    return number + 0  # no negative zero


def _one(match: re.Match[str], mark: Mark | None) -> Range:
    number = _number(match["low"], mark) * _multiplier(match["low_by"])
    if match["most"]:
        return Range(Decimal(0), number, "an upper bound")
    if match["least"] or match["open"]:
        return Range(number, None, "open-ended")
    return Range(number, number)


def _two(match: re.Match[str], mark: Mark | None) -> Range:
    low, high = _number(match["low"], mark), _number(match["high"], mark)
    by = _multiplier(match["high_by"])
    # "1-5k" means 1k to 5k, "500-1k" does not mean 500k.
    shared = match["low_by"] is None and low <= high
    low, high = low * (by if shared else _multiplier(match["low_by"])), high * by
    if low > high:
        raise ValueError("is a range whose ends are the wrong way round")
    return Range(low, high)


def _multiplier(suffix: str | None) -> Decimal:
    return _MULTIPLIERS[suffix] if suffix else Decimal(1)


def _number(text: str, mark: Mark | None) -> Decimal:
    """Digits with separators; a single mark before exactly three digits groups thousands unless `mark` says else."""
    spaced = re.sub(r"['’_ ]", " ", text)
    marks = [character for character in spaced if character in ".,"]
    decimal: str | None = mark
    if mark is None and marks:
        last = marks[-1]
        alone = marks.count(last) == 1
        whole, _, fraction = spaced.rpartition(last)
        groups = len(fraction) == 3 and len(set(marks)) == 1 and re.fullmatch(r"[1-9]\d{0,2}", whole) is not None
        decimal = last if alone and not groups else None
    whole, point, fraction = spaced.rpartition(decimal) if decimal and decimal in spaced else (spaced, "", "0")
    digits = _ungrouped(whole)
    if not fraction.isdigit():
        raise ValueError("has its digits grouped in no way that is known")
    return Decimal(f"{digits}.{fraction}" if point else digits)


def _ungrouped(whole: str) -> str:
    separators = set(whole) - set("0123456789")
    if len(separators) > 1:
        raise ValueError("has its digits grouped in no way that is known")
    if separators:
        groups = whole.split(separators.pop())
        by_three = 1 <= len(groups[0]) <= 3 and all(len(group) == 3 for group in groups[1:])
        indian = len(groups[0]) <= 2 and len(groups[-1]) == 3 and all(len(group) == 2 for group in groups[1:-1])
        if not groups[0] or groups[0].startswith("0") or not (by_three or indian):
            raise ValueError("has its digits grouped in no way that is known")
        return "".join(groups)
    if not whole:
        raise ValueError("is not a number")
    return whole


def _named(found: str) -> str:
    word = found.rstrip(".")
    return _SYMBOLS.get(word) or _WORDS.get(word) or word.upper()


def _period(tail: str) -> tuple[Decimal, str]:
    for name, pattern, factor in _PERIODS:
        if pattern.search(tail):
            return factor, f"stated per {name}, converted to a month"
    return Decimal(1), ""
