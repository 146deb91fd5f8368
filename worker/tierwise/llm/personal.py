"""Finds personal data in what a lead wrote: addresses of mail, numbers, links, names, streets.

What the lead's own fields say is found in every spelling; of others, what has the shape.
Deterministic: a function of the text, the lead and what may stay.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from tierwise.domain import identity
from tierwise.domain.lead import Lead
from tierwise.llm import addresses, names, openings
from tierwise.llm.text import words as _words

Kind = Literal["EMAIL", "PHONE", "URL", "ADDRESS", "PERSON"]


class Span(NamedTuple):
    """A passage that is personal."""

    start: int
    end: int
    kind: Kind


_LOCAL = r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}"
_EMAIL = re.compile(
    rf"(?<![\w.!#$%&'*+/=?^`{{|}}~-]){_LOCAL}\s?(?:@|[(\[]\s?(?:at|ät|arroba|chiocciola)\s?[)\]])\s?[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{1,6}}",
    re.IGNORECASE,
)
_SIGNS = (("at", "dot"), ("ät", "punkt"), ("at", "punkt"), ("arroba", "(?:punto|ponto)"), ("arobase", "point"),
          ("chiocciola", "punto"), ("małpa", "kropka"))  # fmt: skip
_SPOKEN = re.compile(
    "|".join(
        rf"(?<![\w.+-])[\w.+-]{{2,64}}(?:\s{dot}\s[\w-]{{2,63}}){{0,2}}\s[(\[]?{at}[)\]]?\s[\w-]{{2,63}}"
        rf"(?:\s?[(\[]?\b{dot}\b[)\]]?\s?[\w-]{{2,63}}){{1,4}}\b(?!\s{at}\b)"
        for at, dot in _SIGNS
    ),
    re.IGNORECASE,
)
_AT = re.compile(r"@|[(\[]\s?(?:at|ät|arroba|chiocciola)\s?[)\]]", re.IGNORECASE)
_AT_SIGNS = frozenset("@([")  # one of them is in all that `_AT` finds
_DOTS = ("dot", "punkt", "punto", "point", "ponto", "kropka")
_DOT = re.compile(rf"\b(?:{'|'.join(_DOTS)})\b", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w,.])(?:\+|\(\+?)?\d[\d\s().\-/]{5,30}\d(?![\w,])")
_RUN = re.compile(r"\d[\d\s().\-/]{5}")  # in every such number
_PHONE_WORD = re.compile(
    r"\b(?:t|m|tel|telephone|phone|mobile|mob|cell|call|ring|whatsapp|fax|handy|telefon\w*|telefono|teléfono|téléphone|"
    r"portable|móvil|celular|cellulare|telemóvel|mobiel|mobil|number|nummer|número|numero|numéro|sms|durchwahl|direct|"
    r"ligne|chiamat\w+|llám\w+|bel)\b\W{0,3}(?:\w+\W{1,2}){0,3}$",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"\b(?:order|invoice|ticket|tracking|shipment|parcel|account|article|sku|ref(?:erence)?|vat|iban|case|id|"
    r"rechnung\w*|bestell\w*|auftrag\w*|sendung\w*|kunden\w*|artikel\w*|commande|facture|colis|suivi|siret|siren|"
    r"pedido|factura|envío|cif|nif|ordine|fattura|spedizione|bestelling|factuur|zending|encomenda|fatura|zamówieni\w+|nip)"
    r"\b\W{0,3}(?:\w+\W{1,2}){0,1}$",
    re.IGNORECASE,
)
_AMERICAN = re.compile(r"\(?\d{3}\)?[\s.-]?\d{3}[\s.-]\d{4}")
_DATE = re.compile(
    r"(?<!\d)(?:\d{1,2}[./-]\d{1,2}[./-](?:20)?\d{2}|20\d{2}[./-]\d{1,2}[./-]\d{1,2}|\d{1,2}[./]20\d{2})(?!\d)(?![./-]\d)"
)
_THOUSANDS = re.compile(r"\d{1,3}(?:[ .]\d{3})+(?:\s?-\s?\d{1,3}(?:[ .]\d{3})+)?")
_SHORTEST, _LONGEST = 7, 15  # digits of a phone number, E.164
_OWN_TAIL = 7  # digits at the end of the lead's own number that tell it in any spelling
_LINK = re.compile(
    r"(?<![\w@.-])(?:https?://|www\.)?(?:[\w.%-]+:[^\s@/]*@)?(?P<host>(?:[\w-]{1,63}\.){1,5}[a-z]{2,24})(?::\d+)?"
    r"/(?P<path>[^\s<>\"')\]]{1,300})",
    re.IGNORECASE,
)
_PERSONAL_PATH = re.compile(
    r"(?:^|/)(?:in|pub|u|users?|people|person|profiles?|members?|authors?|staff|~\w+|@[\w.-]+|meet|agenda)(?:/|$)|"
    r"^~|^@|[?&](?:email|e-mail|mail|name|user|contact|phone|tel|uid)=|@|%40",
    re.IGNORECASE,
)
_HANDLE = re.compile(
    r"(?<![\w.@/])(?:skype|telegram|twitter|insta(?:gram)?|wechat|signal|line id)\s?:\s?@?(?P<name>[\w.-]{3,40}\w)",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"\w+")
_CJK = "\u2e80"

# Names that are everyday words too: only their capitalised form is a name.
_WORDS = names.words(
    """
    will mark bill grant may art frank drew chase hope faith joy grace rose max pat rob sue dean young long price best
    rich king small wise good bank page case order green brown white black field hill ford church cash banks brand baker
    cook miller sales store law rush swift little short power day summer winter major klein gross groß lang kurz neu
    alt weiss weiß schwarz braun jung reich stark wolf vogel berg stein baum bauer koch blanc petit grand legrand roy
    leblanc santos rico leon delgado moreno rubio blanco rossi bianchi neri conti costa vos bakker groot june april
    august sommer sonntag freitag herbst kaiser könig post lager engel"""
)


def spans(text: str, lead: Lead, *, keep: frozenset[str] = frozenset(), flat: bool = False) -> list[Span]:
    """What is personal in `text`, in its order, not overlapping; `keep` names lead fields that may stay.

    `flat` looks for nobody else's name: for short fields that hold no prose.
    """
    own = _own_words(lead, keep)
    found: list[Span] = []
    found += _mails(text, lead, keep)
    found += (Span(*span, "URL") for span in _links(text, own))
    found += (Span(*span, "PHONE") for span in _phones(text, lead, keep))
    if not flat:
        found += (Span(*span, "ADDRESS") for span in addresses.found(text))
    kept = _kept_words(lead, keep)
    people: list[tuple[int, int]] = []
    if not flat:
        people = [part for span in names.found(text) for part in _without(text, span, kept)]
    people += _own_names(text, lead, own, keep)
    people += _again(text, people, kept)
    found += (Span(*span, "PERSON") for span in _joined(text, people))
    return _apart(found)


def words(name: str) -> frozenset[str]:
    """The words of a name by which it is the same person: small, without particles and initials."""
    return frozenset(
        word for word in map(str.casefold, _TOKEN.findall(name)) if len(word) > 1 and word not in names.PARTICLES
    )


def _mails(text: str, lead: Lead, keep: frozenset[str]) -> Iterator[Span]:
    if "email" in keep:
        return
    if lead.email and "@" in text:
        for match in re.finditer(re.escape(lead.email), text, re.IGNORECASE):
            yield Span(*match.span(), "EMAIL")
    if any(map(text.__contains__, _AT_SIGNS)) and _AT.search(text):
        for match in _EMAIL.finditer(text):
            yield Span(*match.span(), "EMAIL")
    if _may_say_dot(text) and _DOT.search(text):
        for match in _SPOKEN.finditer(text):
            yield Span(*match.span(), "EMAIL")


def _may_say_dot(text: str) -> bool:
    """Cheaper than the search."""
    return any(map(openings.spelt(text).lower().__contains__, _DOTS))


def _phones(text: str, lead: Lead, keep: frozenset[str]) -> Iterator[tuple[int, int]]:
    if "phone" in keep:
        return
    own = re.sub(r"\D", "", lead.phone or "")
    if len(own) >= _OWN_TAIL and sum(map(str.isdigit, text)) >= _OWN_TAIL:
        tail = r"[^\w]{0,3}".join(own[-_OWN_TAIL:])
        for match in re.finditer(rf"(?<!\d)[+(]{{0,2}}(?:\d[^\w\n]{{0,3}}){{0,8}}?{tail}(?!\d)", text):
            yield match.span()
    for match in _NUMBER.finditer(text) if _RUN.search(text) else ():
        if _is_phone(match, lead.country):
            yield match.span()


def _is_phone(match: re.Match[str], country: str | None) -> bool:
    written = match.group()
    if not _SHORTEST <= sum(map(str.isdigit, _DATE.sub("", written))) <= _LONGEST:
        return False
    before = match.string[max(0, match.start() - 40) : match.start()]
    if written[0] in "+(":
        return True
    if _COUNTED.search(before):
        return False
    if _PHONE_WORD.search(before):
        return True
    if _THOUSANDS.fullmatch(written):
        return False
    return (
        written[0] == "0"
        or _AMERICAN.fullmatch(written) is not None
        or (len(re.findall(r"\d[\s./-]+(?=\d)", written)) > 1 and identity.dialled(written, country))
    )


def _links(text: str, own: frozenset[str]) -> Iterator[tuple[int, int]]:
    if "/" in text:
        for match in _LINK.finditer(text):
            path = match["path"]
            personal = (
                identity.is_shared_site(match["host"])
                or _PERSONAL_PATH.search(path)
                or not own.isdisjoint(map(str.casefold, re.findall(r"[^\W_]+", path)))
            )
            if personal:
                end = match.end("path") - (len(path) - len(path.rstrip(".,;:!?")))
                if end > match.start("path"):
                    yield match.start("path"), end
    if ":" in text:
        for match in _HANDLE.finditer(text):
            yield match.span("name")


def _own_words(lead: Lead, keep: frozenset[str]) -> frozenset[str]:
    """The lead's names as they may be spelt, small: with accents, without, and "ue" for "ü"."""
    given = (("first_name", lead.first_name), ("last_name", lead.last_name))
    known: set[str] = set()
    for field, name in given:
        if name and field not in keep:
            known |= words(name)
    return frozenset(spelling for word in known for spelling in (word, _bare(word), _bare(word, spelt=True)))


