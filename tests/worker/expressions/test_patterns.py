from __future__ import annotations

from typing import Any

import pytest
from cel_expr_python import cel
from hypothesis import example, given
from hypothesis import strategies as st

from tierwise import expressions
from tierwise.errors import RejectRecord
from tierwise.expressions import patterns

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
    (r"\Qa.b\E", None),
    (r"\pL+abc", None),
    ("(ab", None),
    ("ab)", None),
    ("a{,3}bc", None),
]


@pytest.mark.parametrize(("pattern", "needed"), WORDS)
def test_the_words_that_a_match_must_hold(pattern: str, needed: set[str] | None) -> None:
    assert patterns.words(pattern) == (None if needed is None else frozenset(needed))


def test_only_calls_are_sent_through_and_no_text_is_touched() -> None:
    text = (
        r"""lead.a.matches('x.matches(') && "b.matches(" != lead.c. matches ( r'\.matches(')"""
        r""" || matches(lead.d, 'e')"""
    )
    wanted = (
        r"""lead.a.tierwise_matches('x.matches(') && "b.matches(" != lead.c.tierwise_matches( r'\.matches(')"""
        r""" || matches(lead.d, 'e')"""
    )
    assert patterns.rewritten(text) == wanted


@pytest.mark.parametrize(
    "quoted", ["'it\\'s .matches('", '"\\".matches("', "'''a'b.matches('''", "r'\\'", 'R"x.matches("']
)
def test_every_way_to_write_a_text_is_left_alone(quoted: str) -> None:
    assert patterns.rewritten(f"lead.a == {quoted}") == f"lead.a == {quoted}"


def both(pattern: str, text: str) -> tuple[Any, Any]:
    """What our function and CEL's own say; None where it is no pattern."""
    environment = cel.NewEnv(
        variables={"text": cel.Type.STRING, "pattern": cel.Type.STRING}, functions=[patterns.function()]
    )
    data = {"text": text, "pattern": pattern}
    answers = []
    for call in ("text.tierwise_matches(pattern)", "text.matches(pattern)"):
        value = environment.compile(call).eval(data=data).value()
        answers.append(value if isinstance(value, bool) else None)
    return answers[0], answers[1]


_atoms = st.sampled_from(
    ["a", "b", "S", "k", "é", "ab", "ka", "bs", ".", r"\w", r"\b", "[ab]", "[^s]", r"\.", "^", "$"]
)
_patterns = st.recursive(
    _atoms,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("|".join),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{0,1}", "{1,}", "+?"])).map(
            lambda p: f"(?:{p[0]}){p[1]}"
        ),
        inner.map(lambda p: f"({p})"),
        inner.map(lambda p: f"(?i){p}"),
        inner.map(lambda p: f"(?i:{p})"),
    ),
    max_leaves=10,
)


@given(_patterns, st.text("abABsSſkKK.é ", max_size=8))
@example("(?i)sk", "ſK")
def test_nothing_that_matches_is_lost(pattern: str, text: str) -> None:
    ours, theirs = both(pattern, text)
    if theirs is not None:
        assert ours == theirs


@given(st.text(max_size=20), st.text(max_size=10))
def test_whatever_is_written_as_a_pattern_is_never_answered_otherwise(pattern: str, text: str) -> None:
    ours, theirs = both(pattern, text)
    if theirs is not None:
        assert ours == theirs


def test_a_pattern_from_a_lead_that_is_none_rejects_the_lead() -> None:
    ask = expressions.compile("lead.company.matches(lead.message)", "gate")
    assert ask({"lead": {"company": "Acme", "message": "A.me"}}).truth == "match"
    assert ask({"lead": {"company": "Acme"}}).missing == ("lead.message",)
    with pytest.raises(RejectRecord):
        ask({"lead": {"company": "Acme", "message": "("}})


def test_a_long_text_with_the_word_is_asked_in_full() -> None:
    ask = expressions.compile(r"lead.message.matches(r'\bcasino\b')", "gate")
    assert ask({"lead": {"message": "x " * 200 + "casino"}}).truth == "match"
    assert ask({"lead": {"message": "x " * 200 + "casinos"}}).truth == "no_match"
    assert ask({"lead": {}}).truth == "unknown"
