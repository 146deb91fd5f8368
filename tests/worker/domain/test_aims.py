"""What is aimed at is named, and met only by figures that meet it."""

from __future__ import annotations

from typing import Any

import pytest

from tierwise.domain import aims
from tierwise.domain.aims import Aim
from tierwise.domain.rubric import Targets

FIGURES = {
    "precision": 0.9, "recall": 0.5, "review_rate": 0.15, "ece": None, "confidence_auc": 0.8, "cost_usd": 1.0,
    "intervals": {"precision": [0.82, 0.95], "review_rate": [0.1, 0.2], "ece": None, "confidence_auc": [0.7, 0.9]},
}  # fmt: skip


def held(**changes: Any) -> dict[str, Aim]:
    strong = changes.pop("strong_usd", None)
    return {item.name: item for item in aims.of({**FIGURES, **changes}, Targets(), strong_usd=strong)}


def test_precision_and_recall_are_as_agreed_and_the_rest_as_promised() -> None:
    assert {name: item.said for name, item in held().items()} == {
        "precision": "at least 0.8", "recall": "at least 0.6", "review_rate": "at most 0.15", "ece": "at most 0.05",
        "confidence_auc": "at least 0.75",
    }  # fmt: skip
    found = {item.name: item for item in aims.of(FIGURES, Targets(precision=0.95, recall=0.4))}
    assert (found["precision"].met, found["recall"].met) == (False, True)


def test_what_was_met_and_what_the_whole_interval_shows() -> None:
    found = held()
    assert {name: item.met for name, item in found.items()} == {
        "precision": True, "recall": False, "review_rate": True, "ece": None, "confidence_auc": True,
    }  # fmt: skip
    assert [name for name, item in found.items() if item.shown] == ["precision"]
    assert {name: item.verdict for name, item in found.items()} == {
        "precision": "met", "recall": "not met", "review_rate": "met, but too few leads to be sure",
        "ece": "not measured", "confidence_auc": "met, but too few leads to be sure",
    }  # fmt: skip
    near, far = (held(recall=0.5, intervals={"recall": ends})["recall"] for ends in ([0.3, 0.7], [0.3, 0.59]))
    assert (near.verdict, far.verdict) == ("not met, but too few leads to be sure", "not met")
    assert found["review_rate"].plain() == {"aim": "at most 0.15", "measured": 0.15, "met": True, "shown": False}


@pytest.mark.parametrize(("cost", "strong", "saved"), [(1.0, 4.0, 0.75), (1.2, 4.0, 0.7), (None, 4.0, None)])
def test_what_is_saved_is_told_beside_what_was_compared_with(
    cost: float | None, strong: float, saved: float | None
) -> None:
    found = held(cost_usd=cost, strong_usd=strong)["saved"]
    assert found.measured == (saved if saved is None else pytest.approx(saved))
    assert found.met is (None if saved is None else saved >= 0.75)


@pytest.mark.parametrize("strong", [None, 0.0])
def test_nothing_is_saved_where_nothing_is_known_or_nothing_costs(strong: float | None) -> None:
    assert "saved" not in held(strong_usd=strong)
