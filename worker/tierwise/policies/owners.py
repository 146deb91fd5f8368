"""`rules/owners.yaml`: who answers for the bundle, its schema, the SLA, each kind of exception, and so for each rule.

A policy may do without the file; where it is there, every owner that is named anywhere must be in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import Field

from tierwise import expressions
from tierwise.domain.review import KINDS, ReviewKind
from tierwise.domain.rubric import Frozen
from tierwise.policies import documents, shapes
from tierwise.policies.documents import Document
from tierwise.policies.loading import Loaded
from tierwise.policies.problems import Problem

FILE = "rules/owners.yaml"


class Owners(Frozen):
    """The file."""

    owners: tuple[str, ...] = Field(min_length=1)
    """Every name that may own something."""
    bundle: str
    schema_: str = Field(alias="schema")
    sla: str
    exceptions: Mapping[ReviewKind, str]


def check(directory: Path, loaded: Loaded) -> list[Problem]:
    """What is wrong with the owners, or with who is named as one."""
    path = directory / FILE
    if not path.is_file():
        return []
    try:
        document, found = documents.parse(path.read_text(encoding="utf-8-sig"), FILE)
    except (OSError, UnicodeDecodeError):
        return [Problem(FILE, 1, 1, "file", "the file cannot be read as UTF-8 text")]
    problems = list(found)
    if document.value is None or problems:
        return problems or [Problem(FILE, 1, 1, "file", "the file is empty")]
    owners, wrong, _ = shapes.build(Owners, document, (), value=document.value)
    problems += wrong
    return problems if owners is None else [*problems, *_inside(document, owners), *_named(loaded, owners)]


def exceptions(directory: Path) -> Mapping[ReviewKind, str]:
    """Who answers for the leads that go to people, by kind; empty where no readable file says so."""
    path = directory / FILE
    if not path.is_file():
        return {}
    try:
        document, _ = documents.parse(path.read_text(encoding="utf-8-sig"), FILE)
    except (OSError, UnicodeDecodeError):
        return {}
    owners, wrong, _ = shapes.build(Owners, document, (), value=document.value)
    return owners.exceptions if owners is not None and not wrong else {}


def _inside(document: Document, owners: Owners) -> Iterator[Problem]:
    for kind in KINDS:
        if kind not in owners.exceptions:
            hint = f"{kind}: {owners.bundle}"
            yield document.problem(("exceptions",), "missing", f"nobody owns the exceptions of kind {kind}", hint=hint)
    given: list[tuple[documents.Path, str]] = [
        (("bundle",), owners.bundle), (("schema",), owners.schema_), (("sla",), owners.sla),
        *((("exceptions", kind), owner) for kind, owner in owners.exceptions.items()),
    ]  # fmt: skip
    for place, owner in given:
        yield from _unknown(document, place, owner, owners)


def _named(loaded: Loaded, owners: Owners) -> Iterator[Problem]:
    """Owners that the other files name; of a file's own owner only the first use is told."""
    told: set[tuple[str, str]] = set()
    for document, path, owner in _owned(loaded):
        if (document.file, owner) not in told:
            told.add((document.file, owner))
            own = (*path, "owner")
            yield from _unknown(document, own if own in document.nodes else ("owner",), owner, owners)


def _owned(loaded: Loaded) -> Iterator[tuple[Document, documents.Path, str]]:
    rubric = (loaded.rubric,) if loaded.rubric is not None else ()
    for item in (*rubric, *loaded.rules, *loaded.tables, *loaded.reasons, *loaded.maps.values()):
        if item.stands("owner"):
            yield item.document, item.path, item.value.owner


def _unknown(document: Document, place: documents.Path, owner: str, owners: Owners) -> Iterator[Problem]:
    if owner not in owners.owners:
        hint = expressions.closest(owner, owners.owners, all_of=f"{FILE} lists")
        yield document.problem(place, "unknown-owner", f"'{owner}' is not among the owners", hint=hint)
