"""`matches()` without compiling its regular expression anew for every lead, as CEL does (0.2 to 2 ms each time).

`lead.x.matches('...')` is answered before CEL runs, and CEL reads the answer. Most texts do not even hold a word of the
pattern; only one that does is given to CEL's own RE2, whose answer alone counts. Nothing here ever matches by itself.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from cel_expr_python import cel

from tierwise.domain import needed

ROOT = "asked"
"""The variable that holds the answers. Not a function of ours that CEL calls: the library keeps a reference to every
text that it hands to Python, for ever (7 KB a lead)."""

_SHORT = 100  # characters: titles and industries repeat, so their answers are kept
_TOKEN = re.compile(
    r"""//[^\n]*|[rR]?(?:'''.*?'''|\"\"\".*?\"\"\")|[rR](?:'[^'\n]*'|"[^"\n]*")|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*\"""",
    re.DOTALL,
)  # comments and literal texts
_CALL = re.compile(r"(?<![\w.])(lead|result)\s*\.\s*([a-z]\w*)\s*\.\s*matches\s*\(\s*$", re.ASCII)
_END = re.compile(r"\s*\)")
_SHADOWED = re.compile(r"\(\s*(?:lead|result)\s*,")  # a macro that calls its own variable so


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


class Texts:
    """The texts of one lead, made ready once for every pattern that asks about them."""

    __slots__ = ("_data", "_lowered")

    def __init__(self, data: Mapping[str, Mapping[str, Any]]) -> None:
        self._data = data
        self._lowered: dict[str, str] = {}

    def answers(self, calls: Iterable[Call]) -> dict[str, bool]:
        """What CEL's `matches` says, by key. None for fields that are absent, or that hold no text."""
        said = ((call.key, self.says(call)) for call in calls)
        return {key: answer for key, answer in said if answer is not None}

    def says(self, call: Call) -> bool | None:
        """The same of one call."""
        text = self._data[call.root].get(call.field)
        if not isinstance(text, str):
            return None
        lowered = self._lowered.get(text)
        if lowered is None:
            lowered = self._lowered[text] = _lower(text)
        try:
            return _holds(lowered, call.pattern) and _matched(text, lowered, call.pattern)
        except ValueError:
            return None


def matches(text: str, pattern: str) -> bool:
    """CEL's own answer. ValueError where the pattern is none of RE2."""
    lowered = _lower(text)
    return _holds(lowered, pattern) and _matched(text, lowered, pattern)


def _lower(text: str) -> str:
    # RE2 takes the long s for an s when it ignores case; lower() does not.
    return text.lower().replace("ſ", "s")


def _holds(lowered: str, pattern: str) -> bool:
    """Whether the text holds a word that the pattern needs."""
    told = needed.words(pattern)
    # Mapped, not looped: this is asked for every rule of every lead.
    return told is None or any(map(lowered.__contains__, told))


def _matched(text: str, lowered: str, pattern: str) -> bool:
    return _kept(text, pattern) if len(text) <= _SHORT else _possible(lowered, pattern) and _asked(text, pattern)


def _possible(lowered: str, pattern: str) -> bool:
    """Whether the text holds all the words that one way to match the pattern needs."""
    holds = lowered.__contains__
    return any(all(any(map(holds, words)) for words in way) for way in needed.ways(pattern))


def _asked(text: str, pattern: str) -> bool:
    value = _program().eval(data={"text": text, "pattern": pattern}).value()
    if not isinstance(value, bool):
        raise ValueError("not a pattern of RE2")
    return value


_kept = functools.lru_cache(maxsize=1024)(_asked)


@functools.cache
def _program() -> Any:
    environment = cel.NewEnv(variables={"text": cel.Type.STRING, "pattern": cel.Type.STRING})
    return environment.compile("text.matches(pattern)")


def _decoded(literal: str) -> str:
    """The text that a literal of CEL stands for."""
    return str(cel.NewEnv().compile(literal).eval(data={}).value())
