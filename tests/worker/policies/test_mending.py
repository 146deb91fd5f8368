from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tierwise.domain.rules import Rule
from tierwise.policies import mending

RIGHT: dict[str, Any] = {
    "id": "r", "stage": "gate", "when": "true", "reason": "R", "owner": "o", "why": "w", "confidence": 0.5,
    "tests": [{"name": "t", "expect": "match"}, {"name": "u", "expect": "match"}],
}  # fmt: skip


def mended(value: dict[str, Any]) -> mending.Mended | None:
    with pytest.raises(ValidationError) as caught:
        Rule.model_validate(value)
    return mending.mend(Rule, value, caught.value.errors())


@pytest.mark.parametrize(
    ("changes", "touched", "removed"),
    [
        ({"stage": "gaet"}, {("stage",)}, set()),
        ({"confidence": 98}, set(), {("confidence",)}),
        ({"id": "Big One!"}, {("id",)}, set()),
        ({"reason": 7}, {("reason",)}, set()),
        ({"color": "red"}, set(), {("color",)}),
        ({"tests": [{"name": "t", "expect": "macth"}, "u", "v"]}, {("tests", 0, "expect")},
         {("tests", 1), ("tests", 2)}),
    ],
)  # fmt: skip
def test_what_comes_out_can_be_looked_at(changes: dict[str, Any], touched: set[Any], removed: set[Any]) -> None:
    given = {**RIGHT, **changes}
    found = mended(given)
    assert found is not None
    assert (found.touched, found.removed) == (touched, removed)
    made = Rule.model_validate(found.value)
    assert made.stage == "gate"
    assert given == {**RIGHT, **changes}  # what was given stays as it was


def test_a_mistyped_key_is_taken_for_what_was_meant() -> None:
    found = mended({**{key: value for key, value in RIGHT.items() if key != "reason"}, "raeson": "R"})
    assert found is not None
    assert Rule.model_validate(found.value).reason == "R"


def test_what_nothing_can_stand_in_for_stays_broken() -> None:
    assert mended({**RIGHT, "stage": "somewhere else"}) is None
    assert mending.mend(Rule, "text", [{"type": "model_type", "loc": (), "msg": "", "input": "text"}]) is None


def test_names_are_those_of_the_part_at_the_place() -> None:
    assert "expect" in mending.field_names(Rule, ("tests", 0))
    assert "stage" in mending.field_names(Rule, ())
    assert mending.renamed("prioritty", ["priority", "reason"]) == "priority"
    assert mending.renamed("color", ["priority", "reason"]) is None
