"""The syntax tree of a compiled expression: which fields it reads and with which literals it compares them.

CEL hands the tree out as a protobuf message (`cel.expr.CheckedExpr`); the few parts that are read here are declared
below by their field numbers, which are part of CEL's published format.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory

_PROTO = descriptor_pb2.FieldDescriptorProto
_ONE, _MANY = _PROTO.LABEL_OPTIONAL, _PROTO.LABEL_REPEATED
_EXPR = "Expr"
_ORDERED = frozenset({"_<_", "_<=_", "_>_", "_>=_", "_==_", "_!=_"})
_VARIABLES = frozenset({"lead", "result"})
# message -> field -> (number, type or name of a message, label)
_SHAPE: dict[str, dict[str, tuple[int, int | str, Any]]] = {
    "CheckedExpr": {"source": (5, "Source", _ONE), "expr": (4, _EXPR, _ONE)},
    "Source": {"positions": (4, "Position", _MANY)},
    # A protobuf map is a repeated message of key and value.
    "Position": {"id": (1, _PROTO.TYPE_INT64, _ONE), "offset": (2, _PROTO.TYPE_INT32, _ONE)},
    _EXPR: {
        "id": (2, _PROTO.TYPE_INT64, _ONE),
        "const": (3, "Const", _ONE),
        "ident": (4, "Ident", _ONE),
        "select": (5, "Select", _ONE),
        "call": (6, "Call", _ONE),
        "list": (7, "List", _ONE),
        "struct": (8, "Struct", _ONE),
        "loop": (9, "Loop", _ONE),
    },
    "Const": {
        "flag": (2, _PROTO.TYPE_BOOL, _ONE),
        "whole": (3, _PROTO.TYPE_INT64, _ONE),
        "decimal": (5, _PROTO.TYPE_DOUBLE, _ONE),
        "text": (6, _PROTO.TYPE_STRING, _ONE),
    },
    "Ident": {"name": (1, _PROTO.TYPE_STRING, _ONE)},
    "Select": {
        "operand": (1, _EXPR, _ONE),
        "field": (2, _PROTO.TYPE_STRING, _ONE),
        "test_only": (3, _PROTO.TYPE_BOOL, _ONE),
    },
    "Call": {
        "target": (1, _EXPR, _ONE),
        "function": (2, _PROTO.TYPE_STRING, _ONE),
        "args": (3, _EXPR, _MANY),
    },
    "List": {"elements": (1, _EXPR, _MANY)},
    "Struct": {"entries": (2, "Entry", _MANY)},
    "Entry": {"key": (3, _EXPR, _ONE), "value": (4, _EXPR, _ONE)},
    "Loop": {
        "range": (2, _EXPR, _ONE),
        "start": (4, _EXPR, _ONE),
        "condition": (5, _EXPR, _ONE),
        "step": (6, _EXPR, _ONE),
        "result": (7, _EXPR, _ONE),
    },
}


class Literal(NamedTuple):
    """A text that stands in an expression."""

    text: str
    offset: int
    """In characters from the start of the expression."""


class Comparison(NamedTuple):
    """A field that is compared with a literal (`==`, `!=`, `in [...]`)."""

    field: str
    literal: Literal


class Tree(NamedTuple):
    """What was read out of one expression."""

    reads: tuple[str, ...]
    """Fields whose values are used, dotted, in order of appearance."""
    guarded: frozenset[str]
    """Fields that the expression tests with `has()`."""
    comparisons: tuple[Comparison, ...]
    patterns: tuple[Literal, ...]
    """Regular expressions given to `matches()`."""
    whole: tuple[Literal, ...]
    """Variables that stand without a field (`lead == null`)."""
    scales: Mapping[str, tuple[float, ...]] = MappingProxyType({})
    """Of fields that are compared with numbers and used for nothing else: these numbers, ascending."""
    lengths: Mapping[str, tuple[float, ...]] = MappingProxyType({})
    """The same of fields of which only `size()` is compared."""


def read(serialized: bytes) -> Tree:
    """The tree of `Expression.serialize()`."""
    envelope = any_pb2.Any.FromString(serialized)
    checked = message("CheckedExpr").FromString(envelope.value)
    offsets = {entry.id: entry.offset for entry in checked.source.positions}
    reads: dict[str, None] = {}
    guarded: set[str] = set()
    comparisons: list[Comparison] = []
    patterns: list[Literal] = []
    whole: list[Literal] = []
    selected: set[int] = set()
    used: Counter[str] = Counter()
    numbers: dict[str, list[float]] = {}
    sizes: dict[str, list[float]] = {}
    for node in _walk(checked.expr):
        name = field(node)
        if name:
            selected.add(node.select.operand.id)
        if name and node.select.test_only:
            guarded.add(name)
        elif name:
            reads[name] = None
            used[name] += 1
        elif node.HasField("call"):
            comparisons += _comparisons(node.call, offsets)
            for compared, number, sized in _numbers(node.call):
                (sizes if sized else numbers).setdefault(compared, []).append(number)
            if node.call.function == "matches":
                patterns += [_literal(arg, offsets) for arg in node.call.args[-1:] if arg.HasField("const")]
        elif node.ident.name in _VARIABLES and node.id not in selected:
            whole.append(Literal(node.ident.name, offsets.get(node.id, 0)))
    scales, lengths = (
        {name: tuple(sorted(set(found))) for name, found in compared.items() if len(found) == used[name]}
        for compared in (numbers, sizes)
    )
    return Tree(tuple(reads), frozenset(guarded), tuple(comparisons), tuple(patterns), tuple(whole), scales, lengths)


def _numbers(call: Any) -> list[tuple[str, float, bool]]:
    """The field and the number where one is compared with the other, and whether it is the field's size that is."""
    if call.function not in _ORDERED or len(call.args) != 2:
        return []
    left, right = call.args
    if left.HasField("const"):
        left, right = right, left
    sized = _sized(left)
    compared = left if sized is None else sized
    name = field(compared)
    if name is None or compared.select.test_only or not right.HasField("const"):
        return []
    kinds = ("whole", "decimal")
    return [(name, getattr(right.const, kind), sized is not None) for kind in kinds if right.const.HasField(kind)]


