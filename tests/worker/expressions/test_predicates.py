from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise import expressions
from tierwise.domain.rules import Answer
from tierwise.errors import Misconfigured, RejectRecord


def ask(expression: str, **lead: Any) -> Answer:
    return expressions.compile(expression, "gate")({"lead": lead})


def test_true_and_false() -> None:
    assert ask("lead.employee_count > 10", employee_count=11) == Answer("match")
    assert ask("lead.employee_count > 10", employee_count=10) == Answer("no_match")


def test_an_absent_field_is_unknown_and_named() -> None:
    assert ask("lead.employee_count > 10") == Answer("unknown", ("lead.employee_count",))
    assert ask("lead.region != 'na'") == Answer("unknown", ("lead.region",))


def test_what_the_absent_field_cannot_change_is_decided() -> None:
    assert ask("lead.employee_count > 10 || lead.region == 'na'", region="na").truth == "match"
    assert ask("lead.employee_count > 10 && lead.region == 'na'", region="emea").truth == "no_match"


def test_every_field_that_lacked_is_named_but_none_that_was_tested() -> None:
    answer = ask("has(lead.phone) && lead.phone == '1' || lead.employee_count > 1 || lead.region == 'na'")
    assert answer == Answer("unknown", ("lead.employee_count", "lead.region"))


def test_presence_is_known_even_of_what_is_absent() -> None:
    assert ask("has(lead.phone)").truth == "no_match"
    assert ask("!has(lead.phone)").truth == "match"


def test_a_stage_that_has_a_result_reads_it() -> None:
    predicate = expressions.compile("result.fit >= 70 && result.route == 'x'", "guardrail")
    facts = {"fit": 70, "route": "x"}
    assert predicate({"lead": {}, "result": facts}).truth == "match"
    assert predicate({"lead": {}, "result": {"fit": 70}}) == Answer("unknown", ("result.route",))
    with pytest.raises(Misconfigured, match="needs result"):
        predicate({"lead": {}})


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(2**70, id="too large for CEL"),
        pytest.param(Decimal(11), id="not exactly an int"),
        pytest.param("many", id="a text"),
    ],
)
def test_a_value_that_cannot_be_compared_rejects_the_lead_instead_of_being_unknown(value: Any) -> None:
    with pytest.raises(RejectRecord) as caught:
        ask("lead.employee_count > 10", employee_count=value)
    assert str(value) not in str(caught.value), "the lead's own values stay out of messages"


def test_a_missing_key_of_the_expressions_own_map_is_not_a_missing_field() -> None:
    with pytest.raises(RejectRecord):
        ask("{'na': 1, 'emea': 2}[lead.region] == 1", region="apac")


def test_a_wrong_expression_is_a_mistake_of_the_policy() -> None:
    with pytest.raises(Misconfigured, match="emplyee_count"):
        expressions.compile("lead.emplyee_count > 1", "gate")


def test_the_same_expression_is_compiled_once() -> None:
    first = expressions.compile("lead.employee_count > 77", "gate")
    assert expressions.compile("lead.employee_count > 77", "gate") is first
    assert expressions.compile("lead.employee_count > 77", "route") is not first


def test_endless_work_is_refused() -> None:
    items = "[1,2,3,4,5,6,7,8,9,10]"
    nest = f"{items}.all(a, {items}.all(b, {items}.all(c, {items}.all(d, {items}.all(e, a+b+c+d+e > 0)))))"
    with pytest.raises(RejectRecord):
        ask(nest)


def test_threads_share_expressions() -> None:
    wrong: list[object] = []

    def work(seed: int) -> None:
        for step in range(200):
            number = (seed * 7 + step) % 50
            truth = ask(f"lead.employee_count > {number % 10}", employee_count=number).truth
            if truth != ("match" if number > number % 10 else "no_match"):
                wrong.append((seed, step, truth))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# Three-valued logic, checked against a reference that knows nothing of CEL: None is unknown.
Formula = Any
_ATOMS = {
    "lead.is_duplicate": "is_duplicate",
    "lead.employee_count > 5": "employee_count",
    "lead.region == 'na'": "region",
}
_formulas = st.recursive(
    st.sampled_from(sorted(_ATOMS)),
    lambda inner: st.tuples(st.sampled_from(["&&", "||"]), inner, inner) | st.tuples(st.just("!"), inner),
    max_leaves=8,
)
_leads = st.fixed_dictionaries(
    {},
    optional={
        "is_duplicate": st.booleans(),
        "employee_count": st.integers(0, 10),
        "region": st.sampled_from(["na", "emea"]),
    },
)


def _text(formula: Formula) -> str:
    match formula:
        case str():
            return f"({formula})"
        case (op, left, right):
            return f"({_text(left)} {op} {_text(right)})"
        case (op, inner):
            return f"{op}{_text(inner)}"
    raise AssertionError(formula)


def _kleene(formula: Formula, lead: dict[str, Any]) -> bool | None:
    match formula:
        case str():
            value = lead.get(_ATOMS[formula])
            if value is None:
                return None
            return {"is_duplicate": value is True, "employee_count": value > 5 if type(value) is int else None}.get(
                _ATOMS[formula], value == "na"
            )
        case ("!", inner):
            value = _kleene(inner, lead)
            return None if value is None else not value
        case (op, left, right):
            sides = {_kleene(left, lead), _kleene(right, lead)}
            decisive = op == "||"
            if decisive in sides:
                return decisive
            return None if None in sides else not decisive
    raise AssertionError(formula)


