"""Two policies over the same stored decision, and what a person is told of the difference."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from tierwise_fixtures import policies as make

from tierwise import errors, ports
from tierwise.domain import chain
from tierwise.domain import decision as decisions
from tierwise.domain.belief import Beliefs, Reliability
from tierwise.domain.calibration import Calibration, Figures
from tierwise.domain.curves import Curve
from tierwise.domain.decision import Judged
from tierwise.domain.lead import Lead
from tierwise.domain.policy import Runnable
from tierwise.domain.rubric import Assessment, Verdict
from tierwise.pipeline import backtest

NOW = datetime(2026, 11, 2, tzinfo=UTC)
LEAD = Lead(company="Acme", message="We need it now.", region="emea", source="webinar")
LIMITS = backtest.Limits(flips=0.2, review=0.5, asked=0.5)


def runnable(**tiers: int) -> Runnable:
    route = {"id": "all", "stage": "route", "when": "true", "reason": "ROUTED", "outcome": "accept", "owner": "ops",
             "why": "All."}  # fmt: skip
    rubric = make.rubric(tiers={**make.TIERS, **tiers}, thresholds={"review_below": 0, "escalate_below": 0})
    return make.runnable(
        make.policy(rubric, rules=[route]), rules={"all": make.says("match")}, levels={("size", "high"): "match"}
    )


def judged(level: str = "vague", *, cost: float | None = 0.01) -> Judged:
    verdict = Verdict(criterion="intent", level=level, probability=0.9, decided_by="m", quote="We need it")
    answer = Assessment(model="m", verdicts=(verdict,), content_hash="0" * 64, cost_usd=cost)
    return Judged(assessments=(answer,), verdicts=(verdict,), used="m")


def past(under: Runnable, number: int = 1, *, erased: bool = False, **said: Any) -> ports.PastDecision:
    made = decisions.decide(
        under, LEAD, connection="c", record_id=str(number), gates=(), judged=judged(**said), now=NOW
    )  # fmt: skip
    link = chain.link(made, previous="0", salt="s")
    fields = None if erased else json.loads(link.personal)["fields"]
    return ports.PastDecision(number, "c", str(number), under.digest, json.loads(link.body), fields)


def tools(before: Runnable, after: Runnable, *, same: bool = True, judge: Any = lambda *_: None) -> backtest.Tools:
    return backtest.Tools(before, after, asks=lambda digest: "" if same else digest, judge=judge)


def run(before: Runnable, after: Runnable, *pasts: ports.PastDecision, **more: Any) -> dict[str, Any]:
    found = list(backtest.replay(pasts, tools(before, after, **more)))
    names = {"digest": "d", "version": "1"}
    return backtest.report(found, before=names, after=names, limits=LIMITS)


def test_a_cut_off_moves_a_lead_and_says_why() -> None:
    before, after = runnable(), runnable(A=70)  # the lead has 70 points
    told = run(before, after, past(before))
    assert (told["flips"], told["tiers"], told["outcomes"]) == (1, {"B": {"A": 1}}, {"accept": {"accept": 1}})
    (flip,) = told["flipped"]
    assert flip == {
        "lead": "c:1",
        "before": {"tier": "B", "outcome": "accept", "score": 70},
        "after": {"tier": "A", "outcome": "accept", "score": 70},
        "new_reasons": [], "gone_reasons": [],
    }  # fmt: skip
    assert told["beyond"] == ["100.0% of leads get another tier or outcome, the limit is 20.0%"]
    assert told["segments"][0] == {
        "segment": "region", "value": "emea", "leads": 1, "flips": 1, "score_shift": 0.0, "accepted_before": 1,
        "accepted_after": 1,
    }  # fmt: skip


def test_reasons_that_come_and_go_are_counted() -> None:
    before, after = runnable(), runnable()
    gone = after._replace(levels={**after.levels, ("size", "high"): make.says("no_match")}, digest="other")
    told = run(before, gone, past(before))
    assert {"code": "SIZE_HIGH", "new": 0, "gone": 1} in told["reasons"]
    assert told["flipped"][0]["after"]["score"] < 70


def test_what_was_decided_under_neither_is_recomputed_under_both() -> None:
    third = runnable(A=99, B=98, C=97)
    before, after = runnable(), runnable(A=70)
    told = run(before, after, past(third))
    assert told["tiers"] == {"B": {"A": 1}}, "not the D that is stored"


def test_what_nobody_answered_is_counted_and_priced() -> None:
    before, after = runnable(), runnable(A=70)
    told = run(before, after, past(before, 1), past(before, 2, cost=0.03), same=False)
    assert (told["replayed"], told["would_need_model"], told["needing_model"]) == (0, 2, ["c:1", "c:2"])
    assert told["cost"] == {"per_lead_usd": pytest.approx(0.02), "would_need_model": 2,
                            "estimate_usd": pytest.approx(0.04)}  # fmt: skip
    assert told["beyond"] == ["100.0% of leads would need a model, the limit is 50.0%"]
    unknown = run(before, after, past(before, 1, cost=None), same=False)
    assert unknown["cost"]["estimate_usd"] is None, "an unknown price is not 0"


def test_answers_that_are_there_are_used() -> None:
    before, after = runnable(), runnable(A=70)
    told = run(before, after, past(before), same=False, judge=lambda *_: judged("clear"))
    assert told["flipped"][0]["after"] == {"tier": "A", "outcome": "accept", "score": 90}


def test_a_lead_that_the_new_policy_cannot_decide_is_a_failure_of_its_own() -> None:
    def breaks(_: Any) -> Any:
        raise errors.RejectRecord("cannot be evaluated on this lead")

    before = runnable()
    after = before._replace(rules={"all": breaks}, digest="other")
    told = run(before, after, past(before, 1), past(before, 2))
    assert (told["failed"], told["replayed"], told["failures"][0]["lead"]) == (2, 0, "c:1")
    assert "cannot be evaluated" in told["failures"][0]["error"]


def test_erased_leads_are_told_and_not_guessed() -> None:
    before = runnable()
    told = run(before, before, past(before, 1), past(before, 2, erased=True))
    assert (told["leads"], told["replayed"], told["unreadable"]) == (2, 1, 1)
    odd = past(before, 3)._replace(fields={"field_of_another_version": 1})
    assert run(before, before, odd)["unreadable"] == 1


def test_review_load_is_told_and_limited() -> None:
    before = runnable()
    rubric = make.rubric(thresholds={"review_below": 0.99, "escalate_below": 0.99})
    policy = before.policy.model_copy(update={"rubric": rubric})
    after = before._replace(policy=policy, digest="other")
    told = run(before, after, past(before))
    assert told["review"] == {"before": 0, "after": 1}
    assert "100.0% of leads would go to people, the limit is 50.0%" in told["beyond"]


def test_a_dispute_that_only_the_calibration_settled_is_foretold_as_a_review() -> None:
    none = Figures(n=0, right=None, ece=None, brier=None, auroc=None)
    learnt = Calibration(
        rubric="r", rubric_version="1", models=("small", "large"), labels=60, data="d", source="test",
        beliefs=Beliefs(models={"small": Reliability(), "large": Reliability()}), curve=Curve(),
        before=none, after=none, disputes="weighed",
    )  # fmt: skip
    plain = runnable()
    targets = plain.policy.rubric.targets.model_copy(update={"precision": 0.8})
    rubric = plain.policy.rubric.model_copy(update={"targets": targets})
    plain = plain._replace(policy=plain.policy.model_copy(update={"rubric": rubric}))
    before = plain._replace(calibration=learnt)
    answers = tuple(
        (Verdict(criterion="intent", level=level, probability=sure, decided_by=by),)
        for by, level, sure in (("small", "none", 0.8), ("large", "clear", 0.95))
    )
    paid = tuple(
        Assessment(model=item[0].decided_by, verdicts=item, content_hash="0" * 64, cost_usd=0.01) for item in answers
    )
    both = Judged(
        assessments=paid, verdicts=decisions.merged(before, answers) or (), used="large", weighed=answers
    )  # fmt: skip
    both = both.model_copy(update={"contradiction": decisions.disputed(before, LEAD, both)})
    made = decisions.decide(before, LEAD, connection="c", record_id="1", gates=(), judged=both, now=NOW)
    assert made.review is None
    link = chain.link(made, previous="0", salt="s")
    stored = ports.PastDecision(
        1, "c", "1", before.digest, json.loads(link.body), json.loads(link.personal)["fields"]
    )  # fmt: skip
    assert run(before, plain._replace(digest="other"), stored)["review"] == {"before": 0, "after": 1}
    assert run(before, before._replace(digest="other"), stored)["review"] == {"before": 0, "after": 0}
