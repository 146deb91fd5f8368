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
_FEW_WAYS = 200  # to match a pattern; of more each is not held against each
SIGNS = frozenset(":<>#|=[]{}(_")
"""Characters that say nearly as much as a word, since prose hardly has them."""
_SPECIAL = frozenset("dwsbDWSBAz")  # escapes that stand for a class or a place

Words = frozenset[str]
"""A match holds at least one of these."""
_NOTHING: Words = frozenset({""})
Way = tuple[Words, ...]
"""A match that is made so holds at least one of each."""


class Place(NamedTuple):
    """Something that a match holds."""

    text: str
    begins: bool = False
    """Its first character, where that is one of a word (`\\w`), begins the word."""
    ends: bool | None = False
    """Its last character, where that is one of a word, ends the word. None: what stands behind it is not read yet."""


Places = frozenset[Place]
"""A match holds at least one of these."""


@functools.lru_cache(maxsize=1024)
def words(pattern: str) -> Words | None:
    """Words in lower case, whatever case the pattern minds; None where the pattern does not tell."""
    whole = _read(pattern)
    if whole is None or whole.needed is None:
        return None
    found = _texts(whole.needed)
    # Who holds a longer word holds the shorter one in it.
    return frozenset(word for word in found if not any(other in word for other in found - {word}))


@functools.lru_cache(maxsize=1024)
def ways(pattern: str) -> tuple[Way, ...]:
    """Ways to match the pattern: whatever it matches meets all of one of them. In lower case, as `words`."""
    whole = _read(pattern)
    found = whole.ways if whole is not None else ((),)
    if len(found) > _FEW_WAYS:
        return tuple(map(_ordered, found))
    sets = [(way, frozenset(way)) for way in found]
    # Who meets more meets less.
    return tuple(_ordered(way) for way, needs in sets if not any(other < needs for _, other in sets))


def _read(pattern: str) -> _Item | None:
    try:
        parser = _Parser(pattern)
        whole = parser.alternatives(begins=False)
    except (_Unreadable, IndexError, RecursionError):
        return None
    return whole if parser.at_end else None


def _ordered(way: Way) -> Way:
    """The rarest first, so that most texts are told by one look, and without what another one says already."""
    told = [texts for texts in way if not any(other < texts for other in way)]
    return tuple(sorted(told, key=lambda texts: (-min(map(len, texts)), len(texts), sorted(texts))))


def conditions(pattern: str) -> tuple[Words, ...]:
    """Everything that a pattern of `re` without flags needs, as it is spelt: of each a word. Empty: it may match any
    text."""
    return tuple(dict.fromkeys(map(_texts, places(pattern))))


def places(pattern: str) -> tuple[Places, ...]:
    """The same, with what is known of where they stand."""
    try:
        parser = _Parser(pattern, exact=True)
        branches = parser.branches(begins=False)
        if not parser.at_end:
            return ()
    except (_Unreadable, IndexError, RecursionError):
        return ()
    if len(branches) == 1:
        found = branches[0].needed
    else:
        found = [_either([_best(branch.needed) for branch in branches])]
    return tuple(dict.fromkeys(told for places_ in found if (told := _ended(places_, ends=False))))


def alternatives(pattern: str) -> tuple[str, ...]:
    """Patterns of which one is found wherever the whole is: of what cannot be read the pattern itself."""
    try:
        parser = _Parser(pattern, exact=True)
        found = parser.branches(begins=False)
        return tuple(branch.source for branch in found) if parser.at_end else (pattern,)
    except (_Unreadable, IndexError, RecursionError):
        return (pattern,)


class _Unreadable(Exception):
    """A part of the syntax that this parser leaves to the engine."""


class _Item(NamedTuple):
    """What stands in one place of a pattern."""

    letter: str | None = None
    """One literal character; None for what can be many."""
    needed: Places | None = None
    spelt: Words | None = None
    """All that a group can be, where it is nothing but text."""
    begins: bool = False
    """A letter behind it begins a word."""
    ends: bool = False
    """A letter before it ends a word."""
    ways: tuple[Way, ...] = ()
    """Of a group: what each of its alternatives needs."""


