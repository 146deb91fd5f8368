"""Prints the part of requirements.lock that runs in production, hashes included: no test tool comes into the image.

    python ops/docker/runtime_requirements.py [NAME ...]      default: the project's own dependencies

Standard library only: it runs before anything is installed. The lock itself says who needs whom (`# via`).
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]


class Entry(NamedTuple):
    """One pinned distribution."""

    text: str
    needed_by: frozenset[str]


def normal(name: str) -> str:
    """A distribution's name as the lock spells it; extras and versions are cut off."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; ]", name.strip())[0]).lower()


def parse(lock: str) -> dict[str, Entry]:
    """Entries by name."""
    entries: dict[str, Entry] = {}
    # An entry begins at the left margin; hashes and `# via` lines are indented.
    for block in re.split(r"\n(?=[A-Za-z0-9])", lock):
        lines = [line for line in block.splitlines() if line.strip()]
        if not lines or lines[0].startswith("#"):
            continue
        comments = [line.strip().lstrip("#").strip() for line in lines if line.strip().startswith("#")]
        parents = {normal(comment.removeprefix("via").strip()) for comment in comments} - {""}
        text = "\n".join(line for line in lines if not line.strip().startswith("#"))
        entries[normal(lines[0])] = Entry(text, frozenset(parents))
    return entries


def closure(entries: dict[str, Entry], roots: set[str]) -> list[str]:
    """Names of the roots and of everything they need, sorted. KeyError for a root that is not in the lock."""
    missing = roots - entries.keys()
    if missing:
        raise KeyError(f"not in the lock: {', '.join(sorted(missing))}")
    found = set(roots)
    while True:
        more = {name for name, entry in entries.items() if entry.needed_by & found} - found
        if not more:
            return sorted(found)
        found |= more


def main(names: list[str]) -> int:
    """Write the part of the lock to standard output."""
    if not names:
        names = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    entries = parse((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    for name in closure(entries, {normal(name) for name in names}):
        sys.stdout.write(entries[name].text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
