"""A chain of decisions: each link is a hash over the one before and its own body.

What is personal is kept apart and enters the body as a salted digest only, so that it can be erased later and every
link still verifies. Shows tampering by anyone but who can rewrite the whole chain and the heads that were logged.
"""

from __future__ import annotations

import functools
import hashlib
import operator
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar, get_args

import pydantic
from pydantic_core import from_json

from tierwise.domain.decision import Decision
from tierwise.domain.lead import canonical_json, digest

K = TypeVar("K")
V = TypeVar("V")

PERSONAL_TEXTS: dict[str, str | None] = {"quote": None, "sentence": "", "why": ""}
"""Keys whose text may hold the lead's own words or values, wherever they stand in a decision, and what the body has in
their place."""
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
    shape = _shape(Decision)
    personal: dict[str, Any] = {}
    parts = _parts(decision.__dict__, shape, "", personal)
    body = decision.model_dump(mode="json", exclude=shape.apart)
    fields, body[FIELDS] = body[FIELDS], {}
    _silence(body, shape, "", personal)
    kept = canonical_json({**personal, FIELDS: fields})
    body[DIGEST] = sealed(kept, salt)
    text = _joined(body, parts)
    return Link(text, kept, salt, hashed(previous, text))


def hashed(previous: str, body: str) -> str:
    """Hash of a link, hex."""
    digested = hashlib.sha256(f"{previous}\n".encode())
    digested.update(body.encode())
    return digested.hexdigest()


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


class _Shape(NamedTuple):
    """Where in a model personal texts can stand, and what of it is written apart."""

    texts: tuple[str, ...]
    one: tuple[str, ...]
    """Fields that hold a model or None."""
    many: tuple[str, ...]
    """Fields that hold models in a row."""
    loose: tuple[str, ...]
    """Fields that may hold anything: their JSON is searched whole."""
    rest: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    """The values of all other fields."""
    apart: set[str]
    """`one` and `many`."""


@functools.cache
def _shape(model: type[pydantic.BaseModel]) -> _Shape:
    """Read from the model itself, so that a field which is added is not forgotten."""
    found: dict[str, list[str]] = {"texts": [], "one": [], "many": [], "loose": [], "rest": []}
    for name, info in model.model_fields.items():
        found[_kind(name, info.annotation)].append(name)
    rest, apart = operator.itemgetter(*found.pop("rest")), {*found["one"], *found["many"]}
    return _Shape(**{kind: tuple(names) for kind, names in found.items()}, rest=rest, apart=apart)


def _kind(name: str, annotation: Any) -> str:
    if name in PERSONAL_TEXTS:
        return "texts"
    inner, within = _leaves(annotation), get_args(annotation)
    models = [leaf for leaf in inner if isinstance(leaf, type) and issubclass(leaf, pydantic.BaseModel)]
    if not models and Any not in inner:
        return "rest"
    if within in ((), (*models, type(None))):
        return "one"
    return "many" if within == (*models, ...) else "loose"


def _leaves(annotation: Any) -> list[Any]:
    """The types within a type: `tuple[Hit, ...] | None` holds Hit and None."""
    within = get_args(annotation)
    return [leaf for inner in within for leaf in _leaves(inner)] if within else [annotation]


_KEPT = 4096
_by_id: dict[int, tuple[pydantic.BaseModel, str]] = {}
"""Most rules do not match, and are the same objects for every lead."""
_by_value: dict[tuple[Any, ...], str] = {}
"""Reasons and verdicts without their words are few."""


def _parts(held: Mapping[str, Any], shape: _Shape, path: str, told: dict[str, str]) -> dict[str, str]:
    """The models within a model, each `_silent`, by field."""
    parts: dict[str, str] = {}
    for name in shape.one:
        item = held[name]
        parts[name] = "null" if item is None else _silent(item, f"{path}/{name}", told)
    for name in shape.many:
        texts = []
        for place, item in enumerate(held[name]):
            known = _by_id.get(id(item))
            if known is None or known[0] is not item:
                before = len(told)
                known = item, _silent(item, f"{path}/{name}/{place}", told)
                if len(told) == before:
                    _keep(_by_id, id(item), known)
            texts.append(known[1])
        parts[name] = f"[{','.join(texts)}]"
    return parts


def _silent(value: pydantic.BaseModel, path: str, told: dict[str, str]) -> str:
    """Canonical JSON of a model without its personal texts, which go to `told`, by place."""
    shape, held = _shape(type(value)), value.__dict__
    if shape.many or shape.loose:
        return _written(value, shape, path, told)
    key: tuple[Any, ...] = (type(value), shape.rest(held))
    for name in shape.texts:
        text = held[name]
        if text:
            told[f"{path}/{name}"] = text
            text = PERSONAL_TEXTS[name]
        key += (text,)
    for name in shape.one:
        item = held[name]
        key += ("null" if item is None else _silent(item, f"{path}/{name}", told),)
    try:
        found = _by_value.get(key)
    except TypeError:  # a verdict with the spread over its levels
        return _written(value, shape, path, told)
    return _keep(_by_value, key, _written(value, shape, path, told)) if found is None else found


def _keep(where: dict[K, V], key: K, value: V) -> V:
    if len(where) >= _KEPT:
        where.clear()
    where[key] = value
    return value


def _written(value: pydantic.BaseModel, shape: _Shape, path: str, told: dict[str, str]) -> str:
    parts = _parts(value.__dict__, shape, path, told)
    body = value.model_dump(mode="json", exclude=shape.apart)
    _silence(body, shape, path, told)
    return _joined(body, parts)


def _silence(body: dict[str, Any], shape: _Shape, path: str, told: dict[str, str]) -> None:
    """Take the personal texts out of a dumped model, but for those of its parts, into `told`."""
    places = [(f"{path}/{name}", body, name) for name in shape.texts]
    for name in shape.loose:
        places += _places(body[name], f"{path}/{name}")
    for place, holder, key in places:
        if holder[key]:
            told[place], holder[key] = holder[key], PERSONAL_TEXTS[key]


def _joined(body: dict[str, Any], parts: Mapping[str, str]) -> str:
    """Canonical JSON of a body with parts that are canonical JSON already."""
    body.update(dict.fromkeys(parts))
    text = canonical_json(body)
    # From the end, so that nothing of another part is taken for the mark; a quote inside of a text is escaped.
    for name in sorted(parts, reverse=True):
        text = text.replace(f'"{name}":null', f'"{name}":{parts[name]}', 1)
    return text


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
