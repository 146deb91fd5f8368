"""What a condition in somebody's own words means as an expression over a lead, where that is certain.

What is not certain is left to a model as a question: a wrong rule would be worse than a question.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tierwise import expressions
from tierwise.domain import numbers, transforms
from tierwise.domain.lead import CATALOGUE, EMAIL_KINDS, LIFECYCLES, REGIONS


class Condition(NamedTuple):
    """One condition as an expression."""

    field: str
    when: str
    example: Mapping[str, Any]
    """Of a lead that fulfils it, at its edge."""
    joins: bool = False
    """Only one such condition on the field holds for a lead: they are levels of one criterion."""
    bound: float | None = None
    """The number that is its edge."""
    note: str = ""


def translate(text: str) -> Condition | None:
    """The condition, None where it is for a model to judge."""
    plain = _plain(text)
    for read in (_email, _presence, _known, _amount, _choice, _title):
        found = read(plain)
        if found is not None and not expressions.check(found.when, "gate"):
            return found
    return None


def fields_for(text: str) -> tuple[str, ...]:
    """What a model is shown to judge the condition by."""
    plain = _plain(text)
    told = [name for name, words in _HINTS.items() if re.search(rf"\b(?:{words})", plain)]
    return tuple(dict.fromkeys([*told, "message"]))


_HINTS = {
    "job_title": "title|role|senior|decision|manager|executive|c-level|vp|director|department",
    "company": "company|competitor|brand|startup|agency|organi[sz]ation",
    "industry": "industry|sector|vertical|agency|compan",
    "source": "source|channel|campaign|webinar|event|demo|download",
}


def _plain(text: str) -> str:
    words = " ".join(text.casefold().replace("≥", ">=").replace("≤", "<=").replace("–", "-").replace("—", "-").split())
    return words.strip(" .:;")


# -- numbers ------------------------------------------------------------------------------------------------------

_PEOPLE = "employees?|employee count|headcount|company size|staff(?: size)?|team size|ftes?|mitarbeiter\\w*"
_AMOUNTS = {
    "employee_count": rf"(?:number of |no\.? of |# ?of |# )?(?:{_PEOPLE})(?: size| count)?",
    "annual_revenue": r"(?:annual |yearly )?(?:revenue|turnover|arr|sales volume|umsatz)",
    "monthly_volume": (
        r"(?:monthly (?:volume|orders|shipments)|"
        r"(?:orders|shipments|parcels|volume) (?:per|a|each) month|orders/month)"
    ),
}
_FILLERS = re.compile(
    r"\b(?:the|a|company|companies|has|have|with|of|usd|us\$|dollars?|people|per year|a year|p\.?a\.?)\b|[$:]|"
    r"(?<![<>!])="
)
_OPERATORS = (
    (">=", r">=|at least|min(?:imum)?|from|>\s*="),
    (">", r">|more than|over|above|greater than|bigger than|larger than|exceeds"),
    ("<=", r"<=|at most|up to|max(?:imum)?|no more than"),
    ("<", r"<|less than|under|below|fewer than|smaller than"),
)
_SIZE = r"\d[\d.,' ]*(?:k|m|mio|million|thousand|bn|billion)?"


def _amount(plain: str) -> Condition | None:
    for field, words in _AMOUNTS.items():
        found = re.search(rf"(?<![\w-]){words}(?![\w-])", plain)
        if found:
            rest = f"{plain[: found.start()]} {plain[found.end() :]}"
            foreign = "€" in rest or "£" in rest or " eur" in rest
            rest = " ".join(_FILLERS.sub(" ", re.sub(r"[€£]|\beur\b|\bis\b|\bbetween\b", " ", rest)).split())
            note = "read as US dollars, which the field is in" if foreign and field == "annual_revenue" else ""
            made = _compared(field, rest)
            return made._replace(note=note) if made is not None else None
    return None


def _compared(field: str, rest: str) -> Condition | None:
    both = re.fullmatch(rf"({_SIZE})\s*(?:-|to|and|bis)\s*({_SIZE})", rest)
    if both:
        low, high = _number(both[1]), _number(both[2])
        if low is None or high is None or low >= high:
            return None
        when = f"lead.{field} >= {_literal(field, low)} && lead.{field} <= {_literal(field, high)}"
        return Condition(field, when, {field: _value(field, low)}, joins=True, bound=low)
    for sign, words in _OPERATORS:
        found = re.fullmatch(rf"(?:{words})\s*({_SIZE})\+?", rest)
        if found:
            return _bounded(field, sign, found[1])
    found = re.fullmatch(rf"({_SIZE})\s*(\+|or more|and more|or above|plus)", rest)
    if found:
        return _bounded(field, ">=", found[1])
    found = re.fullmatch(rf"({_SIZE})\s*(?:or less|or fewer|or below)", rest)
    return _bounded(field, "<=", found[1]) if found else None


def _bounded(field: str, sign: str, said: str) -> Condition | None:
    number = _number(said)
    if number is None:
        return None
    # The nearest value that still fulfils it: there are no half employees.
    step = {">": 1.0, "<": -1.0}.get(sign, 0.0)
    when = f"lead.{field} {sign} {_literal(field, number)}"
    return Condition(field, when, {field: _value(field, max(0.0, number + step))}, joins=True, bound=number)


def _number(said: str) -> float | None:
    try:
        found = numbers.quantity(said.strip())
    except ValueError:
        return None
    return float(found.low) if found.low == found.high else None


def _literal(field: str, number: float) -> str:
    return str(int(number)) if CATALOGUE[field].kind == "integer" else repr(number)


def _value(field: str, number: float) -> float | int:
    return int(number) if CATALOGUE[field].kind == "integer" else number


# -- one of several values ----------------------------------------------------------------------------------------


def _region(value: str) -> str:
    names = {"north america": "na", "us & canada": "na", "latin america": "latam", "asia pacific": "apac",
             "asia": "apac", "europe": "emea"}  # fmt: skip
    found = names.get(value, value)
    if found not in REGIONS:
        raise ValueError("is no region")
    return found


def _source(value: str) -> str:
    found = transforms.touchpoint(value)
    if found == "other" and value != "other":
        raise ValueError("is no touchpoint that is known")
    return found


def _lifecycle(value: str) -> str:
    slug = re.sub(r"\W+", "_", value)
    names = {"mql": "marketing_qualified", "sql": "sales_qualified", "existing_customer": "customer"}
    found = names.get(slug, slug)
    if found not in LIFECYCLES:
        raise ValueError("is no stage")
    return found


_CHOICES: Mapping[str, tuple[str, Callable[[str], str]]] = {
    "industry": (r"industry|sector|vertical|branche", transforms.industry),
    "country": (r"country|hq country|headquarters|based in|located in|land", transforms.country),
    "region": (r"region|territory|geo(?:graphy)?", _region),
    "source": (r"(?:lead )?source|channel|touchpoint|came (?:via|through|from)|origin|form", _source),
    "lifecycle": (r"lifecycle(?: stage)?|stage", _lifecycle),
}


def _choice(plain: str) -> Condition | None:
    for field, (words, read) in _CHOICES.items():
        found = re.fullmatch(
            rf"(?:the |company )?(?:{words})(?![^\s:=!<])\s*(?P<no>is not|not in|not|!=|<>)?"
            r"(?:is one of|is in|is any of|is|in|equals|==?|:)?\s*(?P<values>[^<>=!]+)",
            plain,
        )
        if found:
            try:
                values = [
                    read(value) for value in re.split(r"\s*(?:,|\||;|\bor\b|\boder\b)\s*", found["values"]) if value
                ]
            except ValueError:
                return None
            return _of(field, values, negated=found["no"] is not None)
    asked = r"(?:requested|asked for|booked|requests) (?:a )?(demo)|attended (?:a |our )?(webinar|event)"
    found = re.fullmatch(asked, plain)
    if found:
        made = _of("source", [_source(found[1] or found[2])])
        return made._replace(note="read as the touchpoint that the lead came through") if made else None
    return None


def _of(field: str, values: list[str], *, negated: bool = False) -> Condition | None:
    if not values or any(not re.fullmatch(r"[\w-]+", value) for value in values):
        return None
    listed = ", ".join(f"'{value}'" for value in values)
    single = f"lead.{field} {'!=' if negated else '=='} '{values[0]}'"
    when = single if len(values) == 1 else f"{'!' if negated else ''}(lead.{field} in [{listed}])"
    when = when if negated else when.strip("()")
    others = CATALOGUE[field].values or ("US", "CH") if field == "country" else CATALOGUE[field].values or ("another",)
    example = next((value for value in others if value not in values), "another") if negated else values[0]
    return Condition(field, when, {field: example}, joins=not negated)


# -- mailboxes, presence, titles -----------------------------------------------------------------------------------

_MAIL = r"e-?mail(?: address| domain| type| provider)?|mail(?:box| address)?"
_KINDS = {
    "free": "free|freemail|personal|private|gmail|webmail|generic|consumer",
    "business": "business|corporate|work|company|professional",
    "disposable": "disposable|throw-?away|temporary|fake",
}


def _email(plain: str) -> Condition | None:
    for kind in EMAIL_KINDS:
        words = _KINDS[kind]
        if re.fullmatch(
            rf"(?:uses? |has |with |is )?(?:an? )?(?:{words})[\s-]*(?:{_MAIL})?(?: used| given)?|"
            rf"(?:{_MAIL})\s*(?:is|=|==|:)\s*(?:an? )?(?:{words})(?: (?:{_MAIL}|one))?",
            plain,
        ) and re.search(r"mail", plain):
            return Condition("email_kind", f"lead.email_kind == '{kind}'", {"email_kind": kind}, joins=True)
    return None


_PRESENT = {
    "phone": ("phone(?: number)?|telephone|mobile", "+4930123456"),
    "company": ("company(?: name)?", "Acme"),
    "company_domain": ("website|web site|company domain|domain", "acme.example"),
    "job_title": ("job title|title", "Buyer"),
    "message": ("message|comment", "Please call me."),
    "annual_revenue": ("revenue|annual revenue", 1.0),
    "employee_count": ("company size|employee count|number of employees", 1),
}
_THERE = r"(?:is )?(?:given|provided|present|filled(?: in| out)?|known|available|exists|set)"
_GONE = r"(?:is )?(?:missing|empty|blank|unknown|not (?:given|provided|known|filled(?: in)?))"


def _presence(plain: str) -> Condition | None:
    for field, (words, value) in _PRESENT.items():
        there = rf"(?:has|with|gave|provided) (?:an? |their )?(?:valid )?(?:{words})|(?:valid )?(?:{words}) {_THERE}"
        if re.fullmatch(there, plain):
            return Condition(field, f"has(lead.{field})", {field: value})
        if re.fullmatch(rf"(?:has )?(?:no|without) (?:{words})|(?:{words}) {_GONE}", plain):
            return Condition(field, f"!has(lead.{field})", {})
    return None


def _known(plain: str) -> Condition | None:
    if re.fullmatch(r"(?:is (?:an? )?)?(?:existing|current) customer|already (?:a )?customer", plain):
        return Condition("lifecycle", "lead.lifecycle == 'customer'", {"lifecycle": "customer"}, joins=True)
    if re.fullmatch(r"(?:is (?:an? )?)?duplicate(?: lead| record)?", plain):
        return Condition("is_duplicate", "lead.is_duplicate", {"is_duplicate": True})
    return None


_RANKS = {
    "c-level": r"chief|c[eotfmi]o|founder|owner|president",
    "c level": r"chief|c[eotfmi]o|founder|owner|president",
    "c-suite": r"chief|c[eotfmi]o|founder|owner|president",
    "executive": r"chief|c[eotfmi]o|executive|president",
    "vp": r"vp|vice president",
    "vp level": r"vp|vice president",
    "vice president": r"vp|vice president",
    "head": "head",
}
_BARE = "c-level|c level|c-suite|vp|vice president|director|head|founder|ceo|coo|cfo|cto|cmo|manager|student|intern"


def _title(plain: str) -> Condition | None:
    found = re.fullmatch(
        r"(?:job title|title|job role|role|position|seniority|seniority level|job level|function)\s*"
        r"(?:contains|includes|is one of|is|has|in|==?|:)\s*(?P<values>[^<>=!]+)",
        plain,
    )
    if found is None and re.fullmatch(rf"(?:is (?:an? )?)?(?:{_BARE})s?", plain):
        found = re.fullmatch(r"(?:is (?:an? )?)?(?P<values>.+?)s?", plain)
    if found is None:
        return None
    values = [value.strip("'\" ") for value in re.split(r"\s*(?:,|\||;|/|\bor\b)\s*", found["values"]) if value.strip()]
    if not values or any(not re.fullmatch(r"[\w .&-]{2,40}", value) for value in values):
        return None
    if any(re.search(r"\b(?:above|higher|below|senior to|decision)\b", value) for value in values):
        return None
    parts = "|".join(_RANKS.get(value, re.escape(value).replace(r"\ ", " ")) for value in values)
    shown = {"c-level": "CEO", "c level": "CEO", "c-suite": "CEO", "executive": "CEO"}.get(values[0], values[0])
    return Condition("job_title", rf"lead.job_title.matches(r'(?i)\b({parts})\b')", {"job_title": shown})
