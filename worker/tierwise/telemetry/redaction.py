"""Masks personal data and secrets in anything that is about to be logged. It rather masks too much.

By key (`token=`, `first_name=`), by shape (e-mail, phone, known and opaque tokens, passwords in addresses), and by
value (`conceal`). Names in free prose have no shape: whoever logs must not write them, and errors here never do.
"""

from __future__ import annotations

import hashlib
import math
import re
import reprlib
import unicodedata
from collections.abc import Mapping, MutableMapping
from collections.abc import Set as AbstractSet
from datetime import date, timedelta
from pathlib import PurePath
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from tierwise.telemetry import shapes

MASK = shapes.MASK
LONGEST = 16_000
"""Characters kept of one text: of a traceback both ends tell more than the middle."""
WIDEST = 200
"""Entries kept of one collection."""
DEEPEST = 8
REMEMBERED = 200
SHORTEST_TOKEN = 24
LARGEST = 10**8
"""Whole numbers from here on look like a phone number or a record's id."""

_MULTILINE = frozenset({"exception", "stack"})
_META = frozenset({"_record", "_from_structlog"})
"""Structlog's own keys, removed before rendering."""

# Hex and ids that say nothing about a person, kept whole where they stand under their own key and in their own shape.
_HEX = re.compile(r"(?:sha256:)?(?=\d*[a-f]|.{32})[0-9a-f]{6,64}")
_IDENTIFIERS = {
    "trace": re.compile(r"[0-9a-f]{8}|[0-9a-f]{32}"),
    "span": re.compile(r"[0-9a-f]{16}"),
    "policy": _HEX,
    "digest": _HEX,
    "fingerprint": _HEX,
    "hash": _HEX,
    "head": _HEX,
    "task": re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"),
    "timestamp": re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"),
}
_LEAD = re.compile(r"L[0-9a-f]{12}")
_MEASURE = re.compile(r"(?:^|_)(?:ms|ns|us|seconds|bytes|tokens|count|tokens_in|tokens_out|cost_micro)$")

_concealed: frozenset[str] = frozenset()
_plain: set[str] = set()
"""Short texts that needed nothing: events, levels and codes come again and again."""
_short = reprlib.Repr()
_short.maxstring = _short.maxother = _short.maxlong = LONGEST
_short.maxdict = _short.maxlist = _short.maxtuple = _short.maxset = WIDEST


def conceal(*secrets: str) -> None:
    """Mask these very texts wherever they turn up: the tokens this process was given."""
    global _concealed  # noqa: PLW0603 - replaced whole, so that other threads read the one or the other
    # A short one would be found inside ordinary words.
    _concealed |= {secret for secret in secrets if len(secret) >= 6}
    _plain.clear()


def redact(text: str) -> str:
    """The text without what looks like personal data or a secret, on one line."""
    return _text(text, multiline=False)


def redact_event(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Processor: the last that sees values, and the only way to the renderer."""
    return {
        key if key in _META else _key(str(key)): value if key in _META else _clean(str(key), value, 0)
        for key, value in event.items()
    }


def _clean(key: str, value: Any, depth: int) -> Any:
    if key == "lead" and depth == 0 and value is not None:
        return _lead(value)
    if _hidden(key, value):
        return MASK
    if value is None or isinstance(value, str | int | float | date):
        return _clean_scalar(key, value)
    cleaned: Any = "[deep]"
    opened = _open(value)
    if isinstance(opened, str):
        cleaned = _text(opened, multiline=False)
    elif depth < DEEPEST and isinstance(opened, Mapping):
        entries = [*opened.items()][:WIDEST]
        cleaned = {_key(str(name)): _clean(str(name), inner, depth + 1) for name, inner in entries}
    elif depth < DEEPEST:
        cleaned = [_clean(key, inner, depth + 1) for inner in [*opened][:WIDEST]]
    return cleaned


def _hidden(key: str, value: Any) -> bool:
    if value is None or isinstance(value, bool) or not shapes.telling(key):
        return False
    return not (isinstance(value, int | float) and _MEASURE.search(key))


def _clean_scalar(key: str, value: str | int | float | date | None) -> str | int | float | None:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        shape = _IDENTIFIERS.get(key)
        return value if shape and shape.fullmatch(value) else _text(value, multiline=key in _MULTILINE)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    # A phone number or a record's id may come as a number, a duration too.
    return MASK if isinstance(value, int) and abs(value) >= LARGEST and not _MEASURE.search(key) else value


def _open(value: Any) -> str | Mapping[Any, Any] | list[Any]:
    """An object as text or as a collection whose entries are looked at one by one."""
    opened: str | Mapping[Any, Any] | list[Any]
    if isinstance(value, BaseModel):
        # Not model_dump: it would unwrap what the model itself hides, and may fail on a half-made value.
        opened = dict(value)
    elif isinstance(value, tuple) and hasattr(value, "_asdict"):
        opened = value._asdict()
    elif isinstance(value, Mapping):
        opened = value
    elif isinstance(value, list | tuple | AbstractSet):
        opened = [*value]
    elif isinstance(value, bytes | bytearray | memoryview):
        opened = bytes(value).decode("utf-8", "replace")
    elif isinstance(value, UUID | PurePath | timedelta):
        opened = str(value)
    else:
        # reprlib, because a broken __repr__ must not turn a log line into a crash.
        opened = _short.repr(value)
    return opened


def _lead(value: Any) -> str:
    """A reference stays; a raw id that somebody bound becomes one."""
    text = str(value)
    return text if _LEAD.fullmatch(text) else reference(text)


def reference(text: str) -> str:
    """Stands for a text without showing it; no record id looks like it."""
    return "L" + hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=6).hexdigest()


def _key(key: str) -> str:
    return key if key.isidentifier() and len(key) < SHORTEST_TOKEN else _text(key, multiline=False)


def _text(text: str, *, multiline: bool) -> str:
    if text in _plain:
        return text
    cleaned = text
    if not text.isascii():
        # Full-width digits, zero-width joiners and the like hide a number from a pattern, not from a reader.
        cleaned = unicodedata.normalize("NFKC", cleaned)
        cleaned = "".join(mark for mark in cleaned if unicodedata.category(mark) != "Cf")
    for secret in _concealed:
        cleaned = cleaned.replace(secret, MASK)
    cleaned = shapes.mask(cleaned)
    cleaned = (shapes.CONTROL if multiline else shapes.CONTROL_OR_BREAK).sub(" ", cleaned).strip()
    if len(cleaned) > LONGEST:
        cleaned = f"{cleaned[: LONGEST // 4]} [... cut ...] {cleaned[-(LONGEST - LONGEST // 4) :]}"
    if cleaned == text and len(text) < REMEMBERED:
        if len(_plain) >= REMEMBERED:
            _plain.clear()
        _plain.add(text)
    return cleaned
