"""What `connections check` shows: one line for everything that one remedy mends."""

from __future__ import annotations

from collections.abc import Sequence

from tierwise.sdk import Check

Row = tuple[str, str, str, str]
"""ok or FAIL, what was looked at, what was found, what to do."""


def rows(checks: Sequence[Check]) -> list[Row]:
    """A table's rows in the order of the checks; failures of one kind with one remedy are told together."""
    together: dict[tuple[str, str], list[Check]] = {}
    for check in checks:
        kind = check.name.partition(" ")[0]
        # What is in order, or has a name of one word, stands alone.
        alone = check.ok or kind == check.name
        together.setdefault((check.name if alone else kind, "" if alone else check.remedy), []).append(check)
    return [_row(kind, found) for (kind, _), found in together.items()]


def _row(kind: str, found: Sequence[Check]) -> Row:
    first = found[0]
    if len(found) == 1:
        return "ok" if first.ok else "FAIL", first.name, first.detail, "" if first.ok else first.remedy
    details: dict[str, list[str]] = {}
    for check in found:
        details.setdefault(check.detail, []).append(check.name.removeprefix(f"{kind} "))
    told = "; ".join(f"{detail}: {', '.join(names)}" for detail, names in details.items())
    plural = f"{kind.removesuffix('y')}ies" if kind.endswith("y") else f"{kind}s"
    return "FAIL", f"{len(found)} {plural}", told, first.remedy
