"""Made-up people by locale: names, free mail, telephone numbers, and how people there write their country."""

from __future__ import annotations

import random
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True)
class Locale:
    language: str
    countries: tuple[str, ...]
    """Ways in which people write the same country; the first is the plain one."""
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    free_mail: tuple[str, ...]
    phones: tuple[str, ...]
    """Patterns: each `#` becomes a digit."""


def words(text: str) -> tuple[str, ...]:
    """A list written as one text."""
    return tuple(text.split())


_EN_FIRST = words(
    "Olivia Noah Emma Liam Grace Ethan Chloe Marcus Hannah Jason Priya Derek Alison Trevor Nadia Colin Megan "
    "Curtis Bethany Wesley Paige Gareth Imogen Rowan Tessa Dominic Freya Callum Naomi Spencer"
)
_EN_LAST = words(
    "Whitfield Okafor Barlow Prescott Nguyen Delaney Hargrove Castellan Mbeki Rutherford Sinclair Pemberton "
    "Lockhart Ramsey Thornbury Vasquez Holloway Kessler Abernathy Drummond Faraday Langley Osei Tremblay Winslow"
)
_MAIL = ("gmail.com", "outlook.com", "yahoo.com", "hotmail.com", "icloud.com", "proton.me")

LOCALES: dict[str, Locale] = {
    "us": Locale(
        "en",
        ("United States", "USA", "US", "U.S.A.", "united states", "America", "United States of America"),
        _EN_FIRST,
        _EN_LAST,
        _MAIL,
        ("(212) 555-01##", "+1 415 555 01##", "312.555.01##", "1-617-555-01##", "206 555 01## ext 4"),
    ),
    "gb": Locale(
        "en",
        ("United Kingdom", "UK", "England", "Great Britain", "GB", "U.K.", "Scotland"),
        _EN_FIRST,
        _EN_LAST,
        (*_MAIL, "btinternet.com"),
        ("020 7946 0###", "+44 20 7946 0###", "0161 496 0###", "+44 (0)113 496 0###", "07700 900###"),
    ),
    "au": Locale(
        "en",
        ("Australia", "AU", "Aus", "australia"),
        _EN_FIRST,
        _EN_LAST,
        _MAIL,
        ("(02) 5550 ####", "+61 3 5550 ####", "0491 570 1##"),
    ),
    "in": Locale(
        "en",
        ("India", "IN", "INDIA", "Bharat"),
        words("Ananya Rohan Meera Vikram Kavya Arjun Divya Siddharth Isha Manish Lakshmi Farhan"),
        words("Iyer Kulkarni Banerjee Chaudhary Reddy Menon Bhatt Saxena Pillai Grewal"),
        (*_MAIL, "rediffmail.com"),
        ("+91 98### #####", "098### #####", "+91-22-6### ####"),
    ),
    "de": Locale(
        "de",
        ("Germany", "Deutschland", "DE", "GER", "BRD", "germany"),
        words("Jürgen Katrin Matthias Sabine Thorsten Anke Lukas Svenja Florian Ulrike Moritz Heike Jonas Birgit"),
        words("Großmann Lindner Hüttenrauch Brandt Vogelsang Dreyer Kühnel Osterkamp Petersen Wiesner Schöller"),
        ("gmx.de", "web.de", "t-online.de", "gmail.com"),
        ("030 23125 ###", "+49 30 23125###", "0049 (0)40 66969 ###", "0221/4710###", "0171 39200##"),
    ),
    "at": Locale(
        "de",
        ("Austria", "Österreich", "AT", "Oesterreich"),
        words("Lena Stefan Theresa Markus Barbara Gerald Johanna Clemens"),
        words("Hofstätter Pichler Waldner Zehetner Leitgeb Aigner Kofler"),
        ("gmx.at", "gmail.com", "aon.at"),
        ("+43 1 90 1## ##", "0662 90 1## ##"),
    ),
    "fr": Locale(
        "fr",
        ("France", "FR", "france", "République française"),
        words("Camille Antoine Élodie Bastien Margaux Thibault Solène Mathieu Aurélie Rémi Noémie Gaëtan"),
        words("Lefebvre Marchand Delacourt Bonnefoy Garrigues Pelletier Rouvière Saint-Clair Vauquelin Thévenot"),
        ("orange.fr", "free.fr", "laposte.net", "gmail.com"),
        ("01 99 00 ## ##", "+33 1 99 00 ## ##", "02.61.91.##.##", "06 39 98 ## ##"),
    ),
    "es": Locale(
        "es",
        ("Spain", "España", "ES", "espana"),
        words("Lucía Javier Marta Álvaro Inés Rubén Nuria Gonzalo Pilar Adrián Beatriz Óscar"),
        words("Carrasco Ibáñez Montoya Lozano Echeverría Robledo Sanchís Urrutia Peñalver Quintana"),
        ("hotmail.es", "gmail.com", "yahoo.es"),
        ("+34 91 100 ## ##", "931 00 ## ##", "600 00 ## ##"),
    ),
    "mx": Locale(
        "es",
        ("Mexico", "México", "MX", "Mejico"),
        words("Ximena Emiliano Fernanda Rodrigo Citlali Leonardo Regina Octavio"),
        words("Zamudio Arriaga Villaseñor Cervantes Olvera Bustamante Treviño"),
        ("hotmail.com", "gmail.com", "prodigy.net.mx"),
        ("+52 55 5000 ####", "55 5000 ####", "+52 1 33 5000 ####"),
    ),
    "br": Locale(
        "pt",
        ("Brazil", "Brasil", "BR", "brasil"),
        words("Thiago Larissa Rafael Juliana Caio Letícia Gustavo Patrícia Vinícius Renata"),
        words("Cavalcanti Figueiredo Drummond Sampaio Nogueira Teixeira Bittencourt Valadares"),
        ("uol.com.br", "gmail.com", "bol.com.br"),
        ("+55 11 5555-####", "(21) 5555-####", "11 95555 ####"),
    ),
    "pt": Locale(
        "pt",
        ("Portugal", "PT"),
        words("Inês Tiago Beatriz Duarte Marta Gonçalo Filipa"),
        words("Carvalho Sequeira Falcão Vasconcelos Antunes Moreira"),
        ("sapo.pt", "gmail.com"),
        ("+351 21 000 ####", "210 00# ###"),
    ),
    "it": Locale(
        "it",
        ("Italy", "Italia", "IT"),
        words("Chiara Lorenzo Giulia Federico Martina Davide Alessia Tommaso"),
        words("Bellandi Ferraris Montanari Orlandini Pellegrini Zanetti Caruso Ghirardelli"),
        ("libero.it", "gmail.com", "virgilio.it"),
        ("+39 02 0000 ####", "06 0000 ####"),
    ),
    "nl": Locale(
        "nl",
        ("Netherlands", "Nederland", "NL", "Holland", "The Netherlands"),
        words("Sanne Joris Femke Bram Lotte Ruben Maaike Thijs"),
        words("Hoekstra Verbeek Dijkgraaf Molenaar Kuipers Veenstra Oosterhof"),
        ("ziggo.nl", "gmail.com", "kpnmail.nl"),
        ("+31 20 000 ####", "010-000 ####"),
    ),
    "jp": Locale(
        "ja",
        ("Japan", "日本", "JP", "japan"),
        words("健太 美咲 翔太 由美子 大輔 彩香 拓也 恵"),
        words("田村 小野寺 藤原 石橋 松浦 宮本 西川 長谷川"),
        ("yahoo.co.jp", "gmail.com", "docomo.ne.jp"),
        ("03-0000-####", "+81 3 0000 ####", "06-0000-####"),
    ),
}