@given(_formulas, _leads)
def test_logic_is_kleenes(formula: Formula, lead: dict[str, Any]) -> None:
    expected = {True: "match", False: "no_match", None: "unknown"}[_kleene(formula, lead)]
    answer = ask(_text(formula), **lead)
    assert answer.truth == expected
    assert (answer.missing != ()) == (expected == "unknown")
    assert all(name.removeprefix("lead.") not in lead for name in answer.missing)


def test_facts_of_another_lead_are_other_facts() -> None:
    """What is remembered of the last facts is theirs alone, by stage and by thread."""
    small = expressions.compile("lead.employee_count < 10", "gate")
    scored = expressions.compile("lead.employee_count < 10 && result.score > 50", "route")
    for count in (5, 50, 5):
        facts = {"lead": {"employee_count": count}, "result": {"score": 60}}
        expected = "match" if count < 10 else "no_match"
        assert [rule(facts).truth for rule in (small, scored, small)] == [expected] * 3
        with ThreadPoolExecutor(1) as pool:
            other = {"lead": {"employee_count": 55 - count}}
            assert pool.submit(small, other).result().truth != expected
        assert small(facts).truth == expected
    assert small({"lead": {}}).missing == ("lead.employee_count",)


_SHARED = (
    "lead.employee_count > 10 && lead.region == 'na'",
    "has(lead.company) && lead.company.matches('(?i)acme') || lead.annual_revenue >= 5.0",
    "has(lead.message) || lead.is_duplicate",
)
_VALUES = st.fixed_dictionaries(
    {},
    optional={
        "employee_count": st.integers(9, 12),
        "region": st.sampled_from(["na", "emea"]),
        "company": st.sampled_from(["ACME Inc", "Other"]),
        "annual_revenue": st.sampled_from([4.9, 5.0]),
        "message": st.just("hello"),
        "is_duplicate": st.booleans(),
    },
)


@given(st.lists(st.tuples(st.sampled_from(_SHARED), _VALUES), max_size=30))
def test_who_remembers_answers_as_who_does_not(asked: list[tuple[str, dict[str, Any]]]) -> None:
    memory = expressions.Remembering()
    for expression, lead in asked:
        plain = expressions.compile(expression, "gate")
        assert memory.of(plain)({"lead": lead}) == plain({"lead": lead})
        assert memory.of(plain) is memory.of(plain)


def test_a_memory_tells_results_apart_and_forgets_in_time() -> None:
    predicate = expressions.Remembering().of(expressions.compile("result.fit >= lead.employee_count", "route"))
    for number in range(5000):
        facts = {"lead": {"employee_count": 50}, "result": {"fit": number}}
        assert predicate(facts).truth == ("match" if number >= 50 else "no_match")


FEW: dict[str, list[Any]] = {
    "email_kind": ["business", "free"], "region": ["emea", 1], "is_duplicate": [True, False],
    "message": ["a casino", "x"], "employee_count": [5, 5000],
}  # fmt: skip


@given(
    st.lists(
        st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in FEW.items()}),
        min_size=2,
        max_size=12,
    )
)
@pytest.mark.parametrize(
    "expression",
    [
        "lead.email_kind == 'free' && lead.message.matches('(?i)casino')",
        "lead.message.matches('casino') && size(lead.message) > 5",
        "has(lead.region) && lead.region == 'emea' || lead.is_duplicate",
        "!has(lead.message) && lead.email_kind != 'free'",
        "lead.employee_count > 100 && lead.is_duplicate",
    ],
)
def test_what_is_remembered_is_what_would_be_answered(expression: str, leads: list[dict[str, Any]]) -> None:
    remembering = expressions.compile.__wrapped__(expression, "gate")
    for lead in leads:
        fresh = expressions.compile.__wrapped__(expression, "gate")
        assert _said(remembering, lead) == _said(fresh, lead)


_NUMBERS = st.sampled_from([0, 9, 10, 11, 49, 50, 51, 2**53, 2**53 + 1, -1])
_DECIMALS = st.sampled_from([9.5, 10.0, 10.5, 50.0, -0.0, 0.0, float("nan"), float("inf"), 2.0**53, 2.0**60])


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "employee_count": st.one_of(_NUMBERS, _DECIMALS, st.booleans()),
                "annual_revenue": _DECIMALS,
                "message": st.sampled_from(["a casino", "x"]),
            },
        ),
        min_size=2,
        max_size=12,
    )
)
@pytest.mark.parametrize(
    "expression",
    [
        "lead.employee_count >= 10 && lead.employee_count < 50",
        "lead.employee_count == 10 || 50 != lead.employee_count",
        "lead.employee_count > 9007199254740992",
        "lead.employee_count > 10 && lead.annual_revenue > 5.0 * double(lead.employee_count)",
        "lead.annual_revenue <= 10.0 || has(lead.employee_count)",
        "has(lead.message) && lead.message.matches('casino') && lead.annual_revenue > 9.5",
    ],
)
def test_two_values_on_one_place_of_the_scale_have_one_answer(expression: str, leads: list[dict[str, Any]]) -> None:
    remembering = expressions.compile.__wrapped__(expression, "gate")
    for lead in leads:
        fresh = expressions.compile.__wrapped__(expression, "gate")
        assert _said(remembering, lead) == _said(fresh, lead)


def test_a_value_never_seen_is_answered_by_its_place() -> None:
    predicate = expressions.compile.__wrapped__("lead.employee_count >= 10 && has(lead.message)", "gate")
    for count in range(100):
        assert predicate({"lead": {"employee_count": count, "message": f"{count}"}}).truth == (
            "match" if count >= 10 else "no_match"
        )
    assert len(predicate._kept) == 3  # under, on and over the ten


def _said(predicate: Any, lead: dict[str, Any]) -> Any:
    try:
        return predicate({"lead": lead})
    except RejectRecord as refused:
        return str(refused)
