from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise.llm import text


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("  two\n\n words\t", "two words"),  # white space
        ("ig\u200bno\u2060re", "ignore"),  # zero width
        ("abc\u202edef\u202c", "abcdef"),  # bidi override
        ("hi\U000e0069\U000e0067", "hi"),  # tag characters spell words that only a model reads
        ("a\u3164b\u2800c", "abc"),  # fillers and blanks that are letters by category
        ("Ｆｕｌｌ", "Full"),  # compatibility forms
        ("x\x00y\x07", "xy"),  # control characters
        ("e" + "\u0301" * 40, "é" + "\u0301" * 4),  # stacked marks
        ("\ue000mark", "mark"),  # private use: reserved for our own marks
        ("Größe 10 €", "Größe 10 €"),  # nothing to do
    ],
)
def test_canonical_text_is_what_a_reader_sees(raw: str, shown: str) -> None:
    assert text.canonical(raw) == shown


@given(st.text())
def test_canonical_and_comparable_are_idempotent_and_hold_no_lone_spaces(value: str) -> None:
    once = text.canonical(value)
    assert text.canonical(once) == once
    assert once == " ".join(once.split())
    assert text.comparable(text.comparable(value)) == text.comparable(value)


def test_comparing_forgets_case_and_typography_but_not_letters() -> None:
    assert text.comparable("“We’re READY” – now") == '"we\'re ready" - now'
    assert text.comparable("Große") == text.comparable("GROSSE")
    assert text.comparable("resume") != text.comparable("resumé")


def test_folding_is_for_finding_words_in_any_dress() -> None:
    assert text.folded("Règles ÜBER Ñ") == "regles uber n"
    assert text.latinised(text.folded("ѕсоrе")) == "score"


@pytest.mark.parametrize(
    ("wanted", "value", "found"),
    [
        ("die entscheidung treffe ich", "Grüße! Die Entscheidung treffe ich.", "Die Entscheidung treffe ich"),
        ("strasse", "Große Straße 7", "Straße"),
        ('"now"', "We need it «now»", "«now»"),
        ("nothing", "something", None),
        ("", "something", None),
    ],
)
def test_a_passage_keeps_the_spelling_of_its_field(wanted: str, value: str, found: str | None) -> None:
    assert text.passage(wanted, value) == found
