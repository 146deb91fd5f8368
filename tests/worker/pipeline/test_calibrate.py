from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tierwise_fixtures import answers
from tierwise_fixtures import policies as make

from tierwise.domain import decision as decisions
from tierwise.domain import fitting
from tierwise.domain.calibration import Disputes
from tierwise.domain.decision import Decision, Judged
from tierwise.domain.lead import Lead
from tierwise.domain.policy import Runnable
from tierwise.domain.rubric import Assessment
from tierwise.pipeline import calibrate
from tierwise.ports import Told

POLICY = answers.policy()
RUNNABLE = make.runnable(POLICY, levels={("size", "high"): "match"})
NOW = datetime(2026, 11, 2, tzinfo=UTC)


def decided(runnable: Runnable = RUNNABLE, *, level: str = "clear", **judged: object) -> Decision:
    verdicts = tuple(answers.said(name, level, 0.9, by="some/small") for name in ("intent", "need"))
    paid = Assessment(model="some/small", verdicts=verdicts, content_hash="h", cost_usd=0.1)
    told = Judged.model_validate({"assessments": (paid,), "verdicts": verdicts, "used": "some/small", **judged})
    return decisions.decide(
        runnable, Lead(message="We need it."), connection="crm", record_id="1", gates=(), judged=told, now=NOW
    )


def test_a_decision_tells_what_rules_and_models_said() -> None:
    found = calibrate.answered(decided())
    assert found is not None
    assert [verdict.criterion for verdict in found.rules] == ["size"]
    assert [verdict.decided_by for verdict in found.answers[0]] == ["some/small"] * 2
    assert calibrate.answered(decided(fallback=True)) is None


def test_words_about_a_decision_become_its_label() -> None:
    made = decided()
    assert made.tier == "A"

    def label(value: str, won: bool | None = None) -> tuple[str | None, bool | None] | None:
        told = [Told(made, "rep_feedback", value, won, None)]
        found = calibrate.from_store(told, POLICY, models=answers.CHAIN)
        return (found[0].tier, found[0].positive) if found else None

    assert label("right") == ("A", None)
    assert label("too_high") == ("B", None)
    assert label("too_low") is None  # there is no tier above
    assert label("c") == ("C", None)
    assert label("closed", won=True) == (None, True)
    assert label("called back") is None


def test_another_chain_or_rubric_teaches_nothing() -> None:
    told = [Told(decided(), "rep_feedback", "right", None, None)]
    assert calibrate.from_store(told, POLICY, models=["other/one"]) == []
    assert calibrate.from_store(told, make.policy(), models=answers.CHAIN) == []


def test_a_decision_under_a_calibration_carries_it_and_its_raw_confidence() -> None:
    made = fitting.fit(POLICY, answers.CHAIN, answers.labelled(60), source="test")
    plain, weighed = decided(), decided(RUNNABLE._replace(calibration=made))
    assert (plain.calibrated, plain.calibration, plain.confidence_raw) == (False, None, plain.confidence)
    assert (weighed.calibrated, weighed.calibration) == (True, made.digest())
    assert weighed.confidence_raw == plain.confidence
    assert weighed.confidence != plain.confidence
    # Who is outside the chain that was learnt from is not covered by it.
    assert not decided(RUNNABLE._replace(calibration=made), used="strange/one").calibrated
    assert not decided(RUNNABLE._replace(calibration=made), fallback=True).calibrated


def test_cut_offs_of_the_calibration_count_where_it_has_any() -> None:
    made = fitting.fit(POLICY, answers.CHAIN, answers.labelled(60), source="test")
    chosen = made.review
    assert chosen is not None
    strict = made.model_copy(update={"review": chosen.model_copy(update={"value": 0.999})})
    lenient = made.model_copy(update={"review": chosen.model_copy(update={"value": None})})
    assert decided(RUNNABLE._replace(calibration=strict)).review == "low_confidence"
    thresholds = POLICY.rubric.thresholds
    assert decisions.review_below(RUNNABLE._replace(calibration=lenient)) == thresholds.review_below
    assert decisions.escalate_below(RUNNABLE) == thresholds.escalate_below


def test_figures_are_shown_with_named_bins() -> None:
    found = calibrate.measured(fitting.fit(POLICY, answers.CHAIN, answers.labelled(60), source="test"))
    assert set(found["after"]["reliability"][0]) == {"low", "high", "n", "confidence", "right"}
    assert found["labels"] == 60


