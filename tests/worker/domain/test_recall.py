"""A lead decided again from what models said once is decided as if they had been asked."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tierwise_fixtures import policies as make

from tierwise.domain import chain, recall
from tierwise.domain import decision as decisions
from tierwise.domain.belief import Beliefs, Reliability
from tierwise.domain.calibration import Calibration, Disputes, Figures
from tierwise.domain.curves import Curve
from tierwise.domain.decision import Decision, Judged
from tierwise.domain.lead import Lead
from tierwise.domain.policy import Runnable
from tierwise.domain.rubric import Assessment, Rubric, Verdict

NOW = datetime(2026, 11, 2, tzinfo=UTC)
LEAD = Lead(company="Acme", message="We need it now.")


def decide(runnable: Runnable, judged: Judged) -> Decision:
    return decisions.decide(runnable, LEAD, connection="c", record_id="1", gates=(), judged=judged, now=NOW)


def answer(verdicts: Any, *, cost: float = 0.002) -> Assessment:
    return Assessment(model="m", verdicts=verdicts, content_hash="x" * 64, cost_usd=cost)


@given(st.data())
def test_as_if_asked(data: st.DataObject) -> None:
    rubric = data.draw(make.rubrics())
    asked = {item.id for item in rubric.asked}
    verdicts = tuple(item for item in data.draw(make.verdicts(rubric)) if item.criterion in asked)
    fresh = Judged(assessments=(answer(verdicts),), verdicts=verdicts, used="m", contradiction=data.draw(st.booleans()))
    before = make.runnable(make.policy(rubric))
    shifted = {**rubric.model_dump(mode="json"), "tiers": {name: max(0, cut - 7) if cut else 0 for name, cut in
                                                           rubric.tiers.items()}}  # fmt: skip
    try:
        after = make.runnable(make.policy(Rubric.model_validate(shifted)))
    except ValueError:
        after = make.runnable(make.policy(rubric, version="other"))
    earlier = decide(before, fresh)
    recalled = recall.judged(after, earlier, LEAD)
    assert recalled is not None
    made, meant = decide(after, recalled), decide(after, fresh)
    free = {"cost_usd", "assessments"}
    # A verdict that was missing came back as `unknown`: both count the same.
    assert made.model_dump(exclude=free) == meant.model_dump(exclude=free)
    assert made.cost_usd == 0
    assert recall.paid(fresh) == fresh.assessments
    assert recall.paid(recalled) == ()
    stored = json.loads(chain.link(earlier, previous="0", salt="s").body)
    from_body = recall.judged_of_body(stored, after.policy.rubric)
    assert from_body is not None
    swift = decide(after, from_body)
    assert (swift.tier, swift.score, swift.outcome, swift.review) == (made.tier, made.score, made.outcome, made.review)
    assert swift.reason_codes == made.reason_codes


def test_a_lead_that_a_gate_stopped_has_nothing_to_recall() -> None:
    earlier = decide(make.runnable(make.policy()), Judged()).model_copy(update={"scorecard": None})
    assert recall.judged(make.runnable(make.policy()), earlier, LEAD) is None


ROUTE = {"id": "all", "stage": "route", "when": "true", "reason": "ROUTED", "outcome": "accept", "owner": "ops",
         "why": "All."}  # fmt: skip


def two_answers(disputes: Disputes | None, *, precision: float = 0.8) -> Runnable:
    """A policy whose calibration, if any, has both models in its chain."""
    rubric = make.rubric(
        thresholds={"review_below": 0, "escalate_below": 0}, targets={"precision": precision, "positive_tiers": ["A"]}
    )
    policy = make.policy(rubric, rules=[ROUTE], version=f"{disputes} {precision}")
    found = make.runnable(policy, rules={"all": make.says("match")}, levels={("size", "high"): "match"})
    if disputes is None:
        return found
    none = Figures(n=0, right=None, ece=None, brier=None, auroc=None)
    return found._replace(
        calibration=Calibration(
            rubric="r", rubric_version="1", models=("small", "large"), labels=60, data="d", source="test",
            beliefs=Beliefs(models={"small": Reliability(), "large": Reliability()}), curve=Curve(),
            before=none, after=none, disputes=disputes,
        )
    )  # fmt: skip


def said(level: str, probability: float, by: str) -> tuple[Verdict, ...]:
    return (Verdict(criterion="intent", level=level, probability=probability, decided_by=by),)


def asked(runnable: Runnable, *, flags: tuple[str, ...] = ()) -> Judged:
    """As the cascade makes it of two answers that are two tiers apart."""
    answers = (said("none", 0.8, "small"), said("clear", 0.95, "large"))
    paid = tuple(
        Assessment(model=item[0].decided_by, verdicts=item, content_hash="x", cost_usd=0.001) for item in answers
    )
    both = Judged(
        assessments=paid, verdicts=decisions.merged(runnable, answers) or answers[1], used="large", weighed=answers
    )
    found = both.model_copy(update={"contradiction": decisions.disputed(runnable, LEAD, both)})
    return found.model_copy(update={"verdicts": tuple(i.model_copy(update={"flags": flags}) for i in both.verdicts)})


@pytest.mark.parametrize("then", ["weighed", "said", None])
@pytest.mark.parametrize("now", ["weighed", "said", None])
def test_a_dispute_stands_as_it_would_if_models_were_asked_now(then: Disputes | None, now: Disputes | None) -> None:
    before, after = two_answers(then), two_answers(now)
    earlier = decide(before, asked(before))
    assert earlier.status == ("scored" if then == "weighed" else "in_review")
    meant = decide(after, asked(after))
    body = json.loads(chain.link(earlier, previous="0", salt="s").body)
    by_body = recall.judged_of_body(body, after.policy.rubric, weigh=now is not None)
    by_record = recall.judged(after, earlier, LEAD)
    assert by_body is not None
    assert by_record is not None
    for recalled in (by_record, recall.disputed_anew(after, LEAD, by_body)):
        made = decide(after, recalled)
        assert (made.status, made.review, made.reason_codes) == (meant.status, meant.review, meant.reason_codes)
        assert (made.tier, made.confidence) == (meant.tier, meant.confidence)
    assert (meant.review == "contradiction") is (now != "weighed")


def test_what_settles_a_dispute_is_the_precision_agreed_on_now() -> None:
    before, after = two_answers("weighed"), two_answers("weighed", precision=0.99)
    recalled = recall.judged(after, decide(before, asked(before)), LEAD)
    assert recalled is not None
    assert decide(after, recalled).review == "contradiction"


def test_the_dispute_about_a_text_that_instructs_stays_as_it_was_found() -> None:
    runnable = two_answers("weighed")
    earlier = decide(runnable, asked(runnable, flags=("INJECTION_SUSPECT",)))
    recalled = recall.judged(runnable, earlier, LEAD)
    assert recalled is not None
    made = decide(runnable, recalled)
    assert (made.review, made.reason_codes) == ("guardrail", earlier.reason_codes)


@pytest.mark.parametrize("models", [("small", "small"), ("small", "small", "large")])
def test_a_dispute_of_averaged_samples_stays_as_it_was_found(models: tuple[str, ...]) -> None:
    runnable = two_answers(None)
    answers = tuple(said("none" if place else "clear", 0.8, model) for place, model in enumerate(models))
    paid = tuple(Assessment(model="m", verdicts=item, content_hash="x", cost_usd=0.001) for item in answers)
    for stood in (True, False):
        judged = Judged(assessments=paid, verdicts=answers[0], used="small", contradiction=stood)
        recalled = recall.judged(runnable, decide(runnable, judged), LEAD)
        assert recalled is not None
        assert recalled.contradiction is stood
