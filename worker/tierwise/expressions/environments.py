"""What an expression may name at each stage, as two CEL environments made from the field catalogue.

CHECK knows the type of every field and refuses what cannot be right. RUN takes plain dictionaries, because only
there an absent field is an error value that `&&` and `||` absorb: exactly the three-valued logic of SQL.
"""

from __future__ import annotations

import functools
import threading
from types import MappingProxyType
from typing import Any, NamedTuple, get_args

from cel_expr_python import cel
from cel_expr_python.ext import ext_strings
from google.protobuf import descriptor_pb2, descriptor_pool

from tierwise.domain.lead import CATALOGUE, Kind
from tierwise.domain.rules import Outcome, Stage
from tierwise.expressions import patterns

_PACKAGE = "tierwise.expressions"
_PROTO = descriptor_pb2.FieldDescriptorProto
_TYPES = {
    "text": _PROTO.TYPE_STRING,
    "choice": _PROTO.TYPE_STRING,
    "timestamp": _PROTO.TYPE_STRING,  # RFC 3339: CEL has no way to take a moment inside a dictionary
    "integer": _PROTO.TYPE_INT64,
    "decimal": _PROTO.TYPE_DOUBLE,
    "boolean": _PROTO.TYPE_BOOL,
}

# The library does not say that building an environment or compiling in one is safe from several threads.
LOCK = threading.RLock()


class Variable(NamedTuple):
    """One thing that an expression can read."""

    kind: Kind
    values: tuple[str, ...] = ()
    """The only values there are, empty where any is possible."""


_SCORED = {
    "score": Variable("integer"),
    "fit": Variable("integer"),
    "intent": Variable("integer"),
    "tier": Variable("text"),
    "confidence": Variable("decimal"),
}
_ROUTED = {**_SCORED, "outcome": Variable("choice", get_args(Outcome)), "route": Variable("text")}
_RESULT: dict[Stage, dict[str, Variable]] = {"route": _SCORED, "guardrail": _ROUTED}


@functools.cache
def variables(stage: Stage) -> MappingProxyType[str, Variable]:
    """Everything an expression of that stage can read, by dotted name (`lead.region`, `result.tier`)."""
    found = {f"lead.{name}": Variable(info.kind, info.values) for name, info in CATALOGUE.items()}
    found |= {f"result.{name}": variable for name, variable in _RESULT.get(stage, {}).items()}
    return MappingProxyType(found)


def roots(stage: Stage) -> tuple[str, ...]:
    """The names that an expression of that stage can begin with."""
    return ("lead", "result") if stage in _RESULT else ("lead",)


def check_environment(stage: Stage) -> Any:
    """The environment in which every field has its type."""
    return _environments(stage)[0]


def run_environment(stage: Stage) -> Any:
    """The environment that evaluates plain dictionaries."""
    return _environments(stage)[1]


@functools.cache
def _environments(stage: Stage) -> tuple[Any, Any]:
    with LOCK:
        file = descriptor_pb2.FileDescriptorProto(
            name=f"tierwise/expressions/{stage}.proto", package=_PACKAGE, syntax="proto3"
        )
        for root in roots(stage):
            message = file.message_type.add(name=root.capitalize())
            mine = [(name.split(".")[1], v) for name, v in variables(stage).items() if name.startswith(f"{root}.")]
            for number, (name, variable) in enumerate(mine, 1):
                message.field.add(name=name, number=number, type=_TYPES[variable.kind], label=_PROTO.LABEL_OPTIONAL)
        pool = descriptor_pool.DescriptorPool()
        pool.Add(file)
        extensions = [ext_strings.ExtStrings()]
        typed = {root: cel.Type(f"{_PACKAGE}.{root.capitalize()}") for root in roots(stage)}
        return (
            cel.NewEnv(descriptor_pool=pool, variables=typed, extensions=extensions),
            cel.NewEnv(
                variables=dict.fromkeys((*roots(stage), patterns.ROOT), cel.Type.DYN),
                extensions=extensions,
            ),
        )
