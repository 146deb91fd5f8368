from __future__ import annotations

import json
import statistics
from typing import Any

import pytest

from tierwise_sandbox.model_replies import Replies
from tierwise_sandbox.model_requests import Ask

LEVELS = {"type": "string", "enum": ["yes", "no"], "description": "yes: a budget; no: there is none"}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "budget": {
            "type": "object",
            "description": "Is there a budget?",
            "properties": {
                "level": LEVELS,
                "probability": {"type": "number"},
                "quote": {"type": "string"},
                "field": {"type": "string", "enum": ["message"]},
            },
        }
    },
}


def ask(number: int = 0, turn: int = 1) -> Ask:
    lead = json.dumps({"message": f"We have a budget of {number} dollars."})
    return Ask("gpt-x", f'<lead nonce="a" mark="^">\n{lead}\n</lead nonce="a">', SCHEMA, turn=turn)


def replies(**behaviour: Any) -> Replies:
    made = Replies()
    made.set({"gpt-x": behaviour})
    return made


def test_without_a_behaviour_the_lexicon_answers() -> None:
    assert json.loads(Replies().to(ask()).content)["budget"]["level"] == "yes"


def test_failures_come_in_their_shares_and_the_same_again() -> None:
    shares = {"errors": {"429": 0.2, "500": 0.1, "timeout": 0.05, "reset": 0.05}, "accuracy": 1.0, "retry_after": 2}
    first, second = replies(**shares), replies(**shares)
    seen = [first.to(ask(n)) for n in range(1500)]
    assert seen == [second.to(ask(n)) for n in range(1500)]
    assert statistics.fmean(item.status == 429 for item in seen) == pytest.approx(0.2, abs=0.03)
    assert statistics.fmean(item.status == 500 for item in seen) == pytest.approx(0.1, abs=0.025)
    assert statistics.fmean(item.reset for item in seen) == pytest.approx(0.05, abs=0.02)
    assert next(item for item in seen if item.status == 429).headers == {"retry-after": "2"}
    assert next(item for item in seen if item.status == 504).seconds == 60


def test_who_failed_once_does_not_fail_forever() -> None:
    made = replies(errors={"500": 0.5}, accuracy=1.0)
    statuses = [made.to(ask()).status for _ in range(20)]
    assert {200, 500} == set(statuses)


def test_unfinished_answers_are_no_answers() -> None:
    for ending in ("malformed", "truncated"):
        reply = replies(accuracy=1.0, **{ending: 1.0}).to(ask())
        with pytest.raises(json.JSONDecodeError):
            json.loads(reply.content)
    assert replies(empty=1.0).to(ask()).content == ""
    assert replies(refusal=1.0).to(ask()).ending == "refusal"
    assert replies(context_overflow=1.0).to(ask()).status == 400
    assert replies(context_tokens=10).to(ask()).ending == "context_overflow"


def test_a_script_comes_first_and_in_order() -> None:
    made = replies(
        accuracy=1.0,
        script=[
            {"status": 429, "headers": {"retry-after": 1}},
            {"reset": True},
            {"text": "no JSON", "seconds": 3},
            {"answer": {"budget": {}}},
            {"ending": "truncated"},
            {},
        ],
    )
    found = [made.to(ask()) for _ in range(7)]
    assert (found[0].status, found[0].headers) == (429, {"retry-after": "1"})
    assert found[1].reset
    assert (found[2].content, found[2].seconds) == ("no JSON", 3.0)
    assert found[3].content == '{"budget": {}}'
    assert found[4].ending == "truncated"
    assert found[5].content == found[6].content
    assert json.loads(found[6].content)["budget"]["level"] == "yes"


def test_right_as_often_as_told_against_the_truth() -> None:
    made = replies(accuracy=0.8)
    right = [
        json.loads(made.to(ask(n)).content)["budget"]["level"] == made.levels(ask(n))["budget"] for n in range(800)
    ]
    assert statistics.fmean(right) == pytest.approx(0.8, abs=0.04)
