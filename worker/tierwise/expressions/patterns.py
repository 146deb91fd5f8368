"""`matches()` without compiling its regular expression anew for every lead, as CEL does (0.2 to 2 ms each time).

`lead.x.matches('...')` is answered before CEL runs, and CEL reads the answer. Most texts do not even hold a word of the
pattern; only one that does is given to CEL's own RE2, whose answer alone counts. Nothing here ever matches by itself.
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from cel_expr_python import cel

ROOT = "asked"
"""The variable that holds the answers. Not a function of ours that CEL calls: the library keeps a reference to every
text that it hands to Python, for ever (7 KB a lead)."""

_SHORT = 100  # characters: titles and industries repeat, so their answers are kept
_SHORTEST_WORD = 2
_TOKEN = re.compile(
    r"""//[^\n]*|[rR]?(?:'''.*?'''|\"\"\".*?\"\"\")|[rR](?:'[^'\n]*'|"[^"\n]*")|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*\"""",
    re.DOTALL,
)  # comments and literal texts
_CALL = re.compile(r"(?<![\w.])(lead|result)\s*\.\s*([a-z]\w*)\s*\.\s*matches\s*\(\s*$", re.ASCII)
_END = re.compile(r"\s*\)")
_SHADOWED = re.compile(r"\(\s*(?:lead|result)\s*,")  # a macro that calls its own variable so
_SPECIAL = frozenset("dwsbDWSBAz")  # escapes of RE2 that stand for a class or a place

Words = frozenset[str]
"""A match holds at least one of these, in lower case."""


class Call(NamedTuple):
    """One `matches()` of a field and a literal pattern."""

    key: str
    """Under which the answer is looked up."""
    root: str
    field: str
    pattern: str


class Rewritten(NamedTuple):
    """An expression that reads the answers to `calls` from the variable `asked`."""

    expression: str
    calls: tuple[Call, ...]


def rewritten(expression: str) -> Rewritten:
    """The expression with every call replaced that can be answered beforehand; what is left stays CEL's own."""
    calls: list[Call] = []
    if _SHADOWED.search(expression):
        return Rewritten(expression, ())
    made, end = "", 0
    for token in _TOKEN.finditer(expression):
        if token.start() < end:
            continue
        made += expression[end : token.start()]
        end = token.end()
        head, tail = _CALL.search(made), _END.match(expression, end)
        if token[0].startswith("//") or head is None or tail is None or made[: head.start()].rstrip().endswith("."):
            made += token[0]
            continue
        key = f"m{len(calls)}"
        calls.append(Call(key, head[1], head[2], _decoded(token[0])))
        made, end = f"{made[: head.start()]}{ROOT}.{key}", tail.end()
    return Rewritten(made + expression[end:], tuple(calls))


def answers(calls: Iterable[Call], data: Mapping[str, Mapping[str, Any]]) -> dict[str, bool]:
    """What CEL's `matches` says, by key. None for fields that are absent, or that hold no text."""
    found = {}
    for key, root, field, pattern in calls:
        text = data[root].get(field)
        if isinstance(text, str):
            with contextlib.suppress(ValueError):
                found[key] = matches(text, pattern)
    return found


def matches(text: str, pattern: str) -> bool:
    """CEL's own answer. ValueError where the pattern is none of RE2."""
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


_kept = functools.lru_cache(maxsize=2048)(_asked)


@functools.cache
def _program() -> Any:
    environment = cel.NewEnv(variables={"text": cel.Type.STRING, "pattern": cel.Type.STRING})
    return environment.compile("text.matches(pattern)")


def _decoded(literal: str) -> str:
    """The text that a literal of CEL stands for."""
    return str(cel.NewEnv().compile(literal).eval(data={}).value())


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
