"""Replies in the shapes of providers: OpenAI's chat completions, Anthropic's messages, Ollama's chat and generate."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tierwise_sandbox.model_replies import Reply
from tierwise_sandbox.model_requests import Ask


class Shape(NamedTuple):
    """How one kind of endpoint speaks."""

    answer: Callable[[Ask, Reply], dict[str, Any]]
    error: Callable[[int, str, str, str | None], dict[str, Any]]
    """Of status, message, type and code."""


KINDS: Mapping[int, tuple[str, str]] = {
    400: ("invalid_request_error", "The request is not valid."),
    401: ("authentication_error", "Incorrect API key provided."),
    403: ("permission_error", "The key may not use this model."),
    404: ("not_found_error", "The model does not exist."),
    408: ("timeout_error", "The request took too long."),
    429: ("rate_limit_error", "Rate limit reached for requests."),
    500: ("api_error", "The server had an error while processing your request."),
    503: ("overloaded_error", "The engine is currently overloaded, please try again later."),
    504: ("timeout_error", "The server took too long to answer."),
}


def tokens(text: str) -> int:
    """About as many as a tokenizer would count."""
    return len(text) // 4 + 1


def failure(shape: Shape, reply: Reply, ask: Ask) -> dict[str, Any]:
    """The body of a reply that is no answer."""
    kind, message = KINDS.get(reply.status, ("api_error", "Something went wrong."))
    code = None
    if reply.ending == "context_overflow":
        code = "context_length_exceeded"
        message = f"prompt is too long: {tokens(ask.prompt)} tokens > maximum context length of this model"
        if shape is OPENAI:
            message = f"This model's maximum context length is exceeded by your messages ({tokens(ask.prompt)} tokens)."
    return shape.error(reply.status, message, kind, code)


def _openai(ask: Ask, reply: Reply) -> dict[str, Any]:
    refused = reply.ending == "refusal"
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if refused else reply.content,
        "refusal": reply.content if refused else None,
    }
    if ask.tool and not reply.ending:
        call = {
            "id": f"call_{uuid.uuid4().hex[:24]}",
            "type": "function",
            "function": {"name": ask.tool, "arguments": reply.content},
        }
        message |= {"content": None, "tool_calls": [call]}
    ended = {"truncated": "length"}.get(reply.ending, "tool_calls" if message.get("tool_calls") else "stop")
    given, made = tokens(ask.prompt), tokens(reply.content)
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex[:24]}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": ask.model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": ended}],
        "usage": {"prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made},
        "system_fingerprint": "fp_sandbox",
    }


def _anthropic(ask: Ask, reply: Reply) -> dict[str, Any]:
    blocks: list[dict[str, Any]] = [{"type": "text", "text": reply.content}] if reply.content else []
    ended = {"truncated": "max_tokens", "refusal": "refusal"}.get(reply.ending, "end_turn")
    if ask.tool and not reply.ending:
        ended = "tool_use"
        blocks = [
            {
                "type": "tool_use",
                "id": f"toolu_{uuid.uuid4().hex[:24]}",
                "name": ask.tool,
                "input": _object(reply.content),
            }
        ]
    return {
        "id": f"msg_{uuid.uuid4().hex[:24]}",
        "type": "message",
        "role": "assistant",
        "model": ask.model,
        "content": blocks,
        "stop_reason": ended,
        "stop_sequence": None,
        "usage": {
            "input_tokens": tokens(ask.prompt),
            "output_tokens": tokens(reply.content),
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
        },
    }


def _ollama_counts(ask: Ask, reply: Reply) -> dict[str, Any]:
    return {
        "model": ask.model,
        "created_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "done": True,
        "done_reason": "length" if reply.ending == "truncated" else "stop",
        "total_duration": 1_000_000,
        "load_duration": 0,
        "prompt_eval_count": tokens(ask.prompt),
        "eval_count": tokens(reply.content),
    }


def _ollama_chat(ask: Ask, reply: Reply) -> dict[str, Any]:
    return {**_ollama_counts(ask, reply), "message": {"role": "assistant", "content": reply.content}}


def _ollama_generate(ask: Ask, reply: Reply) -> dict[str, Any]:
    return {**_ollama_counts(ask, reply), "response": reply.content}


def _openai_error(_status: int, message: str, kind: str, code: str | None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def _anthropic_error(_status: int, message: str, kind: str, _code: str | None) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}}


def _ollama_error(_status: int, message: str, _kind: str, _code: str | None) -> dict[str, Any]:
    return {"error": message}


def _object(content: str) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return {"broken": content}


OPENAI = Shape(_openai, _openai_error)
ANTHROPIC = Shape(_anthropic, _anthropic_error)
OLLAMA_CHAT = Shape(_ollama_chat, _ollama_error)
OLLAMA_GENERATE = Shape(_ollama_generate, _ollama_error)
