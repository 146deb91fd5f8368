"""What a text must hold for a pattern to match it: words, to be looked for before the pattern is tried.

Looking for a word costs a hundredth of a pattern's search. Reads what RE2 and Python's `re` have in common; what it
does not know needs nothing, so that the pattern is always tried.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_SHORTEST_WORD = 2
_MOST_WAYS = 16  # to spell a passage
_SIGNS = frozenset(":<>#|=[]{}")
_SPECIAL = frozenset("dwsbDWSBAz")  # escapes that stand for a class or a place

Words = frozenset[str]
"""A match holds at least one of these."""
_NOTHING: Words = frozenset({""})


class _Branch(NamedTuple):
    """What one alternative needs, and all the ways to spell it where it is nothing but text."""

    needs: list[Words | None]
    spelt: Words | None


class _Group(NamedTuple):
    """The same of a group of alternatives."""

    needs: Words | None
    spelt: Words | None


@functools.lru_cache(maxsize=1024)
def words(pattern: str) -> Words | None:
    """Words in lower case, whatever case the pattern minds; None where the pattern does not tell."""
    try:
        parser = _Parser(pattern)
        found = parser.alternatives()
    except (_Unreadable, IndexError, RecursionError):
        return None
    if found is None or not parser.at_end:
        return None
    # Who holds a longer word holds the shorter one in it.
    return frozenset(word for word in found if not any(other in word for other in found - {word}))


def conditions(pattern: str) -> tuple[Words, ...]:
    """Everything that a pattern of `re` without flags needs, as it is spelt: of each a word. Empty: it may match any
    text."""
    try:
        parser = _Parser(pattern, exact=True)
        branches = parser.branches()
        if not parser.at_end:
            return ()
    except (_Unreadable, IndexError, RecursionError):
        return ()
    if len(branches) == 1:
        return tuple(dict.fromkeys(told for told in branches[0].needs if told))
    whole = _either([_best(branch.needs) for branch in branches])
    return (whole,) if whole else ()


class _Unreadable(Exception):
    """A part of the syntax that this parser leaves to the engine."""


class _Parser:
    """Reads the common part of the syntax and keeps only what a match cannot do without."""

    def __init__(self, pattern: str, *, exact: bool = False) -> None:
        """`exact`: the engine minds case, so that letters of any script can be looked for."""
        self._text = pattern
        self._place = 0
        self._exact = exact

    @property
    def at_end(self) -> bool:
        return self._place >= len(self._text)

    def alternatives(self) -> Words | None:
        return self._alternatives().needs

    def _alternatives(self) -> _Group:
        branches = self.branches()
        spelt = _either([branch.spelt for branch in branches])
        # All of a branch is needed, so any part of it may be asked for: the most telling.
        return _Group(
            _either([_best(branch.needs) for branch in branches]),
            spelt if spelt is not None and len(spelt) <= _MOST_WAYS else None,
        )

    def branches(self) -> list[_Branch]:
        """What each alternative needs."""
        found = [self._sequence()]
        while not self.at_end and self._text[self._place] == "|":
            self._place += 1
            found.append(self._sequence())
        return found

    def _sequence(self) -> _Branch:
        needed: list[Words | None] = []
        run = _NOTHING
        whole = True
        while not self.at_end and self._text[self._place] not in "|)":
            item = self._item()
            least = self._repeated()
            spelt = self._spelt(item) if least == 1 else None
            if spelt is not None and min(len(run), len(spelt)) == 1:
                run = frozenset(before + after for before in run for after in spelt)
                continue
            whole = False
            needed.append(self._word(run))
            run = spelt or _NOTHING
            if spelt is not None:
                continue
            if least and isinstance(item, _Group):
                needed.append(item.needs)
            elif least and self._exact and isinstance(item, str):
                needed.append(self._word(frozenset({item})))
        return _Branch([*needed, self._word(run)], run if whole else None)

    def _spelt(self, item: str | _Group | None) -> Words | None:
        """Every way to spell it, so that what stands beside it can be looked for with it; None where there are many."""
        if isinstance(item, str):
            return frozenset({item if self._exact else item.lower()}) if self._exact or item.isascii() else None
        # Only of passages that tell something by themselves: "for" beside "a" or "the" says no more than "for".
        return item.spelt if item is not None and item.needs and not self._exact else None

    def _word(self, run: Words) -> Words | None:
        return run if all(map(self._telling, run)) else None

    def _telling(self, run: str) -> bool:
        # A letter of a large script says as much as a word, and a sign that prose hardly has nearly as much.
        if len(run) >= _SHORTEST_WORD:
            return True
        return bool(run) and (not run.isascii() or (self._exact and run in _SIGNS))

    def _item(self) -> str | _Group | None:
        """One literal character, or what a group needs, or None for what can be many characters."""
        char = self._next()
        if char == "(":
            return self._group()
        if char == "[":
            self._skip_class()
            return None
        if char in "*+?{":
            raise _Unreadable
        if char == "\\":
            escaped = self._next()
            if escaped in _SPECIAL:
                return None
            if escaped.isalnum():
                raise _Unreadable
            return escaped
        return None if char in ".^$" else char

    def _group(self) -> _Group | None:
        looks = re.compile(r"\?<?[=!]").match(self._text, self._place)
        if looks is not None:
            # What stands beside a match is not in it, and what may not stand there even less.
            self._place = looks.end()
            self.alternatives()
            if self._next() != ")":
                raise _Unreadable
            return None
        if self._text.startswith("?", self._place):
            opening = re.compile(r"\?(?:P?<\w+>|[ims]*(?:-[ims]+)?[:)])").match(self._text, self._place)
            if opening is None:
                raise _Unreadable
            if self._exact and opening[0] != "?:":
                raise _Unreadable  # flags change what a letter means
            self._place = opening.end()
            if opening[0].endswith(")"):
                return None  # flags for the rest; case is ignored here anyway
        inner = self._alternatives()
        if self._next() != ")":
            raise _Unreadable
        return inner

    def _skip_class(self) -> None:
        end = re.compile(r"\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]", re.DOTALL).match(self._text, self._place)
        if end is None:
            raise _Unreadable
        self._place = end.end()

    def _repeated(self) -> int:
        """Least number of times that the item before stands there; more than one time breaks a run."""
        counted = re.compile(r"(?:([*+?])|\{(\d+)(,\d*)?\})\??").match(self._text, self._place)
        if counted is None:
            return 1
        self._place = counted.end()
        least = int(counted[2]) if counted[2] else int(counted[1] == "+")
        return 2 if least else 0

    def _next(self) -> str:
        char = self._text[self._place]
        self._place += 1
        return char


def _best(needed: Iterable[Words | None]) -> Words | None:
    told = [words_ for words_ in needed if words_]
    return max(told, key=lambda words_: (min(map(len, words_)), -len(words_)), default=None)


def _either(branches: Sequence[Words | None]) -> Words | None:
    return frozenset().union(*(branch or () for branch in branches)) if all(branches) else None
