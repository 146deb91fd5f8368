"""A line asks what a live call asks, and what comes back is read as strictly."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any

import pytest
from tierwise_fixtures.batches import PRICES, PRIMARY

from tierwise.domain.lead import Lead
from tierwise.domain.policy import Runnable
from tierwise.llm import batch_lines, client, cost
from tierwise.llm.asking import Question
from tierwise.llm.cascade import Cascade

PRICED = cost.Prices(PRICES)


def question(runnable: Runnable, **fields: Any) -> Question:
    lead = Lead(**{"email": "ada@acme.example", "message": "We need it asap.", **fields})
    made = Cascade(primary=PRIMARY).question(runnable, lead, PRIMARY, stage="primary", connection="crm")
    assert made is not None
    return made


def test_a_line_is_named_by_the_key_of_the_cache(runnable: Runnable) -> None:
    asked = question(runnable)
    line = json.loads(batch_lines.line(asked, rng=random.Random(1)))
    assert (line["custom_id"], line["method"], line["url"]) == (asked.key, "POST", "/v1/chat/completions")
    system, user = line["body"]["messages"]
    assert system == {"role": "system", "content": asked.plan.system}
    assert user["content"].startswith('<lead nonce="')
    assert "ada@acme" not in user["content"]


def test_the_nonce_is_another_in_every_line(runnable: Runnable) -> None:
    rng = random.Random(1)
    one, other = (batch_lines.line(question(runnable), rng=rng) for _ in range(2))
    assert one != other
    assert json.loads(one)["custom_id"] == json.loads(other)["custom_id"]


@pytest.mark.parametrize("model", ["openai/gpt-6-luna", "openai/gpt-4o-mini", "openai/gpt-5-mini"])
def test_a_body_has_the_parameters_that_the_model_takes_and_no_stream(model: str) -> None:
    made = batch_lines.body(model, [{"role": "user", "content": "Hi"}], schema={"type": "object"})
    assert made["model"] == model.partition("/")[2]
    assert {"max_tokens", "max_completion_tokens"} & set(made)
    assert ("temperature" in made) == ("temperature" in client.arguments(model).parameters)
    assert not {"stream", "extra_body"} & set(made)


def said(given: Mapping[str, Any]) -> batch_lines.Said:
    (found,) = batch_lines.answers(json.dumps(given).encode(), model=PRIMARY, prices=PRICED)
    return found


def body(**message: Any) -> dict[str, Any]:
    given = {"role": "assistant", "content": "{}", **message}
    return {
        "id": "x", "object": "chat.completion", "created": 1, "model": "gpt-6-luna",
        "choices": [{"index": 0, "message": given, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
    }  # fmt: skip


def test_an_answer_costs_half_of_a_live_one() -> None:
    found = said({"custom_id": "k", "response": {"status_code": 200, "body": body()}, "error": None})
    assert found.key == "k"
    assert found.completion is not None
    assert (found.completion.text, found.completion.tokens_in, found.completion.tokens_out) == ("{}", 1000, 100)
    assert found.completion.cost_usd == pytest.approx(PRICES[PRIMARY].of(tokens_in=1000, tokens_out=100) / 2)


def test_a_refusal_is_one() -> None:
    found = said({"custom_id": "k", "response": {"status_code": 200, "body": body(content=None, refusal="No.")}})
    assert found.completion is not None
    assert found.completion.finish == "refusal"


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ({"response": {"status_code": 400, "body": {"error": {"message": "sk-secret"}}}}, "refused"),
        ({"response": {"status_code": 429, "body": {}}}, "rate_limited"),
        ({"response": {"status_code": 500, "body": {}}}, "unavailable"),
        ({"response": {"status_code": "no"}}, "unavailable"),
        ({"response": None, "error": {"code": "batch_expired", "message": "late"}}, "timeout"),
        ({"response": None, "error": {"code": "batch_cancelled"}}, "unavailable"),
        ({"response": None}, "unavailable"),
        ({"response": {"status_code": 200, "body": None}}, "bad_answer"),
        ({"response": {"status_code": 200, "body": {"object": "else"}}}, "bad_answer"),
    ],
)
def test_what_is_no_answer_has_its_kind_and_no_words(line: dict[str, Any], fault: str) -> None:
    found = said({"custom_id": "k", **line})
    assert found == batch_lines.Said("k", None, fault)


def test_lines_that_nobody_can_read_spoil_no_others() -> None:
    good = json.dumps({"custom_id": "k", "response": None}).encode()
    content = b"\n".join([b"{", b"[]", b'{"custom_id": 1}', b"", b"\xff\xfe", good, b"null"])
    assert [item.key for item in batch_lines.answers(content, model=PRIMARY, prices=PRICED)] == ["k"]
