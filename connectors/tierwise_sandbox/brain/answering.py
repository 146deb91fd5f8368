"""A whole answer: one judgement per criterion, or the plainest value that any other schema takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tierwise_sandbox.brain import judging, reading

PROSE = (
    "This is the sandbox's stand-in for a language model: word overlap and a small lexicon, no model at all. "
    "Ask with a JSON schema of criteria and a lead block."
)


def structured(schema: Mapping[str, Any], prompt: str, model: str) -> Any:
    """An instance of `schema`, with every criterion judged."""
    fields = reading.lead_fields(prompt)
    answer = _plainest(dict(schema), schema, depth=0)
    if isinstance(answer, dict):
        read = judging.sentences(fields)
        seed = "".join(field.raw for field in fields)
        for criterion in reading.criteria(schema):
            answer[criterion.id] = judging.judge(criterion, read, model=model, seed=seed)
    return answer


def text(schema: Mapping[str, Any] | None, prompt: str, model: str, *, turn: int = 1) -> str:
    """The answer as a message's content: JSON where a schema is given.

    Two names are for tests: a model called `garbled` breaks off half-way, one called `stutter` only in its first turn.
    """
    if schema is None:
        return PROSE
    content = json.dumps(structured(schema, prompt, model), ensure_ascii=False)
    broken = "garbled" in model or ("stutter" in model and turn == 1)
    return content[: len(content) // 2] if broken else content


def _plainest(part: dict[str, Any], schema: Mapping[str, Any], *, depth: int) -> Any:
    part = reading.resolve(part, schema)
    if "const" in part:
        return part["const"]
    if part.get("enum"):
        return part["enum"][0]
    for several in ("anyOf", "oneOf"):
        if part.get(several):
            return _plainest(part[several][0], schema, depth=depth)
    kind = part.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        if depth > 8:
            return {}
        properties = part.get("properties") or {}
        return {name: _plainest(inner, schema, depth=depth + 1) for name, inner in properties.items()}
    return {"array": [], "string": "", "boolean": False, "null": None}.get(kind, part.get("minimum", 0))
