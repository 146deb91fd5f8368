"""Free text as people write it: pieces chosen, filled and put together, then roughened a little."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence

from tierwise_sandbox.leads import english
from tierwise_sandbox.leads.elsewhere import TONGUES
from tierwise_sandbox.leads.firms import Firm
from tierwise_sandbox.leads.people import Person

_TOOLS = ("ShipDesk", "our ERP", "PostaFlow", "ParcelMind", "an old Access database", "LabelHub", "the carrier portal")
_PLATFORMS = ("Shopify", "Magento", "WooCommerce", "Shopware", "BigCommerce", "a custom shop")
_ERPS = ("NetSuite", "SAP Business One", "Odoo", "Dynamics 365", "Xentral", "Sage")
_CITIES = ("Leipzig", "Leeds", "Porto", "Utrecht", "Lyon", "Graz", "Malmö", "Valencia")
_THESES = ("bachelor's thesis", "master's thesis", "seminar paper", "dissertation")
_JOBS = ("account executive", "backend developer", "warehouse manager", "marketing intern", "customer success manager")
_MARKETS = {
    "en": ("the US", "the UK and Ireland", "DACH", "most of Europe", "North America", "ANZ"),
    "de": ("Deutschland und Österreich", "die Schweiz", "ganz Europa", "Benelux"),
    "fr": ("la France et la Belgique", "toute l'Europe", "la Suisse"),
    "es": ("España y Portugal", "toda Europa", "América Latina"),
    "pt": ("o Brasil inteiro", "Portugal e Espanha", "o Sudeste"),
    "it": ("Italia e Francia", "tutta Europa"),
    "nl": ("Nederland en België", "heel Europa"),
    "ja": ("国内", "アジア", "北米"),
}
_DEADLINES = {
    "en": ("Black Friday", "January", "Q1", "the end of the quarter", "March", "Easter", "1 February"),
    "de": ("Black Friday", "Januar", "Ende des Quartals", "Ostern", "dem 1. März"),
    "fr": ("le Black Friday", "janvier", "la fin du trimestre", "Pâques"),
    "es": ("el Black Friday", "enero", "fin de trimestre", "Semana Santa"),
    "pt": ("a Black Friday", "janeiro", "o fim do trimestre", "o Carnaval"),
    "it": ("il Black Friday", "gennaio", "fine trimestre"),
    "nl": ("Black Friday", "januari", "het einde van het kwartaal"),
    "ja": ("来月末", "1月", "年度末", "3月"),
}
_CURRENCY = {"us": "${}", "gb": "£{}", "au": "AUD {}", "in": "INR {}", "br": "R$ {}", "mx": "MXN {}", "jp": "{}円"}


def _slots(rng: random.Random, who: Person, firm: Firm, role: str) -> dict[str, str]:
    language = who.locale.language
    amount = rng.choice((15, 20, 25, 40, 60, 80, 120, 150, 200))
    if who.code in {"in", "jp", "mx"}:
        amount *= 40
    spelled = rng.choice((f"{amount:,},000", f"{amount}k"))
    if who.code in {"de", "at", "fr", "es", "pt", "it", "nl", "br"}:
        spelled = rng.choice((f"{amount}.000", f"{amount}k"))
    if language == "ja":
        spelled = f"{amount // 10}万" if amount >= 10 else str(amount)
    orders = f"{firm.orders:,}" if rng.random() < 0.5 else str(firm.orders)
    return {
        "company": firm.name,
        "domain": firm.domain,
        "first": who.first,
        "trade": firm.trade,
        "employees": str(firm.employees),
        "orders": orders,
        "role": role or "Head of Operations",
        "role_area": rng.choice(("operations", "logistics", "e-commerce", "the warehouse", "customer service")),
        "market": rng.choice(_MARKETS[language]),
        "deadline": rng.choice(_DEADLINES[language]),
        "budget": _CURRENCY.get(who.code, "{} €").format(spelled),
        "weeks": str(rng.choice((3, 4, 6, 8, 10))),
        "years": str(rng.randint(2, 24)),
        "returns": str(rng.randint(4, 38)),
        "season": rng.choice(("spring", "summer", "autumn", "year")),
        "tool": rng.choice(_TOOLS if language == "en" else tuple(t for t in _TOOLS if " " not in t)),
        "platform": rng.choice(_PLATFORMS[:5]),
        "erp": rng.choice(_ERPS),
        "city": rng.choice(_CITIES),
        "thesis": rng.choice(_THESES),
        "job": rng.choice(_JOBS),
        "account": str(rng.randint(10_000, 99_999)),
        "seats": str(rng.randint(2, 20)),
        "seo_count": str(rng.choice((50, 100, 250, 500, 1000))),
        "small_price": str(rng.choice((29, 49, 75, 99, 199, 500))),
    }


def _pick(rng: random.Random, pieces: Sequence[str], slots: Mapping[str, str]) -> str:
    text = rng.choice(pieces).format_map(slots).replace("..", ".")
    text = re.sub(r"\b([Aa]) (?=[aeiou]\w+ (?:brand|retailer|and))", r"\1n ", text)
    return text[:1].upper() + text[1:] if text.startswith(("our ", "an ", "the ")) else text


def interested(rng: random.Random, who: Person, firm: Firm, role: str, *, strength: int) -> str:
    """A buyer's message. `strength` 0 (mild) to 3 (volume, pain, timeline, budget and authority stated)."""
    language = who.locale.language
    if language != "en" and rng.random() < 0.25:
        language = "en"  # many people write to a foreign vendor in English
    slots = _slots(rng, who, firm, role)
    if language == "en":
        kinds = {
            "opening": english.OPENINGS, "who": english.WHO, "volume": english.VOLUMES, "pain": english.PAINS,
            "timeline": english.TIMELINES, "budget": english.BUDGETS, "authority": english.AUTHORITY,
            "ask": english.ASKS, "mild": english.MILD, "closing": english.CLOSINGS,
        }  # fmt: skip
        slots["market"] = slots["market"] if who.locale.language == "en" else rng.choice(_MARKETS["en"])
        slots["deadline"] = slots["deadline"] if who.locale.language == "en" else rng.choice(_DEADLINES["en"])
    else:
        local = TONGUES[language]
        kinds = {
            "opening": local.openings, "who": local.who, "volume": local.volumes, "pain": local.pains,
            "timeline": local.timelines, "budget": local.budgets, "authority": local.authority, "ask": local.asks,
            "mild": local.mild, "closing": local.closings,
        }  # fmt: skip
    middle = {
        0: ["mild", *rng.sample(["who", "ask"], rng.randint(0, 1))],
        1: ["who", rng.choice(("pain", "volume")), rng.choice(("ask", "mild"))],
        2: ["who", "volume", "pain", rng.choice(("timeline", "budget")), "ask"],
        3: ["who", "volume", "pain", "timeline", "budget", "authority", "ask"],
    }[strength]
    if strength == 3 and rng.random() < 0.35:
        middle.remove(rng.choice(("pain", "who", "volume")))
    if strength >= 1 and rng.random() < 0.4:
        head, tail = middle[:1], middle[1:]
        rng.shuffle(tail)
        middle = head + tail
    sentences = [_pick(rng, kinds[kind], slots) for kind in middle]
    opening, closing = (_pick(rng, kinds[kind], slots) for kind in ("opening", "closing"))
    return _laid_out(rng, sentences, opening=opening, closing=closing, who=who, language=language)


