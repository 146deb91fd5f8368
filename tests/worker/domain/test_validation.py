"""The verdict: what passes is true in 95 of 100 pilots, what is true passes with the labels that were promised."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import pydantic
import pytest
from scipy import stats

from tierwise.domain import validation
from tierwise.domain.validation import Cell, Counted, Drawn, Registration

NOW = datetime(2026, 11, 2, tzinfo=UTC)
DEEP, QUICK = 2000, 600
LOOKS = (100, 200, 400, 800, 1600)


def registered(**given: Any) -> Registration:
    values: dict[str, Any] = {
        "policy": "p" * 64, "chain": "c" * 64, "positive_tiers": ("A",), "precision": 0.8, "recall": 0.6,
        "cut_offs": (0.5,), "looks": LOOKS, "registered_at": NOW, "by": "ada",
    }  # fmt: skip
    return Registration(**{**values, **given})


def pilot(
    rng: random.Random,
    registration: Registration,
    *,
    precision: float,
    per_look: list[int],
    automated: int = 4000,
    missed: float = 0.0,
) -> bool:
    """Whether any look of one pilot passes. `missed`: share of positives among the 16,000 leads of tier B.

    The population is fixed; the sample grows from look to look.
    """
    right = wrong = 0
    others = positives = 0
    for look in per_look:
        while right + wrong < look:
            if rng.random() < precision:
                right += 1
            else:
                wrong += 1
        while others < look * 2:
            others += 1
            positives += rng.random() < missed
        sample = [
            Cell("A", True, 1, automated, right + wrong, right, 0),
            Cell("B", True, 0, 16_000, others, positives, 0),
        ]
        if validation.judge(registration, sample, look=look).passed:
            return True
    return False


def share_passed(pilots: int, **given: Any) -> float:
    rng = random.Random(20261102)
    registration = registered()
    return sum(pilot(rng, registration, per_look=list(LOOKS), **given) for _ in range(pilots)) / pilots


def at_most(share: float, pilots: int, *, of: float) -> bool:
    """Not more than `of`, allowing for the chance of this many pilots (one in a thousand)."""
    return share * pilots <= float(stats.binom.ppf(0.999, pilots, of))


@pytest.mark.parametrize("pilots", [QUICK, pytest.param(DEEP, marks=pytest.mark.deep)])
def test_a_precision_just_at_the_target_passes_in_at_most_alpha_of_all_pilots(pilots: int) -> None:
    assert at_most(share_passed(pilots, precision=0.8), pilots, of=0.05)


@pytest.mark.parametrize("pilots", [QUICK, pytest.param(DEEP, marks=pytest.mark.deep)])
def test_a_recall_just_at_the_target_passes_in_at_most_alpha_of_all_pilots(pilots: int) -> None:
    # 4,000 x 0.95 = 3,800 found; 16,000 x m missed; recall 0.6 where m = 3,800 x (1/0.6 - 1) / 16,000.
    missed = 3800 * (1 / 0.6 - 1) / 16_000
    assert at_most(share_passed(pilots, precision=0.95, missed=missed), pilots, of=0.05)


def test_the_simulation_passes_what_is_clearly_good() -> None:
    """Else the two tests above would prove nothing."""
    assert share_passed(QUICK, precision=0.9) > 0.95


@pytest.mark.parametrize("cut_offs", [(0.5,), (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)])
def test_two_hundred_labels_prove_eighty_where_the_truth_is_ninety(cut_offs: tuple[float, ...]) -> None:
    """At each registered cut-off, with the error split over five looks and two walks."""
    registration = registered(cut_offs=cut_offs, recall=0.01)
    rng = random.Random(3)
    pilots = 1000
    passed = [0] * len(cut_offs)
    for _ in range(pilots):
        right = sum(rng.random() < 0.9 for _ in range(200))
        sample = [Cell("A", True, len(cut_offs), 4000, 200, right, 0)]
        verdict = validation.judge(registration, sample, look=200)
        for index, tested in enumerate(verdict.tested):
            passed[index] += tested.precision.low >= 0.8
    assert min(passed) / pilots >= 0.8


def test_a_walk_from_either_end_reaches_what_it_can() -> None:
    """Few labels at the strict end do not cost the lenient one; a bad lenient end does not cost the strict one."""
    registration = registered(cut_offs=(0.5, 0.9), smallest=30, recall=0.3)
    thin = [Cell("A", True, 1, 900, 300, 290, 0), Cell("A", True, 2, 30, 10, 10, 0)]
    assert validation.judge(registration, thin, look=200).cut_off == 0.5
    poor = [Cell("A", True, 1, 900, 300, 120, 0), Cell("A", True, 2, 900, 300, 297, 0)]
    assert validation.judge(registration, poor, look=200).cut_off == 0.9
    both = [Cell("A", True, 1, 900, 300, 290, 0), Cell("A", True, 2, 900, 300, 297, 0)]
    assert validation.judge(registration, both, look=200).cut_off == 0.5


def test_what_nobody_answered_counts_against_us() -> None:
    registration = registered()
    good = [Cell("A", True, 1, 1000, 200, 190, 0), Cell("B", True, 0, 4000, 400, 4, 0)]
    assert validation.judge(registration, good, look=200).passed
    silent = [Cell("A", True, 1, 1000, 200, 150, 40), Cell("B", True, 0, 4000, 400, 4, 0)]
    tested = validation.judge(registration, silent, look=200).tested[0]
    assert not tested.passed
    assert tested.precision.right == 150
    hidden = [Cell("A", True, 1, 1000, 200, 190, 0), Cell("B", True, 0, 4000, 400, 4, 200)]
    assert [why.split()[0] for why in validation.judge(registration, hidden, look=200).tested[0].why] == ["recall"]


def test_a_stratum_without_a_sample_may_hide_anything() -> None:
    sample = [Cell("A", True, 1, 1000, 200, 198, 0), Cell("D", True, 0, 10_000, 0, 0, 0)]
    tested = validation.judge(registered(), sample, look=200).tested[0]
    assert tested.recall_low < 0.1
    assert not tested.passed


def test_leads_in_review_are_missed_by_automation() -> None:
    """Recall is over all positives, those that a person has to find included."""
    sample = [Cell("A", True, 1, 1000, 400, 398, 0), Cell("A", False, 1, 1000, 400, 390, 0)]
    tested = validation.judge(registered(), sample, look=400).tested[0]
    assert tested.recall == pytest.approx(0.505, abs=0.01)
    assert not tested.passed


def test_a_rate_that_was_lowered_leaves_one_simple_sample() -> None:
    registration = registered()
    drawn = [Drawn("A", 0.9, True, True, 0.5, draw) for draw in (0.01, 0.04, 0.2, 0.49)]
    drawn += [Drawn("A", 0.9, True, False, 0.05, 0.03), Drawn("B", 0.2, True, None, 0.05, 0.049)]
    found = validation.cells(registration, drawn, [Counted("A", True, 1, 100), Counted("B", True, 0, 70)])
    assert sorted(found) == [Cell("A", True, 1, 100, 3, 2, 0), Cell("B", True, 0, 70, 1, 0, 1)]


def test_no_verdict_between_looks() -> None:
    registration = registered()
    assert [validation.due(registration, items=n) for n in (99, 100, 250, 9999)] == [None, 100, 200, 1600]
    assert validation.due(registered(method="anytime"), items=17) == 17
    assert validation.judge(registration, [], look=None) == (None, (), None)


def test_looking_after_every_label_takes_the_anytime_bound() -> None:
    sample = [Cell("A", True, 1, 1000, 200, 172, 0)]
    fixed = validation.judge(registered(looks=(200,), recall=0.1), sample, look=200).tested[0]
    anytime = validation.judge(registered(method="anytime", recall=0.1), sample, look=200).tested[0]
    assert anytime.precision.low < fixed.precision.low


def test_how_many_labels_are_missing() -> None:
    registration = registered()
    sample = [Cell("A", True, 1, 1000, 60, 54, 0)]
    tested = validation.judge(registration, sample, look=100).tested[0]
    missing = validation.labels_missing(registration, tested)
    assert missing is not None
    assert 100 < missing < 250
    hopeless = validation.judge(registration, [Cell("A", True, 1, 1000, 60, 40, 0)], look=100).tested[0]
    assert validation.labels_missing(registration, hopeless) is None
    nothing = validation.judge(registration, [], look=100).tested[0]
    assert validation.labels_missing(registration, nothing) is not None


@pytest.mark.parametrize(
    "wrong",
    [
        {"cut_offs": (0.9, 0.5)}, {"cut_offs": (0.5, 0.5)}, {"cut_offs": (1.5,)}, {"cut_offs": ()},
        {"cut_offs": tuple(n / 10 for n in range(1, 9))}, {"looks": (200, 100)}, {"looks": ()},
        {"looks": (1, 2, 3, 4, 5, 6)}, {"alpha": 0}, {"precision": 1},
    ],
)  # fmt: skip
def test_what_may_not_be_registered(wrong: dict[str, Any]) -> None:
    with pytest.raises(pydantic.ValidationError):
        registered(**wrong)
