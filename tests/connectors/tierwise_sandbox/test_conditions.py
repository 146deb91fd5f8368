from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise_sandbox import moments
from tierwise_sandbox.conditions import build

TYPES = {"when": "datetime", "name": "string", "size": "number"}


@given(
    operator=st.sampled_from(["EQ", "GT", "GTE", "LT", "LTE", "BETWEEN"]),
    first=st.integers(0, 50),
    second=st.integers(0, 50),
    stamp=st.integers(0, 50),
)
def test_the_range_of_a_condition_is_the_condition(operator: str, first: int, second: int, stamp: int) -> None:
    condition = build({"propertyName": "when", "operator": operator, "value": first, "highValue": second}, TYPES)
    assert condition.bounds is not None
    low, high = condition.bounds
    inside = (low is None or stamp >= low) and (high is None or stamp <= high)
    assert condition.holds(moments.iso(stamp)) is inside


@pytest.mark.parametrize("operator", ["NEQ", "IN", "HAS_PROPERTY"])
def test_what_is_no_range_has_no_bounds(operator: str) -> None:
    wanted = {"propertyName": "when", "operator": operator, "value": "1", "values": ["1"]}
    assert build(wanted, TYPES).bounds is None


def test_a_value_that_is_not_of_the_propertys_type_matches_nothing() -> None:
    condition = build({"propertyName": "size", "operator": "LT", "value": "10"}, TYPES)
    assert condition.holds("5")
    assert not condition.holds("about 5")
    assert not condition.holds("")


def test_tokens_are_whole_words_with_a_star_for_any_letters() -> None:
    condition = build({"propertyName": "name", "operator": "CONTAINS_TOKEN", "value": "ann* lee"}, TYPES)
    assert condition.holds("Lee, Anna")
    assert not condition.holds("Joann Lee")
    without = build({"propertyName": "name", "operator": "NOT_CONTAINS_TOKEN", "value": "lee"}, TYPES)
    assert without.holds("Leeds")
