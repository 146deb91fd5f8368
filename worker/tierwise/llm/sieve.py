"""Many patterns over one text: each is tried only where the text holds the words that it cannot do without.

One alternation of a hundred patterns takes a millisecond for a lead's message, nearly all of it spent in places where
nothing of them begins. What is found is the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from itertools import chain
from typing import NamedTuple

from tierwise.domain import needed
from tierwise.llm.text import words

_WORD = re.compile(r"\w+")
_HEAD = 4


class _Tried(NamedTuple):
    """What a match needs besides the word under which the pattern is found."""

    keys: tuple[frozenset[str], ...]
    """One of each of these is among the text's keys."""
    words: tuple[tuple[str, ...], ...]
    """One of each of these stands in the text."""
    pattern: re.Pattern[str]

    def possible(self, keys: Collection[str], holds: Callable[[str], bool]) -> bool:
        # Looped, not searched by a generator: this is asked some fifteen times of every text, and is mostly false.
        for some in self.keys:
            if some.isdisjoint(keys):
                return False
        return all(any(map(holds, texts)) for texts in self.words)


class Sieve:
    """Patterns of `re` without flags. Safe to use from several threads.

    A word is looked for under its key, a whole word, the first letters of one or a sign, since to look a text's words
    up costs less than to search the text for one word.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self._words: dict[str, list[_Tried]] = {}
        self._keyed: dict[str, list[str]] = {}
        self._anywhere: list[str] = []
        self._foreign: list[str] = []
        blind = []
        for source in chain.from_iterable(map(needed.alternatives, patterns)):
            # Found under the rarest: long words, and few of them.
            first, *others = sorted(needed.places(source), key=_rarity) or [frozenset()]
            tried = _Tried(_keys(others), _texts(others), re.compile(source))
            for word in sorted({place.text for place in first}):
                self._words.setdefault(word, []).append(tried)
            for place in sorted(first):
                self._place(place)
            if not first:
                blind.append(source)
        # What needs nothing is tried on every text: together, since each search by itself costs a call.
        self._always = re.compile("|".join(f"(?:{source})" for source in blind)) if blind else None

    def search(self, text: str, said: Collection[str] | None = None) -> bool:
        """Whether any of the patterns is found in the text; `said` are its words where they are at hand."""
        if self._always is not None and self._always.search(text):
            return True
        said = words(text) if said is None else said
        holds = text.__contains__
        keys = {word[:_HEAD] for word in said}
        keys.update(said, filter(holds, needed.SIGNS))
        done: set[int] = set()
        for word in filter(holds, self._possible(keys, isascii=text.isascii())):
            for tried in self._words[word]:
                if id(tried) in done:
                    continue
                done.add(id(tried))
                if tried.possible(keys, holds) and tried.pattern.search(text):
                    return True
        return False

    def _possible(self, keys: set[str], *, isascii: bool) -> Iterable[str]:
        keyed = chain.from_iterable(map(self._keyed.__getitem__, self._keyed.keys() & keys))
        return chain(keyed, self._anywhere, () if isascii else self._foreign)

    def _place(self, place: needed.Place) -> None:
        key = _key(place)
        if key is not None:
            known = self._keyed.setdefault(key, [])
        else:
            known = self._anywhere if place.text.isascii() else self._foreign
        if place.text not in known:
            known.append(place.text)


def _keys(needed_: Iterable[needed.Places]) -> tuple[frozenset[str], ...]:
    """Of those whose every word has a key."""
    found = ([_key(place) for place in places] for places in needed_)
    return tuple(frozenset(filter(None, keys)) for keys in found if None not in keys)


def _texts(needed_: Iterable[needed.Places]) -> tuple[tuple[str, ...], ...]:
    """Few words first."""
    return tuple(sorted((tuple(sorted({place.text for place in places})) for places in needed_), key=len))


def _key(place: needed.Place) -> str | None:
    """What is among the keys of every text that holds the place: of its words the longest; None where that is open."""
    found = [sign for sign in sorted(needed.SIGNS) if sign in place.text]
    for word in _WORD.finditer(place.text):
        begins, ends = word.start() > 0 or place.begins, word.end() < len(place.text) or place.ends
        if begins and (ends or len(word.group()) >= _HEAD):
            found.append(word.group() if ends else word.group()[:_HEAD])
    return max(found, key=len, default=None)


def _rarity(places: needed.Places) -> tuple[bool, int, int, list[str]]:
    texts = sorted({place.text for place in places})
    return None in map(_key, places), -min(map(len, texts)), len(texts), texts
