"""What differs between two policies, in the words of those who wrote them, and how much that is.

A change is minor only where its kind is listed here and it stays within the bounds of the policy that runs; whatever
this module does not know is major. It reads nothing but the two bundles.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from tierwise.domain.lead import digest
from tierwise.domain.leeway import Bounds
from tierwise.domain.policy import Policy

ChangeClass = Literal["first", "none", "minor", "major"]
Path = tuple[str, ...]


class Change(NamedTuple):
    """One thing that is different."""

    subject: str
    """``criterion `budget` ``"""
    text: str
    """`weight 10 -> 12`"""
    major: bool

    def __str__(self) -> str:
        return f"{self.subject}: {self.text}"


def compare(before: Policy, after: Policy) -> tuple[Change, ...]:
    """Everything that differs, in the order of the bundle; empty where the two decide and say the same."""
    old, new = _plain(before), _plain(after)
    found = tuple(_walk(old, new, (), before.rubric.bounds))
    if not found and before.digest() != after.digest():
        return (Change("files", "the same in another order", major=False),)
    return found


def change_class(before: Policy | None, after: Policy, *, baseline: Policy | None = None) -> ChangeClass:
    """How much it is. `baseline` is what people approved last: many small steps from there make a large one."""
    if before is None:
        return "first"
    found = compare(before, after)
    if not found:
        return "none"
    steps = (*found, *(compare(baseline, after) if baseline is not None else ()))
    return "major" if any(change.major for change in steps) else "minor"


def asks(policy: Policy) -> str:
    """Digest of all that decides what models are asked and how: equal means that their answers stay good.

    Weights, points, cut-offs and thresholds are not part of it: they never reach a model.
    """
    asked = [
        [item.id, item.question, item.fields, [[level.id, level.description, level.cues] for level in item.levels]]
        for item in policy.rubric.asked
    ]
    models = policy.rubric.models.model_dump(mode="json")
    return digest([policy.prompt, policy.rubric.name, models, asked])


def only_numbers(before: Policy, after: Policy) -> bool:
    """Whether nothing but weights, points, cut-offs, thresholds and texts differ: then open leads are decided anew."""
    return all(_is_number(path) or _is_text(path) for path in _paths(_plain(before), _plain(after), ()))


# -- what is compared ---------------------------------------------------------------------------------------------

_KEYED: Mapping[str, Callable[[Any], str]] = {
    "criteria": lambda item: item["id"],
    "levels": lambda item: item["id"],
    "rules": lambda item: item["id"],
    "tables": lambda item: item["id"],
    "rows": lambda item: item["id"],
    "reasons": lambda item: item["code"],
    "fragments": lambda item: item["id"],
    "tests": lambda item: item["name"],
    "examples": lambda item: item["name"],
    "knockouts": lambda item: f"{item['criterion']}/{item['level']}",
}
"""Lists whose items are known by name; elsewhere a list is one value."""
_FREE_ORDER = {"rules", "tables", "reasons", "fragments", "tests", "examples", "knockouts"}
"""In which the order says nothing: rules have priorities."""


def _plain(policy: Policy) -> dict[str, Any]:
    told = policy.model_dump(mode="json")
    for table in told["tables"]:
        for row in table["rows"]:
            # A cell is known by its column, so that a column that comes or goes moves no other.
            row["when"] = dict(zip(table["inputs"], row["when"], strict=False))
    named = _named(told, "")
    assert isinstance(named, dict)
    return named


def _named(value: Any, name: str) -> Any:
    """Lists of named things as mappings, so that a thing is compared with itself."""
    if isinstance(value, dict):
        return {key: _named(item, key) for key, item in value.items()}
    key = _KEYED.get(name)
    if isinstance(value, list) and key is not None and all(isinstance(item, dict) for item in value):
        named = {key(item): _named(item, "") for item in value}
        if name not in _FREE_ORDER:
            named["(order)"] = list(named)
        return named
    return value


def _paths(old: Any, new: Any, path: Path) -> Iterator[Path]:
    """Where the two differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in (*old, *(key for key in new if key not in old)):
            if key not in old or key not in new:
                yield (*path, key)
            else:
                yield from _paths(old[key], new[key], (*path, key))
    elif old != new:
        yield path


# -- how much it is -----------------------------------------------------------------------------------------------

