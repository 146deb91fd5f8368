"""Takes personal data out of what a lead wrote, before a model sees it.

Finds every e-mail address, what looks like a phone number, and the lead's own names. Other people's names stay: no
list of names finds them without also eating words that criteria are about.
"""

from __future__ import annotations

import re

from tierwise.domain.lead import Lead

_EMAIL = re.compile(r"[\w.+'%-]+\s?(?:@|\(at\)|\[at\])\s?[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w,.])(?:\+|\(\+?)?\d[\d\s().\-/]{5,}\d(?![\w,])")
_PHONE_WORD = re.compile(
    r"(?:\bt|\btel|\btelephone|\bphone|\bmobile|\bmob|\bcell|\bcall|\bring|\bwhatsapp|\bfax|\bhandy|\btelefon\w*|"
    r"\btelefono|\bteléfono|\btéléphone|\bportable|\bmóvil|\bcelular|\bnumber|\bnummer|\bnúmero|\bnumero)"
    r"\W{0,3}(?:\w+\W{1,2}){0,3}$",
    re.IGNORECASE,
)
_AMERICAN = re.compile(r"^\(?\d{3}\)?[\s.-]?\d{3}[\s.-]\d{4}$")
_SHORTEST, _LONGEST = 7, 15  # digits of a phone number, E.164
_OWN_TAIL = 7  # digits at the end of the lead's own number that tell it in any spelling

# Names that are everyday words too: only their capitalised form is a name.
_WORDS = frozenset({
    "will", "mark", "bill", "grant", "may", "art", "frank", "drew", "chase", "hope", "faith", "joy", "grace", "rose",
    "max", "pat", "rob", "sue", "dean", "young", "long", "price", "best", "rich", "king", "small", "wise", "good",
    "bank", "page", "case", "order", "green", "brown", "white", "black", "field", "hill", "ford", "church", "cash",
    "banks", "brand", "baker", "cook", "miller", "sales", "store", "law", "rush", "swift", "little", "short", "power",
    "day", "summer", "winter", "major",
})  # fmt: skip


def redact(text: str, lead: Lead, *, keep: frozenset[str] = frozenset()) -> str:
    """`text` with `[email]`, `[phone]` and `[name]` in their places; `keep` names lead fields that may stay."""
    if "email" not in keep:
        text = _EMAIL.sub("[email]", text)
    if "phone" not in keep:
        own = re.sub(r"\D", "", lead.phone or "")
        text = _NUMBER.sub(lambda match: _phone(match, own), text)
    for field, name in (("first_name", lead.first_name), ("last_name", lead.last_name)):
        if name and field not in keep:
            text = _named(name).sub("[name]", text)
    return text


def _phone(match: re.Match[str], own: str) -> str:
    found = match.group()
    digits = re.sub(r"\D", "", found)
    if not _SHORTEST <= len(digits) <= _LONGEST:
        return found
    before = match.string[max(0, match.start() - 40) : match.start()]
    if (
        found[0] in "+(0"
        or _AMERICAN.match(found)
        or (len(own) >= _OWN_TAIL and digits.endswith(own[-_OWN_TAIL:]))
        or _PHONE_WORD.search(before)
    ):
        return "[phone]"
    return found


def _named(name: str) -> re.Pattern[str]:
    """Every part of the name as a whole word; single letters are left, they would eat the text."""
    parts = [part for part in re.split(r"[\s.]+", name) if len(part) > 1]
    spellings: set[str] = set()
    for part in parts:
        spellings |= {part.title(), part.upper(), part.capitalize()}
        if part.casefold() not in _WORDS:
            spellings |= {part, part.lower()}
    if not spellings:
        return re.compile(r"(?!)")
    found = "|".join(map(re.escape, sorted(spellings, key=lambda spelling: (-len(spelling), spelling))))
    return re.compile(rf"(?<!\w)(?:{found})(?!\w)")
