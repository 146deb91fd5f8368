"""Turns what a parser or pydantic complains about into Misconfigured: place, key, what is wrong, remedy.

Never the value: it may be a secret.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tierwise import errors
from tierwise.settings import names, places
from tierwise.settings.model import NAMED, Settings

_POSITION = re.compile(r"\s*\(at (?:line (?P<line>\d+), column \d+|end of document)\)$")


class Sources(NamedTuple):
    """Where the values came from."""

    file: Path | None
    text: str
    origins: dict[names.Path, str]
    """Path of each given value -> the file, or the environment variable."""

    def located(self) -> dict[names.Path, str]:
        """Path of each given value -> file:line, or the environment variable."""
        found = places.lines(self.text) if self.text else {}
        return {
            path: f"{origin}:{places.line(found, path)}" if origin == str(self.file) else origin
            for path, origin in self.origins.items()
        }

    def place(self, path: names.Path) -> str:
        """Place of one key, as near as it can be told; the file as a whole for what is missing everywhere."""
        located = self.located()
        # `options` is our own level: a person writes the option straight into the connection.
        for candidate in (path, tuple(part for part in path if part != "options")):
            if candidate in located:
                return located[candidate]
        found = places.lines(self.text) if self.text else {}
        line = places.line(found, path)
        if line is None:
            inside = [origin for given, origin in located.items() if given[: len(path) - 1] == path[:-1]]
            return inside[0] if inside and path[:-1] else str(self.file or "")
        return f"{self.file}:{line}"


def bad_toml(message: str, *, file: Path, text: str) -> errors.Misconfigured:
    """The file cannot be parsed at all."""
    position = _POSITION.search(message)
    line = int(position["line"]) if position and position["line"] else len(text.rstrip("\n").split("\n"))
    reason = _POSITION.sub("", message)
    return errors.Misconfigured(
        f"is not TOML: {reason[:1].lower()}{reason[1:]}",
        place=f"{file}:{line}",
        remedy='a setting is written key = "value"',
    )


def translate(error: ValidationError, *, sources: Sources) -> errors.Misconfigured:
    """One Misconfigured for all faults of the settings; several are told one a line."""
    found = [_fault(detail, sources=sources) for detail in error.errors(include_url=False, include_input=False)]
    if len(found) == 1:
        return found[0]
    lines = "\n".join(f"  {fault}" for fault in found)
    return errors.Misconfigured(f"{len(found)} settings are wrong:\n{lines}")


def _fault(detail: ErrorDetails, *, sources: Sources) -> errors.Misconfigured:
    path = tuple(str(part) for part in detail["loc"])
    key = names.dotted(path)
    place = sources.place(path)
    section, info = _declared(path)
    if detail["type"] == "extra_forbidden":
        known = sorted(section.model_fields) if section is not None else []
        meant = names.closest(path[-1], known)
        remedy = f"did you mean `{names.dotted((*path[:-1], meant))}`?" if meant else f"known: {', '.join(known)}"
        return errors.Misconfigured(f"unknown setting `{key}`", place=place, remedy=remedy)
    if detail["type"] == "missing":
        return errors.Misconfigured(f"`{key}` is missing", place=place, remedy=f"add it: {info or 'it is required'}")
    message = detail["msg"].removeprefix("Value error, ")
    message = message.replace("Input should be", "should be").replace("Input", "the value")
    return errors.Misconfigured(f"`{key}`: {message}" if key else message, place=place, remedy=info)


def _declared(path: names.Path) -> tuple[type[BaseModel] | None, str]:
    """The section that a path lies in, and what its last part means."""
    section: type[BaseModel] | None = Settings
    about = ""
    parts: list[Any] = [*path]
    while parts and section is not None:
        name = parts.pop(0)
        if section is Settings and name in NAMED and parts:
            parts.pop(0)
            section, about = NAMED[name], ""
            continue
        field = section.model_fields.get(name)
        if field is None:
            return section, ""
        about = field.description or ""
        if not parts:
            return section, about
        inner = field.annotation
        section = inner if isinstance(inner, type) and issubclass(inner, BaseModel) else None
    return section, about