_TEXTS: tuple[Path, ...] = (
    ("name",), ("version",), ("owner",), ("rubric", "name"), ("rubric", "version"), ("rubric", "owner"),
    ("rubric", "examples"), ("rubric", "targets", "owner"), ("rubric", "targets", "agreed_on"),
    ("rules", "*", "why"), ("rules", "*", "owner"), ("rules", "*", "tests"),
    ("reasons", "*", "label"), ("reasons", "*", "template"), ("reasons", "*", "talking_point"),
    ("reasons", "*", "owner"), ("fragments", "*", "text"), ("fragments", "*", "version"), ("fragments", "*", "owner"),
    ("tables", "*", "why"), ("tables", "*", "owner"), ("tables", "*", "tests"), ("tables", "*", "rows", "*", "why"),
    ("maps", "*", "owner"), ("maps", "*", "version"), ("maps", "*", "tests"),
)  # fmt: skip
"""Words for people, labels, and tests: nothing that decides a lead or reaches a model."""
_NUMBERS: Mapping[Path, str] = {
    ("rubric", "criteria", "*", "weight"): "weight",
    ("rubric", "criteria", "*", "unknown_points"): "points",
    ("rubric", "criteria", "*", "levels", "*", "points"): "points",
    ("rubric", "tiers", "*"): "cut_off",
    ("rubric", "thresholds", "*"): "threshold",
    ("rules", "*", "confidence"): "threshold",
    ("tables", "*", "confidence"): "threshold",
    ("tables", "*", "rows", "*", "confidence"): "threshold",
}
"""Numbers that sales ops may move, each with the bound that it must stay within."""


def _fits(path: Path, pattern: Path) -> bool:
    if len(path) < len(pattern):
        return False
    return all(part in ("*", step) for step, part in zip(path, pattern, strict=False))


def _is_text(path: Path) -> bool:
    return any(_fits(path, pattern) for pattern in _TEXTS)


def _is_number(path: Path) -> bool:
    return any(len(path) == len(pattern) and _fits(path, pattern) for pattern in _NUMBERS)


def _is_minor(path: Path, old: Any, new: Any, bounds: Bounds) -> bool:
    if _is_text(path):
        return True
    for pattern, name in _NUMBERS.items():
        if len(path) == len(pattern) and _fits(path, pattern) and _is_amount(old) and _is_amount(new):
            return bool(abs(new - old) <= getattr(bounds, name) + 1e-9)
    if path[:2] == ("rubric", "targets") and path[2:] in {("precision",), ("recall",)}:
        return bool(new >= old)  # promising more needs nobody's leave
    return False


