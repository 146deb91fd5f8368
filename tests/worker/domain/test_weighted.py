"""Weighted shares: right where the plain ones mislead."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise.domain import weighted
from tierwise.domain.weighted import Seen

AUDIT = 0.1


def queue(rng: random.Random, leads: int = 4000) -> Iterator[tuple[bool, bool, bool]]:
    """predicted, truth, doubtful. A confident model is right more often than a doubtful one; who is doubtful goes to
    review, so it is not predicted."""
    for _ in range(leads):
        good = rng.random() < 0.2
        doubtful = rng.random() < (0.35 if good else 0.15)
        right = rng.random() < 0.95
        yield (good if right else not good) and not doubtful, good, doubtful


def test_weighted_figures_hold_where_plain_ones_are_wrong() -> None:
    """1,000 queues in which only the doubtful leads and the audit sample are labelled."""
    rng = random.Random(11)
    queues = 1000
    near = {"precision": 0, "recall": 0}
    plain_wrong = 0
    for _ in range(queues):
        leads = list(queue(rng, 1500))
        labelled = [
            Seen(predicted, truth, 1.0 if doubtful else AUDIT)
            for predicted, truth, doubtful in leads
            if doubtful or rng.random() < AUDIT
        ]
        hits = sum(predicted and truth for predicted, truth, _ in leads)
        truth = {
            "precision": hits / sum(predicted for predicted, _, _ in leads),
            "recall": hits / sum(truth for _, truth, _ in leads),
        }
        found = weighted.figures(labelled)
        for name, value in truth.items():
            estimate = getattr(found, name)
            assert estimate is not None
            near[name] += abs(estimate.value - value) <= 2 * estimate.error
        plain = weighted.figures(item._replace(probability=1.0) for item in labelled)
        assert plain.recall is not None
        plain_wrong += abs(plain.recall.value - truth["recall"]) > 2 * plain.recall.error
    assert near["precision"] / queues >= 0.95
    assert near["recall"] / queues >= 0.95
    assert plain_wrong / queues > 0.95


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=40))
def test_where_everything_is_labelled_nothing_is_weighted(rows: list[tuple[bool, bool]]) -> None:
    found = weighted.figures(Seen(predicted, truth, 1.0) for predicted, truth in rows)
    hits = sum(predicted and truth for predicted, truth in rows)
    predicted, positive = sum(row[0] for row in rows), sum(row[1] for row in rows)
    for estimate, part, whole in (
        (found.precision, hits, predicted),
        (found.recall, hits, positive),
        (found.f1, 2 * hits, predicted + positive),
    ):
        if not whole:
            assert estimate is None
            continue
        assert estimate is not None
        assert estimate.value == pytest.approx(part / whole)
        assert 0 <= estimate.low <= estimate.value + 1e-12
        assert estimate.value - 1e-12 <= estimate.high <= 1
    assert found.decisions == pytest.approx(len(rows))


def test_one_label_says_next_to_nothing() -> None:
    found = weighted.figures([Seen(True, True, 0.05)])
    assert found.precision == (1.0, 1.0, 0.0, 1.0, 1)
    assert weighted.figures([]).precision is None


@pytest.mark.parametrize("probability", [0.0, -0.1, 1.1])
def test_a_label_that_nobody_drew_is_not_weighted(probability: float) -> None:
    with pytest.raises(ValueError, match="probability"):
        weighted.figures([Seen(True, True, probability)])
