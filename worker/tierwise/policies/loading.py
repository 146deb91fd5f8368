"""A directory of policy files in, one policy out, or everything that is wrong with it at once.

What could be read is handed on even when something else could not, so that one mistake does not hide the others.
Nothing is compiled, run or stored here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import BaseModel

from tierwise import expressions
from tierwise.domain.mapping import FieldMap
from tierwise.domain.policy import Fragment, Policy, Reason
from tierwise.domain.rubric import Rubric
from tierwise.domain.rules import Rule
from tierwise.domain.tables import Table
from tierwise.policies import documents, mending, shapes
from tierwise.policies.documents import Document
from tierwise.policies.problems import Problem

MAX_RULES = 500
PROMPT = "prompts/qualify.md"
REASONS = "rules/reasons.yaml"

Item = TypeVar("Item", bound=BaseModel)


class Located(NamedTuple, Generic[Item]):
    """A part of the policy and where it stands."""

    value: Item
    document: Document
    path: documents.Path
    made_up: frozenset[documents.Path] = frozenset()
    """Where something stands that is not in the file: the mistake there was told."""

    def stands(self, *path: str | int) -> bool:
        """Whether what is at the path, from this part on, is as it is in the file."""
        whole = (*self.path, *path)
        return not any(whole[: len(place)] == place for place in self.made_up)


class Loaded(NamedTuple):
    """Everything that a directory holds, as far as it could be read."""

    policy: Policy | None
    """None as soon as there is one problem."""
    problems: tuple[Problem, ...]
    rubric: Located[Rubric] | None = None
    prompt: str = ""
    prompt_line: int = 1
    """Line of the prompt file on which the template begins."""
    rules: tuple[Located[Rule], ...] = ()
    tables: tuple[Located[Table], ...] = ()
    reasons: tuple[Located[Reason], ...] = ()
    fragments: tuple[Located[Fragment], ...] = ()
    maps: Mapping[str, Located[FieldMap]] = {}
    unread: frozenset[str] = frozenset()
    """Files of which nothing could be read: what they define is unknown, and not missing."""


def load(directory: Path) -> Loaded:
    """Read `prompts/qualify.md` and `rules/` under the directory. Never raises for what the files hold."""
    reader = _Reader(directory)
    if not directory.is_dir():
        reader.report(PROMPT, "file", f"there is no directory {directory}", "tierwise init lays one out")
        return Loaded(None, tuple(reader.problems))
    rubric, prompt, prompt_line = reader.prompt()
    rules, tables = reader.rules()
    reasons = _unique(reader, list(reader.listed(REASONS, "reasons", Reason, required=True)), "code")
    fragments = _unique(
        reader,
        [
            item
            for file in reader.files("rules/fragments/*.yaml")
            for item in reader.listed(file, "fragments", Fragment)
        ],
        "id",
    )
    maps = {item.value.connector: item for item in _unique(reader, list(reader.maps()), "connector")}
    reader.strays()
    policy = None
    if rubric is not None and not reader.problems:
        policy = Policy(
            name=rubric.value.name,
            version=rubric.value.version,
            owner=rubric.value.owner,
            rubric=rubric.value,
            prompt=prompt,
            # By id: moving a rule to another file does not make another policy.
            rules=tuple(sorted((item.value for item in rules), key=lambda rule: rule.id)),
            reasons=tuple(item.value for item in reasons),
            fragments=tuple(item.value for item in fragments),
            maps={name: maps[name].value for name in sorted(maps)},
            tables=tuple(sorted((item.value for item in tables), key=lambda table: table.id)),
        )
    return Loaded(
        policy,
        tuple(reader.problems),
        rubric=rubric,
        prompt=prompt,
        prompt_line=prompt_line,
        rules=tuple(rules),
        tables=tuple(tables),
        reasons=tuple(reasons),
        fragments=tuple(fragments),
        maps=maps,
        unread=frozenset(reader.unread),
    )


class _Reader:
    """Reads files and gathers what is wrong with them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.problems: list[Problem] = []
        self.unread: set[str] = set()

    def report(self, file: str, code: str, message: str, hint: str = "") -> None:
        self.problems.append(Problem(file, 1, 1, code, message, hint))

    def files(self, pattern: str) -> list[str]:
        """Files that match, relative to the directory, in the order of their names."""
        return sorted(path.relative_to(self._directory).as_posix() for path in self._directory.glob(pattern))

    def text(self, file: str) -> str | None:
        path = self._directory / file
        try:
            if path.stat().st_size > documents.MAX_BYTES:
                self.report(file, "limit", f"the file is over {documents.MAX_BYTES // 1024} KiB", "split it")
                return None
            return path.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            self.report(file, "file", "the file is missing", "tierwise init lays a whole policy out")
        except UnicodeDecodeError:
            self.report(file, "file", "the file is not UTF-8", "save it as UTF-8")
        except OSError as error:
            self.report(file, "file", f"the file cannot be read: {error.strerror}")
        return None

    def parse(self, file: str, text: str | None) -> Document | None:
        """The document; None, and its problems gathered, where it cannot be read."""
        if text is None:
            self.unread.add(file)
            return None
        document, problems = documents.parse(text, file)
        self.problems += problems
        if document.value is None:
            self.unread.add(file)
            return None
        if not isinstance(document.value, dict):
            self.problems.append(
                document.problem((), "type", "keys and values are needed here", hint="write key: value")
            )
            return None
        return document

    def prompt(self) -> tuple[Located[Rubric] | None, str, int]:
        """Rubric and template of the prompt file, and the line on which the template begins."""
        text = self.text(PROMPT)
        if text is None:
            return None, "", 1
        lines = text.split("\n")
        end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
        if lines[0].rstrip() != "---" or end is None:
            hint = "begin the file with a line ---, then the rubric, then a line ---, then the template"
            self.report(PROMPT, "front-matter", "the rubric is missing at the top of the file", hint)
            return None, "", 1
        # An empty first line in place of the --- keeps every place as it is in the file.
        document = self.parse(PROMPT, "\n".join(["", *lines[1:end]]))
        body = "\n".join(lines[end + 1 :]).strip()
        first = end + 2 + next((n for n, line in enumerate(lines[end + 1 :]) if line.strip()), 0)
        if document is None:
            return None, body, first
        built = shapes.build(Rubric, document, (), value=document.value)
        self.problems += built.problems
        return (Located(built.item, document, (), built.made_up) if built.item else None), body, first

    def rules(self) -> tuple[list[Located[Rule]], list[Located[Table]]]:
        """Rules and decision tables of all files; a second one of the same id is a problem."""
        found: list[Located[Rule]] = []
        tables: list[Located[Table]] = []
        for file in self.files("rules/*.rules.yaml"):
            document = self.parse(file, self.text(file))
            if document is not None:
                self._known(document, {"rules", "tables", "owner", "policy"})
                found += self._items(document, "rules", Rule, optional="tables" in document.value)
                tables += self._items(document, "tables", Table, optional=True)
        if len(found) > MAX_RULES:
            item = found[MAX_RULES]
            message = f"there are {len(found)} rules, at most {MAX_RULES} are allowed"
            self.problems.append(item.document.problem(item.path, "limit", message))
        return _unique(self, found, "id"), _unique(self, tables, "id")

    def listed(self, file: str, key: str, model: type[Item], *, required: bool = False) -> Iterator[Located[Item]]:
        """Items of the file's only list."""
        if not required and not (self._directory / file).is_file():
            return
        document = self.parse(file, self.text(file))
        if document is not None:
            self._known(document, {key, "owner"})
            yield from self._items(document, key, model, optional=False)

    def _known(self, document: Document, allowed: set[str]) -> None:
        for name in document.value:
            if name not in allowed:
                hint = expressions.closest(name, sorted(allowed), all_of="known here are")
                problem = document.problem((name,), "unknown-key", f"'{name}' is not known here", hint=hint, key=True)
                self.problems.append(problem)

    def _items(self, document: Document, key: str, model: type[Item], *, optional: bool) -> Iterator[Located[Item]]:
        """Items of a list in the file; the file's owner is theirs where they name none."""
        if optional and key not in document.value:
            return
        items = document.value.get(key, [] if key in document.value else None)
        if not isinstance(items, list):
            message = f"'{key}' must be a list" if items is not None else f"'{key}' is missing"
            self.problems.append(document.problem((key,), "type" if items is not None else "missing", message))
            return
        owner = document.value.get("owner")
        if owner is None:
            # A mistyped key was told just now; that every item lacks it would be its echo.
            mistyped = [name for name in document.value if mending.renamed(name, ["owner"])]
            owner = document.value[mistyped[0]] if mistyped else None
        for place, value in enumerate(items):
            path: documents.Path = (key, place)
            owned = isinstance(value, dict) and owner is not None and "owner" in model.model_fields
            built = shapes.build(model, document, path, value={"owner": owner, **value} if owned else value)
            self.problems += built.problems
            if built.item is not None:
                yield Located(built.item, document, path, built.made_up)

    def maps(self) -> Iterator[Located[FieldMap]]:
        """Field maps; the file is named after the connector it is for."""
        for file in self.files("rules/maps/*.yaml"):
            document = self.parse(file, self.text(file))
            if document is None:
                continue
            value: Any = {"connector": Path(file).stem, **document.value}
            built = shapes.build(FieldMap, document, (), value=value)
            self.problems += built.problems
            named = document.value.get("connector")
            if isinstance(named, str) and named != Path(file).stem and mending.renamed(named, [Path(file).stem]):
                message = f"'{named}' is not how the file is named"
                hint = f"did you mean '{Path(file).stem}'?"
                self.problems.append(document.problem(("connector",), "value", message, hint=hint))
            if built.item is not None:
                yield Located(built.item, document, (), built.made_up)

    def strays(self) -> None:
        """A file that nobody reads is a change that never takes effect."""
        known = {file for pattern in _READ for file in self.files(pattern)}
        for file in (*self.files("rules/**/*.y*ml"), *self.files("prompts/**/*.y*ml")):
            if file not in known:
                hint = expressions.closest(file, _STANDARD) or f"files are read as {', '.join(_READ)}"
                self.report(file, "file", "this file is not read by anything", hint)


_READ = ("rules/*.rules.yaml", REASONS, "rules/owners.yaml", "rules/maps/*.yaml", "rules/fragments/*.yaml")
_STANDARD = (REASONS, "rules/owners.yaml")


def _unique(reader: _Reader, items: list[Located[Item]], key: str) -> list[Located[Item]]:
    """All items; a second one of an identity is a problem, and has its own mistakes told as well."""
    kept: dict[str, Located[Item]] = {}
    for item in items:
        name = str(getattr(item.value, key))
        first = kept.setdefault(name, item)
        if first is not item:
            other = first.document.problem((*first.path, key), "", "")
            reader.problems.append(
                item.document.problem(
                    (*item.path, key), "duplicate", f"'{name}' stands twice", hint=f"it is already at {other.place}"
                )
            )
    return items
