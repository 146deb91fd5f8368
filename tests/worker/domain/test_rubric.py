"""Rubrics: what is refused, and what survives storage."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from pydantic import ValidationError
from tierwise_fixtures import policies as make

from tierwise.domain.lead import canonical_json
from tierwise.domain.rubric import Rubric, Targets


def level(id_: str, points: float) -> dict[str, object]:
    return {"id": id_, "points": points, "when": "true"}


@given(make.rubrics())
def test_a_rubric_survives_storage(rubric: Rubric) -> None:
    again = Rubric.model_validate(json.loads(canonical_json(rubric.model_dump(mode="json"))))
    assert again == rubric
    assert list(again.tiers) == list(rubric.tiers)
    assert canonical_json(again.model_dump(mode="json")) == canonical_json(rubric.model_dump(mode="json"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"criteria": [make.criterion(weight=60)]}, "add up to 60"),
        ({"criteria": [make.criterion(), make.criterion()]}, "same id"),
        ({"tiers": {"A": 75, "B": 75, "C": 0}}, "cut-offs"),  # two tiers at the same score
        ({"tiers": {"A": 75, "B": 10}}, "the last one at 0"),  # a score of 5 would have no tier
        ({"tiers": {"A": 120, "B": 0}}, "cut-offs"),  # nobody could reach it
        ({"tiers": {}}, "cut-offs"),
        ({"knockouts": [{"criterion": "size", "level": "tiny"}]}, "size/tiny"),
        ({"knockouts": [{"criterion": "nothing", "level": "high"}]}, "nothing/high"),
        ({"thresholds": {"review_below": 0.9, "escalate_below": 0.5}}, "review_below"),
        ({"targets": {"positive_tiers": ["S"]}}, "no such tier: 'S'"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_an_inconsistent_rubric_says_what_is_wrong(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        make.rubric(**change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"levels": [{"id": "high", "points": 1}, {"id": "low", "points": 0}]}, "every level needs `when`"),
        ({"decide": "model", "fields": ["message"]}, "no level takes `when`"),
        ({"fields": ["shoe_size"]}, "not a lead field: 'shoe_size'"),
        ({"levels": [level("unknown", 1), level("b", 0)]}, "none may be"),
        ({"levels": [level("a", 0.333), level("b", 0)]}, "two decimals"),
        ({"levels": [level("a", 1)]}, "at least 2"),
        ({"weight": 0}, "greater than 0"),
    ],
)  # fmt: skip
def test_an_inconsistent_criterion_says_what_is_wrong(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        make.rubric(make.criterion(**change), make.asked())


def test_a_model_criterion_names_its_fields() -> None:
    with pytest.raises(ValidationError, match="name the `fields`"):
        make.rubric(make.criterion(), make.asked(fields=[]))


def test_only_free_text_that_a_model_reads_is_self_reported() -> None:
    rubric = make.rubric(
        make.criterion(weight=40), make.asked("a", weight=30), make.asked("b", weight=30, fields=["company"])
    )
    assert [criterion.self_reported for criterion in rubric.criteria] == [False, True, False]
    assert [criterion.id for criterion in rubric.asked] == ["a", "b"]


def test_targets_that_tell_no_owner_and_date_are_stored_as_they_were_before_there_were_any() -> None:
    assert set(Targets().model_dump(mode="json")) == {"positive_tiers", "precision", "recall"}
    told = Targets.model_validate({"owner": "revops", "agreed_on": "2026-11-02"})
    assert told.model_dump(mode="json")["agreed_on"] == "2026-11-02"
    assert Targets.model_validate(told.model_dump(mode="json")) == told
