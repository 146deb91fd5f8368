"""Made-up companies: name, address on `.example`, trade, and how large they are."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tierwise_sandbox.leads.people import slug, words

_HEADS = words(
    "Nord Hal Bright Fenn Quill Ash Stern Lin Mar Oak Silber Vent Alta Kor Tal Bel Wes Dun Cald Ever Grau Hazel "
    "Iron Juni Lark Monte Pine Rook Sund Thorn Ul Vester Wil Zell Brim Cres Elm Hoch Kings Lyn"
)
_TAILS = words(
    "wind berg moor mark ford well haven dale stein ica ora via ton brook field feld bach mere gate holm ridge "
    "wood crest lund sted port"
)
TRADES: dict[str, tuple[str, ...]] = {
    "apparel": ("Apparel", "Clothing", "Textil", "Mode", "Outfitters", "Knitwear"),
    "cosmetics": ("Cosmetics", "Beauty", "Naturkosmetik", "Skincare", "Parfums"),
    "food and beverage": ("Foods", "Coffee Roasters", "Feinkost", "Organics", "Vinos", "Tea"),
    "furniture": ("Furniture", "Living", "Möbel", "Interiors", "Home"),
    "consumer electronics": ("Electronics", "Audio", "Elektronik", "Devices", "Lighting"),
    "sporting goods": ("Sports", "Outdoor", "Cycling", "Bikes", "Fitness"),
    "toys": ("Toys", "Spielwaren", "Games", "Juguetes"),
    "books and media": ("Books", "Media", "Verlag", "Éditions"),
    "pet supplies": ("Pets", "Petfood", "Tierbedarf"),
    "health": ("Health", "Pharma", "Nutrition", "Vitalis"),
    "automotive parts": ("Autoparts", "Motors", "Ersatzteile", "Ricambi"),
    "wholesale": ("Trading", "Wholesale", "Großhandel", "Import"),
    "logistics": ("Logistics", "Fulfilment", "Freight", "Logistik", "3PL"),
    "jewellery": ("Jewellery", "Watches", "Schmuck", "Bijoux"),
    "software": ("Software", "Systems", "Digital", "Labs"),
    "consulting": ("Consulting", "Advisory", "Partners"),
}
_LEGAL = {
    "us": ("Inc.", "LLC", "Co.", ""), "gb": ("Ltd", "Limited", "PLC", ""), "au": ("Pty Ltd", ""),
    "in": ("Pvt Ltd", "Private Limited", ""), "de": ("GmbH", "AG", "GmbH & Co. KG", "e.K.", ""),
    "at": ("GmbH", "AG", ""), "fr": ("SAS", "SARL", "SA", ""), "es": ("S.L.", "S.A.", ""),
    "mx": ("S.A. de C.V.", ""), "br": ("Ltda.", "S.A.", ""), "pt": ("Lda.", "S.A.", ""), "it": ("S.r.l.", "S.p.A.", ""),
    "nl": ("B.V.", ""), "jp": ("株式会社", "K.K.", ""),
}  # fmt: skip
_BANDS = ((1, 10), (11, 50), (51, 200), (201, 500), (501, 1000), (1001, 5000), (5001, 20000))


@dataclass(frozen=True)
class Firm:
    name: str
    domain: str
    trade: str
    employees: int
    orders: int
    """Orders a month that a firm like this really has."""


def firm(rng: random.Random, code: str, *, bands: tuple[int, int]) -> Firm:
    """A company with a size in one of the bands from the first to the second (0 = up to 10 people ... 6)."""
    trade = rng.choice(tuple(TRADES))
    stem = rng.choice(_HEADS) + rng.choice(_TAILS)
    word = rng.choice(TRADES[trade])
    legal = rng.choice(_LEGAL[code])
    name = f"{legal}{stem}" if legal == "株式会社" else " ".join(part for part in (stem, word, legal) if part)
    low, high = _BANDS[rng.randint(*bands)]
    employees = rng.randint(low, high)
    orders = max(20, int(employees * rng.lognormvariate(3.6, 0.7)))
    return Firm(name, f"{slug(f'{stem} {word}')}.example", trade, employees, _rounded(orders))


def size_text(rng: random.Random, employees: int) -> str:
    """The number of people as a form receives it: ranges, signs, thousands in three styles."""
    low, high = next((band for band in _BANDS if employees <= band[1]), _BANDS[-1])
    near = _rounded(employees)
    choices = [
        f"{low}-{high}",
        f"{low} - {high}",
        f"{low}–{high}",
        f"{low}+",
        str(employees),
        f"ca. {near}",
        f"~{near}",
    ]
    if employees >= 1000:
        choices += [
            f"{employees:,}",
            f"{employees:,}".replace(",", "."),
            f"{employees / 1000:.0f}k",
            f"{near // 1000}K+",
        ]
    if employees <= 10:
        choices += ["<10", "1-10", "just me and a partner" if employees < 3 else f"{employees} people", "small team"]
    return rng.choice(choices)


def volume_text(rng: random.Random, orders: int) -> str:
    """Orders a month as a form receives them."""
    near = _rounded(orders)
    thousand = max(1, near // 1000)
    choices = [f"about {near} orders", f"{near}", f"~{near}", f"{near}+", f"{near} / month", f"{near:,}"]
    if near >= 1000:
        choices += [
            f"{thousand}k-{thousand * 2}k",
            f"{thousand}k",
            f"{near:,}".replace(",", "."),
            f"{thousand}-{thousand * 2}k orders",
        ]
    else:
        choices += [f"{near // 2}-{near}", "a few hundred" if near > 150 else "under 150"]
    return rng.choice(choices)


def _rounded(number: int) -> int:
    """Two significant digits: how people state such numbers."""
    step = int(10 ** max(0, len(str(number)) - 2))
    return int(max(step, round(number / step) * step))
