"""`matches()` without compiling its regular expression anew for every lead, as CEL does (0.2 to 2 ms each time).

Most texts do not even hold a word of the pattern. So the words that any match must hold are worked out once; only a
text with one of them is given to CEL's own RE2, whose answer alone counts. Nothing here ever matches by itself.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from typing import Any

from cel_expr_python import cel

_SHORT = 100  # characters: titles and industries repeat, so their answers are kept
_SHORTEST_WORD = 2
_LITERAL_STRING = re.compile(
    r"""[rR]?(?:'''.*?'''|\"\"\".*?\"\"\")|[rR](?:'[^'\n]*'|"[^"\n]*")|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*\"""",
    re.DOTALL,
)
_CALL = re.compile(r"\.\s*matches\s*\(")
_SPECIAL = frozenset("dwsbDWSBAz")  # escapes of RE2 that stand for a class or a place

Words = frozenset[str]
"""A match holds at least one of these, in lower case."""


def rewritten(expression: str) -> str:
    """The expression with every `.matches(` outside of its texts sent through `function`."""
    parts, end = [], 0
    for text in _LITERAL_STRING.finditer(expression):
        parts += [_CALL.sub(".tierwise_matches(", expression[end : text.start()]), text[0]]
        end = text.end()
    return "".join(parts) + _CALL.sub(".tierwise_matches(", expression[end:])


def function() -> Any:
    """Declaration of `tierwise_matches` for CEL's environment."""
    overload = cel.Overload(
        "tierwise_matches_string",
        return_type=cel.Type.BOOL,
        parameters=[cel.Type.STRING, cel.Type.STRING],
        is_member=True,
        impl=_matches,
    )
    return cel.FunctionDecl("tierwise_matches", [overload])


def _matches(text: str, pattern: str) -> bool:
    needed = words(pattern)
    if needed is not None:
        # RE2 takes the long s for an s when it ignores case; lower() does not.
        lowered = text.lower().replace("ſ", "s")
        if not any(word in lowered for word in needed):
            return False
    return _kept(text, pattern) if len(text) <= _SHORT else _asked(text, pattern)


def _asked(text: str, pattern: str) -> bool:
    value = _program().eval(data={"text": text, "pattern": pattern}).value()
    if not isinstance(value, bool):
        raise ValueError("not a pattern of RE2")
    return value


_kept = functools.lru_cache(maxsize=8192)(_asked)


@functools.cache
def _program() -> Any:
    environment = cel.NewEnv(variables={"text": cel.Type.STRING, "pattern": cel.Type.STRING})
    return environment.compile("text.matches(pattern)")


@functools.lru_cache(maxsize=1024)
def words(pattern: str) -> Words | None:
    """Words of which every match holds one; None where the pattern does not tell."""
    try:
        parser = _Parser(pattern)
        found = parser.alternatives()
        return found if parser.at_end else None
    except (_Unreadable, IndexError, RecursionError):
        return None


class _Unreadable(Exception):
    """A part of RE2's syntax that this parser leaves to RE2."""


class _Parser:
    """Reads the common part of RE2's syntax and keeps only what a match cannot do without."""

    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._place = 0

    @property
    def at_end(self) -> bool:
        return self._place >= len(self._text)

    def alternatives(self) -> Words | None:
        branches = [self._sequence()]
        while not self.at_end and self._text[self._place] == "|":
            self._place += 1
            branches.append(self._sequence())
        return _either(branches)

    def _sequence(self) -> Words | None:
        """The most telling of what stands in a row: all of it is needed, so any part of it may be asked for."""
        needed: list[Words | None] = []
        run = ""
        while not self.at_end and self._text[self._place] not in "|)":
            item = self._item()
            least = self._repeated()
            if isinstance(item, str) and len(item) == 1 and item.isascii() and least == 1:
                run += item.lower()
                continue
            needed.append(_word(run))
            run = ""
            if least and not isinstance(item, str):
                needed.append(item)
        return _best([*needed, _word(run)])

    def _item(self) -> str | Words | None:
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

    def _group(self) -> Words | None:
        if self._text.startswith("?", self._place):
            opening = re.compile(r"\?(?:P?<\w+>|[ims]*(?:-[ims]+)?[:)])").match(self._text, self._place)
            if opening is None:
                raise _Unreadable
            self._place = opening.end()
            if opening[0].endswith(")"):
                return None  # flags for the rest; case is ignored here anyway
        inner = self.alternatives()
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


def _word(run: str) -> Words | None:
    return frozenset({run}) if len(run) >= _SHORTEST_WORD else None


def _best(needed: Iterable[Words | None]) -> Words | None:
    told = [words_ for words_ in needed if words_]
    return max(told, key=lambda words_: (min(map(len, words_)), -len(words_)), default=None)


def _either(branches: Sequence[Words | None]) -> Words | None:
    return frozenset().union(*(branch or () for branch in branches)) if all(branches) else None
