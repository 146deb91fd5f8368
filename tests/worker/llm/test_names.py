from __future__ import annotations

import pytest

from tierwise.llm import names


def found(said: str) -> set[str]:
    return {said[start:end] for start, end in names.found(said)}


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("My name is Priya Raman and I run it.", "Priya Raman"),
        ("Best regards,\nTom Ashdown", "Tom Ashdown"),
        ("Guten Tag Frau Petersen, wir suchen", "Petersen"),
        ("Ich bin Svenja Holt von Nordlicht und wir", "Svenja Holt"),
        ("Je m'appelle Bastien Leroux et je", "Bastien Leroux"),
        ("Atentamente, María del Carmen Soto", "María del Carmen Soto"),
        ("Distinti saluti, Matteo De Angelis", "Matteo De Angelis"),
        ("Mijn naam is Pieter van der Velde en ik", "Pieter van der Velde"),
        ("Please ask for Helen O'Rourke.", "Helen O'Rourke"),
        ("My colleague is Tobias Reinhold.", "Tobias Reinhold"),
        ("Der Start ist im Herbst. M. Brandt", "M. Brandt"),
    ],
)
def test_names_are_found_where_people_write_them(said: str, name: str) -> None:
    assert any(name in what for what in found(said))


@pytest.mark.parametrize(
    "said",
    [
        "Dear Team, we compared ShipDesk and Sendwell.",
        "Sehr geehrte Damen und Herren, wir wünschen ein Angebot",
        "Ich bin Geschäftsführer und entscheide selbst.",
        "Thanks, Monday works.",
        "Kind regards, Weber GmbH",
        "We use Shopify and NetSuite in Leeds and Rotterdam.",
        "Contact Sales about SAP.",
        "I am Head of Operations at Acme.",
    ],
)
def test_companies_roles_and_days_are_no_names(said: str) -> None:
    assert found(said) == set()
