"""YAML as policies may use it, every value with its place. The door to ruamel.yaml.

YAML 1.2 only: `NO` and `on` are texts, 010 is ten. Duplicate keys, aliases, tags and directives are refused, so that a
file means what it looks like. No Python object is ever made from a file but texts, numbers, lists and dictionaries.
"""

from __future__ import annotations

import contextlib
import gc
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, DocumentStartEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from tierwise.policies.problems import Problem

MAX_BYTES = 1_048_576
MAX_DEPTH = 40

Path = tuple[str | int, ...]


class Document(NamedTuple):
    """One parsed file."""

    file: str
    text: str
    value: Any
    nodes: Mapping[Path, Node]
    keys: Mapping[Path, Node]
    """The node of the key under which a value stands."""

    def problem(self, path: Path, code: str, message: str, *, hint: str = "", key: bool = False) -> Problem:
        """A problem at the value (or its key); where the value is absent, at what should hold it."""
        if key and path in self.keys:
            return self._at(self.keys[path].start_mark, code, message, hint=hint)
        while path and path not in self.nodes:
            path = path[:-1]
        node = self.nodes.get(path)
        if node is None:
            return self.at(1, 1, code=code, message=message, hint=hint)
        return self._at(node.start_mark, code, message, hint=hint)

    def inside(self, path: Path, text: str, *, line: int, column: int) -> tuple[int, int]:
        """Line and column in the file of a place within a scalar, whichever style of YAML it is written in.

        Folding changes only white space, so the place is found again by counting the other characters.
        """
        node = self.nodes.get(path)
        if not isinstance(node, ScalarNode):
            return 1, 1
        rows = text.split("\n")
        before = "".join(rows[: line - 1]) + rows[line - 1][: column - 1]
        count = sum(not char.isspace() for char in before)
        start, end = node.start_mark.index, node.end_mark.index
        source = self.text[start:end]
        if node.style == '"' and "\\" in source:
            return node.start_mark.line + 1, node.start_mark.column + 1
        if node.style in {"|", ">"}:
            start += source.find("\n") + 1
        elif node.style:
            start += 1
        index = _nth(self.text, start, count, end=end, doubled=node.style == "'")
        return self.text.count("\n", 0, index) + 1, index - self.text.rfind("\n", 0, index)

    def at(self, line: int, column: int, *, code: str, message: str, hint: str = "") -> Problem:
        """A problem at a known line and column."""
        lines = self.text.split("\n")
        excerpt = lines[line - 1] if 0 < line <= len(lines) else ""
        return Problem(self.file, line, column, code, message, hint, excerpt)

    def _at(self, mark: Any, code: str, message: str, *, hint: str) -> Problem:
        return self.at(mark.line + 1, mark.column + 1, code=code, message=message, hint=hint)


def _nth(text: str, start: int, count: int, *, end: int, doubled: bool) -> int:
    """Index of the character that has `count` visible characters before it; after the last one if there are fewer."""
    index, last = start, start
    while index < end:
        if not text[index].isspace():
            if count == 0:
                return index
            count -= 1
            if doubled and text[index : index + 2] == "''":
                index += 1
            last = index + 1
        index += 1
    return last


def parse(text: str, file: str) -> tuple[Document, tuple[Problem, ...]]:
    """The document and everything that YAML itself has against it; its value is None where it cannot be read."""
    empty = Document(file, text, None, {}, {})
    if len(text.encode()) > MAX_BYTES:
        return empty, (empty.at(1, 1, code="limit", message=f"the file is over {MAX_BYTES // 1024} KiB"),)
    reader = _Reader(empty)
    try:
        refused, value = _read(reader, empty, text)
    except MarkedYAMLError as error:
        return empty, (_unreadable(empty, error),)
    except ReaderError as error:
        return empty, (_unprintable(empty, error),)
    if refused:
        return empty, refused
    if value is None and not reader.problems:
        return empty, (empty.at(1, 1, code="empty", message="the file is empty"),)
    return Document(file, text, value, reader.nodes, reader.keys), tuple(reader.problems)


