"""What a finding says without words is what the decision says with them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tierwise_fixtures import policies as make

from tierwise.domain import decision as decisions
from tierwise.domain import finding, rules
from tierwise.domain.decision import Judged
from tierwise.domain.lead import Lead

NOW = datetime(2026, 11, 2, tzinfo=UTC)
STAGES = ("gate", "contradiction", "route", "guardrail")
OUTCOMES = (None, "accept", "nurture", "reject", "review")
TRUTHS = ("match", "no_match", "unknown")


def _rule(place: int, stage: str, outcome: str | None, on_unknown: str) -> dict[str, Any]:
    return {
        "id": f"rule-{place}", "stage": stage, "when": "true", "reason": f"CODE_{place % 3}", "owner": "ops",
        "why": "Because of {lead.company}." if place % 2 else "", "outcome": outcome, "on_unknown": on_unknown,
        "route": "sales" if outcome == "accept" else None,
    }  # fmt: skip


@given(st.data())
def test_a_finding_is_the_decision_without_its_words(data: st.DataObject) -> None:
    rubric = data.draw(make.rubrics())
    drawn = data.draw(
        st.lists(
            st.tuples(st.sampled_from(STAGES), st.sampled_from(OUTCOMES), st.sampled_from(("skip", "review"))),
            max_size=7,
        )
    )
    policy = make.policy(rubric, rules=[_rule(place, *parts) for place, parts in enumerate(drawn)])
    runnable = make.runnable(
        policy,
        rules={rule.id: make.says(data.draw(st.sampled_from(TRUTHS))) for rule in policy.rules},
        levels={
            (criterion.id, level.id): data.draw(st.sampled_from(TRUTHS))
            for criterion in rubric.criteria
            for level in criterion.levels
        },
    )
    asked = {item.id for item in rubric.asked}
    verdicts = tuple(item for item in data.draw(make.verdicts(rubric)) if item.criterion in asked)
    judged = Judged(verdicts=verdicts, contradiction=data.draw(st.booleans()), fallback=data.draw(st.booleans()))
    message = data.draw(st.sampled_from([None, "We have 9000 employees and ship a lot."]))
    lead = Lead(company="Acme", employee_count=20, message=message)
    facts = {"lead": lead.signals()}
    gates = decisions.gate(runnable, lead)
    said = None if rules.first(gates) is not None else judged
    made = decisions.decide(runnable, lead, connection="c", record_id="1", gates=gates, judged=said, now=NOW)
    wordless = rules.evaluate(policy.rules, "gate", predicates=runnable.rules, facts=facts, told=False)
    found = finding.find(runnable, lead, facts["lead"], gates=wordless, judged=said, told=False)
    assert [(hit.rule, hit.truth, hit.outcome) for hit in wordless] == [
        (hit.rule, hit.truth, hit.outcome) for hit in gates
    ]
    card = found.weighed
    assert (found.outcome, found.route, found.review, found.codes, found.confidence) == (
        made.outcome, made.route, made.review, made.reason_codes, made.confidence,
    )  # fmt: skip
    assert (card.score, card.tier, card.confidence) if card else (
        made.score, made.tier, made.confidence_raw,
    ) == (None, None, None)  # fmt: skip
    assert [hit.rule for hit in found.hits] == [hit.rule for hit in made.hits]
    if card is not None:
        assert made.scorecard == card.card()