def _sized(node: Any) -> Any:
    """What stands in `size(x)` or `x.size()`, None where it is neither."""
    if not node.HasField("call") or node.call.function != "size":
        return None
    return node.call.target if node.call.HasField("target") else node.call.args[0]


def _comparisons(call: Any, offsets: dict[int, int]) -> list[Comparison]:
    if call.function not in {"_==_", "_!=_", "@in"} or len(call.args) != 2:
        return []
    left, right = call.args
    if field(right):
        left, right = right, left
    name = field(left)
    if name is None:
        return []
    candidates = right.list.elements if right.HasField("list") else [right]
    return [
        Comparison(name, _literal(item, offsets))
        for item in candidates
        if item.HasField("const") and item.const.HasField("text")
    ]


def _literal(node: Any, offsets: dict[int, int]) -> Literal:
    return Literal(node.const.text, offsets.get(node.id, 0))


def fields(node: Any) -> list[str]:
    """Every field under a part, in order."""
    return list(dict.fromkeys(name for part in _walk(node) if (name := field(part)) is not None))


def field(node: Any) -> str | None:
    """`lead.region` for a selection straight from a variable, else None."""
    if node.HasField("select") and node.select.operand.HasField("ident"):
        return f"{node.select.operand.ident.name}.{node.select.field}"
    return None


def _walk(node: Any) -> Iterator[Any]:
    if node.DESCRIPTOR.name == _EXPR:
        yield node
    for part, value in node.ListFields():
        if part.message_type is not None:
            for child in value if part.is_repeated else [value]:
                yield from _walk(child)


@functools.cache
def message(name: str) -> Any:
    """The class of one of the messages above."""
    file = descriptor_pb2.FileDescriptorProto(name="tierwise/cel.proto", package="tierwise.cel", syntax="proto2")
    for shape, parts in _SHAPE.items():
        target = file.message_type.add(name=shape)
        for part, (number, kind, label) in parts.items():
            if isinstance(kind, str):
                target.field.add(
                    name=part, number=number, type=_PROTO.TYPE_MESSAGE, type_name=f".tierwise.cel.{kind}", label=label
                )
            else:
                target.field.add(name=part, number=number, type=kind, label=label)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"tierwise.cel.{name}"))
