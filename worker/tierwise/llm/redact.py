"""Puts pseudonyms in the place of personal data before a model sees a text, and the lead's own words back into quotes.

One placeholder for one person, address or number throughout a prompt, counted in the order of reading. What a
model answers and the cache keeps, for other leads with the same words too, holds placeholders; a decision holds words.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from typing import NamedTuple

from tierwise.domain.lead import CATALOGUE, Lead
from tierwise.llm import personal, text

_PLACEHOLDER = re.compile(r"\[(?:EMAIL|PHONE|URL|ADDRESS|PERSON)_\d+\]")

# No prose: another's name is not looked for, the words in capitals are titles and companies.
_SHORT = frozenset({"company", "job_title"})


class _Piece(NamedTuple):
    """A placeholder: where it stands in what is shown, and where its words stood."""

    shown: int
    end: int
    start: int
    stop: int


class _Text(NamedTuple):
    original: str
    shown: str
    pieces: tuple[_Piece, ...]


class Disguise:
    """The texts of one prompt, and the way back."""

    def __init__(self, texts: Mapping[str, _Text]) -> None:
        self._texts = texts
        self.fields: Mapping[str, str] = {name: item.shown for name, item in texts.items() if item.shown}
        """What a model may see, by field."""
        self.originals: Mapping[str, str] = {name: item.original for name, item in texts.items() if item.original}
        """The same before anything was taken out."""

    def disguised(self, field: str, words: str) -> str | None:
        """The passage of the shown text in which the lead's own `words` stand; None where they do not."""
        item = self._texts.get(field)
        start = item.original.find(words) if item is not None else -1
        if item is None or start < 0:
            return None
        return item.shown[_forth(item, start, last=False) : _forth(item, start + len(words), last=True)]

    def restored(self, field: str, quote: str) -> str:
        """The passage of the lead's own text that `quote`, a passage of the shown one, stands for."""
        item = self._texts.get(field)
        if item is None or not item.pieces or "[" not in item.shown:
            return quote
        start = item.shown.find(quote)
        if start < 0:
            return self._by_token(item, quote)
        return item.original[_back(item, start, last=False) : _back(item, start + len(quote), last=True)]

    def _by_token(self, item: _Text, quote: str) -> str:
        """For a quote that ran over a sentence that was left out: each placeholder for itself."""
        words: dict[str, str] = {}
        for piece in item.pieces:
            words.setdefault(item.shown[piece.shown : piece.end], item.original[piece.start : piece.stop])
        return _PLACEHOLDER.sub(lambda match: words.get(match.group(), match.group()), quote)


def disguise(texts: Mapping[str, str], lead: Lead, *, keep: frozenset[str] = frozenset()) -> Disguise:
    """The texts by field, canonical, free ones without personal data; `keep` names lead fields that may stay."""
    written = {name: _lines(value) for name, value in texts.items()}
    everything = "\n".join(written.values())
    numbers = _Numbers(everything, personal.words(f"{lead.first_name or ''} {lead.last_name or ''}"))
    return Disguise({name: _disguised(name, value, lead, keep, numbers) for name, value in written.items()})


class _Numbers:
    """Who is who: the same placeholder for the same thing, and none that somebody has written himself."""

    def __init__(self, everything: str, own: frozenset[str]) -> None:
        self._own = own
        self._taken = frozenset(_PLACEHOLDER.findall(everything)) if "[" in everything else frozenset()
        self._known: dict[tuple[str, str], str] = {}
        self._last: dict[str, int] = {}

    def placeholder(self, kind: str, written: str) -> str:
        keys = self._keys(kind, written)
        found = next((self._known[key] for key in keys if key in self._known), None) or self._next(kind)
        for key in keys:
            self._known.setdefault(key, found)
        return found

    def _keys(self, kind: str, written: str) -> list[tuple[str, str]]:
        if kind == "PERSON":
            words = personal.words(written)
            if not words.isdisjoint(self._own):
                return [(kind, "")]
            return [(kind, word) for word in sorted(words)] or [(kind, written)]
        if kind == "PHONE":
            return [(kind, re.sub(r"\D", "", written)[-8:])]
        return [(kind, "".join(written.casefold().split()))]

    def _next(self, kind: str) -> str:
        while True:
            number = self._last[kind] = self._last.get(kind, 0) + 1
            made = f"[{kind}_{number}]"
            if made not in self._taken:
                return made


def _disguised(name: str, lined: str, lead: Lead, keep: frozenset[str], numbers: _Numbers) -> _Text:
    original = lined.replace("\n", " ")
    info = CATALOGUE[name]
    if not info.free_text and name not in _SHORT:
        return _Text(original, original, ())
    shown, pieces, done, length = [], [], 0, 0
    for span in personal.spans(lined, lead, keep=keep, flat=name in _SHORT):
        before, instead = original[done : span.start], numbers.placeholder(span.kind, original[span.start : span.end])
        length += len(before)
        pieces.append(_Piece(length, length + len(instead), span.start, span.end))
        shown += [before, instead]
        length += len(instead)
        done = span.end
    return _Text(original, "".join([*shown, original[done:]]), tuple(pieces))


def _lines(value: str) -> str:
    """The canonical text, with line breaks where they were if that changes nothing else: signatures stand on lines."""
    flat = text.canonical(value)
    if "\n" not in value.strip():
        return flat
    lined = "\n".join(filter(None, map(text.canonical, value.splitlines())))
    return lined if lined.replace("\n", " ") == flat else flat


def _back(item: _Text, place: int, *, last: bool) -> int:
    """Where `place` of what is shown was in the original; within a placeholder, its beginning or end."""
    at = bisect_right(item.pieces, place - 1 if last else place, key=lambda piece: piece.shown) - 1
    if at < 0:
        return place
    piece = item.pieces[at]
    if place < piece.end:
        return piece.stop if last else piece.start
    return piece.stop + place - piece.end


def _forth(item: _Text, place: int, *, last: bool) -> int:
    """Where `place` of the original is in what is shown; within what was taken out, its placeholder's begin or end."""
    at = bisect_right(item.pieces, place - 1 if last else place, key=lambda piece: piece.start) - 1
    if at < 0:
        return place
    piece = item.pieces[at]
    if place < piece.stop or (last and place == piece.stop):
        return piece.end if last else piece.shown
    return piece.end + place - piece.stop
