from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tierwise import content
from tierwise.policies import documents, schemas

SHIPPED = content.find(None)


def schema_of(file: Path) -> dict[str, Any]:
    """The schema that the file itself names, as an editor finds it."""
    head = next(line for line in file.read_text(encoding="utf-8").split("\n") if "$schema=" in line)
    assert head.startswith("# yaml-language-server: $schema=")
    found: dict[str, Any] = json.loads((file.parent / head.partition("$schema=")[2]).read_text(encoding="utf-8"))
    return found


def value_of(file: Path) -> Any:
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".md":
        text = text.split("\n---\n")[0].removeprefix("---\n")
    document, problems = documents.parse(text, file.name)
    assert problems == ()
    return document.value


def problems(file: Path, value: Any) -> list[str]:
    return [error.message for error in jsonschema.Draft7Validator(schema_of(file)).iter_errors(value)]


FILES = [*sorted((SHIPPED / "rules").rglob("*.yaml")), SHIPPED / "prompts/qualify.md"]


def test_the_schemas_are_what_the_models_say_today() -> None:
    assert schemas.stale(SHIPPED) == [], "renew them: make schemas"
    for text in schemas.generate().values():
        jsonschema.Draft7Validator.check_schema(json.loads(text))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_shipped_file_names_its_schema_and_fits_it(file: Path) -> None:
    assert problems(file, value_of(file)) == []


@pytest.mark.parametrize(
    ("file", "path", "value", "part"),
    [
        ("rules/gates.rules.yaml", ("rules", 0, "stage"), "gaet", "'gaet' is not one of"),
        ("rules/gates.rules.yaml", ("rules", 0, "prioritty"), 3, "'prioritty' was unexpected"),
        ("rules/gates.rules.yaml", ("rules", 0, "tests", 0, "lead", "messag"), "x", "'messag' was unexpected"),
        ("rules/gates.rules.yaml", ("rules", 0, "tests", 0, "expect"), "maybe", "'maybe' is not one of"),
        ("rules/gates.rules.yaml", ("rules", 0, "confidence"), 98, "greater than the maximum"),
        ("rules/reasons.yaml", ("reasons", 0, "code"), "small", "does not match"),
        ("rules/owners.yaml", ("exceptions", "guardrails"), "x", "guardrails"),
        ("rules/maps/files.yaml", ("fields", "emial"), "email", "'emial' was unexpected"),
        ("rules/maps/files.yaml", ("fields", "email"), {"from": "x", "transform": "emial"}, "is not valid"),
        ("rules/fragments/talking-points.yaml", ("fragments", 0, "text"), 5, "is not of type 'string'"),
        ("prompts/qualify.md", ("criteria", 0, "weight"), "12", "is not of type 'integer'"),
    ],
)  # fmt: skip
def test_an_editor_marks_mistakes(file: str, path: tuple[str | int, ...], value: Any, part: str) -> None:
    whole = value_of(SHIPPED / file)
    holder = whole
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    assert any(part in told for told in problems(SHIPPED / file, whole)), problems(SHIPPED / file, whole)


def test_fields_are_described_where_one_types() -> None:
    rules = json.loads(schemas.generate()["rules/rules.schema.json"])
    assert "not stated" in rules["definitions"]["Rule"]["properties"]["why"]["description"]
    assert rules["definitions"]["RuleTest"]["properties"]["lead"]["properties"]["region"]["description"]
    assert "owner" not in rules["definitions"]["Rule"]["required"]


def test_what_is_missing_or_changed_is_stale(tmp_path: Path) -> None:
    assert len(schemas.stale(tmp_path)) == len(schemas.generate()) == 6
    for file, text in schemas.generate().items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text)
    assert schemas.stale(tmp_path) == []
    (tmp_path / "rules/map.schema.json").write_text("{}")
    assert schemas.stale(tmp_path) == ["rules/map.schema.json"]
