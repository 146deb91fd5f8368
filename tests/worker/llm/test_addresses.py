from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise.llm import addresses


def longest(said: str) -> str:
    return max((said[start:end] for start, end in addresses.found(said)), key=len, default="")


@pytest.mark.parametrize(
    "written",
    [
        "12 Baker Street, London NW1 6XE",
        "1200 Industrial Parkway, Suite 210, Dayton, OH 45402",
        "Hauptstraße 12a, 10827 Berlin",
        "Robert-Bosch-Straße 44, 64293 Darmstadt",
        "Kanaalstraat 21, 3531 CJ Utrecht",
        "14 bis rue de la République, 69002 Lyon",
        "Calle de Alcalá 45, 3º B, 28014 Madrid",
        "Corso Vittorio Emanuele II, 92, 10121 Torino",
        "ul. Marszałkowska 10, 00-590 Warszawa",
        "Rua Augusta 274, 1100-053 Lisboa",
        "Postfach 12 34 56",
        "BP 1204",
    ],
)
def test_an_address_is_found_whole(written: str) -> None:
    assert longest(f"ok: {written}; ok") == written


@pytest.mark.parametrize(
    "said",
    [
        "two warehouses in Leeds and Rotterdam, 1,400 labels a day",
        "300 orders via Shopify 2 times a week",
        "we go live in 2027 with 50 people",
        "5 Top Carriers in 16 EU countries",
        "Unterwegs 20 Prozent Verlust",
    ],
)
def test_towns_and_numbers_are_no_address(said: str) -> None:
    assert longest(said) == ""


@given(st.text("1٣aZÉ_ -.", max_size=12))
def test_an_edge_told_from_behind_is_the_edge_of_a_word(said: str) -> None:
    for ours, plain in ((addresses._DIGIT, r"\b\d"), (addresses._CAPITAL, r"\b[A-Z]")):
        assert [found.span() for found in re.finditer(ours, said)] == [
            found.span() for found in re.finditer(plain, said)
        ]


PIECES = st.sampled_from(
    ["Rua", "rua", "in via", "Via", "R.", "C/", "Roma", "das", "Flores", "12", "7,", "EC1A", "1BB", "00-590", "x12-345",
     "BP", "rue", "RUE", "de", "la", "Paix", "75002", "bis", "Straße", "Haupt", "Main", "Street", "Postfach", "12b",
     "ul.", "equal", "February", "\n", "٣"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=10), st.sampled_from([" ", ", ", ""]))
def test_what_is_not_tried_would_have_found_nothing(pieces: list[str], joined: str) -> None:
    said = joined.join(pieces)
    sources = [source for _, *group in addresses._GROUPS for source in group]
    tried = [match.span() for source in sources for match in re.finditer(source, said)]
    assert list(addresses.found(said)) == (tried if any(map(str.isdigit, said)) else [])
