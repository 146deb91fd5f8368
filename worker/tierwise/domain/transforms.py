"""Transforms: one property's raw value in, one canonical value out.

Every transform is total: it returns a normal form or raises ValueError, with a message that never repeats the value.
A map names them; `TRANSFORMS` is the list that the checker and the documents read.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from tierwise.domain import identity, numbers
from tierwise.domain.lead import SOURCES, Kind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS_FROM = 10**11  # as seconds this is the year 5138, as milliseconds 1973
_EARLIEST, _LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)

# What people and systems put where they have nothing to say.
_PLACEHOLDERS = frozenset(
    {"", "-", "--", "–", "—", "?", ".", "n/a", "#n/a", "null", "none", "undefined", "unknown", "(not set)"}
)
_BLANK = frozenset(map(ord, "\u2800\u3164\uffa0\u115f\u1160"))  # letters that show nothing
_IGNORABLE = re.compile(
    "[\u034f\u17b4\u17b5\u180b-\u180f\ufe00-\ufe0f\U000e0000-\U000e0fff]"  # joiners and variation selectors
)
_REMEMBERED = 4096  # code points; a text that uses more only takes longer
_TRUE = frozenset({"true", "t", "yes", "y", "1", "on", "checked", "ja", "oui", "si", "sí", "sim"})
_FALSE = frozenset({"false", "f", "no", "n", "0", "off", "unchecked", "nein", "non", "não"})

# First match wins, so the narrower phrases come first.
_TOUCHPOINTS: tuple[tuple[str, str], ...] = (
    ("demo_request", r"demo|book a (call|meeting)|walkthrough"),
    ("pricing_page", r"pricing|price|quote|preise?|tarif"),
    ("trial", r"trial|sign ?up|free account|testversion|freemium"),
    ("webinar", r"webinar|web seminar"),
    ("event", r"event|conference|trade ?show|booth|messe|meetup|summit|congress|kongress|fair"),
    ("referral", r"referr|recommend|word of mouth|empfehl"),
    ("partner", r"partner|reseller|marketplace|affiliate"),
    ("newsletter", r"newsletter|subscri|mailing list"),
    ("chat", r"chat|messenger|whatsapp|intercom"),
    ("advertisement", r"\bads?\b|advert|adwords|\bppc\b|\bcpc\b|\bsem\b|paid|anzeige|sponsor|retarget"),
    ("list_import", r"import|purchased|bought list|\blist\b|upload|enrichment"),
    ("content", r"content|white ?paper|e ?book|blog|download|guide|report|case study|article|podcast|video|template"),
    ("contact_sales", r"contact|sales|inquiry|enquiry|kontakt|get in touch|talk to"),
)  # fmt: skip


class Options(NamedTuple):
    """What a map may say about a transform."""

    take: numbers.Take = "middle"
    values: Mapping[str, str] = {}
    otherwise: str | None = None
    default_region: str | None = None
    currency: str | None = None
    """Currency of an amount that names none."""
    into: str | None = None
    """Currency that is wanted; None takes any amount as it is."""
    rates: Mapping[str, float] = {}
    """Units of `into` for one unit of another currency."""
    decimal_mark: numbers.Mark | None = None
    per: str | None = None


class Result(NamedTuple):
    """A canonical value and what should be known about how it was read."""

    value: Any
    note: str = ""


class Transform(NamedTuple):
    """One entry of the registry."""

    name: str
    run: Callable[[Any, Options], Result]
    gives: frozenset[Kind]
    """Kinds of fields that it can fill."""
    accepts: str
    """For people: what may stand in the property."""
    options: frozenset[str] = frozenset()
    """Names of the options that mean something here."""


def is_empty(value: Any) -> bool:
    """Nothing, white space, or a placeholder such as "n/a"."""
    if isinstance(value, str):
        return clean(value).casefold() in _PLACEHOLDERS
    return value is None or (isinstance(value, list | tuple | dict) and not value)


def clean(value: str) -> str:
    """NFKC, without control, invisible and direction characters, white space collapsed; the words stay."""
    if value.isascii() and value.isprintable():
        return " ".join(value.split())
    previous, current = None, value
    while current != previous:
        previous = current
        current = " ".join(unicodedata.normalize("NFKC", current.translate(_SHOWN)).split())
    return current


class _Shown(dict[int, str]):
    """Table of `str.translate`, filled as characters are met: what is kept of each."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        kept = character
        if category == "Cc" or code in _BLANK:
            kept = " "
        elif category in {"Cf", "Cs", "Co"} or _IGNORABLE.match(character):
            kept = ""
        if len(self) < _REMEMBERED:
            self[code] = kept
        return kept


_SHOWN = _Shown()


