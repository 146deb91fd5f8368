"""A value that does not fit its model, made to fit: only so that what else is wrong with it can be told as well.

What comes out is never used for anything else. Where nothing sensible can stand in, there is no stand-in.
"""

from __future__ import annotations

import copy
import difflib
import re
import typing
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

Path = tuple[str | int, ...]

_FORMS: Mapping[str, tuple[str, str]] = {
    "^[a-z][a-z0-9-]*$": ("[^a-z0-9]+", "-"),
    "^[a-z][a-z0-9_]*$": ("[^a-z0-9]+", "_"),
    "^[A-Z][A-Z0-9_]*$": ("[^A-Z0-9]+", "_"),
}


class Mended(NamedTuple):
    """A value without the mistakes that were told, as far as it could be done."""

    value: Any
    touched: frozenset[Path]
    """Where something else stands now than in the file."""
    removed: frozenset[Path]
    """Where nothing stands any more."""


class _CannotMendError(Exception):
    """Nothing can stand in for it."""


def mend(model: type[BaseModel], value: Any, details: Sequence[ErrorDetails]) -> Mended | None:
    """The value with a stand-in for each mistake; None where there is none for one of them."""
    made = copy.deepcopy(value)
    touched: set[Path] = set()
    removed: set[Path] = set()
    # From behind: taking an item out of a list moves those after it. Mistyped keys first: they stand for missing ones.
    ordered = sorted(details, key=lambda item: [(isinstance(s, int), s) for s in item["loc"]], reverse=True)
    for detail in sorted(ordered, key=lambda item: item["type"] != "extra_forbidden"):
        path = tuple(detail["loc"])
        try:
            (removed if _mended(model, made, path, detail=detail) else touched).add(path)
        except (_CannotMendError, LookupError, TypeError, AttributeError):  # a scalar where keys should be
            return None
    return Mended(made, frozenset(touched), frozenset(removed))


def _mended(model: type[BaseModel], made: Any, path: Path, *, detail: ErrorDetails) -> bool:
    """Change the value in place; True where it is left out."""
    known: list[str] = []
    if path[-1:] == ("[key]",):
        path = path[:-1]
        known = allowed(detail)
    if not path:
        raise _CannotMendError
    holder, key = made, path[-1]
    for step in path[:-1]:
        holder = holder[step]
    if known or detail["type"] == "extra_forbidden":
        given = holder.pop(key)
        names = known or field_names(model, path[:-1])
        wanted = renamed(str(key), [name for name in names if name not in holder])
        if wanted:
            holder[wanted] = given
        return True
    if isinstance(key, int):
        del holder[key]
        return True
    if detail["type"] == "missing" and key in holder:
        return False
    field = _field(model, path)
    if field is None and isinstance(holder, dict) and detail["type"].startswith(("int_", "float_")):
        holder[key] = 1  # of names and numbers, as cut-offs are: the name is right
        return False
    if field is None or not field.is_required():
        holder.pop(key, None)
        return True
    holder[key] = _stand_in(field, detail)
    return False


def renamed(word: str, names: Sequence[str]) -> str | None:
    """The one of the names that a mistyped key stands for."""
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.75)
    return near[0] if near else None


def _stand_in(field: FieldInfo, detail: ErrorDetails) -> Any:
    given, context = detail["input"], detail.get("ctx", {})
    annotation = field.annotation
    if detail["type"] == "literal_error":
        near = difflib.get_close_matches(str(given), allowed(detail), n=1)
        if near:
            return near[0]
    elif detail["type"] == "string_pattern_mismatch" and str(context.get("pattern")) in _FORMS:
        other, mark = _FORMS[str(context["pattern"])]
        plain = str(given).upper() if "A-Z" in other else str(given).lower()
        return re.sub(other, mark, f"{'X' if 'A-Z' in other else 'x'}{plain}")
    elif (annotation is str or str in typing.get_args(annotation)) and detail["type"] != "string_too_long":
        return str(given) if isinstance(given, int | float | bool) else "not stated"
    elif annotation in {int, float}:
        return next((context[name] for name in ("ge", "le") if name in context), 1)
    elif typing.get_origin(annotation) is tuple:
        return ()
    raise _CannotMendError


def allowed(detail: ErrorDetails) -> list[str]:
    """The values of a closed list."""
    return re.findall(r"'([^']*)'", str(detail.get("ctx", {}).get("expected", "")))


def field_names(model: type[BaseModel], relative: Path) -> list[str]:
    """Field names of the model that stands at the end of the path, as far as the annotations tell."""
    found = _model(model, relative)
    return [info.alias or name for name, info in found.model_fields.items()] if found else []


def _field(model: type[BaseModel], path: Path) -> FieldInfo | None:
    found = _model(model, path[:-1])
    return found.model_fields.get(str(path[-1])) if found else None


def _model(model: type[BaseModel], relative: Path) -> type[BaseModel] | None:
    found: type[BaseModel] | None = model
    for step in relative:
        if isinstance(step, int) or found is None:
            continue
        info = found.model_fields.get(step)
        # A name that is no field is a key of a mapping whose values are of the model itself.
        found = _inner(info.annotation) if info else found
    return found


def _inner(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in typing.get_args(annotation):
        inner = _inner(part)
        if inner is not None:
            return inner
    return None