class _Branch(NamedTuple):
    """One alternative."""

    source: str
    needed: list[Places | None]
    spelt: Words | None
    begins: bool
    ways: tuple[Way, ...]


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

    def alternatives(self, *, begins: bool) -> _Item:
        """`begins`: a letter that stood here would begin a word."""
        # All of a branch is needed, so any part of it may be asked for: the most telling.
        found = self.branches(begins=begins)
        ways = frozenset[str]().union(*(branch.spelt or () for branch in found))
        spelt = ways if len(ways) <= _MOST_WAYS and all(branch.spelt for branch in found) else None
        needed = _either([_best(branch.needed) for branch in found])
        told = tuple(dict.fromkeys(way for branch in found for way in branch.ways))
        return _Item(None, needed, spelt, all(item.begins for item in found), ways=told)

    def branches(self, *, begins: bool) -> list[_Branch]:
        """What each alternative needs."""
        found = [self._sequence(begins=begins)]
        while not self.at_end and self._text[self._place] == "|":
            self._place += 1
            found.append(self._sequence(begins=begins))
        return found

    def _sequence(self, *, begins: bool) -> _Branch:
        found: list[Places | None] = []
        inside: tuple[Way, ...] = ((),)
        start, run, run_begins, whole = self._place, _NOTHING, begins, True
        while not self.at_end and self._text[self._place] not in "|)":
            item = self._item(begins=begins)
            least = self._repeated()
            spelt, ends = self._spelt(item) if least == 1 else None, item.ends and least > 0
            # What may be missing leaves the place as it was.
            before, begins = begins, item.begins and (begins or least > 0)
            if run == _NOTHING:
                found[-1:] = [_ended(places_, ends=ends) for places_ in found[-1:]]
                run_begins = before
            if spelt and min(len(run), len(spelt)) == 1:
                run = frozenset(first + last for first in run for last in spelt)
                continue
            found.append(self._word(run, begins=run_begins, ends=ends))
            run, run_begins, whole = spelt or _NOTHING, before, False
            if spelt:
                continue
            if least and len(item.ways) > len(inside):
                inside = item.ways
            if least and item.letter is None:
                found.append(item.needed if least == 1 else _ended(item.needed, ends=False))
            elif least and self._exact:
                found.append(self._word(frozenset({str(item.letter)}), begins=before, ends=False))
        found.append(self._word(run, begins=run_begins, ends=None))
        each = tuple(_texts(places_) for places_ in found if places_)
        told = tuple(tuple(dict.fromkeys((*each, *way))) for way in inside)
        return _Branch(self._text[start : self._place], found, run if whole else None, begins, told)

    def _spelt(self, item: _Item) -> Words | None:
        """Every way to spell it, so that it can be looked for with what stands beside it; None where there are many."""
        if item.letter is not None:
            readable = self._exact or item.letter.isascii()
            return frozenset({item.letter if self._exact else item.letter.lower()}) if readable else None
        # Only of passages that tell something by themselves: "for" beside "a" or "the" says no more than "for".
        return item.spelt if item.needed and not self._exact else None

    def _word(self, run: Words, *, begins: bool, ends: bool | None) -> Places | None:
        return frozenset(Place(text, begins, ends) for text in run) if all(map(self._tells, run)) else None

    def _tells(self, text: str) -> bool:
        # A letter of a large script says as much as a word.
        return len(text) >= _SHORTEST_WORD or (text != "" and (not text.isascii() or (self._exact and text in SIGNS)))

    def _item(self, *, begins: bool) -> _Item:
        char = self._next()
        if char == "(":
            return self._group(begins=begins)
        if char == "[":
            return self._class()
        if char in "*+?{":
            raise _Unreadable
        if char == "\\":
            char = self._next()
            if char in _SPECIAL:
                return _Item(begins=char in "bsWA", ends=char in "bsWZ")
            if char.isalnum():
                raise _Unreadable
        elif char in ".^$":
            return _Item(begins=char == "^", ends=char == "$")
        between = not (char.isalnum() or char == "_")
        return _Item(char, begins=between, ends=between)

    def _group(self, *, begins: bool) -> _Item:
        looks = re.compile(r"\?<?[=!]").match(self._text, self._place)
        if looks is not None:
            # What stands beside a match is not in it, and what may not stand there even less.
            self._place = looks.end()
            self.alternatives(begins=False)
            if self._next() != ")":
                raise _Unreadable
            return _Item(begins=begins)
        if self._text.startswith("?", self._place):
            opening = re.compile(r"\?(?:P?<\w+>|[ims]*(?:-[ims]+)?[:)])").match(self._text, self._place)
            if opening is None:
                raise _Unreadable
            if self._exact and opening[0] != "?:":
                raise _Unreadable  # flags change what a letter means
            self._place = opening.end()
            if opening[0].endswith(")"):
                if not self.at_end and self._text[self._place] in "*+?{":
                    raise _Unreadable  # RE2 takes it for one of what stands before the flags
                return _Item(begins=begins)  # flags for the rest; case is ignored here anyway
        inner = self.alternatives(begins=begins)
        if self._next() != ")":
            raise _Unreadable
        return inner

    def _class(self) -> _Item:
        end = re.compile(r"(\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*)\]", re.DOTALL).match(self._text, self._place)
        if end is None:
            raise _Unreadable
        self._place = end.end()
        signs, plain = frozenset(end[1]), re.sub(r"\\[sW]|\\(?=\W)", "", end[1])
        # Neither negated nor with a range: then it is what it lists.
        between = "^" not in plain[:1] and "-" not in plain[1:-1] and not re.search(r"\w", plain)
        return _Item(
            None, frozenset(map(Place, signs)) if self._exact and signs <= SIGNS else None, begins=between, ends=between
        )

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


def _best(needed: Iterable[Places | None]) -> Places | None:
    told = [places_ for places_ in needed if places_]
    return max(told, key=lambda places_: (min(len(place.text) for place in places_), -len(places_)), default=None)


def _either(branches: Sequence[Places | None]) -> Places | None:
    return frozenset().union(*(branch or () for branch in branches)) if all(branches) else None


def _ended(places_: Places | None, *, ends: bool) -> Places | None:
    """With what is known now of what stands behind."""
    return places_ and frozenset(place if place.ends is not None else place._replace(ends=ends) for place in places_)


def _texts(places_: Places) -> Words:
    return frozenset(place.text for place in places_)