def _read(reader: _Reader, document: Document, text: str) -> tuple[tuple[Problem, ...], Any]:
    """What is not allowed, or the value. The stream of events, which takes as long as reading the file, is only gone
    through where it may hold something."""
    refused = tuple(_refused(document, text)) if _SUSPICIOUS.search(text) else ()
    if refused:
        return refused, None
    try:
        with uncollected():
            node = YAML(typ="safe", pure=True).compose(text)
            value = reader.read(node, ()) if node is not None else None
    except RecursionError:
        return tuple(_refused(document, text)), None
    if any(len(path) >= MAX_DEPTH and not isinstance(found, ScalarNode) for path, found in reader.nodes.items()):
        return tuple(_refused(document, text)), None
    return (), value


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """What reads and proves a bundle keeps nearly all that it makes: looking for garbage takes a tenth of the time."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


# An anchor (`&name`, and not the && of an expression), an alias, a directive.
_SUSPICIOUS = re.compile(r"(?:^|[\s\[{,])[&*][^\s&*]|^%", re.MULTILINE)


def _refused(document: Document, text: str) -> Iterator[Problem]:
    """What is legal YAML and not allowed here, told from the stream of events before any tree is built."""
    depth = 0
    for event in YAML(typ="safe", pure=True).parse(text):
        mark = event.start_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        if isinstance(event, AliasEvent):
            yield document.at(
                *place, code="alias", message="aliases are not allowed", hint="write the value out where it is used"
            )
        elif isinstance(event, DocumentStartEvent) and (event.version or event.tags):
            yield document.at(*place, code="directive", message="directives are not allowed", hint="remove the % line")
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > MAX_DEPTH:
            yield document.at(*place, code="limit", message=f"nested more than {MAX_DEPTH} levels deep")
            return


def _unreadable(document: Document, error: MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    message = str(error.problem or error.context or "cannot be read")
    hint = "indent with spaces" if "'\\t'" in message else _YAML_HINTS.get(message, "")
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return document.at(line, column, code="yaml", message=f"not YAML: {message}", hint=hint)


def _unprintable(document: Document, error: ReaderError) -> Problem:
    before = document.text[: error.position]
    line, column = before.count("\n") + 1, error.position - before.rfind("\n")
    character = ord(document.text[error.position : error.position + 1] or " ")
    message = f"not YAML: the character U+{character:04X} is not allowed"
    return document.at(line, column, code="yaml", message=message, hint="remove it; it cannot be seen in most editors")


_YAML_HINTS = {
    "mapping values are not allowed here": "put the text in quotes where it holds ': '",
    "found unexpected end of stream": "a quote is not closed",
    "expected a single document in the stream": "one document a file: remove the second ---",
    "could not find expected ':'": "a key is followed by a colon and a space",
    "did not find expected key": "check the indentation of this line",
    "expected <block end>, but found '-'": "check the indentation of this line",
    "expected <block end>, but found '<block mapping start>'": "check the indentation of this line",
    "expected <block end>, but found '<scalar>'": "a quote inside of the text ends it: put the whole text in '...'",
    "while scanning a quoted scalar": "a quote is not closed",
    "found character that cannot start any token": "put the text in quotes: a text cannot begin with this character",
}


class _Reader:
    """Turns nodes into plain values and remembers where each came from."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.nodes: dict[Path, Node] = {}
        self.keys: dict[Path, Node] = {}
        self.problems: list[Problem] = []

    def read(self, node: Node, path: Path) -> Any:
        self.nodes[path] = node
        if isinstance(node, MappingNode) and node.tag == "tag:yaml.org,2002:map":
            return self._mapping(node, path)
        if isinstance(node, SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
            return [self.read(item, (*path, place)) for place, item in enumerate(node.value)]
        convert = _SCALARS.get(str(node.tag)) if isinstance(node, ScalarNode) else None
        if convert is None:
            self._refuse(node, "tag", f"the tag {node.tag} is not allowed", hint="remove it")
            return None
        try:
            return convert(node.value)
        except ValueError:
            self._refuse(node, "number", f"{node.value} is not a number that can be used here")
            return None

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in node.value:
            if key.tag != "tag:yaml.org,2002:str":
                self._refuse(key, "key", "a key must be text", hint="put it in quotes")
            elif key.value in values:
                first = self.keys[*path, key.value].start_mark.line + 1
                self._refuse(key, "duplicate", f"'{key.value}' stands twice", hint=f"it is already in line {first}")
            else:
                self.keys[*path, key.value] = key
                values[key.value] = self.read(value, (*path, key.value))
        return values

    def _refuse(self, node: Node, code: str, message: str, *, hint: str = "") -> None:
        mark = node.start_mark
        self.problems.append(self._document.at(mark.line + 1, mark.column + 1, code=code, message=message, hint=hint))


def _integer(text: str) -> int:
    digits = text.replace("_", "")
    return int(digits, 0) if digits.lstrip("+-")[:2].lower() in {"0x", "0o", "0b"} else int(digits)


def _decimal(text: str) -> float:
    value = float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
    if not math.isfinite(value):
        raise ValueError(text)
    return value


_SCALARS: dict[str, Callable[[str], Any]] = {
    "tag:yaml.org,2002:str": str,
    # A moment stays text: the lead's own type reads it, and a version label keeps its spelling.
    "tag:yaml.org,2002:timestamp": str,
    "tag:yaml.org,2002:int": _integer,
    "tag:yaml.org,2002:float": _decimal,
    "tag:yaml.org,2002:bool": lambda text: text.lower() == "true",
    "tag:yaml.org,2002:null": lambda _text: None,
}