def test_labels_that_nobody_drew_are_left_out_where_enough_were_drawn() -> None:
    remarks = [Told(decided(), "rep_feedback", "right", None, None)] * 3
    drawn = [Told(decided(), "review", "right", None, 0.05), Told(decided(), "review", "too_high", None, 1.0)] * 60
    few = calibrate.from_store([*remarks, *drawn[:20]], POLICY, models=answers.CHAIN)
    assert len(few) == 23
    assert sorted({item.probability for item in few}) == [0.05, 1.0]
    many = calibrate.from_store([*remarks, *drawn], POLICY, models=answers.CHAIN)
    assert len(many) == 120
    assert {item.probability for item in many if item.tier == "A"} == {0.05}


def test_a_label_tells_whether_only_the_models_dispute_asked_for_a_person() -> None:
    def rule(stage: str, outcome: str) -> dict[str, object]:
        return {
            "id": stage, "stage": stage, "when": "true", "reason": stage.upper(), "owner": "ops", "why": "So.",
            "outcome": outcome,
        }  # fmt: skip

    def seen(*rules: dict[str, object], contradiction: bool = True) -> tuple[bool, bool]:
        runnable = make.runnable(
            POLICY.model_validate({**POLICY.model_dump(), "rules": rules}),
            rules={str(item["id"]): make.says("match") for item in rules},
            levels={("size", "high"): "match"},
        )
        found = calibrate.labelled(decided(runnable, contradiction=contradiction), POLICY.rubric, tier="A")
        assert found is not None
        return found.reviewed, found.disagreed

    accepted, guarded = rule("route", "accept"), rule("guardrail", "review")
    assert seen(accepted) == (False, True)
    assert seen(accepted, contradiction=False) == (False, False)
    assert seen(accepted, guarded) == (True, False), "a guardrail asks, whatever becomes of the dispute"
    assert seen(accepted, rule("contradiction", "review")) == (True, False)
    assert seen(rule("route", "review")) == seen() == (True, False), "nobody but a person takes it"


def accepting() -> Runnable:
    """Accepts every lead that no dispute stops."""
    route = {"id": "r", "stage": "route", "when": "true", "reason": "R", "owner": "ops", "why": "So.",
             "outcome": "accept"}  # fmt: skip
    return make.runnable(
        POLICY.model_validate({**POLICY.model_dump(), "rules": [route]}), rules={"r": make.says("match")},
        levels={("size", "high"): "match"},
    )  # fmt: skip


@pytest.mark.parametrize(("contradiction", "apart"), [(False, True), (True, True), (True, False)])
def test_who_contradicts_each_other_is_told_by_what_they_said_whatever_was_settled_then(
    contradiction: bool, apart: bool
) -> None:
    runnable = accepting()

    def answer(level: str, by: str) -> Assessment:
        verdicts = tuple(answers.said(name, level, 0.9, by=by) for name in ("intent", "need"))
        return Assessment(model=by, verdicts=verdicts, content_hash=by, cost_usd=0.1)

    small, large = answer("none" if apart else "clear", answers.CHAIN[0]), answer("clear", answers.CHAIN[1])
    made = decided(
        runnable, assessments=(small, large), verdicts=large.verdicts, used=large.model, contradiction=contradiction
    )
    assert (made.review == "contradiction") is contradiction
    found = calibrate.from_store([Told(made, "review", "right", None, None)], POLICY, models=answers.CHAIN)[0]
    assert (found.reviewed, found.disagreed) == (False, apart)


def test_whoever_sends_every_dispute_to_a_person_counts_those_that_were_settled_as_seen() -> None:
    runnable = accepting()
    said = [
        Assessment(
            model=by, content_hash=by, cost_usd=0.1,
            verdicts=tuple(answers.said(name, level, 0.9, by=by) for name in ("intent", "need")),
        )
        for by, level in zip(answers.CHAIN, ("none", "clear"), strict=True)
    ]  # fmt: skip
    settled = decided(runnable, assessments=tuple(said), verdicts=said[1].verdicts, used=said[1].model)
    assert settled.review is None
    told = [Told(settled, "review", "right", None, None)] * 60
    leads = [
        item._replace(id=str(place))
        for place, item in enumerate(calibrate.from_store(told, POLICY, models=answers.CHAIN))
    ]

    def review_needed(disputes: Disputes, items: list[fitting.Labelled]) -> object:
        wanted = fitting.Wanted(0.5, 0.5, risk=0.4, disputes=disputes)
        return fitting.fit(POLICY, answers.CHAIN, items, source="test", wanted=wanted).review

    seen = [item._replace(disagreed=False, reviewed=True) for item in leads]
    unseen = [item._replace(disagreed=False) for item in leads]
    assert review_needed("said", leads) == review_needed("said", seen) != review_needed("said", unseen)
    assert review_needed("weighed", leads) == review_needed("weighed", unseen)
