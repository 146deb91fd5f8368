from __future__ import annotations

import pytest
from tierwise_fixtures import policies as small

from tierwise.domain import consistency
from tierwise.domain.complaints import Gathered
from tierwise.domain.rubric import Criterion, Rubric

LEVELS = [{"id": "high", "points": 1, "when": "true"}, {"id": "low", "points": 0, "when": "true"}]


def criterion(**changes: object) -> Criterion:
    return Criterion.model_validate(small.criterion(**changes), context=Gathered())


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({}, []),
        ({"levels": [LEVELS[0], LEVELS[0]]}, [("levels", 1, "id")]),
        ({"levels": [{"id": "unknown", "points": 1, "when": "true"}, LEVELS[1]]}, [("levels", 0, "id")]),
        ({"levels": [LEVELS[0], {"id": "low", "points": 0}]}, [("levels", 1)]),
        ({"decide": "model"}, [("levels", 0, "when"), ("levels", 1, "when"), ("fields",)]),
        ({"fields": ["message", "shoe_size"]}, [("fields", 1)]),
    ],
)
def test_each_fault_of_a_criterion_has_its_place(changes: dict[str, object], paths: list[object]) -> None:
    assert [complaint.path for complaint in consistency.of_criterion(criterion(**changes))] == paths


def rubric(**changes: object) -> Rubric:
    value = {**small.rubric(small.criterion(), small.asked()).model_dump(mode="json"), **changes}
    return Rubric.model_validate(value, context=Gathered())


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({}, []),
        ({"criteria": [small.criterion(), small.criterion()]}, [("criteria", 1, "id")]),
        ({"criteria": [small.criterion(weight=60), small.asked(weight=50)]}, [("criteria",)]),
        ({"tiers": {"A": 70, "B": 70, "C": 0}}, [("tiers",)]),
        ({"tiers": {}}, [("tiers",), ("targets", "positive_tiers", 0)]),
        ({"knockouts": [{"criterion": "size", "level": "low"}, {"criterion": "sise", "level": "low"}]},
         [("knockouts", 1, "criterion")]),
        ({"knockouts": [{"criterion": "size", "level": "lo"}]}, [("knockouts", 0, "level")]),
        ({"thresholds": {"escalate_below": 0.2, "review_below": 0.5}}, [("thresholds", "review_below")]),
        ({"targets": {"positive_tiers": ["A", "S"]}}, [("targets", "positive_tiers", 1)]),
        ({"tiers": {"A": 50, "B": 5}, "targets": {"positive_tiers": ["S"]}},
         [("tiers",), ("targets", "positive_tiers", 0)]),
    ],
)  # fmt: skip
def test_each_fault_of_a_rubric_has_its_place(changes: dict[str, object], paths: list[object]) -> None:
    assert [complaint.path for complaint in consistency.of_rubric(rubric(**changes))] == paths


def test_the_weights_say_what_to_do() -> None:
    (complaint,) = consistency.of_rubric(rubric(criteria=[small.criterion(weight=60), small.asked(weight=50)]))
    assert (complaint.hint, complaint.rests_on) == ("take 10 from one of them: size 60, intent 50", "weight")
