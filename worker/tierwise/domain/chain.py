"""A chain of decisions: each link is a hash over the one before and its own body.

What is personal is kept apart and enters the body as a salted digest only, so that it can be erased later and every
link still verifies. Shows tampering by anyone but who can rewrite the whole chain and the heads that were logged.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple, get_args

import pydantic
from pydantic_core import from_json

from tierwise.domain.decision import Decision
from tierwise.domain.lead import canonical_json, digest
from tierwise.domain.rules import Hit

PERSONAL_TEXTS = ("quote", "sentence", "why")
"""Keys whose text may hold the lead's own words or values, wherever they stand in a decision."""
FIELDS = "fields"
DIGEST = "personal"


class Link(NamedTuple):
    """One decision as the chain keeps it."""

    body: str
    """Canonical JSON without what is personal, with its salted digest under `personal`."""
    personal: str
    """Canonical JSON of what is personal."""
    salt: str
    """Random; without it nobody can try out guesses against the digest."""
    hash: str


def link(decision: Decision, *, previous: str, salt: str) -> Link:
    """The link that follows the one with hash `previous`."""
    body = decision.model_dump(mode="json", exclude={"hits"})
    personal: dict[str, Any] = {FIELDS: body[FIELDS]}
    body[FIELDS] = {}
    body["hits"] = []
    for path, holder, key in _told(body, "", _shape(Decision)):
        said = holder[key]
        personal[path] = said
        holder[key] = "" if key != "quote" else None
    personal.update({f"/hits/{number}/why": hit.why for number, hit in enumerate(decision.hits) if hit.why})
    kept = canonical_json(personal)
    body[DIGEST] = sealed(kept, salt)
    # A quote inside of a text is escaped, so that the empty list stands there once.
    text = canonical_json(body).replace('"hits":[]', f'"hits":[{",".join(map(_silent, decision.hits))}]', 1)
    return Link(text, kept, salt, hashed(previous, text))


def hashed(previous: str, body: str) -> str:
    """Hash of a link, hex."""
    return hashlib.sha256(f"{previous}\n{body}".encode()).hexdigest()


def sealed(personal: str, salt: str) -> str:
    """Digest of the personal part, hex."""
    return digest([salt, personal])


def restore(body: Mapping[str, Any], personal: Mapping[str, Any] | None) -> Decision:
    """The decision again; where the personal part was erased, without fields, quotes and sentences."""
    whole = {key: value for key, value in body.items() if key != DIGEST}
    if personal is not None:
        for path, holder, key in _places(whole, ""):
            if path in personal:
                holder[key] = personal[path]
        whole[FIELDS] = personal[FIELDS]
    return Decision.model_validate(whole)


def brief(body: str) -> dict[str, Any]:
    """A stored body without its `hits`: most of its text, which a replay finds anew."""
    # Keys are sorted, and a quote inside of a text is escaped: neither mark stands anywhere else.
    start, end = body.find(_HITS), body.find(_AFTER_HITS)
    text = body[:start] + body[end + 1 :] if 0 <= start < end else body
    found: dict[str, Any] = from_json(text)
    found.pop("hits", None)
    return found


_HITS, _AFTER_HITS = ',"hits":[', '],"intent":'


def requote(body: Mapping[str, Any], personal: Mapping[str, Any]) -> None:
    """Put the quotes of the verdicts that count back into a body: a fact that was quoted proves, one that was not does
    not."""
    card = body["scorecard"]
    for place, item in enumerate(card["contributions"] if card is not None else ()):
        quote = personal.get(f"/scorecard/contributions/{place}/verdict/quote")
        if quote is not None:
            item["verdict"]["quote"] = quote


_HITS_KEPT = 4096
_written: dict[int, tuple[Hit, str]] = {}


def _silent(hit: Hit) -> str:
    """Canonical JSON of a hit without its words. Most rules do not match, and say the same of every lead."""
    held = _written.get(id(hit))
    if held is not None and held[0] is hit:
        return held[1]
    text = canonical_json({**hit.model_dump(mode="json"), "why": ""})
    if not hit.why:
        if len(_written) >= _HITS_KEPT:
            _written.clear()
        _written[id(hit)] = (hit, text)
    return text


class _Shape(NamedTuple):
    """Where in a model's dump personal texts can stand."""

    texts: tuple[str, ...]
    parts: tuple[tuple[str, _Shape | None], ...]
    """Keys that lead to more; None: to something of no model, which is searched whole."""


@functools.cache
def _shape(model: type[pydantic.BaseModel]) -> _Shape:
    """Read from the model itself, so that a field which is added is not forgotten."""
    parts: list[tuple[str, _Shape | None]] = []
    for name, info in model.model_fields.items():
        if name in PERSONAL_TEXTS:
            continue
        inner = set(_leaves(info.annotation))
        models = [leaf for leaf in inner if isinstance(leaf, type) and issubclass(leaf, pydantic.BaseModel)]
        if Any in inner or len(models) > 1:
            parts.append((name, None))
        elif models and (shape := _shape(models[0])) != _EMPTY:
            parts.append((name, shape))
    return _Shape(tuple(name for name in PERSONAL_TEXTS if name in model.model_fields), tuple(parts))


def _leaves(annotation: Any) -> list[Any]:
    """The types within a type: `tuple[Hit, ...] | None` holds Hit and None."""
    within = get_args(annotation)
    return [leaf for inner in within for leaf in _leaves(inner)] if within else [annotation]


_EMPTY = _Shape((), ())


def _told(value: Any, path: str, shape: _Shape) -> list[tuple[str, dict[str, Any], str]]:
    """What `_places` finds, of texts that say something: by the model's shape, since a decision is mostly empty."""
    found = [(f"{path}/{key}", value, key) for key in shape.texts if value[key]]
    for key, inner in shape.parts:
        part = value[key]
        if not part:
            continue
        if inner is None:
            found += [place for place in _places(part, f"{path}/{key}") if place[1][place[2]]]
        elif isinstance(part, list):
            for number, item in enumerate(part):
                found += _told(item, f"{path}/{key}/{number}", inner)
        else:
            found += _told(part, f"{path}/{key}", inner)
    return found


def _places(value: dict[str, Any] | list[Any], path: str) -> list[tuple[str, dict[str, Any], str]]:
    """Where personal texts stand: path, holder and key of each."""
    found: list[tuple[str, dict[str, Any], str]] = []
    todo: list[tuple[dict[str, Any] | list[Any], str]] = [(value, path)]
    while todo:
        value, path = todo.pop()
        if isinstance(value, dict):
            found += [(f"{path}/{key}", value, key) for key in PERSONAL_TEXTS if key in value]
            # Empty ones hold nothing, and most of a decision's containers are empty.
            todo += [
                (item, f"{path}/{key}")
                for key, item in value.items()
                if item and isinstance(item, _CONTAINERS) and key not in PERSONAL_TEXTS
            ]
        else:
            todo += [(item, f"{path}/{place}") for place, item in enumerate(value) if isinstance(item, _CONTAINERS)]
    return found


_CONTAINERS = (dict, list)
