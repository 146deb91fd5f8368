from __future__ import annotations

from typing import Any

import pytest

from tierwise_sandbox.model_requests import BadAsk, anthropic_ask, openai_ask

CLOSED: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
TALK = {"model": "m", "messages": [{"role": "user", "content": "one"}, {"role": "user", "content": "two"}]}


def strict(schema: dict[str, Any]) -> dict[str, Any]:
    wanted = {"name": "x", "schema": schema, "strict": True}
    return {**TALK, "response_format": {"type": "json_schema", "json_schema": wanted}}


def test_openai_takes_a_schema_or_a_forced_tool_or_neither() -> None:
    ask = openai_ask(strict(CLOSED))
    assert (ask.schema, ask.tool, ask.prompt, ask.turn) == (CLOSED, None, "one\n\ntwo", 2)
    tools = [{"type": "function", "function": {"name": "f", "parameters": CLOSED}}]
    choice = {"type": "function", "function": {"name": "f"}}
    assert openai_ask({**TALK, "tools": tools, "tool_choice": choice}).tool == "f"
    assert openai_ask({**TALK, "tools": tools}).schema is None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"additionalProperties": True}, "'additionalProperties' is required"),
        ({"required": []}, "Missing 'a'"),
        ({"properties": {"a": {"type": "object", "properties": {}}}}, "'additionalProperties' is required"),
    ],
)
def test_openai_refuses_strict_schemas_that_are_not(change: dict[str, Any], told: str) -> None:
    with pytest.raises(BadAsk, match=told):
        openai_ask(strict({**CLOSED, **change}))


def test_anthropic_takes_a_schema_in_two_places_or_a_tool() -> None:
    talk = {**TALK, "max_tokens": 100, "system": [{"type": "text", "text": "zero"}]}
    wanted = {"type": "json_schema", "schema": CLOSED}
    assert anthropic_ask({**talk, "output_format": wanted}).schema == CLOSED
    ask = anthropic_ask({**talk, "output_config": {"format": wanted}})
    assert (ask.schema, ask.prompt) == (CLOSED, "zero\n\none\n\ntwo")
    tools = [{"name": "t", "input_schema": CLOSED}]
    assert anthropic_ask({**talk, "tools": tools, "tool_choice": {"type": "tool", "name": "t"}}).tool == "t"


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({**CLOSED, "additionalProperties": True}, "must be explicitly set to false"),
        ({**CLOSED, "properties": {"a": {"type": "number", "maximum": 1}}}, "'maximum' is not supported"),
    ],
)
def test_anthropic_refuses_what_it_cannot_enforce(schema: dict[str, Any], told: str) -> None:
    with pytest.raises(BadAsk, match=told):
        anthropic_ask({**TALK, "max_tokens": 1, "output_format": {"type": "json_schema", "schema": schema}})


@pytest.mark.parametrize("change", [{"model": ""}, {"messages": []}, {"stream": True}, {"messages": "hi"}])
def test_requests_without_the_necessary_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadAsk):
        openai_ask({**TALK, **change})
    with pytest.raises(BadAsk):
        anthropic_ask({**TALK, "max_tokens": 1, **change})
    with pytest.raises(BadAsk, match="max_tokens"):
        anthropic_ask(TALK)
