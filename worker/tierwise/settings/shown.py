"""What `tierwise config show` prints: every setting, its value and where it came from; secrets as ****."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import BaseModel, SecretStr

from tierwise.settings import names
from tierwise.settings.model import NAMED, Settings

HIDDEN = "****"
_USERINFO = re.compile(r"(?<=://)[^\s/]*(?=@)")


class Origin(NamedTuple):
    """One setting as it stands."""

    key: str
    value: str
    """As text; `****` for a secret that is set, empty for nothing."""
    origin: str
    """`default`, file:line, or the name of an environment variable."""


def origins(settings: Settings) -> list[Origin]:
    """Every setting in the order of declaration, then the connections'."""
    given = settings._origins
    rows: list[Origin] = []
    for path, value in _walk(settings, ()):
        written = given.get(path) or given.get(tuple(part for part in path if part != "options"))
        shown = tuple(part for part in path if part != "options") if path[0] in NAMED else path
        rows.append(Origin(names.dotted(shown), _text(path[-1], value), written or "default"))
    return rows


def _walk(section: BaseModel, path: names.Path) -> Iterator[tuple[names.Path, Any]]:
    for key in type(section).model_fields:
        value = getattr(section, key)
        if isinstance(value, BaseModel):
            yield from _walk(value, (*path, key))
        elif isinstance(value, dict):
            for name, inner in value.items():
                if isinstance(inner, BaseModel):
                    yield from _walk(inner, (*path, key, name))
                else:
                    yield (*path, key, name), inner
        else:
            yield (*path, key), value


def _text(key: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, SecretStr) or names.secret(key):
        return HIDDEN
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_text(str(name), inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_text(key, inner) for inner in value) + "]"
    if isinstance(value, float):
        return f"{value:g}"
    return _USERINFO.sub(HIDDEN, str(value))
