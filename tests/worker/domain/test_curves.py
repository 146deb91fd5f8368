from __future__ import annotations

import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierwise.domain import curves
from tierwise.domain.belief import log_odds, logistic

optimize = pytest.importorskip("scipy.optimize")


def drawn(n: int, *, intercept: float, slope: float, seed: int = 1) -> tuple[list[float], list[bool]]:
    rng = random.Random(seed)
    stated = [rng.uniform(0.5, 0.99) for _ in range(n)]
    return stated, [rng.random() < logistic(intercept + slope * log_odds(value)) for value in stated]


@pytest.mark.parametrize(
    ("labels", "method"),
    [(0, "none"), (49, "none"), (50, "temperature"), (199, "temperature"), (200, "platt"), (999, "platt"),
     (1000, "isotonic")],
)  # fmt: skip
def test_the_method_goes_by_the_number_of_labels(labels: int, method: str) -> None:
    assert curves.method_for(labels) == method
    stated, right = drawn(labels, intercept=0, slope=1)
    assert curves.fit(stated, right).method == method


def test_without_enough_labels_nothing_is_changed() -> None:
    assert curves.fit([0.3, 0.9], [True, False]).at(0.42) == 0.42


def test_temperature_is_the_slope_of_greatest_likelihood() -> None:
    stated, right = drawn(150, intercept=0, slope=0.4)
    odds = [log_odds(value) for value in stated]
    oracle = optimize.minimize_scalar(lambda t: curves.loss([t * x for x in odds], right), bounds=(0, 8))
    assert curves.fit(stated, right).slope == pytest.approx(oracle.x, abs=1e-3)


def test_platt_is_what_a_general_optimiser_finds() -> None:
    stated, right = drawn(400, intercept=-1.0, slope=0.6)
    odds = [log_odds(value) for value in stated]
    hits, misses = sum(right), len(right) - sum(right)
    targets = [(hits + 1) / (hits + 2) if hit else 1 / (misses + 2) for hit in right]

    def cost(found: list[float]) -> float:
        lines = [found[0] + found[1] * x for x in odds]
        return math.fsum(math.log1p(math.exp(z)) - y * z for z, y in zip(lines, targets, strict=True))

    oracle = optimize.minimize(cost, [0.0, 1.0], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10})
    made = curves.fit(stated, right)
    assert (made.intercept, made.slope) == pytest.approx(tuple(oracle.x), abs=1e-3)


def test_isotonic_is_what_scipy_finds_between_the_ends() -> None:
    stated, right = drawn(1500, intercept=-0.5, slope=0.7)
    made = curves.fit(stated, right)
    order = sorted(range(len(stated)), key=lambda place: stated[place])
    oracle = optimize.isotonic_regression([float(right[place]) for place in order]).x
    for place, wanted in zip(order, oracle, strict=True):
        if 0.05 < wanted < 0.97:
            assert made.at(stated[place]) == pytest.approx(wanted, abs=1e-9)
    assert 0 < made.at(0.0) < made.at(1.0) < 1


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60),
    st.sampled_from(["temperature", "platt", "isotonic"]),
    st.lists(st.floats(0, 1), min_size=2, max_size=8),
)
def test_every_curve_rises_and_stays_a_probability(
    labels: list[tuple[float, bool]], method: curves.Method, asked: list[float]
) -> None:
    made = curves.fit([value for value, _ in labels], [hit for _, hit in labels], method=method)
    found = [made.at(value) for value in sorted(asked)]
    assert all(0 <= value <= 1 for value in found)
    assert all(a <= b + 1e-12 for a, b in itertools.pairwise(found))
    assert curves.Curve.model_validate_json(made.model_dump_json()) == made


@pytest.mark.parametrize("method", ["temperature", "platt", "isotonic"])
def test_labels_that_are_all_right_do_not_make_certainty(method: curves.Method) -> None:
    stated = [0.6 + 0.39 * place / 300 for place in range(300)]
    made = curves.fit(stated, [True] * 300, method=method)
    assert made.at(0.7) < 1


@pytest.mark.parametrize("method", ["temperature", "platt", "isotonic"])
def test_a_label_that_stands_for_three_is_three_labels(method: curves.Method) -> None:
    rng = random.Random(8)
    stated = [rng.uniform(0.5, 0.99) for _ in range(300)]
    right = [rng.random() < value * 0.8 for value in stated]
    thrice = [index for index in range(300) for _ in range(3 if index % 2 else 1)]
    told = curves.fit([stated[i] for i in thrice], [right[i] for i in thrice], method=method)
    weighed = curves.fit(stated, right, weights=[3.0 if index % 2 else 1.0 for index in range(300)], method=method)
    for value in (0.55, 0.7, 0.85, 0.95):
        assert weighed.at(value) == pytest.approx(told.at(value), abs=0.02)


def test_labels_are_counted_as_equal_ones_that_would_tell_as_much() -> None:
    assert curves.effective([1.0] * 80) == pytest.approx(80)
    assert curves.effective([0.3] * 80) == pytest.approx(80)
    assert curves.effective([1.0] * 300 + [20.0] * 60) == pytest.approx(1500**2 / 24300)
    rng = random.Random(3)
    stated = [rng.uniform(0.5, 0.99) for _ in range(240)]
    right = [rng.random() < value for value in stated]
    assert curves.fit(stated, right, weights=[1.0] * 240).method == "platt"
    assert curves.fit(stated, right, weights=[1.0] * 180 + [20.0] * 60).method == "temperature"
