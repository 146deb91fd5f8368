"""With which words the matches of a pattern begin, so that it is tried only where a text holds one of them.

For patterns that list what people say, in the plain part of `re`: what it cannot read it refuses, since a word that was
forgotten would be a match that is never found.
"""

from __future__ import annotations

import re
from functools import lru_cache

WORD = re.compile(r"\w+")
_MOST = 10_000
# To `re` these are an i where case is ignored; to `casefold` they are not.
_DOTS = ("\u0130", "\u0131")


def spelt(text: str) -> str:
    """The text, as long as before, with letters that `casefold` and `re` see differently made the same."""
    if text.isascii():
        return text
    for letter in _DOTS:
        text = text.replace(letter, "i")
    return text


@lru_cache(maxsize=64)
def first_words(pattern: str) -> frozenset[str]:
    """Every word, small, that a match can begin with; what follows the pattern must not go on with a letter.

    ValueError where the pattern has something else than texts, groups, alternatives, sets and options, or can begin
    with no word.
    """
    reader = _Reader(pattern)
    spellings = reader.alternatives()
    if not reader.at_end:
        raise ValueError(f"unexpected {pattern[reader.place :]!r}")
    words = {match.group().casefold() if (match := WORD.match(spelt(text))) else "" for text, _ in spellings}
    if "" in words:
        raise ValueError("it can begin with no word")
    return frozenset(words)


_Spelling = tuple[str, bool]
"""How a match can begin, and whether its first word is over."""


class _Reader:
    """Spells a pattern out, each way as far as its first word goes."""

    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self.place = 0

    @property
    def at_end(self) -> bool:
        return self.place >= len(self._text)

    def alternatives(self) -> set[_Spelling]:
        found = self._sequence()
        while not self.at_end and self._text[self.place] == "|":
            self.place += 1
            found |= self._sequence()
        return found

    def _sequence(self) -> set[_Spelling]:
        found: set[_Spelling] = {("", False)}
        while not self.at_end and self._text[self.place] not in "|)":
            found = _joined(found, self._item())
        return found

    def _item(self) -> set[_Spelling]:
        char = self._next()
        if char == "(":
            if not self._text.startswith("?:", self.place):
                raise ValueError("a group that is more than a group")
            self.place += 2
            item = self.alternatives()
            if self._next() != ")":
                raise ValueError("a group without an end")
        elif char == "[":
            end = self._text.index("]", self.place)
            item = {(one, False) for one in self._text[self.place : end]}
            if self._text[self.place] in "^" or set(self._text[self.place : end]) & set("\\-"):
                raise ValueError("a set that is more than a list")
            self.place = end + 1
        elif char == "\\":
            char = self._next()
            # Behind the first word anything may stand; `_joined` sees to that.
            item = {("\\", False)} if char.isalnum() else {(char, False)}
        elif char in ".^$*+?{":
            raise ValueError(f"cannot be spelt out: {char}")
        else:
            item = {(char, False)}
        return self._repeated(item)

    def _repeated(self, item: set[_Spelling]) -> set[_Spelling]:
        if not self.at_end and self._text[self.place] in "*+{":
            if self._text[self.place] == "{":
                raise ValueError("cannot be spelt out: {")
            self.place += 1
            return {("\\", False)}
        if not self.at_end and self._text[self.place] == "?":
            self.place += 1
            return item | {("", False)}
        return item

    def _next(self) -> str:
        if self.at_end:
            raise ValueError("it ends in the middle")
        char = self._text[self.place]
        self.place += 1
        return char


def _joined(before: set[_Spelling], after: set[_Spelling]) -> set[_Spelling]:
    found: set[_Spelling] = set()
    for text, over in before:
        if over:
            found.add((text, True))
            continue
        for more, ended in after:
            if more == "\\":
                raise ValueError("its first word is not spelt out")
            end = next((place for place, char in enumerate(more) if not WORD.match(char)), None)
            found.add((text + more, ended) if end is None else (text + more[:end], True))
    if len(found) > _MOST:
        raise ValueError("too many ways to begin")
    return found
