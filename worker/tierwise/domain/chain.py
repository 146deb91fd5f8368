"""A chain of decisions: each link is a hash over the one before and its own body.

What is personal is kept apart and enters the body as a salted digest only, so that it can be erased later and every
link still verifies. Shows tampering by anyone but who can rewrite the whole chain and the heads that were logged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tierwise.domain.decision import Decision
from tierwise.domain.lead import canonical_json, digest

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
    body = decision.model_dump(mode="json")
    personal: dict[str, Any] = {FIELDS: body[FIELDS]}
    body[FIELDS] = {}
    for path, holder, key in _texts(body, ""):
        personal[path] = holder[key]
        holder[key] = "" if key != "quote" else None
    kept = canonical_json(personal)
    body[DIGEST] = sealed(kept, salt)
    text = canonical_json(body)
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
        for path, holder, key in list(_places(whole, "")):
            if path in personal:
                holder[key] = personal[path]
        whole[FIELDS] = personal[FIELDS]
    return Decision.model_validate(whole)


def _texts(value: Any, path: str) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Personal texts that say something: path, holder and key of each."""
    return (place for place in list(_places(value, path)) if place[1][place[2]])


def _places(value: Any, path: str) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Where personal texts stand."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key in PERSONAL_TEXTS:
                yield f"{path}/{key}", value, key
            elif isinstance(item, dict | list):
                yield from _places(item, f"{path}/{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, dict | list):
                yield from _places(item, f"{path}/{index}")
