"""What a prompt asks: the lead's fields between the markers, and the criteria in the JSON schema."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from typing import Any

_LEAD = re.compile(
    r'<lead nonce="(?P<nonce>[^"\n]+)"(?:\s+mark="(?P<mark>[^"\n]*)")?[^>\n]*>\s*\n'
    r'(?P<json>.*?)\n\s*</lead nonce="(?P=nonce)"',
    re.DOTALL,
)
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Field:
    """`raw` as it stands in the prompt; `plain` the same length with datamarks blanked out, in lower case."""

    name: str
    raw: str
    plain: str


@dataclass(frozen=True)
class Criterion:
    id: str
    question: str
    levels: tuple[str, ...]
    descriptions: tuple[str, ...]
    """One a level, in the same order; the whole text where levels are not told apart."""
    fields: tuple[str, ...]
    """Field names that an answer may give; empty = any."""
    has_unknown: bool
    keys: tuple[str, ...]


def lead_fields(prompt: str) -> list[Field]:
    """The fields of the last lead block of a prompt; none if there is no such block."""
    found = None
    for found in _LEAD.finditer(prompt):  # noqa: B007 - the last one counts
        pass
    if found is None:
        return []
    try:
        lead = json.loads(found["json"])
    except ValueError:
        return []
    if not isinstance(lead, dict):
        return []
    mark = unescape(found["mark"] or "")
    return [
        _field(str(name), value if isinstance(value, str) else json.dumps(value), mark) for name, value in lead.items()
    ]


def whole(text: str) -> Field:
    """A text that is no lead block, as one field."""
    return _field("input", text, "")


def _field(name: str, raw: str, mark: str) -> Field:
    blanked = raw.replace(mark, " " * len(mark)) if mark else raw
    plain = blanked.lower()
    if len(plain) != len(raw):  # a few letters have longer lower-case forms; places must stay the same
        plain = "".join(low if len(low := letter.lower()) == 1 else letter for letter in blanked)
    return Field(name, raw, plain)


def criteria(schema: Mapping[str, Any]) -> list[Criterion]:
    """The schema's properties that are criteria: objects with a `level` out of an enum."""
    return list(_criteria(json.dumps(schema)))


@lru_cache(maxsize=64)
def _criteria(text: str) -> tuple[Criterion, ...]:
    schema = json.loads(text)
    found = []
    for key, given in (schema.get("properties") or {}).items():
        part = resolve(given, schema)
        properties = part.get("properties") or {}
        level = resolve(properties.get("level", {}), schema)
        if not level.get("enum"):
            continue
        levels = tuple(str(value) for value in level["enum"] if value not in (UNKNOWN, None))
        question = str(given.get("description") or part.get("description") or key)
        place = resolve(properties.get("field", {}), schema)
        found.append(
            Criterion(
                id=str(key),
                question=question,
                levels=levels,
                descriptions=_split(str(level.get("description") or ""), levels),
                fields=tuple(str(name) for name in place.get("enum", ())),
                has_unknown=UNKNOWN in level["enum"],
                keys=tuple(properties),
            )
        )
    return tuple(found)


def resolve(part: Any, schema: Mapping[str, Any]) -> dict[str, Any]:
    """A subschema with its local `$ref` followed (one level deep per call, which is all our schemas use)."""
    if not isinstance(part, Mapping):
        return {}
    reference = part.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return dict(part)
    target: Any = schema
    for step in reference[2:].split("/"):
        target = target.get(step, {}) if isinstance(target, Mapping) else {}
    return dict(target) if isinstance(target, Mapping) else {}


def _split(text: str, levels: tuple[str, ...]) -> tuple[str, ...]:
    """The description of `level` cut at the level ids that it names, each followed by what it means."""
    starts = []
    for level in levels:
        found = re.search(rf"(?<![\w-]){re.escape(level)}(?![\w-])[\"'`*]*\s*[:=(–—-]", text)
        starts.append(found.start() if found else -1)
    cuts = [*sorted({start for start in starts if start >= 0}), len(text)]
    parts = []
    for level, start in zip(levels, starts, strict=True):
        if start < 0:
            parts.append(level)
        else:
            parts.append(text[start : next(cut for cut in cuts if cut > start)])
    return tuple(parts)
