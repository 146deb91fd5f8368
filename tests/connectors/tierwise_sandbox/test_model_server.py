from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from tierwise_sandbox import scenario
from tierwise_sandbox.portal import Portal

LEVELS = {
    "type": "string",
    "enum": ["yes", "no", "unknown"],
    "description": "yes: a budget is stated; no: there is none",
}
CRITERION: dict[str, Any] = {
    "type": "object",
    "description": "Is there a budget?",
    "properties": {
        "level": LEVELS,
        "probability": {"type": "number"},
        "quote": {"type": "string"},
        "field": {"type": "string", "enum": ["message"]},
    },
    "required": ["level", "probability", "quote", "field"],
    "additionalProperties": False,
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"budget": CRITERION},
    "required": ["budget"],
    "additionalProperties": False,
}
LEAD = '<lead nonce="ab12" mark="^">\n{"message": "Hello.^We^have^a^budget^of^$40k."}\n</lead nonce="ab12">'
MESSAGES = [{"role": "user", "content": LEAD}]
OPENAI = {
    "model": "gpt-x",
    "messages": MESSAGES,
    "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA, "strict": True}},
}
ANTHROPIC = {
    "model": "claude-x",
    "messages": MESSAGES,
    "max_tokens": 500,
    "output_format": {"type": "json_schema", "schema": SCHEMA},
}


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/chat/completions"])
def test_openai_answers_in_its_shape(model: Any, portal: Portal, path: str) -> None:
    answer = model.post(path, json=OPENAI).json()
    assert answer["object"] == "chat.completion"
    content = json.loads(answer["choices"][0]["message"]["content"])
    jsonschema.validate(content, SCHEMA)
    assert content["budget"]["level"] == "yes"
    assert content["budget"]["quote"] == "We^have^a^budget^of^$40k."
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert portal.model.calls == {"gpt-x": 1}
    assert portal.model.in_flight == 0


def test_anthropic_answers_in_its_shape(model: Any) -> None:
    answer = model.post("/v1/messages", json=ANTHROPIC).json()
    assert (answer["type"], answer["stop_reason"]) == ("message", "end_turn")
    jsonschema.validate(json.loads(answer["content"][0]["text"]), SCHEMA)
    assert answer["usage"]["output_tokens"] > 0


def test_anthropic_answers_through_a_tool_where_one_is_forced(model: Any) -> None:
    tool = {"name": "json_tool_call", "input_schema": SCHEMA}
    asked = {**ANTHROPIC, "tools": [tool], "tool_choice": {"type": "tool", "name": "json_tool_call"}}
    del asked["output_format"]
    answer = model.post("/v1/messages", json=asked).json()
    block = answer["content"][0]
    assert (block["type"], block["name"], answer["stop_reason"]) == ("tool_use", "json_tool_call", "tool_use")
    jsonschema.validate(block["input"], SCHEMA)


def test_two_models_do_not_say_exactly_the_same(model: Any) -> None:
    said = set()
    for name in ("gpt-x", "gpt-y", "claude-z"):
        content = model.post("/v1/chat/completions", json={**OPENAI, "model": name}).json()["choices"][0]["message"][
            "content"
        ]
        again = model.post("/v1/chat/completions", json={**OPENAI, "model": name}).json()["choices"][0]["message"][
            "content"
        ]
        assert content == again
        said.add(content)
    assert len(said) > 1


def test_a_garbled_model_never_answers_and_a_stuttering_one_when_asked_again(model: Any) -> None:
    def content(name: str, messages: list[dict[str, str]]) -> str:
        answer = model.post("/v1/chat/completions", json={**OPENAI, "model": name, "messages": messages})
        text: str = answer.json()["choices"][0]["message"]["content"]
        return text

    again = [*MESSAGES, {"role": "assistant", "content": "{"}, {"role": "user", "content": "Once more."}]
    for name, messages in (("garbled-1", MESSAGES), ("garbled-1", again), ("stutter-1", MESSAGES)):
        with pytest.raises(json.JSONDecodeError):
            json.loads(content(name, messages))
    jsonschema.validate(json.loads(content("stutter-1", again)), SCHEMA)


def test_errors_have_the_providers_shapes(model: Any) -> None:
    bare = {"Authorization": "", "x-api-key": ""}
    answer = model.post("/v1/chat/completions", json=OPENAI, headers=bare)
    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "invalid_request_error")
    answer = model.post("/v1/messages", json=ANTHROPIC, headers=bare)
    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "authentication_error")
    assert model.post("/v1/chat/completions", content=b"{").status_code == 400
    answer = model.post("/v1/messages", json={"model": "m"})
    assert (answer.status_code, answer.json()["type"]) == (400, "error")


def test_faults_of_the_portal_reach_the_models(model: Any, portal: Portal) -> None:
    portal.faults.replace([{"match": {"path": "/chat/completions"}, "action": "status", "status": 429}])
    assert model.post("/v1/chat/completions", json=OPENAI).status_code == 429
    assert model.post("/v1/chat/completions", json=OPENAI).status_code == 200


def test_ollama_answers_in_its_shape_without_a_key(model: Any) -> None:
    body = {"model": "qwen", "messages": MESSAGES, "format": SCHEMA, "stream": False}
    answer = model.post("/api/chat", json=body, headers={"Authorization": ""}).json()
    jsonschema.validate(json.loads(answer["message"]["content"]), SCHEMA)
    assert (answer["done"], answer["done_reason"]) == (True, "stop")
    assert answer["prompt_eval_count"] > 0
    body = {"model": "qwen", "prompt": LEAD, "format": SCHEMA, "stream": False}
    jsonschema.validate(json.loads(model.post("/api/generate", json=body).json()["response"]), SCHEMA)
    assert model.post("/api/generate", json={**body, "stream": True}).status_code == 400
    assert model.post("/api/show", json={"model": "qwen"}).json()["capabilities"] == ["completion"]


def test_a_behaviour_set_at_the_door_of_the_portal_is_served(model: Any, portal: Portal) -> None:
    scenario.apply(portal, {"models": {"gpt-x": {"accuracy": 1.0, "stated": [0.9, 0.9], "script": [{"status": 503}]}}})
    assert model.post("/v1/chat/completions", json=OPENAI).status_code == 503
    answer = model.post("/v1/chat/completions", json=OPENAI).json()
    assert json.loads(answer["choices"][0]["message"]["content"])["budget"]["probability"] == 0.9
    scenario.apply(portal, {"models": {}})
    assert model.post("/v1/chat/completions", json=OPENAI).status_code == 200
