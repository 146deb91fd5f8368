from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from tierwise_sandbox.brain import answering

LEAD = '<lead nonce="a" mark="^">\n{"message": "We^ship^9000^orders^a^month."}\n</lead nonce="a">'
VOLUME: dict[str, Any] = {
    "type": "object",
    "description": "What volume is stated?",
    "properties": {"level": {"type": "string", "enum": ["some", "unknown"]}, "quote": {"type": "string"}},
    "required": ["level", "quote"],
    "additionalProperties": False,
}


def test_criteria_are_judged_and_everything_else_gets_the_plainest_value() -> None:
    schema = {
        "type": "object",
        "properties": {
            "volume": VOLUME,
            "tags": {"type": "array", "items": {"type": "string"}},
            "sure": {"type": "boolean"},
            "kind": {"const": "x"},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "share": {"type": "number", "minimum": 0.5},
        },
        "required": ["volume", "tags", "sure", "kind", "note", "share"],
        "additionalProperties": False,
    }
    answer = answering.structured(schema, LEAD, "m")
    jsonschema.validate(answer, schema)
    assert answer["volume"] == {"level": "some", "quote": "We^ship^9000^orders^a^month."}


def test_without_a_schema_it_says_what_it_is() -> None:
    assert "no model at all" in answering.text(None, LEAD, "m")


@pytest.mark.parametrize(
    ("model", "turn", "whole"), [("m", 1, True), ("garbled", 2, False), ("stutter", 1, False), ("stutter", 2, True)]
)
def test_two_names_break_off(model: str, turn: int, whole: bool) -> None:
    schema = {"type": "object", "properties": {"volume": VOLUME}}
    content = answering.text(schema, LEAD, model, turn=turn)
    if whole:
        assert json.loads(content)["volume"]["level"] == "some"
    else:
        with pytest.raises(json.JSONDecodeError):
            json.loads(content)
