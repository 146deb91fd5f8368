"""Requests and answers of a batch, line by line: the very body that a live call would send, and the very completion
that it would have brought.

What is wrong with a line is that line's own. No word of a provider's error is passed on.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tierwise.llm import client, cost, failures, prompt
from tierwise.llm.asking import Question
from tierwise.llm.client import Completion

ENDPOINT = "/v1/chat/completions"
_KINDS = {400: "refused", 401: "unauthorised", 403: "unauthorised", 404: "unknown_model", 429: "rate_limited"}
_CODES = {"batch_expired": "timeout", "batch_cancelled": "unavailable"}


class Said(NamedTuple):
    """What a batch made of one question: a completion, or the kind of its failure."""

    key: str
    completion: Completion | None
    fault: str = ""


def line(question: Question, *, rng: random.Random) -> str:
    """One request, named by the question's key. Imports litellm."""
    messages: list[prompt.Message] = [
        {"role": "system", "content": question.plan.system},
        prompt.user_message(question.fields, rng=rng),
    ]
    sent = body(question.model, messages, schema=question.plan.schema)
    return json.dumps({"custom_id": question.key, "method": "POST", "url": ENDPOINT, "body": sent}, ensure_ascii=False)


def body(model: str, messages: Sequence[Mapping[str, str]], *, schema: Mapping[str, Any]) -> dict[str, Any]:
    """What litellm would send of a live call. Raises Misconfigured where it knows no such model. Imports litellm."""
    litellm = client.load()
    given = client.arguments(model)
    name, provider, _, _ = litellm.get_llm_provider(model)
    optional = litellm.utils.get_optional_params(
        model=name,
        custom_llm_provider=provider,
        response_format=client.answer_format(schema),
        **given.parameters,
    )
    config = litellm.utils.ProviderConfigManager.get_provider_chat_config(name, litellm.LlmProviders(provider))
    made: dict[str, Any] = config.transform_request(
        model=name,
        messages=client.conversation(messages, provider=provider),
        optional_params=optional,
        litellm_params={},
        headers={},
    )
    made.update(made.pop("extra_body", None) or {})
    # A batch has no stream, not even a refused one.
    made.pop("stream", None)
    return made


def answers(content: bytes, *, model: str, prices: cost.Prices) -> Iterator[Said]:
    """What stands in a file of answers or of errors; a line that nobody can read is left out. Imports litellm."""
    for text in content.splitlines():
        try:
            found = json.loads(text)
            key = found["custom_id"]
        except (ValueError, TypeError, KeyError):
            continue
        if isinstance(key, str):
            yield _said(key, found, model=model, prices=prices)


def _said(key: str, found: Mapping[str, Any], *, model: str, prices: cost.Prices) -> Said:
    response, error = found.get("response"), found.get("error")
    if not isinstance(response, Mapping):
        code = error.get("code") if isinstance(error, Mapping) else None
        return Said(key, None, _CODES.get(str(code), "unavailable"))
    status = response.get("status_code")
    if status != 200:
        return Said(key, None, _KINDS.get(status if isinstance(status, int) else 0, "unavailable"))
    unreadable: tuple[type[Exception], ...] = (*failures.raised(), TypeError, LookupError, AttributeError)
    try:
        return Said(key, _completion(response.get("body"), model=model, prices=prices))
    except unreadable:
        return Said(key, None, "bad_answer")


def _completion(given: Any, *, model: str, prices: cost.Prices) -> Completion:
    from litellm.litellm_core_utils.llm_response_utils.convert_dict_to_response import (
        convert_to_model_response_object,
    )

    litellm = client.load()
    response = convert_to_model_response_object(
        response_object=dict(given), model_response_object=litellm.ModelResponse(), response_type="completion"
    )
    made = client.completion(response, model=model, latency_ms=0, prices=prices)
    price = prices.of(model, "batch")
    usd = None if price is None else price.of(tokens_in=made.tokens_in, tokens_out=made.tokens_out)
    return made._replace(cost_usd=usd)
