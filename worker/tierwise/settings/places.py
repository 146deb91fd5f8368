"""On which line of a TOML file each key stands. Only errors and `config show` need it, so it may be slow."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

from tierwise.settings import names


def leaves(data: dict[str, Any], path: names.Path = ()) -> Iterator[tuple[names.Path, Any]]:
    """Every value that is not a table, and every empty table, with its path."""
    for key, value in data.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


def lines(text: str) -> dict[names.Path, int]:
    """Path of every key and table in a valid TOML text -> the line (from 1) on which it begins.

    A prefix of the file that ends between two statements is itself valid TOML: a key begins after the longest
    such prefix that lacks it. So this reads what the parser reads, whatever the quoting.
    """
    found: dict[names.Path, int] = {}
    rows = text.split("\n")  # TOML knows no other line end; splitlines() does
    begin = 1
    for number in range(1, len(rows) + 1):
        try:
            data = tomllib.loads("\n".join(rows[:number]))
        except tomllib.TOMLDecodeError:
            continue
        for path in _paths(data):
            found.setdefault(path, begin)
        begin = number + 1
    return found


def line(found: dict[names.Path, int], path: names.Path) -> int | None:
    """The line of a key, else of the nearest table around it, None for the file as a whole."""
    while path:
        if path in found:
            return found[path]
        path = path[:-1]
    return None


def _paths(data: dict[str, Any], path: names.Path = ()) -> Iterator[names.Path]:
    for key, value in data.items():
        yield (*path, key)
        if isinstance(value, dict):
            yield from _paths(value, (*path, key))
