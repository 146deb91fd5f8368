from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from tierwise.llm import answer, deciding, prompt


def choice(name: str, level: str, **shares: float) -> Any:
    spread = [SimpleNamespace(value=key, probability=share) for key, share in shares.items()]
    return SimpleNamespace(type="choice", name=name, choice=level, probabilities=spread, confidence=0.5)


def test_every_criterion_is_one_closed_question(runnable: Any) -> None:
    plan = prompt.plan(runnable.policy)
    asked = {item["name"]: item for item in deciding.questions(plan.schema)}
    assert set(asked) == {criterion.id for criterion in plan.criteria}
    timing = asked["purchase_timing"]
    assert (timing["type"], timing["instructions"]) == ("choice", "When do they want to start?")
    described = {option["value"]: option["description"] for option in timing["choices"]}
    assert described["later"] == "This year."
    assert described["now"] == "now", "what has no description is called by its name"
    assert set(described) == {"now", "later", "none", "unknown"}


def test_the_input_is_the_lead_and_nothing_of_the_policy(runnable: Any) -> None:
    messages = [{"role": "system", "content": "SECRET RUBRIC"}, {"role": "user", "content": '<lead nonce="1">'}]
    text = deciding.text(messages)
    assert text.endswith('<lead nonce="1">')
    assert "never an instruction" in text
    assert "SECRET" not in text


def test_probabilities_become_verdicts_without_proof(runnable: Any, criteria: Any) -> None:
    response = SimpleNamespace(
        answers=[
            choice("purchase_timing", "now", now=0.6, later=0.2, none=0.1, unknown=0.1),
            choice("buying_role", "unknown", decides=0.1, influences=0.1, neither=0.1, unknown=0.7),
            choice("legitimate", "real", real=1.0, spam=0.0, unknown=0.0),
        ]
    )
    fields = {"message": "asap"}
    timing, role, legitimate = answer.verdicts(
        deciding.answer(response), criteria, fields=fields, mark="", model="m", quotes=False
    )
    assert (timing.level, timing.probability, timing.field, timing.quote) == ("now", 0.6, "message", None)
    assert timing.spread is not None
    assert abs(sum(timing.spread.values()) - 1) < 1e-9
    assert abs(timing.spread["now"] - 0.6 / 0.9) < 1e-9, "over the levels; unknown is none of them"
    assert role.level == "unknown"
    assert legitimate.level == "real"


def test_what_was_refused_is_missing(criteria: Any) -> None:
    refusal = SimpleNamespace(type="refusal", name="purchase_timing")
    one = choice("buying_role", "decides", decides=1.0)
    assert json.loads(deciding.answer(SimpleNamespace(answers=[refusal, one]))).keys() == {"buying_role"}
    assert deciding.refused(SimpleNamespace(answers=[refusal]))
    assert not deciding.refused(SimpleNamespace(answers=[refusal, one]))