_ROMAN = {
    "健太": "kenta", "美咲": "misaki", "翔太": "shota", "由美子": "yumiko", "大輔": "daisuke", "彩香": "ayaka",
    "拓也": "takuya", "恵": "megumi", "田村": "tamura", "小野寺": "onodera", "藤原": "fujiwara",
    "石橋": "ishibashi", "松浦": "matsuura", "宮本": "miyamoto", "西川": "nishikawa", "長谷川": "hasegawa",
}  # fmt: skip
BAD_PHONES = (
    "n/a",
    "123",
    "0000000000",
    "call me",
    "+49",
    "555",
    "-",
    "tel: see website",
    "+1 (000) 000-0000",
    "12-34",
)


@dataclass(frozen=True)
class Person:
    first: str
    last: str
    locale: Locale
    code: str


def person(rng: random.Random, code: str) -> Person:
    locale = LOCALES[code]
    return Person(rng.choice(locale.first_names), rng.choice(locale.last_names), locale, code)


def slug(text: str) -> str:
    """Lower-case ASCII with hyphens, as in an address."""
    text = _ROMAN.get(text, text).replace("ß", "ss").replace("ü", "ue").replace("ö", "oe").replace("ä", "ae")
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "-".join("".join(c if c.isalnum() else " " for c in plain).split())


def mailbox(rng: random.Random, who: Person, domain: str) -> str:
    """An address of this person at a domain, in one of the usual shapes."""
    first, last = slug(who.first), slug(who.last)
    shapes = (f"{first}.{last}", f"{first[0]}.{last}", f"{first}{last}", f"{first[0]}{last}", first, f"{last}.{first}")
    return f"{rng.choice(shapes)}@{domain}"


def free_mailbox(rng: random.Random, who: Person) -> str:
    digits = rng.choice(("", "", "", str(rng.randint(1, 99)), str(rng.randint(1961, 2004))))
    name, domain = mailbox(rng, who, rng.choice(who.locale.free_mail)).split("@")
    return f"{name}{digits}@{domain}"


def phone(rng: random.Random, who: Person) -> str:
    return "".join(str(rng.randint(0, 9)) if c == "#" else c for c in rng.choice(who.locale.phones))
