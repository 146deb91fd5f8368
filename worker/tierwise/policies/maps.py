"""One field map by itself: `tierwise score FILE --map MAP.yaml`."""

from __future__ import annotations

from pathlib import Path

from tierwise.domain.mapping import FieldMap
from tierwise.errors import Misconfigured
from tierwise.policies import documents, shapes
from tierwise.policies.problems import Problem


def read_map(path: Path) -> FieldMap:
    """The map in the file. Misconfigured names the first problem with its line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise Misconfigured(f"the map cannot be read: {why}", place=str(path), remedy="name a YAML file") from error
    document, found = documents.parse(text, path.name)
    problems: list[Problem] = list(found)
    field_map: FieldMap | None = None
    if document.value is not None and not problems:
        field_map, wrong, _ = shapes.build(FieldMap, document, (), value=document.value)
        problems += wrong
    if field_map is None or problems:
        first = problems[0] if problems else Problem(path.name, 1, 1, "file", "the map is empty", "")
        raise Misconfigured(first.message, place=f"{path}:{first.line}:{first.column}", remedy=first.hint)
    return field_map
