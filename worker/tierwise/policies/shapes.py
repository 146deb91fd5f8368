"""Pydantic's errors in plain words, each at the place of its node in the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tierwise.domain.complaints import Gathered
from tierwise.expressions import closest
from tierwise.policies import mending
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
_ROUNDS = 10
"""Mistakes behind mistakes: each round tells what the one before it hid."""


class Built(NamedTuple, Generic[Model]):
    """What a value came to."""

    item: Model | None
    """Only to look at where there are problems: what was wrong in it is made up."""
    problems: list[Problem]
    made_up: frozenset[Path] = frozenset()
    """Where in the file something else stands."""


def build(model: type[Model], document: Document, path: Path, *, value: Any) -> Built[Model]:
    """`value` as the model, and every reason why it is not one."""
    problems: list[Problem] = []
    made_up: set[Path] = set()
    removed: set[Path] = set()
    for _ in range(_ROUNDS):
        gathered = Gathered()
        try:
            item = model.model_validate(value, context=gathered)
        except ValidationError as error:
            details = [detail for detail in error.errors(include_url=False) if not _echo(detail)]
            details = _once(details, document, path)
        else:
            touched = {*made_up, *removed}
            problems += _complaints(item, gathered, document, path, touched=touched)
            return Built(item, problems, frozenset((*path, *place) for place in touched))
        meant = _meant(details)
        problems += [_problem(model, document, path, detail=detail) for detail in details if id(detail) not in meant]
        mended = mending.mend(model, value, details)
        if mended is None:
            break
        value, made_up, removed = mended.value, made_up | mended.touched, removed | mended.removed
    return Built(None, problems)


def _complaints(
    item: Model, gathered: Gathered, document: Document, path: Path, *, touched: set[Path]
) -> Iterator[Problem]:
    """What does not hold together, unless it rests on something that was made up."""
    if not gathered:
        return
    places = dict(_places(item, ()))
    for owner, complaint in gathered:
        where = (*places.get(id(owner), ()), *complaint.path)
        if any(place[: len(where)] == where for place in touched):
            continue
        if complaint.rests_on and any(complaint.rests_on in place or isinstance(place[-1], int) for place in touched):
            continue
        hint = complaint.hint
        if complaint.choices:
            hint = closest(complaint.word, complaint.choices, all_of="known here are")
        yield document.problem((*path, *where), "value", complaint.text, hint=hint, key=complaint.key)


def _places(value: Any, path: Path) -> Iterator[tuple[int, Path]]:
    """Where each model inside of a model stands."""
    if isinstance(value, BaseModel):
        yield id(value), path
        for name, info in type(value).model_fields.items():
            yield from _places(getattr(value, name), (*path, info.alias or name))
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _places(inner, (*path, str(name)))
    elif isinstance(value, tuple):
        for number, inner in enumerate(value):
            yield from _places(inner, (*path, number))


def _meant(details: Sequence[ErrorDetails]) -> set[int]:
    """Keys that are missing only because they are mistyped: telling the one is enough."""
    extra = [tuple(detail["loc"]) for detail in details if detail["type"] == "extra_forbidden"]
    found = set()
    for detail in details:
        loc = tuple(detail["loc"])
        if detail["type"] == "missing" and any(
            place[:-1] == loc[:-1] and mending.renamed(str(place[-1]), [str(loc[-1])]) for place in extra
        ):
            found.add(id(detail))
    return found


def _once(details: Sequence[ErrorDetails], document: Document, path: Path) -> list[ErrorDetails]:
    """Each mistake once: pydantic tells a value of several types once for each of them, and names the type in its path.
    What fits a type best, its mistake lying deepest, is what was meant."""
    best: dict[Path, ErrorDetails] = {}
    for number, detail in enumerate(details):
        loc = tuple(detail["loc"])
        kept: Path = ()
        for step in loc:
            kept = (*kept, step) if (*path, *kept, step) in document.nodes else kept
        if detail["type"] not in _WANTED or not kept or kept == loc:
            best[("", number)] = detail
            continue
        known = next(n for n, step in enumerate(loc) if loc[: n + 1] != kept[: n + 1])
        found = best.get(loc[:known])
        if found is None or len(found["loc"]) < len(kept):
            best[loc[:known]] = {**detail, "loc": kept}
    return list(best.values())


def _echo(detail: ErrorDetails) -> bool:
    """A list that is too short only because its items are wrong: those are told already."""
    least = detail.get("ctx", {}).get("min_length", 0)
    return detail["type"] == "too_short" and isinstance(detail["input"], list | dict) and len(detail["input"]) >= least


def _problem(model: type[BaseModel], document: Document, path: Path, *, detail: ErrorDetails) -> Problem:
    kind, relative = detail["type"], tuple(detail["loc"])
    name = next((step for step in reversed(relative) if isinstance(step, str)), "")
    context = detail.get("ctx", {})
    where = (*path, *relative)
    if kind == "missing":
        return document.problem(where[:-1], "missing", f"'{name}' is missing")
    if kind == "extra_forbidden":
        hint = closest(name, mending.field_names(model, relative[:-1]), all_of="known here are")
        return document.problem(where, "unknown-key", f"'{name}' is not known here", hint=hint, key=True)
    if kind == "literal_error":
        return _not_listed(document, where, detail)
    if kind == "string_pattern_mismatch":
        hint = _PATTERNS.get(str(context.get("pattern")), f"it must match {context.get('pattern')}")
        return document.problem(where, "value", f"{name}: '{detail['input']}' has the wrong form", hint=hint)
    if kind in _WANTED:
        code, message, hint = _WANTED[kind]
        return document.problem(where, code, f"{name}: {message}" if name else message, hint=hint)
    message = detail["msg"].removeprefix("Value error, ").replace("Input should", f"{name or 'this'} should")
    return document.problem(where, "value", message, hint=_share(detail["input"], context.get("le", context.get("lt"))))


def _not_listed(document: Document, where: Path, detail: ErrorDetails) -> Problem:
    """A value, or a key, that is none of a closed list."""
    given, allowed = str(detail["input"]), mending.allowed(detail)
    if where[-1] == "[key]":
        hint = closest(given, allowed, all_of="known here are")
        return document.problem(where[:-1], "unknown-key", f"'{given}' is not known here", hint=hint, key=True)
    hint = closest(given, allowed, all_of="allowed are")
    return document.problem(where, "value", f"'{given}' is not allowed here", hint=hint)


def _share(given: Any, most: Any) -> str:
    """Who writes 98 where 1 is the most means percent."""
    percent = isinstance(given, int | float) and most == 1 and 1 < given <= 100
    return f"it is a share, not percent: write {given / 100:g}" if percent else ""
