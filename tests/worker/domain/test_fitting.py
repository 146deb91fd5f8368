from __future__ import annotations

import random

import pytest
from tierwise_fixtures import answers

from tierwise.domain import calibration, fitting, measures
from tierwise.domain.calibration import Calibration, Disputes
from tierwise.domain.fitting import Labelled

POLICY = answers.policy()


@pytest.fixture(scope="module")
def made() -> Calibration:
    """Learnt from 220 labels."""
    return fitting.fit(POLICY, answers.CHAIN, answers.labelled(220), source="test")


def test_below_fifty_labels_there_is_none() -> None:
    with pytest.raises(ValueError, match="at least 50"):
        fitting.fit(POLICY, answers.CHAIN, answers.labelled(49), source="test")


def test_what_was_learnt_holds_on_leads_that_were_never_seen(made: Calibration) -> None:
    unseen = answers.labelled(1500, seed=9)
    cards = [calibration.card(POLICY.rubric, item.answered, made.beliefs) for item in unseen]
    right = [card.tier == item.tier for card, item in zip(cards, unseen, strict=True)]
    stated = [made.confidence(card.confidence) for card in cards]
    after = fitting.figures(stated, right)
    before = fitting.figures([item.before for item in unseen], [item.before_tier == item.tier for item in unseen])
    assert after.ece is not None
    assert before.ece is not None
    assert after.ece <= 0.05 < before.ece
    assert after.auroc is not None
    own_word = measures.auc([item.stated or 0 for item in unseen], right)
    assert own_word is not None
    assert after.auroc > own_word + 0.05
    # The figures that were promised, on held-back labels, are near what came.
    assert made.after.auroc == pytest.approx(after.auroc, abs=0.12)
    assert made.curve.method == "platt"


def test_the_better_model_is_believed_more(made: Calibration) -> None:
    small, large = (made.beliefs.models[name].right(0.9) for name in answers.CHAIN)
    assert small < large
    assert small < 0.9


def test_the_same_labels_make_the_same_calibration(made: Calibration) -> None:
    again = fitting.fit(POLICY, answers.CHAIN, answers.labelled(220), source="test")
    assert again.digest() == made.digest()


def test_cut_offs_can_be_set_by_money(made: Calibration) -> None:
    wanted = fitting.Wanted(0.8, 0.6, escalate_share=0.1)
    cheap = fitting.fit(POLICY, answers.CHAIN, answers.labelled(60), source="test", wanted=wanted)
    assert cheap.curve.method == "temperature"
    assert cheap.escalate is not None
    assert cheap.escalate.share == pytest.approx(0.1, abs=0.02)
    assert made.escalate is not None
    assert made.escalate.target.startswith("tiers that need no second model")


def test_labels_that_only_say_positive_are_enough() -> None:
    some = [item._replace(tier=None, positive=item.tier == "A") for item in answers.labelled(80, second=True)]
    found = fitting.fit(POLICY, answers.CHAIN, some, source="test")
    assert found.after.right is not None
    assert found.after.right > 0.8


def _queue(count: int, *, seed: int) -> list[Labelled]:
    """What people saw of many leads: each that something else than confidence sent to them, most of those wrongly
    decided, and every tenth of the rest."""
    rng, seen = random.Random(seed), []
    for item in answers.labelled(count, seed=seed):
        disputed = rng.random() < (0.7 if item.before_tier != item.tier else 0.02)
        probability = 1.0 if disputed else 0.1
        if rng.random() < probability:
            seen.append(item._replace(probability=probability))
    return seen


def test_labels_of_a_queue_count_by_the_probability_with_which_they_were_drawn() -> None:
    seen, unseen = _queue(700, seed=3), answers.labelled(600, seed=9)
    weighted = fitting.fit(POLICY, answers.CHAIN, seen, source="test")
    alike = fitting.fit(POLICY, answers.CHAIN, [item._replace(probability=1.0) for item in seen], source="test")
    true = sum(item.before_tier == item.tier for item in unseen) / len(unseen)
    assert weighted.before.right == pytest.approx(true, abs=0.1)
    assert alike.before.right is not None
    assert alike.before.right < true - 0.3
    errors = []
    for made in (weighted, alike):
        cards = [calibration.card(POLICY.rubric, item.answered, made.beliefs) for item in unseen]
        right = [card.tier == item.tier for card, item in zip(cards, unseen, strict=True)]
        errors.append(fitting.figures([made.confidence(card.confidence) for card in cards], right).ece or 0)
    assert errors[0] <= 0.1
    assert errors[1] >= 0.15
    assert weighted.effective is not None
    assert weighted.effective < weighted.labels
    assert alike.effective is None
    assert weighted.digest() != alike.digest()


def test_labels_that_tell_as_much_as_few_are_few() -> None:
    one = [item._replace(probability=0.001) for item in answers.labelled(5, seed=4)]
    with pytest.raises(ValueError, match="tell as much as 5 drawn alike"):
        fitting.fit(POLICY, answers.CHAIN, [*answers.labelled(95), *one], source="test")


def test_cut_offs_rest_on_a_sample_in_which_every_lead_had_the_same_chance() -> None:
    seen = _queue(700, seed=3)
    made = fitting.fit(POLICY, answers.CHAIN, seen, source="test")
    rare = sum(item.probability == 0.1 for item in seen)
    assert made.review is not None
    assert rare < made.review.n <= rare + 0.2 * (len(seen) - rare)


def test_disputes_that_will_be_settled_do_not_count_as_reviewed() -> None:
    def wanted(how: Disputes) -> fitting.Wanted:
        return fitting.Wanted(0.5, 0.05, risk=0.4, disputes=how)

    disputed = [item._replace(disagreed=True) for item in answers.labelled(300)]
    weighed = fitting.fit(POLICY, answers.CHAIN, disputed, source="test", wanted=wanted("weighed")).review
    said = fitting.fit(POLICY, answers.CHAIN, disputed, source="test", wanted=wanted("said")).review
    assert weighed is not None
    assert said is not None
    assert said.value is None, "whoever sends every dispute to a person meets no recall with these"
    assert weighed.value is not None
