from __future__ import annotations

from typing import Any

import pytest

from tierwise_sandbox.portal import Portal

LEAD = '<lead nonce="ab12" mark="^">\n{"message": "Hello.^We^have^a^budget^of^$40k."}\n</lead nonce="ab12">'
CHOICE = {
    "type": "choice",
    "name": "budget",
    "instructions": "Is there a budget?",
    "choices": [
        {"value": "yes", "description": "a budget is stated"},
        {"value": "no", "description": "there is none"},
        {"value": "unknown"},
    ],
}
PREDICATE = {"type": "predicate", "name": "spam", "instructions": "Is this spam?"}
SCORE = {
    "type": "score",
    "instructions": "How large is the budget?",
    "levels": [{"label": "none", "description": "no budget"}, {"label": "some"}, {"label": "large"}],
}
BODY = {"model": "gpt-x", "input": LEAD, "questions": [CHOICE, PREDICATE, SCORE]}


def test_every_question_gets_probabilities_in_its_order(model: Any, portal: Portal) -> None:
    answer = model.post("/v1/decisions", json=BODY).json()
    choice, predicate, score = answer["answers"]
    assert (choice["type"], choice["name"], choice["choice"]) == ("choice", "budget", "yes")
    assert sum(item["probability"] for item in choice["probabilities"]) == pytest.approx(1, abs=0.001)
    assert [item["value"] for item in choice["probabilities"]] == ["yes", "no", "unknown"]
    assert predicate["name"] == "spam"
    assert 0 <= predicate["probability"] <= 1
    assert [item["label"] for item in score["probabilities"]] == ["none", "some", "large"]
    assert 0 <= score["score"] <= 2
    assert answer["usage"]["total_tokens"] > 0
    assert portal.model.calls == {"gpt-x": 1}


def test_messages_are_taken_and_the_same_is_answered(model: Any) -> None:
    messages = [{"role": "user", "content": [{"type": "input_text", "text": LEAD}]}]
    first = model.post("/v1/decisions", json=BODY).json()
    assert model.post("/v1/decisions", json={**BODY, "input": messages}).json()["answers"] == first["answers"]


def test_a_behaviour_applies(model: Any, portal: Portal) -> None:
    portal.replies.set({"gpt-x": {"accuracy": 1.0, "stated": [0.9, 0.9]}})
    assert model.post("/v1/decisions", json=BODY).json()["answers"][0]["confidence"] == 0.9
    portal.replies.set({"gpt-x": {"refusal": 1.0}})
    kinds = [item["type"] for item in model.post("/v1/decisions", json=BODY).json()["answers"]]
    assert kinds == ["refusal"] * 3
    portal.replies.set({"gpt-x": {"truncated": 1.0}})
    assert len(model.post("/v1/decisions", json=BODY).json()["answers"]) == 1
    portal.replies.set({"gpt-x": {"errors": {"429": 1.0}}})
    assert model.post("/v1/decisions", json=BODY).status_code == 429


@pytest.mark.parametrize(
    "wrong",
    [
        {"questions": []},
        {"questions": [{"type": "essay", "instructions": "Why?"}]},
        {"questions": [{**CHOICE, "choices": CHOICE["choices"][:1]}]},
        {"questions": [{**CHOICE, "choices": [{"value": "yes"}, {"value": "yes"}]}]},
        {"questions": [{"type": "predicate"}]},
        {"input": ""},
        {"model": ""},
    ],
)
def test_what_the_provider_refuses_is_refused(model: Any, wrong: dict[str, Any]) -> None:
    assert model.post("/v1/decisions", json={**BODY, **wrong}).status_code == 400


def test_without_a_key_nobody_is_answered(model: Any) -> None:
    assert model.post("/v1/decisions", json=BODY, headers={"Authorization": ""}).status_code == 401