def _kept_words(lead: Lead, keep: frozenset[str]) -> frozenset[str]:
    given = (("first_name", lead.first_name), ("last_name", lead.last_name))
    return frozenset().union(*(words(name) for field, name in given if name and field in keep))


def _own_names(text: str, lead: Lead, own: frozenset[str], keep: frozenset[str]) -> list[tuple[int, int]]:
    found = []
    # In ASCII a word is its own bare form.
    if own and not (text.isascii() and own.isdisjoint(map(str.casefold, _words(text)))):
        for match in _TOKEN.finditer(text):
            word = match.group()
            small = word.casefold()
            if (small in own or (not small.isascii() and _bare(small) in own)) and (
                word != small or small not in _WORDS or not word.islower()
            ):
                found.append(match.span())
    for field, name in (("first_name", lead.first_name), ("last_name", lead.last_name)):
        # Scripts without spaces have no words to look for.
        if name and field not in keep and name[0] >= _CJK and len(name) > 1:
            found += [match.span() for match in re.finditer(re.escape(name), text)]
    return found


def _again(text: str, people: list[tuple[int, int]], kept: frozenset[str]) -> list[tuple[int, int]]:
    """Where a name that was found is written once more, with nothing around it that tells."""
    known = {
        word.group()
        for start, end in people
        for word in _TOKEN.finditer(text[start:end])
        if len(word.group()) > 2
        and word.group()[0].isupper()
        and word.group().casefold() not in names.PARTICLES | _WORDS | kept
    }
    return [match.span() for match in _TOKEN.finditer(text) if match.group() in known] if known else []


