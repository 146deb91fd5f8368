from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tierwise_fixtures import answers

from tierwise.domain import belief
from tierwise.domain.belief import Beliefs, Reliability
from tierwise.domain.rubric import UNKNOWN, Verdict

POLICY = answers.policy()
INTENT = POLICY.rubric.criteria[1]
NINETY = Beliefs(models={"m": Reliability(), "n": Reliability()})


def said(level: str, probability: float = 0.9, *, by: str = "m", **more: object) -> Verdict:
    return Verdict.model_validate(
        {"criterion": "intent", "level": level, "probability": probability, "decided_by": by, **more}
    )


def test_one_answer_is_worth_what_its_model_is_worth() -> None:
    likely = belief.posterior(INTENT, [said("clear")], NINETY)
    assert likely["clear"] == pytest.approx(0.9)
    assert likely["vague"] == likely["none"] == likely[UNKNOWN] == pytest.approx(0.1 / 3)
    modest = Beliefs(models={"m": Reliability(intercept=-1.0, slope=0.5)})
    assert 0.4 < belief.posterior(INTENT, [said("clear")], modest)["clear"] < 0.6


def test_bayes_by_hand_with_a_rare_level() -> None:
    """Said with 0.9, true in 5 %: 0.05 x 0.9 against 0.95 x 0.1 / 3."""
    rare = NINETY.model_copy(update={"base_rates": {"intent": {"clear": 0.05, "vague": 0.9, "none": 0.05, UNKNOWN: 0}}})
    likely = belief.posterior(INTENT, [said("clear")], rare)
    assert likely["clear"] == pytest.approx(0.045 / (0.045 + 0.95 * 0.1 / 3), abs=1e-4)


def test_two_that_agree_are_surer_and_two_that_differ_are_weighed() -> None:
    one = belief.posterior(INTENT, [said("clear")], NINETY)["clear"]
    both = [said("clear"), said("clear", by="n")]
    assert belief.posterior(INTENT, both, NINETY)["clear"] > one
    apart = [said("vague", 0.99), said("clear", 0.8, by="n")]
    assert belief.combined(INTENT, apart, NINETY).level == "vague"
    reliable = Beliefs(models={"m": Reliability(intercept=-4), "n": Reliability(intercept=2)})
    assert belief.combined(INTENT, apart, reliable).level == "clear"


def test_what_was_withdrawn_says_nothing() -> None:
    withdrawn = said(UNKNOWN, 0, flags=("EVIDENCE_MISSING",))
    assert belief.posterior(INTENT, [withdrawn], NINETY)["clear"] == pytest.approx(0.25)
    assert belief.combined(INTENT, [said("vague"), withdrawn], NINETY).level == "vague"
    assert belief.posterior(INTENT, [said(UNKNOWN, 0.9)], NINETY)[UNKNOWN] == pytest.approx(0.9)


def test_a_missing_field_counts_as_far_as_it_is_trusted() -> None:
    size, missing = POLICY.rubric.criteria[0], said(UNKNOWN, 0, by="rule")
    assert belief.of_rule(size, missing, Beliefs(gaps=1))[UNKNOWN] == 1
    assert belief.of_rule(size, missing, Beliefs()) == {"high": 0.5, "low": 0.5, UNKNOWN: 0}
    assert belief.of_rule(size, said("high", 1, by="rule"), Beliefs()) == {"high": 1.0}


def test_base_rates_are_found_behind_the_errors_of_a_model() -> None:
    found = [_by(item.answered.answers[0]) for item in answers.labelled(1500, seed=4)]
    sure = Beliefs(models={"some/small": Reliability(intercept=-1.2)})
    rates = belief.base_rates(POLICY.rubric.asked, found, sure)
    for criterion, wanted in answers.RATES.items():
        assert sum(rates[criterion].values()) == pytest.approx(1)
        for level, share in wanted.items():
            assert rates[criterion][level] == pytest.approx(share, abs=0.07)


def _by(verdicts: tuple[Verdict, ...]) -> dict[str, list[Verdict]]:
    return {verdict.criterion: [verdict] for verdict in verdicts}


@given(st.lists(st.tuples(st.sampled_from(["clear", "vague", "none", UNKNOWN]), st.floats(0, 1)), max_size=4))
def test_a_posterior_is_a_distribution(told: list[tuple[str, float]]) -> None:
    likely = belief.posterior(INTENT, [said(level, probability) for level, probability in told], NINETY)
    assert sum(likely.values()) == pytest.approx(1)
    assert all(0 <= value <= 1 for value in likely.values())
