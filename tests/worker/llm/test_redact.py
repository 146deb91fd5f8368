from __future__ import annotations

import pytest

from tierwise.domain.lead import Lead
from tierwise.llm import redact

ANNA = Lead(first_name="Anna", last_name="Weber-Lindt", email="anna@acme.com", phone="+4930123456789")
WILL = Lead(first_name="Will", last_name="Price")


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ("Write to anna.w+crm@mail.acme.co.uk!", "Write to [email]!"),
        ("bob (at) acme.com please", "[email] please"),
        ("Call +49 30 1234567 today", "Call [phone] today"),
        ("Call (030) 1234 5678.", "Call [phone]."),
        ("my number is 415-555-2671", "my number is [phone]"),
        ("tel. 30 123 45 67 89", "tel. [phone]"),  # the word before tells
        ("reach me: 30123456789", "reach me: [phone]"),  # the lead's own number in another spelling
        ("Thanks, Anna Weber-Lindt", "Thanks, [name] [name]"),
        ("cheers, anna", "cheers, [name]"),
        ("ANNA here", "[name] here"),
    ],
)
def test_personal_data_is_replaced(said: str, sent: str) -> None:
    assert redact.redact(said, ANNA) == sent


@pytest.mark.parametrize(
    "said",
    [
        "about 10 000 - 15 000 orders",
        "1,500,000 USD a year",
        "since 2026-11-21",
        "between 2026-11-21 10:00 and 12:00",
        "invoice 1234567 and 7654321",
        "We use Annabel and weblindt",
        "12.500,00 EUR",
        "@acme on social media",
    ],
)
def test_numbers_and_words_that_criteria_are_about_stay(said: str) -> None:
    assert redact.redact(said, ANNA) == said


def test_a_name_that_is_a_word_is_a_name_only_when_capitalised() -> None:
    assert redact.redact("Will here: the price will do", WILL) == "[name] here: the price will do"


def test_what_a_criterion_names_stays() -> None:
    keep = frozenset({"email", "first_name"})
    said = "Anna Weber-Lindt, anna@acme.com, +49 30 1234567"
    assert redact.redact(said, ANNA, keep=keep) == "Anna [name], anna@acme.com, [phone]"


def test_an_initial_is_not_searched_for() -> None:
    assert redact.redact("a plan A", Lead(first_name="A.")) == "a plan A"
