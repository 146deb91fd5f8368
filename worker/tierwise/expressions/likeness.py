"""What the answers of expressions depend on: leads that are alike in it have the same answers, so that one is enough.

A number is told by its place among those it is compared with, a text by whether it is there, by its length or by what
`matches` says of it. Where an answer depends on more than a few values, nothing is told.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from tierwise.domain.rules import Stage
from tierwise.expressions import patterns, syntax
from tierwise.expressions.environments import variables

_REPEATED = frozenset({
    "lead.country", "lead.industry", "result.tier", "result.route",
    "lead.employee_count",  # mostly the middle of one of a form's few ranges
})  # fmt: skip
_EXACT = 2**53
"""Up to here whole and decimal numbers compare alike everywhere."""


class Read(NamedTuple):
    """How an answer depends on one field."""

    root: str
    field: str
    by: Literal["value", "presence", "place", "length", "anything"]
    scale: tuple[float, ...] = ()
    """For `place` and `length`: which numbers it is compared with."""


def reads(tree: syntax.Tree, stage: Stage) -> tuple[Read, ...] | None:
    """How the answer depends on the fields that an expression reads by itself; None where that cannot be told."""
    if tree.whole:
        return None
    names = sorted({*tree.reads, *tree.guarded})
    return tuple(_read(name, tree, stage) for name in names if not name.startswith(f"{patterns.ROOT}."))


def _read(name: str, tree: syntax.Tree, stage: Stage) -> Read:
    root, field = name.split(".", 1)
    if name not in tree.reads:
        return Read(root, field, "presence")
    if name in tree.lengths:
        return Read(root, field, "length", tree.lengths[name])
    scale = tree.scales.get(name, ())
    if scale and all(abs(number) <= _EXACT for number in scale):
        return Read(root, field, "place", scale)
    return Read(root, field, "value" if _few(name, stage) else "anything")


def _few(name: str, stage: Stage) -> bool:
    """Whether a field has so few values that answers about it are worth keeping."""
    known = variables(stage).get(name)
    return known is not None and (known.kind in ("choice", "boolean") or name in _REPEATED)


class Likeness:
    """What several answers depend on together."""

    __slots__ = ("_anything", "_calls", "_lengths", "_places", "_presences", "_values")

    def __init__(self, asked: Iterable[Read], calls: Iterable[patterns.Call]) -> None:
        found = sorted(set(asked))
        self._values = _by_root(found, "value")
        self._presences = _by_root(found, "presence")
        self._anything = _by_root(found, "anything")
        self._places = _scales(found, "place")
        self._lengths = _scales(found, "length")
        # What `matches` says of a field and a pattern, whichever expression asks and under whichever key.
        self._calls = tuple({(call.root, call.field, call.pattern): call for call in calls}.values())

    def key(self, data: Mapping[str, Mapping[str, Any]], texts: patterns.Texts) -> tuple[Any, ...] | None:
        """Equal for leads whose answers are equal; None where these facts have no equals."""
        key: list[Any] = [texts.says(call) for call in self._calls] if self._calls else []
        for root, fields in self._values:
            values = [*map(data[root].get, fields)]
            key += values
            # With their types: to a key True is 1, to CEL it is not.
            key += map(type, values)
        for root, fields in self._presences:
            key += map(type, map(data[root].get, fields))
        for root, fields in self._anything:
            held = data[root]
            if any(held.get(field) is not None for field in fields):
                return None
        for root, field, scale in self._places:
            value = data[root].get(field)
            kind = type(value)
            key.append(kind)
            if value is None:
                continue
            # Between which of the numbers it lies, or on which, says how every comparison ends.
            if (kind is not int and kind is not float) or not -_EXACT <= value <= _EXACT:
                return None
            key.append(bisect_left(scale, value) + bisect_right(scale, value))
        for root, field, scale in self._lengths:
            text = data[root].get(field)
            if text is None:
                key.append(None)
                continue
            if type(text) is not str:
                return None
            length = len(text)
            key.append(bisect_left(scale, length) + bisect_right(scale, length))
        return tuple(key)


def _by_root(asked: Iterable[Read], by: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    fields: dict[str, list[str]] = {}
    for read in asked:
        if read.by == by:
            fields.setdefault(read.root, []).append(read.field)
    return tuple((root, tuple(names)) for root, names in fields.items())


def _scales(asked: Iterable[Read], by: str) -> tuple[tuple[str, str, tuple[float, ...]], ...]:
    """One scale a field: the numbers of all who compare it."""
    scales: dict[tuple[str, str], set[float]] = {}
    for read in asked:
        if read.by == by:
            scales.setdefault((read.root, read.field), set()).update(read.scale)
    return tuple((root, field, tuple(sorted(numbers))) for (root, field), numbers in scales.items())
