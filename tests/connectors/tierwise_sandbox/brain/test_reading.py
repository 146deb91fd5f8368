from __future__ import annotations

from typing import Any

import pytest

from tierwise_sandbox.brain.reading import criteria, lead_fields, resolve

LEVEL = {
    "type": "string",
    "enum": ["high", "low", "unknown"],
    "description": "high: more than 500; low: fewer than that",
}


def schema(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def test_the_last_lead_block_counts_and_marks_become_spaces() -> None:
    prompt = (
        'Example: <lead nonce="aa" mark="~">\n{"message": "old"}\n</lead nonce="aa">\n'
        '<lead nonce="bb" mark="~">\n{"message": "Two~Words", "size": 5}\n</lead nonce="bb">'
    )
    fields = lead_fields(prompt)
    assert [(f.name, f.raw, f.plain) for f in fields] == [("message", "Two~Words", "two words"), ("size", "5", "5")]


def test_places_stay_the_same_where_lower_case_is_longer() -> None:
    (field,) = lead_fields('<lead nonce="a">\n{"m": "İstanbul GROSS"}\n</lead nonce="a">')
    assert len(field.plain) == len(field.raw)
    assert field.plain.endswith("gross")


@pytest.mark.parametrize(
    "prompt",
    [
        "no lead here",
        '<lead nonce="a">\n{"m": 1}\n</lead nonce="b">',
        '<lead nonce="a">\nnot json\n</lead nonce="a">',
        '<lead nonce="a">\n[1]\n</lead nonce="a">',
    ],
)
def test_what_is_no_lead_block_has_no_fields(prompt: str) -> None:
    assert lead_fields(prompt) == []


def test_criteria_are_the_objects_with_a_level() -> None:
    part = {
        "type": "object",
        "description": "How many?",
        "properties": {"level": LEVEL, "quote": {"type": "string"}, "field": {"enum": ["message", "size"]}},
    }
    (found,) = criteria(schema(volume=part, comment={"type": "string"}))
    assert (found.id, found.question, found.levels, found.has_unknown) == ("volume", "How many?", ("high", "low"), True)
    assert found.descriptions == ("high: more than 500; ", "low: fewer than that")
    assert (found.fields, found.keys) == (("message", "size"), ("level", "quote", "field"))


def test_references_are_followed() -> None:
    part = {"$ref": "#/$defs/Size"}
    whole = {**schema(size=part), "$defs": {"Size": {"type": "object", "properties": {"level": LEVEL}}}}
    assert criteria(whole)[0].id == "size"
    assert resolve({"$ref": "#/nowhere/x"}, whole) == {}
    assert resolve("text", whole) == {}