def _without(text: str, span: tuple[int, int], kept: frozenset[str]) -> Iterator[tuple[int, int]]:
    """The span's parts between words that may stay."""
    start, end = span
    if not kept:
        yield span
        return
    for match in re.finditer(r"[\w.'’-]+", text[start:end]):
        if words(match.group()).isdisjoint(kept):
            yield start + match.start(), start + match.end()


def _joined(text: str, people: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Names side by side are one: "Anna", "van der", "Berg-Lindt", "O'" and "Brien"."""
    current: tuple[int, int] | None = None
    for begin, end in sorted(people):
        before = re.search(r"(?<!\w)\w['’]$", text[max(0, begin - 3) : begin])
        start = begin - len(before.group()) if before else begin
        if current is not None and (start <= current[1] or _between(text[current[1] : start])):
            current = (current[0], max(current[1], end))
            continue
        if current is not None:
            yield current
        current = (start, end)
    if current is not None:
        yield current


def _between(gap: str) -> bool:
    return (
        len(gap) < 16
        and all(part in names.PARTICLES or re.fullmatch(r"\w\.?", part) for part in re.split(r"[ .-]+", gap) if part)
        and re.fullmatch(r"[\w .-]*", gap) is not None
    )


def _apart(found: list[Span]) -> list[Span]:
    """Without overlaps: the one that begins first, of two the longer; what sticks out of it is kept as its own kind."""
    kept: list[Span] = []
    for span in sorted(found, key=lambda item: (item.start, -item.end, item.kind)):
        if kept and span.start < kept[-1].end:
            if span.end > kept[-1].end:
                kept[-1] = kept[-1]._replace(end=span.end)
            continue
        kept.append(span)
    return kept


def _bare(word: str, *, spelt: bool = False) -> str:
    if spelt:
        word = word.translate(_SPELT)
    apart = unicodedata.normalize("NFKD", word)
    return "".join(char for char in apart if not unicodedata.combining(char))


_SPELT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "oe", "å": "aa", "æ": "ae", "ł": "l"})
