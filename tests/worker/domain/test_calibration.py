from __future__ import annotations

from tierwise_fixtures import answers

from tierwise.domain import calibration
from tierwise.domain.belief import Beliefs, Reliability
from tierwise.domain.calibration import Answered, Calibration, Figures
from tierwise.domain.curves import Curve

POLICY = answers.policy()
RUBRIC = POLICY.rubric
NONE = Figures(n=0, right=None, ece=None, brier=None, auroc=None)


def made(**changes: object) -> Calibration:
    return Calibration.model_validate(
        {
            "rubric": calibration.rubric_digest(RUBRIC, POLICY.prompt), "rubric_version": "1",
            "models": answers.CHAIN, "labels": 60, "data": "d", "source": "test",
            "beliefs": Beliefs(models={name: Reliability() for name in answers.CHAIN}),
            "curve": Curve(method="temperature", slope=0.5), "before": NONE, "after": NONE, **changes,
        }
    )  # fmt: skip


def test_it_comes_back_as_it_was_and_any_change_is_another() -> None:
    one = made()
    assert Calibration.model_validate_json(one.model_dump_json()).digest() == one.digest()
    assert made(labels=61).digest() != one.digest()


def test_another_rubric_or_chain_is_told() -> None:
    digest = calibration.rubric_digest(RUBRIC, POLICY.prompt)
    assert made().why_not(digest, answers.CHAIN) is None
    assert "another rubric" in str(made().why_not("other", answers.CHAIN))
    assert "the chain is some/small" in str(made().why_not(digest, ["some/small"]))


def test_weights_and_the_prompt_make_another_rubric_and_thresholds_do_not() -> None:
    digest = calibration.rubric_digest(RUBRIC, POLICY.prompt)
    same = RUBRIC.model_copy(update={"version": "9", "owner": "zoe"})
    assert calibration.rubric_digest(same, POLICY.prompt) == digest
    assert calibration.rubric_digest(RUBRIC, "Judge harder.") != digest
    other = RUBRIC.model_copy(update={"tiers": {"A": 90, "B": 10, "C": 5, "D": 0}})
    assert calibration.rubric_digest(other, POLICY.prompt) != digest


def test_two_answers_become_one_card_and_agreement_is_surer() -> None:
    rule = answers.said("size", "high", 1.0, by="rule")
    first = tuple(answers.said(name, "clear", 0.9, by="some/small") for name in ("intent", "need"))
    second = tuple(answers.said(name, "clear", 0.9, by="other/large") for name in ("intent", "need"))
    alone = calibration.card(RUBRIC, Answered((rule,), (first,)), made().beliefs)
    both = calibration.card(RUBRIC, Answered((rule,), (first, second)), made().beliefs)
    assert alone.tier == both.tier
    assert both.confidence > alone.confidence
    assert made().confidence(both.confidence) < both.confidence  # a slope of a half is modest


def test_of_a_model_that_was_asked_twice_the_last_answer_counts() -> None:
    first = (answers.said("intent", "clear", 0.9, by="some/small"),)
    last = (answers.said("intent", "none", 0.9, by="some/small"),)
    assert calibration.by_criterion([first, last]) == {"intent": list(last)}


def test_a_chain_names_each_model_once() -> None:
    assert calibration.chain("a", "b") == ("a", "b")
    assert calibration.chain("a", "a") == calibration.chain("a", None) == ("a",)


def test_a_rare_level_said_by_a_model_that_errs_means_another() -> None:
    rates = {"intent": {"clear": 0.68, "vague": 0.3, "none": 0.01, "unknown": 0.01}}
    trusted = Beliefs(base_rates=rates, models={"some/small": Reliability(), "other/large": Reliability(intercept=6)})
    slip, fact = (answers.said("intent", "none", 0.85, by=name) for name in answers.CHAIN)
    usual = answers.said("intent", "clear", 0.85, by="some/small")
    assert [item.level for item in calibration.meant(RUBRIC, (slip,), trusted)] == ["clear"]
    assert calibration.meant(RUBRIC, (fact, usual), trusted) == (fact, usual)
    withdrawn = slip.model_copy(update={"level": "unknown", "flags": ("EVIDENCE_MISSING",)})
    assert calibration.meant(RUBRIC, (withdrawn,), trusted) == (withdrawn,)


def test_how_disputes_are_settled_belongs_to_it_and_older_ones_keep_their_digest() -> None:
    assert "disputes" not in made().model_dump(mode="json")
    assert "effective" not in made().model_dump(mode="json")
    other = made(disputes="weighed")
    assert other.digest() != made().digest()
    assert Calibration.model_validate_json(other.model_dump_json()).disputes == "weighed"
