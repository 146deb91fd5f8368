from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise.domain.lead import Lead
from tierwise.llm import personal

ANNA = Lead(first_name="Anna", last_name="Weber-Lindt", email="anna@acme.com", phone="+4930123456789", country="DE")
WILL = Lead(first_name="Will", last_name="Price")


def found(said: str, lead: Lead = ANNA, **options: frozenset[str]) -> list[tuple[str, str]]:
    return [(said[span.start : span.end], span.kind) for span in personal.spans(said, lead, **options)]


@pytest.mark.parametrize(
    ("said", "what", "kind"),
    [
        ("Write to anna.w+crm@mail.acme.co.uk!", "anna.w+crm@mail.acme.co.uk", "EMAIL"),
        ("bob (at) acme.com please", "bob (at) acme.com", "EMAIL"),
        ("me at ravi dot menon at brightloom dot example", "ravi dot menon at brightloom dot example", "EMAIL"),
        ("Call (030) 1234 5678.", "(030) 1234 5678", "PHONE"),
        ("my number is 415-555-2671", "415-555-2671", "PHONE"),
        ("tel. 30 123 45 67 89", "30 123 45 67 89", "PHONE"),  # the word before tells
        ("so 30123456789", "30123456789", "PHONE"),  # the lead's own number in another spelling
        ("so 30·123·456·789", "30·123·456·789", "PHONE"),
        ("30 2096 4500 until five", "30 2096 4500", "PHONE"),  # a number of Berlin, by its numbering plan
        ("Skype: anna_w81", "anna_w81", "URL"),
        ("see https://acme.com/team/anna", "team/anna", "URL"),
        ("see calendly.com/aw/30min.", "aw/30min", "URL"),
        ("cheers, anna", "anna", "PERSON"),
        ("says ANNA WEBER-LINDT", "ANNA WEBER-LINDT", "PERSON"),
    ],
)
def test_it_is_found(said: str, what: str, kind: str) -> None:
    assert (what, kind) in found(said)


@pytest.mark.parametrize(
    "said",
    [
        "about 10 000 - 15 000 orders",
        "1,500,000 USD a year",
        "since 2026-11-21",
        "between 2026-11-21 10:00 and 12:00",
        "live by 01.03.2027, or 01.02.2027 - 03.04.2027, or 05/2027",
        "invoice 1234567 and 7654321",
        "order number 0077345120 came broken",
        "We use Annabel and weblindt",
        "12.500,00 EUR",
        "@acme on social media",
        "https://acme.com/products/labels",
        "systems like yours at some point after the move",
        "Tomorrow 2026/118 is due",
    ],
)
def test_numbers_and_words_that_criteria_are_about_stay(said: str) -> None:
    assert found(said) == []


def test_a_name_that_is_a_word_is_a_name_only_when_capitalised() -> None:
    assert found("Will here: the price will do", WILL) == [("Will", "PERSON")]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Müller", "Mueller"), ("Müller", "MULLER"), ("José", "jose"), ("Jose", "José"), ("van der Berg", "Berg"),
        ("O'Brien", "O'Brien"), ("王伟", "我是王伟先生"),
    ],
)  # fmt: skip
def test_the_leads_own_name_is_found_in_other_spellings(name: str, said: str) -> None:
    [(what, kind)] = found(f"so {said} it is", Lead(last_name=name))
    assert kind == "PERSON"
    assert what == (name if name == "王伟" else said)


def test_a_particle_of_a_name_is_no_name() -> None:
    assert found("der Chef und die Frage", Lead(last_name="van der Berg")) == []


def test_an_initial_is_not_searched_for() -> None:
    assert found("a plan A", Lead(first_name="A.")) == []


def test_a_name_that_was_told_once_is_found_again() -> None:
    said = "My name is Priya Raman. When you ring, ask Priya."
    assert [what for what, _ in found(said, Lead())] == ["Priya Raman", "Priya"]


def test_a_long_text_without_ends_takes_no_time() -> None:
    for said in ("a" * 20_000, "a." * 10_000, "1 " * 10_000, "Aa " * 7_000, "a@" * 10_000, "http://" + "a/" * 9_000):
        personal.spans(said, ANNA)


@given(
    st.lists(
        st.sampled_from(
            [*personal._DOTS, "POINT", "poİnt", "poınt", "Kropka", "a", " ", "-", "@", "(at)", "[ ät ]", "("]
        )
    )
)
def test_what_is_looked_for_first_is_in_all_that_is_found(pieces: list[str]) -> None:
    said = "".join(pieces)
    assert personal._may_say_dot(said) or not personal._DOT.search(said)
    assert not personal._AT_SIGNS.isdisjoint(said) or not personal._AT.search(said)