def plain(rng: random.Random, pieces: Sequence[str], who: Person, firm: Firm, role: str = "") -> str:
    """One or two pieces of a kind (spam, students, customers ...), filled, with greeting now and then."""
    slots = _slots(rng, who, firm, role)
    slots["deadline"] = rng.choice(_DEADLINES["en"])
    text = _pick(rng, pieces, slots)
    if rng.random() < 0.35:
        text = f"{rng.choice(('Hi,', 'Hello,', 'Dear team,'))} {text}"
    return text


def _laid_out(
    rng: random.Random, sentences: Sequence[str], *, opening: str, closing: str, who: Person, language: str
) -> str:
    gap = "" if language == "ja" else " "
    body = gap.join(sentences)
    if len(sentences) > 3 and rng.random() < 0.35:
        cut = len(sentences) // 2
        body = gap.join(sentences[:cut]) + "\n\n" + gap.join(sentences[cut:])
    style = rng.random()
    if language == "en" and style < 0.10:
        return body.lower().replace(". ", ", ").rstrip(".?!")
    if language == "en" and style < 0.18:
        body = _typos(rng, body)
    if opening.rstrip().endswith((",", ":")) and language not in {"de"}:
        body = body[:1].upper() + body[1:] if rng.random() < 0.8 else body
    elif not opening:
        body = body[:1].upper() + body[1:]
    broken = rng.random() < 0.4
    parts = [opening, body] if opening else [body]
    text = ("\n\n" if broken else gap or "\n").join(parts)
    if closing:
        name = rng.choice((who.first, f"{who.first} {who.last}"))
        text += f"\n\n{closing}\n{name}" if broken else f" {closing} {who.first}".rstrip()
    return text


def _typos(rng: random.Random, text: str) -> str:
    letters = list(text)
    for _ in range(max(1, len(letters) // 90)):
        place = rng.randrange(1, max(2, len(letters) - 1))
        if letters[place].isalpha() and letters[place - 1].isalpha():
            letters[place - 1], letters[place] = letters[place], letters[place - 1]
    return "".join(letters)
