from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
from cel_expr_python import cel
from hypothesis import example, given
from hypothesis import strategies as st

from tierwise import expressions
from tierwise.errors import RejectRecord
from tierwise.expressions import patterns


def test_a_call_on_a_field_is_answered_beforehand_and_no_text_is_touched() -> None:
    text = (
        r"""lead.a.matches('x.matches(') && "b.matches(" != lead.c. matches ( r'\.matches(' )"""
        r""" || lead.d.matches(lead.e)"""
    )
    made = patterns.rewritten(text)
    assert made.expression == r"""asked.m0 && "b.matches(" != asked.m1 || lead.d.matches(lead.e)"""
    assert made.calls == (
        patterns.Call("m0", "lead", "a", "x.matches("),
        patterns.Call("m1", "lead", "c", r"\.matches("),
    )


@pytest.mark.parametrize(
    "expression",
    [
        "lead.a.lowerAscii().matches('x')",
        "lead.a.matches('x' + 'y')",
        "[{'lead': lead}].exists(x, x. lead.company.matches('A'))",
        "[{'company': 'B'}].exists(lead, lead.company.matches('A'))",
        "lead.a == 'x' // lead.a.matches('y')",
        "// it's\nlead.a.size() > 1 // don't",
    ],
)
def test_what_is_no_call_of_a_field_with_a_literal_stays_cels_own(expression: str) -> None:
    assert patterns.rewritten(expression) == (expression, ())


@pytest.mark.parametrize(
    "quoted", ["'it\\'s .matches('", '"\\".matches("', "'''a'b.matches(''''", "r'\\'", 'R"x.matches("']
)
def test_every_way_to_write_a_text_is_left_alone(quoted: str) -> None:
    assert patterns.rewritten(f"lead.a == {quoted}") == (f"lead.a == {quoted}", ())


@pytest.mark.parametrize(
    ("literal", "pattern"),
    [
        ("r'\\bab\\b'", r"\bab\b"), ("'\\\\bab'", r"\bab"), ("'a\\x41\\u00e9'", "aAé"), ("'''a'b'''", "a'b"),
        ('"it\'s"', "it's"), ("'a\\141'", "aa"),
    ],
)  # fmt: skip
def test_a_literal_stands_for_what_cel_reads_in_it(literal: str, pattern: str) -> None:
    (call,) = patterns.rewritten(f"lead.company.matches({literal})").calls
    assert call.pattern == pattern


def test_a_variable_of_a_macro_is_not_taken_for_the_lead() -> None:
    ask = expressions.compile("['B'].exists(x, x.matches('B')) && lead.company.matches('A')", "gate")
    assert ask({"lead": {"company": "A"}}).truth == "match"
    assert ask({"lead": {"company": "B"}}).truth == "no_match"


def test_a_missing_field_is_unknown_only_where_its_answer_counts() -> None:
    either = expressions.compile("lead.company.matches('A') || lead.message.matches('B')", "gate")
    assert either({"lead": {"company": "A"}}).truth == "match"
    assert either({"lead": {"message": "B"}}).truth == "match"
    assert either({"lead": {"company": "C"}}).missing == ("lead.message",)
    both = expressions.compile("lead.company.matches('A') && lead.message.matches('B')", "gate")
    assert both({"lead": {"company": "C"}}).truth == "no_match"
    assert set(both({"lead": {}}).missing) == {"lead.company", "lead.message"}


def test_no_text_of_a_lead_is_kept() -> None:
    """The CEL library keeps every text that it hands to a function written in Python."""
    ask = expressions.compile("lead.message.matches('(?i)casino') || lead.message.matches(r'q\\d+')", "gate")
    tracemalloc.start()
    try:
        ask({"lead": {"message": "casin"}})
        before, _ = tracemalloc.get_traced_memory()
        for number in range(300):
            ask({"lead": {"message": f"q{number} no {number} " * 500}})
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 300_000  # of nearly 2 MB that were shown


def both(pattern: str, text: str) -> tuple[Any, Any]:
    """What we and CEL's own say; None where it is no pattern."""
    environment = cel.NewEnv(variables={"text": cel.Type.STRING, "pattern": cel.Type.STRING})
    value = environment.compile("text.matches(pattern)").eval(data={"text": text, "pattern": pattern}).value()
    try:
        ours = patterns.matches(text, pattern)
    except ValueError:
        ours = None
    return ours, value if isinstance(value, bool) else None


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
@example("(?i)É", "é")
@example("(?i)É+", "é")
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