def _is_amount(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# -- how it is told -----------------------------------------------------------------------------------------------


def _walk(old: Mapping[str, Any], new: Mapping[str, Any], path: Path, bounds: Bounds) -> Iterator[Change]:
    for key in (*old, *(key for key in new if key not in old)):
        here = (*path, key)
        if key == "(order)":
            if _shared(old[key], new[key]) != _shared(new[key], old[key]):
                yield Change(subject(here), f"another order: {', '.join(new[key])}", major=True)
        elif path == ("rubric", "targets") and old.get(key) != new.get(key):
            # An owner or a date that is not told is left out there: it is no thing that comes or goes.
            major = not _is_minor(here, old.get(key), new.get(key), bounds)
            yield Change(subject(here), _told(here, old.get(key), new.get(key)), major=major)
        elif key not in old:
            yield Change(subject(here), _introduced(new[key]), major=not _is_minor(here, None, new[key], bounds))
        elif key not in new:
            yield Change(subject(here), "removed", major=not _is_minor(here, old[key], None, bounds))
        elif isinstance(old[key], dict) and isinstance(new[key], dict):
            yield from _walk(old[key], new[key], here, bounds)
        elif old[key] != new[key]:
            major = not _is_minor(here, old[key], new[key], bounds)
            yield Change(subject(here), _told(here, old[key], new[key]), major=major)


def _shared(some: Sequence[str], others: Sequence[str]) -> list[str]:
    return [item for item in some if item in others]


_NAMES: Mapping[str, str] = {
    "criteria": "criterion", "levels": "level", "rules": "rule", "reasons": "reason", "fragments": "fragment",
    "tests": "test", "examples": "example", "knockouts": "knockout", "maps": "map", "fields": "field", "tiers": "tier",
    "values": "value", "rates": "rate", "tables": "table", "rows": "row",
}  # fmt: skip


def subject(path: Path) -> str:
    """Of what a path speaks: ``criterion `budget`, level `high` ``."""
    parts: list[str] = []
    steps = iter(path)
    for step in steps:
        if step in _NAMES and (name := next(steps, None)) is not None:
            parts.append(step if name == "(order)" else f"{_NAMES[step]} `{name}`")
    if parts:
        return ", ".join(parts)
    known = {"targets": "targets", "thresholds": "thresholds", "models": "models", "bounds": "bounds"}
    return next((known[step] for step in path if step in known), path[0] if path[0] != "name" else "policy")


def _told(path: Path, old: Any, new: Any) -> str:
    last = path[-1]
    if last == "when" and isinstance(old, str) and isinstance(new, str):
        return _expression(old, new)
    if last == "prompt":
        return _lines(str(old), str(new))
    if path[-2:-1] == ("tiers",):
        return f"cut-off {old} -> {new}"
    word = last.replace("_", " ")
    if isinstance(old, list) and isinstance(new, list):
        return f"{word}: {_members(old, new)}"
    if isinstance(old, str) and isinstance(new, str) and max(len(old), len(new)) > _SHORT:
        return f"{word}: {_words(old, new)}"
    return f"{word} {_shown(old)} -> {_shown(new)}"


_SHORT = 60


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "none"
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return str(value) if not isinstance(value, dict) else ", ".join(f"{key} {item}" for key, item in value.items())


def _introduced(value: Any) -> str:
    """A new thing with what is most worth knowing of it."""
    if not isinstance(value, dict):
        return f"new: {_shown(value)}"
    known = [f"{key} {value[key]}" for key in ("stage", "outcome", "route", "weight", "decide") if value.get(key)]
    tail = f": {_shown(value['when'])}" if value.get("when") else ""
    return f"new ({', '.join(known)}){tail}" if known else f"new{tail}"


def _members(old: Sequence[Any], new: Sequence[Any]) -> str:
    gone, come = [item for item in old if item not in new], [item for item in new if item not in old]
    told = [*(f"also {_shown(item)}" for item in come), *(f"no longer {_shown(item)}" for item in gone)]
    return "; ".join(told) if told else "in another order"


def _lines(old: str, new: str) -> str:
    moved = [line for line in difflib.ndiff(old.splitlines(), new.splitlines()) if line[:2] in {"+ ", "- "}]
    shown = [f"{'added' if line[0] == '+' else 'removed'} “{line[2:].strip()}”" for line in moved if line[2:].strip()]
    more = f" and {len(shown) - 3} more lines" if len(shown) > 3 else ""
    return (", ".join(shown[:3]) or "only white space") + more


def _words(old: str, new: str) -> str:
    left, right = old.split(), new.split()
    told = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        gone, come = " ".join(left[a:b]), " ".join(right[c:d])
        if kind == "insert":
            told.append(f"added “{come}”")
        elif kind == "delete":
            told.append(f"removed “{gone}”")
        elif kind == "replace":
            told.append(f"“{gone}” -> “{come}”")
    return "; ".join(told) or "only white space"


def _expression(old: str, new: str) -> str:
    """``now also lead.x`` where one more way leads to a match, ``now only where …`` where one more thing is asked."""
    for sign, more, less in (
        ("||", "now also where", "no longer where"),
        ("&&", "now only where", "whether or not"),
    ):
        before, after = _clauses(old, sign), _clauses(new, sign)
        if len(before) + len(after) < 3:
            continue
        gone = [item for item in before if item not in after]
        come = [item for item in after if item not in before]
        if (gone or come) and len(gone) < len(before) and len(come) < len(after):
            return "; ".join([*(f"{more} {item}" for item in come), *(f"{less} {item}" for item in gone)])
    left, right = " ".join(old.split()), " ".join(new.split())
    return f"when: {left} -> {right}" if left != right else "when: only white space"


def _clauses(expression: str, sign: str) -> list[str]:
    """The parts between a sign that stands outside of brackets and quotes. Of `a || b && c` none for `&&`."""
    parts, depth, quote, start, place = [], 0, "", 0, 0
    text = " ".join(expression.split())
    while place < len(text):
        char = text[place]
        if quote:
            if char == "\\":
                place += 1
            elif char == quote:
                quote = ""
        elif char in "'\"":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif depth == 0 and sign == "&&" and text.startswith(("||", "?"), place):
            return [text]
        elif depth == 0 and text.startswith(sign, place):
            parts.append(text[start:place].strip())
            place += 1
            start = place + 1
        place += 1
    return [*parts, text[start:].strip()]
