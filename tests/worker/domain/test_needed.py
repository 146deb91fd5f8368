from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tierwise.domain import needed

WORDS = [
    ("casino", {"casino"}),
    ("(?i)Casino|free spins", {"casino", "free spins"}),
    (r"\b(guest posts?|link exchange)\b", {"guest post", "link exchange"}),
    (r"apply for [\w ]{0,40}job", {"apply for "}),
    (r"x(ab|cd)+y", {"ab", "cd"}),
    ("https?://", {"http"}),
    ("ab(?:cd)?ef", {"ab"}),
    (r"a\.b", {"a.b"}),
    (r"^\+(2|3)", None),
    (r"[a-z]+", None),
    ("ab|c*", None),
    ("(ab|)", None),
    ("a{2}", None),
    ("aa{2}bcd", {"bcd"}),
    ("größe", {"gr"}),
    (r"@(test|example)\.", {"@test.", "@example."}),
    (r"\b(build|improve) your (web ?site|app)\b", {"build your ", "improve your "}),
    ("(ab|cd)(ef|gh)i", {"efi", "ghi"}),
    ("x(ab|cd)?yz", {"yz"}),
    ("x(ab|c.d)yz", {"yz"}),
    ("casinos?|online casino", {"casino"}),
    (r"\Qa.b\E", None),
    (r"\pL+abc", None),
    ("(ab", None),
    ("ab)", None),
    ("a{,3}bc", None),
]


@pytest.mark.parametrize(("pattern", "found"), WORDS)
def test_the_words_that_a_match_must_hold(pattern: str, found: set[str] | None) -> None:
    assert needed.words(pattern) == (None if found is None else frozenset(found))


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        (r"\b(?:give|assign)\b.{0,40}?\b(?:score|tier)\b(?! of)", [{"give", "assign"}, {"score", "tier"}]),
        (r"(?<![a-z])Casino(?=royale)", [{"Casino"}]),
        ("忽略.{0,15}(?:指|令)", [{"忽略"}, {"指", "令"}]),
        ("abc|d(?:ef|gh)", [{"abc", "ef", "gh"}]),
        (r"(\w+) \1", []),
        ("(?i:abc)", []),
        ("(?P<name>abc)", []),
        ("[a-z]+", []),
    ],
)
def test_all_that_a_pattern_needs(pattern: str, found: list[set[str]]) -> None:
    assert needed.conditions(pattern) == tuple(map(frozenset, found))


_LETTERS = st.sampled_from(["a", "b", "Ab", "ba", "忽", "ſ", " ", ":"])
_PATTERN = st.recursive(
    _LETTERS | st.sampled_from([".", r"\w", r"\W", r"\s", "[ab]", "[(:]", r"\b", "^", "$", "(?!b)", "(?<=a)"]),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"(?:{'|'.join(parts)})"),
        st.tuples(inner, st.sampled_from(["?", "*", "+", "{0,2}", "{2}", "{1,}?"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=8,
)


@given(pattern=_PATTERN, text=st.lists(_LETTERS, max_size=8).map("".join))
def test_what_matches_holds_what_was_said_to_be_needed(pattern: str, text: str) -> None:
    if re.search(pattern, text):
        assert all(any(word in text for word in words) for words in needed.conditions(pattern))


@given(pattern=_PATTERN, text=st.lists(_LETTERS, max_size=8).map("".join))
def test_what_matches_in_any_case_holds_one_of_its_words(pattern: str, text: str) -> None:
    told = needed.words(pattern)
    if told is not None and re.search(pattern, text, re.IGNORECASE):
        lowered = text.lower().replace("ſ", "s")
        assert any(word in lowered for word in told)


@given(pattern=_PATTERN, text=st.lists(_LETTERS, max_size=8).map("".join))
def test_what_matches_in_any_case_meets_all_of_one_way(pattern: str, text: str) -> None:
    if re.search(pattern, text, re.IGNORECASE):
        lowered = text.lower().replace("ſ", "s")
        ways = needed.ways(pattern)
        assert any(all(any(word in lowered for word in words) for words in way) for way in ways)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        (
            r"(?i)\b(my (cv|r.sum.)|seo (audits?|services?))\b",
            [[{"my "}, {"cv"}], [{"my "}, {"sum"}], [{"audit"}, {"seo "}], [{"service"}, {"seo "}]],
        ),
        (r"(?i)casino|(earn|invest)\b.*\b(crypto|forex)", [[{"casino"}], [{"crypto", "forex"}, {"earn", "invest"}]]),
        (r"(ab|cd){2}x", [[{"ab"}], [{"cd"}]]),
        (r"ab.(cd|.)", [[{"ab"}]]),
        (r"(ab|cd)x yz", [[{"abx yz", "cdx yz"}]]),
        (r"(ab|cd)?x", [[]]),
        (r"\p{L}", [[]]),
        (r"(?i)pay(?s)*loan", [[]]),  # RE2 repeats what stands before the flags
    ],
)
def test_a_text_must_meet_all_that_one_way_to_match_needs(pattern: str, found: list[list[set[str]]]) -> None:
    assert [list(way) for way in needed.ways(pattern)] == found


