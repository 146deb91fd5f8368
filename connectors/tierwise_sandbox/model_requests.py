"""What a provider is asked, out of its own request shape: model, prompt, schema, and the tool to answer through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class BadAsk(Exception):
    """A request that the real provider refuses with 400; the message is what it says."""


@dataclass(frozen=True)
class Ask:
    model: str
    prompt: str
    schema: Mapping[str, Any] | None
    tool: str | None = None
    """Name of the tool whose arguments are the answer, where the client forces one."""
    turn: int = 1
    """How many messages of the user there are."""


def openai_ask(body: Mapping[str, Any]) -> Ask:
    model, prompt, turn = _model(body), _prompt(body), _turn(body)
    asked = body.get("response_format") or {}
    if asked.get("type") == "json_schema":
        wanted = asked.get("json_schema") or {}
        schema = wanted.get("schema")
        if not isinstance(schema, dict):
            raise BadAsk("Missing required parameter: 'response_format.json_schema.schema'.")
        if wanted.get("strict"):
            _check_strict(schema, str(wanted.get("name")), ())
        return Ask(model, prompt, schema, turn=turn)
    for tool in body.get("tools") or ():
        function = tool.get("function") or {}
        choice = body.get("tool_choice")
        forced = choice["function"].get("name") if isinstance(choice, dict) and "function" in choice else None
        if choice == "required" or forced == function.get("name"):
            return Ask(model, prompt, function.get("parameters") or {}, str(function.get("name")), turn)
    return Ask(model, prompt, {"type": "object"} if asked.get("type") == "json_object" else None, turn=turn)


def anthropic_ask(body: Mapping[str, Any]) -> Ask:
    model, prompt, turn = _model(body), _prompt(body), _turn(body)
    if not isinstance(body.get("max_tokens"), int):
        raise BadAsk("max_tokens: Field required")
    asked = body.get("output_format") or (body.get("output_config") or {}).get("format")
    if asked:
        if asked.get("type") != "json_schema" or not isinstance(asked.get("schema"), dict):
            raise BadAsk("output_format: a json_schema with a schema is expected")
        _check_closed(asked["schema"], ())
        return Ask(model, prompt, asked["schema"], turn=turn)
    tools: Sequence[Mapping[str, Any]] = body.get("tools") or ()
    choice = body.get("tool_choice") or {}
    for tool in tools:
        if choice.get("name") == tool.get("name") or choice.get("type") == "any" or len(tools) == 1:
            return Ask(model, prompt, tool.get("input_schema") or {}, str(tool.get("name")), turn)
    return Ask(model, prompt, None, turn=turn)


def ollama_ask(body: Mapping[str, Any]) -> Ask:
    """`/api/chat` with messages or `/api/generate` with a prompt; `format` is a schema, or "json"."""
    if body.get("stream") is not False:
        # Ollama streams unless told not to; this server has one answer a request.
        raise BadAsk("the sandbox does not stream; send the request with stream false")
    model = _model(body)
    if "messages" in body:
        prompt, turn = _prompt(body), _turn(body)
    elif isinstance(body.get("prompt"), str):
        prompt, turn = "\n\n".join(filter(None, (str(body.get("system") or ""), body["prompt"]))), 1
    else:
        raise BadAsk("messages or prompt is required")
    asked = body.get("format")
    schema = asked if isinstance(asked, dict) else {"type": "object"} if asked == "json" else None
    return Ask(model, prompt, schema, turn=turn)


def _model(body: Mapping[str, Any]) -> str:
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise BadAsk("you must provide a model parameter")
    if body.get("stream"):
        raise BadAsk("the sandbox does not stream; send the request without stream")
    return model


def _prompt(body: Mapping[str, Any]) -> str:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise BadAsk("messages: at least one message is required")
    system = body.get("system")
    texts = [_text(system)] if system else []
    texts += [_text(message.get("content")) for message in messages if isinstance(message, dict)]
    return "\n\n".join(texts)


def _turn(body: Mapping[str, Any]) -> int:
    return sum(1 for message in body["messages"] if isinstance(message, dict) and message.get("role") == "user")


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _check_strict(part: Any, name: str, place: tuple[str, ...]) -> None:
    """OpenAI's two rules for strict schemas: objects are closed and require every property."""
    if not isinstance(part, Mapping):
        return
    properties = part.get("properties")
    if part.get("type") == "object" or properties:
        if part.get("additionalProperties") is not False:
            raise BadAsk(
                f"Invalid schema for response_format '{name}': In context={place}, 'additionalProperties' is required"
                " to be supplied and to be false."
            )
        missing = sorted(set(properties or {}) - set(part.get("required") or ()))
        if missing:
            raise BadAsk(
                f"Invalid schema for response_format '{name}': In context={place}, 'required' is required to be"
                f" supplied and to be an array including every key in properties. Missing '{missing[0]}'."
            )
    for key in ("properties", "$defs"):
        for inner, value in (part.get(key) or {}).items():
            _check_strict(value, name, (*place, key, inner))
    _check_strict(part.get("items"), name, (*place, "items"))


def _check_closed(part: Any, place: tuple[str, ...]) -> None:
    """Anthropic's rules: objects are closed, and numbers carry no bounds."""
    if not isinstance(part, Mapping):
        return
    where = ".".join(place) or "schema"
    if part.get("type") == "object" and part.get("additionalProperties") is not False:
        raise BadAsk(
            f"output_format.{where}: For 'object' type, 'additionalProperties' must be explicitly set to false"
        )
    if part.get("type") in {"number", "integer"}:
        for bound in ("minimum", "maximum", "multipleOf"):
            if bound in part:
                raise BadAsk(f"output_format.{where}: For 'number' type, property '{bound}' is not supported")
    for key in ("properties", "$defs"):
        for inner, value in (part.get(key) or {}).items():
            _check_closed(value, (*place, key, inner))
    _check_closed(part.get("items"), (*place, "items"))
