from __future__ import annotations

from tierwise_sandbox import model_shapes
from tierwise_sandbox.model_replies import Reply
from tierwise_sandbox.model_requests import Ask

ASK = Ask("m", "prompt", None)


def test_endings_are_told_as_each_provider_tells_them() -> None:
    cut, refused = Reply('{"a', ending="truncated"), Reply("I cannot.", ending="refusal")
    assert model_shapes.OPENAI.answer(ASK, cut)["choices"][0]["finish_reason"] == "length"
    assert model_shapes.ANTHROPIC.answer(ASK, cut)["stop_reason"] == "max_tokens"
    assert model_shapes.OLLAMA_CHAT.answer(ASK, cut)["done_reason"] == "length"
    message = model_shapes.OPENAI.answer(ASK, refused)["choices"][0]["message"]
    assert (message["content"], message["refusal"]) == (None, "I cannot.")
    assert model_shapes.ANTHROPIC.answer(ASK, refused)["stop_reason"] == "refusal"


def test_failures_are_told_as_each_provider_tells_them() -> None:
    overflow, limited = Reply(status=400, ending="context_overflow"), Reply(status=429)
    assert model_shapes.failure(model_shapes.OPENAI, overflow, ASK)["error"]["code"] == "context_length_exceeded"
    said = model_shapes.failure(model_shapes.ANTHROPIC, overflow, ASK)["error"]["message"]
    assert said.startswith("prompt is too long")
    assert model_shapes.failure(model_shapes.ANTHROPIC, limited, ASK)["error"]["type"] == "rate_limit_error"
    assert "Rate limit" in model_shapes.failure(model_shapes.OLLAMA_CHAT, limited, ASK)["error"]


def test_an_empty_answer_has_no_block() -> None:
    assert model_shapes.ANTHROPIC.answer(ASK, Reply(""))["content"] == []
    assert model_shapes.OLLAMA_GENERATE.answer(ASK, Reply("text"))["response"] == "text"
