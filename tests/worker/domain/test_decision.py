"""Decisions: which outcome, route, status and review come out of hits and assessments."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tierwise_fixtures import policies as make

from tierwise.domain import decision as decisions
from tierwise.domain.belief import Beliefs, Reliability
from tierwise.domain.calibration import Calibration, Figures
from tierwise.domain.curves import Curve
from tierwise.domain.decision import Decision, Judged
from tierwise.domain.lead import Lead, canonical_json
from tierwise.domain.policy import Policy
from tierwise.domain.rubric import Assessment, Verdict

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
LEAD = Lead(email="jo@acme.com", company="Acme", employee_count=120, message="We need a demo by March.")
HIGH = {("size", "high"): "match"}


def rule(id_: str, stage: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": id_, "stage": stage, "when": "true", "reason": id_.upper().replace("-", "_"), "owner": "ops",
        "why": f"Because {id_}.", **changes,
    }  # fmt: skip


ROUTE = rule("to-sales", "route", outcome="accept", route="sales")


def policy(*rules: dict[str, Any], **changes: Any) -> Policy:
    return make.policy(**{"rules": rules, **changes})


def verdict(level: str = "clear", probability: float = 0.9, **more: Any) -> Verdict:
    return Verdict.model_validate(
        {"criterion": "intent", "level": level, "probability": probability, "decided_by": "model-a", **more}
    )


def assessment(*verdicts: Verdict, cost: float | None = 0.001, **more: Any) -> Assessment:
    return Assessment(model="model-a", verdicts=verdicts, content_hash="h", cost_usd=cost, **more)


def judged(*verdicts: Verdict, **more: Any) -> Judged:
    chosen = verdicts or (verdict(),)
    return Judged(**{"assessments": (assessment(*chosen),), "verdicts": chosen, "used": "model-a", **more})


def decide(
    policy_: Policy, *, matching: tuple[str, ...] = ("to-sales",), unknown: tuple[str, ...] = (),
    judged_: Judged | None = None, gated: bool = False, levels: Any = None,
) -> Decision:  # fmt: skip
    truths = {**dict.fromkeys(matching, "match"), **dict.fromkeys(unknown, "unknown")}
    runnable = make.runnable(
        policy_,
        rules={name: make.says(truth) for name, truth in truths.items()},
        levels=HIGH if levels is None else levels,
    )
    gates = decisions.gate(runnable, LEAD)
    return decisions.decide(
        runnable, LEAD, connection="hubspot", record_id="1", gates=gates,
        judged=None if gated else judged_ or judged(), now=NOW, trace_id="t",
    )  # fmt: skip


def test_an_accepted_lead_tells_everything_it_stands_on() -> None:
    found = decide(policy(ROUTE))
    assert (found.status, found.outcome, found.route, found.review) == ("scored", "accept", "sales", None)
    assert (found.score, found.fit, found.intent, found.tier) == (90, 100, 100, "A")
    assert found.reason_codes == ("INTENT_CLEAR", "SIZE_HIGH", "TO_SALES")
    assert found.fingerprint == LEAD.fingerprint()
    assert found.fields == LEAD.signals()
    assert (found.connection, found.record_id, found.policy_version, found.trace_id) == ("hubspot", "1", "7", "t")
    assert (found.used, found.cost_usd, found.decided_at) == ("model-a", 0.001, NOW)
    assert [hit.rule for hit in found.hits] == ["to-sales"]


def test_reasons_carry_the_evidence_and_the_sentence() -> None:
    found = decide(policy(ROUTE), judged_=judged(verdict(quote="need a demo", field="message")))
    intent = found.reasons[0]
    assert (intent.code, intent.source, intent.quote, intent.field) == (
        "INTENT_CLEAR", "criterion:intent", "need a demo", "message",
    )  # fmt: skip
    assert intent.sentence == "INTENT_CLEAR holds. need a demo"
    assert found.reasons[-1].sentence == "Because to-sales."


def test_weightier_reasons_come_first_and_each_code_once() -> None:
    rubric = make.rubric(
        make.criterion("small", weight=10), make.criterion("large", weight=60), make.asked(weight=30)
    )  # fmt: skip
    found = decide(make.policy(rubric, rules=(ROUTE,)), levels={("small", "high"): "match", ("large", "high"): "match"})
    assert found.reason_codes == ("LARGE_HIGH", "INTENT_CLEAR", "SMALL_HIGH", "TO_SALES")


def test_a_gate_decides_alone_and_asks_no_model() -> None:
    gate = rule("spam", "gate", outcome="reject", route="bin")
    found = decide(policy(gate, ROUTE), matching=("spam", "to-sales"), gated=True)
    assert (found.status, found.outcome, found.route, found.review) == ("rejected", "reject", "bin", None)
    assert (found.score, found.tier, found.confidence, found.used) == (None, None, None, None)
    assert found.reason_codes == ("SPAM",)
    assert found.cost_usd == 0.0


def test_a_gate_that_cannot_tell_asks_a_person_where_its_rule_says_so() -> None:
    gate = rule("customer", "gate", outcome="reject", on_unknown="review")
    found = decide(policy(gate), unknown=("customer",), gated=True)
    assert (found.status, found.outcome, found.review) == ("in_review", "review", "guardrail")


def test_a_lead_that_no_gate_stopped_must_be_judged() -> None:
    with pytest.raises(ValueError, match="must be judged"):
        decide(policy(ROUTE), gated=True)


def test_without_a_route_a_person_decides() -> None:
    found = decide(policy(ROUTE), matching=())
    assert (found.status, found.outcome, found.route, found.review) == ("in_review", "review", None, "guardrail")
    assert "NO_ROUTE" in found.reason_codes


def test_the_first_route_that_matches_wins() -> None:
    other = rule("to-emea", "route", outcome="nurture", route="emea", priority=1)
    found = decide(policy(ROUTE, other), matching=("to-sales", "to-emea"))
    assert (found.outcome, found.route) == ("nurture", "emea")
    assert "TO_SALES" not in found.reason_codes


def test_routes_see_the_score_and_guardrails_see_the_outcome() -> None:
    seen: dict[str, Any] = {}

    def watch(name: str) -> Any:
        def predicate(facts: Any) -> Any:
            seen[name] = dict(facts["result"])
            return make.says("match" if name == "to-sales" else "no_match")(facts)

        return predicate

    guard = rule("guard", "guardrail", outcome="review")
    runnable = make.runnable(
        policy(ROUTE, guard), rules={"to-sales": watch("to-sales"), "guard": watch("guard")}, levels=HIGH
    )
    decisions.decide(runnable, LEAD, connection="c", record_id="1", gates=(), judged=judged(), now=NOW)
    assert seen["to-sales"] == {"score": 90, "fit": 100, "intent": 100, "tier": "A", "confidence": 0.9}
    assert seen["guard"] == {**seen["to-sales"], "outcome": "accept", "route": "sales"}


def test_a_guardrail_sends_to_review_and_says_why() -> None:
    guard = rule("too-good", "guardrail", outcome="review")
    found = decide(policy(ROUTE, guard), matching=("to-sales", "too-good"))
    assert (found.status, found.outcome, found.review, found.route) == ("in_review", "review", "guardrail", "sales")
    assert found.reason_codes[-1] == "TOO_GOOD"


def test_a_guardrail_with_an_outcome_of_its_own_has_the_last_word() -> None:
    guard = rule("embargo", "guardrail", outcome="reject", route="legal")
    found = decide(policy(ROUTE, guard), matching=("to-sales", "embargo"))
    assert (found.status, found.outcome, found.route, found.review) == ("rejected", "reject", "legal", None)


def test_a_contradiction_goes_to_review() -> None:
    clash = rule("size-clash", "contradiction")
    found = decide(policy(ROUTE, clash), matching=("to-sales", "size-clash"))
    assert (found.outcome, found.review) == ("review", "contradiction")
    assert "SIZE_CLASH" in found.reason_codes


def test_a_contradiction_that_cannot_be_told_is_reviewed_where_its_rule_says_so() -> None:
    asks = rule("asks", "contradiction", on_unknown="review")
    skips = rule("skips", "contradiction")
    found = decide(policy(ROUTE, asks, skips), unknown=("asks", "skips"))
    assert (found.outcome, found.review) == ("review", "contradiction")
    assert "ASKS" in found.reason_codes
    assert "SKIPS" not in found.reason_codes
    assert decide(policy(ROUTE, skips), unknown=("skips",)).review is None


def test_disagreeing_models_go_to_review() -> None:
    found = decide(policy(ROUTE), judged_=judged(contradiction=True))
    assert found.review == "contradiction"
    assert "MODELS_DISAGREE" in found.reason_codes


def test_low_confidence_goes_to_review() -> None:
    found = decide(policy(ROUTE), judged_=judged(verdict("vague", 0.4)))
    assert found.confidence == pytest.approx(0.4)
    assert (found.outcome, found.review) == ("review", "low_confidence")
    assert "LOW_CONFIDENCE" in found.reason_codes


def test_a_fallback_always_goes_to_review_and_says_that_no_model_answered() -> None:
    found = decide(policy(ROUTE), judged_=judged(fallback=True, errors=("model-a timed out",)))
    assert (found.outcome, found.review, found.fallback) == ("review", "low_confidence", True)
    assert "MODEL_UNAVAILABLE" in found.reason_codes
    assert "LOW_CONFIDENCE" not in found.reason_codes
    assert found.errors == ("model-a timed out",)


def test_text_that_instructs_goes_to_review_before_anything_else() -> None:
    found = decide(
        policy(ROUTE), judged_=judged(verdict("unknown", 0, flags=("INJECTION_SUSPECT",)), contradiction=True)
    )
    assert (found.outcome, found.review) == ("review", "guardrail")
    assert "INJECTION_SUSPECT" in found.reason_codes


def test_words_alone_do_not_make_the_top_tier() -> None:
    rubric = make.rubric(make.criterion(weight=10), make.asked(weight=90), free_text_cap=100)
    found = decide(make.policy(rubric, rules=(ROUTE,)), levels={("size", "low"): "match"})
    assert (found.score, found.tier) == (90, "B")
    assert "NO_CORROBORATION" in found.reason_codes


def test_the_first_level_that_holds_wins_and_an_unknown_better_one_is_not_passed_over() -> None:
    def levels(**truths: str) -> str:
        runnable = make.runnable(policy(ROUTE), levels={("size", name): truth for name, truth in truths.items()})
        return decisions.rule_verdicts(runnable, LEAD)[0].level

    assert levels(high="match", low="match") == "high"
    assert levels(high="no_match", low="match") == "low"
    assert levels(high="unknown", low="match") == "unknown"
    assert levels(high="no_match", low="no_match") == "unknown"


@given(st.lists(st.tuples(st.none() | st.floats(0, 1), st.booleans()), max_size=4))
def test_cost_counts_calls_that_were_made_and_unknown_is_not_nothing(calls: list[tuple[float | None, bool]]) -> None:
    total = decisions.total_cost([assessment(verdict(), cost=cost, cached=cached) for cost, cached in calls])
    paid = [cost for cost, cached in calls if not cached]
    assert total == (None if None in paid else pytest.approx(sum(cost or 0 for cost in paid)))


def test_a_decision_survives_storage() -> None:
    found = decide(policy(ROUTE, rule("clash", "contradiction")), unknown=("clash",))
    stored = json.loads(canonical_json(found.model_dump(mode="json")))
    again = Decision.model_validate(stored)
    assert canonical_json(again.model_dump(mode="json")) == canonical_json(stored)
    assert again == found


@given(st.data())
def test_every_decision_has_a_status_that_fits_its_outcome(data: st.DataObject) -> None:
    rubric = data.draw(make.rubrics())
    outcomes = st.sampled_from(["accept", "nurture", "reject", "review"])
    rules = (
        rule("c", "contradiction"), rule("r", "route", outcome=data.draw(outcomes)),
        rule("g", "guardrail", outcome=data.draw(outcomes)),
    )  # fmt: skip
    verdicts = data.draw(make.verdicts(rubric))
    found = decide(
        make.policy(rubric, rules=rules), levels={},
        matching=data.draw(st.sets(st.sampled_from(["c", "r", "g"])).map(tuple)),
        judged_=Judged(verdicts=verdicts, used="m", fallback=data.draw(st.booleans())),
    )  # fmt: skip
    assert found.status == {"review": "in_review", "reject": "rejected"}.get(found.outcome, "scored")
    assert (found.review is not None) == (found.outcome == "review")
    assert found.reasons
    assert len({(reason.code, reason.source) for reason in found.reasons}) == len(found.reasons)


@pytest.mark.parametrize(
    ("disputes", "agreed", "settled"),
    [("weighed", 0.8, True), ("weighed", 0.99, False), ("said", 0.8, False), (None, 0.8, False)],
)
def test_a_dispute_is_settled_where_the_tier_is_as_sure_as_the_precision_agreed_on(
    disputes: str | None, agreed: float, settled: bool
) -> None:
    small, large = verdict("none", 0.8, decided_by="small"), verdict("clear", 0.95, decided_by="large")
    made = policy(ROUTE)
    targets = made.rubric.targets.model_copy(update={"precision": agreed})
    made = made.model_copy(update={"rubric": made.rubric.model_copy(update={"targets": targets})})
    nothing = Figures(n=0, right=None, ece=None, brier=None, auroc=None)
    learnt = disputes and Calibration(
        rubric="r", rubric_version="1", models=("small", "large"), labels=60, data="d", source="test",
        beliefs=Beliefs(models={"small": Reliability(), "large": Reliability()}), curve=Curve(),
        before=nothing, after=nothing, disputes=disputes,
    )  # fmt: skip
    runnable = make.runnable(made, rules={"to-sales": make.says("match")}, levels=HIGH)._replace(
        calibration=learnt or None
    )
    both = judged(large, used="large").model_copy(update={"weighed": ((small,), (large,))})
    assert decisions.settled(runnable, LEAD, both) is settled
    stranger = both.model_copy(update={"used": "another"})
    assert not decisions.settled(runnable, LEAD, stranger), "who is outside the calibration's chain settles nothing"