def text(value: Any) -> str:
    """Text in one line. Whole numbers lose a meaningless ".0"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 10**15:
        value = int(value)
    if isinstance(value, int) and value.bit_length() > 200:
        raise ValueError("is a number too long to be anybody's text")
    if isinstance(value, int | float | Decimal):
        return str(value)
    if not isinstance(value, str):
        raise ValueError("is not text")
    found = clean(value)
    if not found:
        raise ValueError("is empty")
    return found


def decimal(value: Any, *, mark: numbers.Mark | None = None) -> float:
    """One number, not negative."""
    return float(_single(value, mark))


def integer(value: Any, *, mark: numbers.Mark | None = None) -> int:
    """One whole number, not negative."""
    number = _single(value, mark)
    if number != number.to_integral_value():
        raise ValueError("is not a whole number")
    return int(number)


def _single(value: Any, mark: numbers.Mark | None) -> Decimal:
    found = numbers.quantity(value, mark=mark)
    if found.low != found.high:
        raise ValueError("is a range, not one number")
    return found.low


def boolean(value: Any) -> bool:
    """Yes or no, in a few languages."""
    if isinstance(value, bool):
        return value
    word = text(value).casefold()
    if word not in _TRUE | _FALSE:
        raise ValueError("is neither yes nor no")
    return word in _TRUE


def timestamp(value: Any) -> datetime:
    """UTC, from ISO 8601, epoch seconds or milliseconds; without a time zone UTC is meant."""
    moment = _moment(value)
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    # Compared before it is converted: at the ends of the calendar a conversion overflows.
    if not _EARLIEST - timedelta(days=1) <= aware <= _LATEST:
        raise ValueError("is no plausible time (1990 to 2200)")
    return aware.astimezone(UTC)


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    if isinstance(value, bool):
        raise ValueError("is not a time")
    if isinstance(value, int | float | Decimal):
        huge = isinstance(value, int) and value.bit_length() > 63
        return _from_epoch(Decimal("NaN") if huge else Decimal(str(value)))
    written = text(value)
    if re.fullmatch(r"[0-9]{9,16}(\.[0-9]{1,9})?", written):
        return _from_epoch(Decimal(written))
    if not re.match(r"[0-9]{4}", written):
        raise ValueError("is not a time in ISO 8601 form")
    try:
        return datetime.fromisoformat(written.upper().replace(" UTC", "Z"))
    except ValueError:
        raise ValueError("is not a time in ISO 8601 form") from None


def _from_epoch(number: Decimal) -> datetime:
    if not number.is_finite() or not 10**8 <= number < 10**14:
        raise ValueError("is no plausible time (1990 to 2200)")
    microseconds = number * (1_000 if number >= _MILLISECONDS_FROM else 1_000_000)
    return _EPOCH + timedelta(microseconds=int(microseconds))


def email(value: Any) -> str:
    """Address in normal form."""
    return _found(identity.email(_string(value)), "is not an e-mail address")


def phone(value: Any, *, default_region: str | None = None) -> str:
    """E.164 form."""
    return _found(identity.phone(text(value), default_region), "is not a phone number, or lacks its country")


def domain(value: Any) -> str:
    """Registrable domain of a company."""
    return _found(identity.company_domain(_string(value)), "is not the domain of a company")


def country(value: Any) -> str:
    """ISO 3166-1 alpha-2."""
    return _found(identity.country(_string(value)), "is not a country")


def industry(value: Any) -> str:
    """Lower case snake without accents."""
    plain = unicodedata.normalize("NFKD", _string(value).casefold().replace("&", " and "))
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    found = re.sub(r"[\W_]+", "_", unicodedata.normalize("NFKC", letters).casefold()).strip("_")
    return _found(found or None, "holds no word")


def touchpoint(value: Any) -> str:
    """One of `SOURCES`; what is not known is `other`."""
    words = re.sub(r"[\W_]+", " ", _string(value).casefold()).strip()
    snake = words.replace(" ", "_")
    if snake in SOURCES:
        return snake
    return next((source for source, pattern in _TOUCHPOINTS if re.search(pattern, words)), "other")


def picklist(value: Any, *, values: Mapping[str, str], otherwise: str | None = None) -> str:
    """The canonical value that the map gives for an option, whatever its case."""
    found = _folded(tuple(values.items())).get(text(value).casefold(), otherwise)
    if found is None:
        raise ValueError("is not among the values that the map lists")
    return found


@functools.lru_cache(maxsize=64)
def _folded(values: tuple[tuple[str, str], ...]) -> dict[str, str]:
    return {clean(option).casefold(): canonical for option, canonical in values}


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("is not text")
    return text(value)


def _found(value: str | None, why_not: str) -> str:
    if value is None:
        raise ValueError(why_not)
    return value


def _range(value: Any, options: Options) -> Result:
    found = numbers.quantity(value, mark=options.decimal_mark, per_month=options.per == "month")
    return _picked(found, options)


def _money(value: Any, options: Options) -> Result:
    stated = numbers.money(value, mark=options.decimal_mark)
    if stated.currency is None:
        stated = stated._replace(currency=options.currency)
    return _picked(numbers.convert(stated, options.into, rates=options.rates), options)


def _picked(found: numbers.Range, options: Options) -> Result:
    note = found.note
    if found.high is not None and found.low != found.high:
        note = "; ".join(filter(None, (note, f"{options.take} of a range")))
    return Result(found.pick(options.take), note)


def _listed(value: Any, options: Options) -> str | None:
    """What the map itself says about the value, before the transform's own knowledge."""
    if not options.values:
        return None
    try:
        return picklist(value, values=options.values)
    except ValueError:
        return None


