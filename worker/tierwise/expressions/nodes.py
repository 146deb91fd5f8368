"""The tree of an expression as plain values, for who reasons about it without running it.

A part that is none of fields, literals, calls and lists comes as `opaque`, with the fields that it reads.
"""

from __future__ import annotations

import functools
from typing import Any, Literal, NamedTuple

from google.protobuf import any_pb2

from tierwise.domain.rules import Stage
from tierwise.expressions import syntax
from tierwise.expressions.environments import LOCK, check_environment


class Node(NamedTuple):
    """One part of an expression."""

    kind: Literal["field", "has", "literal", "call", "list", "opaque"]
    name: str = ""
    """Dotted name of a field, or name of the function of a call (`_>=_`, `matches`)."""
    value: str | int | float | bool | None = None
    """Of a literal."""
    args: tuple[Node, ...] = ()
    offset: int = 0
    """In characters: of a literal where it begins, of an operator where it stands."""

    @property
    def reads(self) -> frozenset[str]:
        """Fields whose values it needs."""
        own = {self.name} if self.kind == "field" else set()
        return frozenset(own.union(*(arg.reads for arg in self.args)))

    @property
    def key(self) -> str:
        """The same for parts that say the same, wherever they stand."""
        if self.kind == "opaque":
            return f"?{self.name}"
        inner = ",".join(arg.key for arg in self.args)
        return f"{self.kind}:{self.name}:{self.value!r}({inner})"


@functools.lru_cache(maxsize=4096)
def tree(expression: str, stage: Stage) -> Node:
    """The tree of an expression that `check` found right."""
    with LOCK:
        serialized = check_environment(stage).compile(expression).serialize()
    checked = syntax.message("CheckedExpr").FromString(any_pb2.Any.FromString(serialized).value)
    offsets = {entry.id: entry.offset for entry in checked.source.positions}
    return _node(checked.expr, offsets, expression)


def _node(raw: Any, offsets: dict[int, int], expression: str) -> Node:
    offset = offsets.get(raw.id, 0)
    field = syntax.field(raw)
    if field is not None:
        return Node("has" if raw.select.test_only else "field", field, offset=offset)
    if raw.HasField("const"):
        for name in ("text", "whole", "decimal", "flag"):
            if raw.const.HasField(name):
                return Node("literal", value=getattr(raw.const, name), offset=offset)
    if raw.HasField("call"):
        parts = [raw.call.target] if raw.call.HasField("target") else []
        args = tuple(_node(part, offsets, expression) for part in (*parts, *raw.call.args))
        return Node("call", raw.call.function, args=args, offset=offset)
    if raw.HasField("list"):
        return Node("list", args=tuple(_node(item, offsets, expression) for item in raw.list.elements), offset=offset)
    inner = tuple(Node("field", name) for name in syntax.fields(raw))
    return Node("opaque", f"{expression}@{offset}", args=inner, offset=offset)