@pytest.mark.parametrize(("others", "kept"), [(100, False), (1000, True), (5000, True)])
def test_of_a_pattern_with_many_ways_to_match_each_is_not_held_against_each(others: int, kept: bool) -> None:
    """That would take as long as the square of them: seconds for a list of thousands of words."""
    longer = (frozenset({"casino"}), frozenset({"spins"}))
    ways = needed.ways("|".join(["casino", "casino.*spins", *(f"word{number:04}" for number in range(others))]))
    assert (longer in ways) == kept, "it says no more than `casino`, and is let be"
    assert len(set(ways) - {longer}) == others + 1


def test_a_sign_that_prose_hardly_has_is_looked_for_where_case_counts() -> None:
    assert needed.conditions(r"(?:thought|tool)\s*:") == ({"thought", "tool"}, {":"})
    assert needed.conditions(r"#{2,}\s*x, ") == ({"#"}, {"x, "})
    assert needed.conditions(r"[ab]*: ?[:]x{0,3}") == ({":"},)
    assert needed.conditions("a*:*b?") == ()
    assert needed.words(r"\w+\s:") is None
    assert needed.words("É+") is None  # where case may be ignored it is é as well


def _stands(place: needed.Place, text: str) -> bool:
    before = r"(?<!\w)" if place.begins and re.match(r"\w", place.text) else ""
    behind = r"(?!\w)" if place.ends and re.search(r"\w\Z", place.text) else ""
    return re.search(before + re.escape(place.text) + behind, text) is not None


@given(pattern=_PATTERN, text=st.lists(_LETTERS, max_size=8).map("".join))
@example(pattern=r"\b(?:ab|ba)\b", text="b ab")
@example(pattern=r"(?:\b| )?ab(?:\b)?", text="bab")
@example(pattern=r"(?:ab )*ab(?= )?", text="babb")
@example(pattern=r"(?:ab)+\W", text="aab ")
def test_what_begins_or_ends_a_word_does_so_in_every_match(pattern: str, text: str) -> None:
    if re.search(pattern, text):
        assert all(any(_stands(place, text) for place in places) for places in needed.places(pattern))


@given(pattern=_PATTERN, text=st.lists(_LETTERS, max_size=8).map("".join))
@example(pattern="ab|ba", text="ba")
@example(pattern="(?:ab|ba)|a[|]", text="a|")
def test_of_the_alternatives_one_is_found_where_the_whole_is(pattern: str, text: str) -> None:
    found = any(re.search(part, text) for part in needed.alternatives(pattern))
    assert found == (re.search(pattern, text) is not None)


def test_what_is_known_of_where_words_stand() -> None:
    score, wise = needed.Place("score", begins=True, ends=True), needed.Place("wise", begins=True)
    assert needed.places(r"\b(?:score|wise)\b") == (frozenset({score, wise._replace(ends=True)}),)
    assert needed.places(r"\b(?:score\W|wise)\w*") == (frozenset({score, wise}),)
    assert needed.places(r"x(?:the )?(?:score|wise)") == (frozenset({needed.Place("score"), needed.Place("wise")}),)