def _industry(value: Any, options: Options) -> Result:
    own = industry(value)
    return Result(_listed(value, options) or _listed(own, options) or own)


def _touchpoint(value: Any, options: Options) -> Result:
    listed = _listed(value, options)
    found = listed or touchpoint(value)
    if listed is None and found == "other" and options.otherwise is not None:
        found = options.otherwise
    return Result(found, "" if listed or found != "other" else "a touchpoint that is not known")


def _picklist(value: Any, options: Options) -> Result:
    found = picklist(value, values=options.values, otherwise=options.otherwise)
    known = _listed(value, options) is not None
    return Result(found, "" if known else "not listed: taken as otherwise")


def fit(result: Result, kind: Kind) -> Result:
    """The value as the field's kind wants it: exact numbers become int (halves away from zero) or float."""
    if not isinstance(result.value, Decimal):
        return result
    if kind == "integer":
        return result._replace(value=int(result.value.to_integral_value(ROUND_HALF_UP)))
    return result._replace(value=float(result.value))


_ALL: tuple[Transform, ...] = (
    Transform("text", lambda value, _: Result(text(value)), frozenset({"text"}), "any text"),
    Transform(
        "integer", lambda value, options: Result(integer(value, mark=options.decimal_mark)),
        frozenset({"integer", "decimal"}), 'a whole number: 120, "1,200", "1.2k"', frozenset({"decimal_mark"}),
    ),
    Transform(
        "decimal", lambda value, options: Result(decimal(value, mark=options.decimal_mark)), frozenset({"decimal"}),
        'a number: 12.5, "1.200,50", "10k"', frozenset({"decimal_mark"}),
    ),
    Transform(
        "range", _range, frozenset({"integer", "decimal"}),
        'a number or range: 120, "51-200", "200+", "<10", "1-5k", "about 3000 orders"',
        frozenset({"take", "decimal_mark", "per"}),
    ),
    Transform(
        "money", _money, frozenset({"decimal"}), 'an amount or range: 1200000, "$1.2M", "€1.200,50", "$1M-$5M"',
        frozenset({"take", "decimal_mark", "currency", "rates"}),
    ),
    Transform(
        "picklist", _picklist, frozenset({"choice", "text"}), "one of the options that the map lists",
        frozenset({"values", "otherwise"}),
    ),
    Transform(
        "country", lambda value, _: Result(country(value)), frozenset({"text"}),
        'a country: DE, DEU, Germany, Deutschland, "U.S.A."',
    ),
    Transform("boolean", lambda value, _: Result(boolean(value)), frozenset({"boolean"}), "true or false, yes or no"),
    Transform(
        "timestamp", lambda value, _: Result(timestamp(value)), frozenset({"timestamp"}),
        "ISO 8601, or epoch seconds or milliseconds; UTC where no zone is given",
    ),
    Transform("email", lambda value, _: Result(email(value)), frozenset({"text"}), "one e-mail address"),
    Transform(
        "phone", lambda value, options: Result(phone(value, default_region=options.default_region)),
        frozenset({"text"}), "a phone number, best with its country code", frozenset({"default_region"}),
    ),
    Transform(
        "domain", lambda value, _: Result(domain(value)), frozenset({"text"}), "a web address, host or e-mail address",
    ),
    Transform("industry", _industry, frozenset({"text"}), "any name of an industry", frozenset({"values"})),
    Transform(
        "touchpoint", _touchpoint, frozenset({"choice"}),
        'where the lead came in: "Demo request", "Webinar", "Google Ads"', frozenset({"values", "otherwise"}),
    ),
)  # fmt: skip
TRANSFORMS: dict[str, Transform] = {transform.name: transform for transform in _ALL}
