"""Pydantic's errors in plain words, each at the place of its node in the file."""

from __future__ import annotations

import re
import typing
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tierwise.expressions import closest
from tierwise.policies.documents import Document, Path
from tierwise.policies.problems import Problem

Model = TypeVar("Model", bound=BaseModel)

_WANTED = {
    "string_type": ("type", "text is needed here", "put it in quotes"),
    "int_type": ("type", "a whole number is needed here", ""),
    "int_parsing": ("type", "a whole number is needed here", ""),
    "int_from_float": ("type", "a whole number is needed here", ""),
    "float_type": ("type", "a number is needed here", ""),
    "float_parsing": ("type", "a number is needed here", ""),
    "bool_type": ("type", "true or false is needed here", ""),
    "bool_parsing": ("type", "true or false is needed here", ""),
    "tuple_type": ("type", "a list is needed here", "each item on a line of its own, beginning with '- '"),
    "list_type": ("type", "a list is needed here", "each item on a line of its own, beginning with '- '"),
    "mapping_type": ("type", "keys and values are needed here", "write key: value"),
    "dict_type": ("type", "keys and values are needed here", "write key: value"),
    "model_type": ("type", "keys and values are needed here", "write key: value"),
    "model_attributes_type": ("type", "keys and values are needed here", "write key: value"),
}
_PATTERNS = {
    "^[a-z][a-z0-9-]*$": "lower case letters, digits and dashes, beginning with a letter: small-company",
    "^[a-z][a-z0-9_]*$": "lower case letters, digits and underscores, beginning with a letter: very_large",
    "^[A-Z][A-Z0-9_]*$": "capital letters, digits and underscores, beginning with a letter: FREE_MAIL",
}
# Where a sentence about a whole rubric belongs.
_ABOUT = {"weights": "criteria", "tiers": "tiers", "knockout": "knockouts", "thresholds": "thresholds",
          "targets": "targets", "criteria": "criteria"}  # fmt: skip


def build(model: type[Model], document: Document, path: Path, *, value: Any) -> tuple[Model | None, list[Problem]]:
    """`value` as the model, or every reason why not."""
    try:
        return model.model_validate(value), []
    except ValidationError as error:
        details = [detail for detail in error.errors(include_url=False) if not _echo(detail)]
        return None, [_problem(model, document, path, detail=detail) for detail in details]


def _echo(detail: ErrorDetails) -> bool:
    """A list that is too short only because its items are wrong: those are told already."""
    least = detail.get("ctx", {}).get("min_length", 0)
    return detail["type"] == "too_short" and isinstance(detail["input"], list | dict) and len(detail["input"]) >= least


def _problem(model: type[BaseModel], document: Document, path: Path, *, detail: ErrorDetails) -> Problem:
    kind, relative = detail["type"], tuple(detail["loc"])
    name = str(relative[-1]) if relative else ""
    context = detail.get("ctx", {})
    where = (*path, *relative)
    if kind == "missing":
        return document.problem(where[:-1], "missing", f"'{name}' is missing")
    if kind == "extra_forbidden":
        hint = closest(name, _names(model, relative[:-1]), all_of="known here are")
        return document.problem(where, "unknown-key", f"'{name}' is not known here", hint=hint, key=True)
    if kind == "literal_error":
        allowed = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        hint = closest(str(detail["input"]), allowed, all_of="allowed are")
        return document.problem(where, "value", f"'{detail['input']}' is not allowed here", hint=hint)
    if kind == "string_pattern_mismatch":
        hint = _PATTERNS.get(str(context.get("pattern")), f"it must match {context.get('pattern')}")
        return document.problem(where, "value", f"{name}: '{detail['input']}' has the wrong form", hint=hint)
    if kind in _WANTED:
        code, message, hint = _WANTED[kind]
        return document.problem(where, code, f"{name}: {message}" if name else message, hint=hint)
    message = detail["msg"].removeprefix("Value error, ").replace("Input should", f"{name or 'this'} should")
    if kind == "value_error":
        where = _about(where, message, document)
    return document.problem(where, "value", message, key=message.startswith("fields"))


def _about(where: Path, message: str, document: Document) -> Path:
    """A sentence about a whole is shown at the part of it that it speaks of."""
    named = re.match(r"([a-z_]+(?:\.[a-z_]+)+)\b|([a-z_]+): '([^']+)'", message)
    if named:
        return (*where, *(named[1].split(".") if named[1] else (named[2], named[3])))
    for word, key in _ABOUT.items():
        if word in message and (*where, key) in document.nodes:
            return (*where, key)
    return where


def _names(model: type[BaseModel], relative: Path) -> list[str]:
    """Field names of the model that stands at the end of the path, as far as the annotations tell."""
    found: type[BaseModel] | None = model
    for step in relative:
        if isinstance(step, int) or found is None:
            continue
        info = found.model_fields.get(step)
        # A name that is no field is a key of a mapping whose values are of the model itself.
        found = _inner(info.annotation) if info else found
    return [info.alias or name for name, info in found.model_fields.items()] if found else []


def _inner(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in typing.get_args(annotation):
        inner = _inner(part)
        if inner is not None:
            return inner
    return None
