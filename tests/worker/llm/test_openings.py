"""What is passed over must be what could not have matched: a name that is missed is a name that is sent out."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise.llm import names, openings


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("mrs?|ms|dr", {"mr", "mrs", "ms", "dr"}),
        (r"dott(?:\.ssa)?|dottor(?:e|essa)?", {"dott", "dottor", "dottore", "dottoressa"}),
        (r"i['’]m|my name is", {"i", "my"}),
        (r"(?:(?:best|kind)[ ])?regards", {"best", "kind", "regards"}),
        ("gr(?:ü(?:ß|ss)|uss)en?", {"grüsse", "grüssen", "grusse", "grussen"}),
        (r"z\.[ ]?hd", {"z"}),
        ("thanks(?: a lot)?(?:[ ]aus[ ]\\w+)?", {"thanks"}),
    ],
)
def test_the_words_with_which_a_match_begins(pattern: str, words: set[str]) -> None:
    assert openings.first_words(pattern) == words


@pytest.mark.parametrize(
    "pattern",
    [r"\w+", "a*b", "ab{2}", "(?P<n>a)", "[a-z]b", "[^a]", "a|", "(?:a", "a)", "a.", r"te\w+", "-a", "(?:-)?", "a\\"],
)
def test_what_cannot_be_spelt_out_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError):
        openings.first_words(pattern)


PATTERNS = st.recursive(
    st.sampled_from(["a", "ß", "ı", "s", "K", " ", "['’]", "[ab]", "(?:)", "é"]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
        inner.map(lambda item: f"(?:{item})?"),
    ),
    max_leaves=6,
)


@given(pattern=PATTERNS, text=st.text(alphabet="aAbßſsSİıiIkKK'’ é.", max_size=12))
def test_a_match_begins_with_one_of_the_words(pattern: str, text: str) -> None:
    try:
        words = openings.first_words(pattern)
    except ValueError:
        return
    spelt = openings.spelt(text)
    assert len(spelt) == len(text)
    starts = {
        match.start() for match in openings.WORD.finditer(spelt) if match.group().casefold() in words
    }  # fmt: skip
    found = {match.start() for match in re.finditer(rf"\b(?i:{pattern})(?!\w)", text) if match.group()}
    assert found <= starts


def test_names_are_found_wherever_their_patterns_match() -> None:
    rng = random.Random(4)
    cues = sorted(names._cued())
    others = ["Anna", "Max Weber", "van der Berg", "M. Brandt", ",", ".", "\n", ":", "-", "name", "is", "with", "ıch"]
    places = {id(place): place for several in names._cued().values() for _, place in several}.values()
    found = 0
    for _ in range(1500):
        words = (rng.choice(cues) if rng.random() < 0.5 else rng.choice(others) for _ in range(rng.randint(2, 8)))
        text = " ".join(word.title() if rng.random() < 0.3 else word for word in words)
        tried = {match.span("name") for place in places for match in place.pattern.finditer(text)}
        cued = {match.span("name") for _, match in names._matches(text)}
        assert tried <= cued, text
        found += bool(tried)
    assert found > 300
