from __future__ import annotations

import pytest

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
