"""JSON Schemas of the files of a policy, for editors: completion, and mistakes under the cursor while one types.

Made from the models that read the files, and never by hand; what they cannot say (do the weights add up?) is told by
`tierwise policy check`.
"""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from tierwise.domain.lead import CATALOGUE, Lead
from tierwise.domain.mapping import FieldMap, FieldRule
from tierwise.domain.policy import Fragment, Reason
from tierwise.domain.rubric import Rubric
from tierwise.domain.rules import Rule
from tierwise.domain.tables import Table
from tierwise.domain.transforms import TRANSFORMS
from tierwise.policies.owners import Owners

Schema = dict[str, Any]
_DRAFT = "http://json-schema.org/draft-07/schema#"
_TEXT: Schema = {"type": "string"}
_CELL: Schema = {
    "description": 'any, missing, a value, a list of values, a range ("10..49", ">= 50"), or {not: ...}',
    "anyOf": [
        {"type": ["string", "number", "boolean"]},
        {"type": "array", "minItems": 1, "items": {"type": ["string", "number", "boolean"]}},
        {"type": "object", "required": ["not"], "properties": {"not": {}}, "additionalProperties": False},
    ],
}


def generate() -> Mapping[str, str]:
    """Text of each schema by its file, relative to a policy's directory."""
    made = {
        "rules": _listed({"rules": Rule, "tables": Table}, "Gates, contradictions, routes and guardrails."),
        "reasons": _listed({"reasons": Reason}, "The reasons catalogue."),
        "fragments": _listed({"fragments": Fragment}, "Texts for the rep."),
        "map": _schema(FieldMap, "Canonical fields from the properties of one connector type."),
        "owners": _schema(Owners, "Who answers for what."),
        "prompt": _schema(Rubric, "The rubric: front matter of the prompt file."),
    }
    return {f"rules/{name}.schema.json": json.dumps(schema, indent=1) + "\n" for name, schema in made.items()}


def stale(directory: Path) -> list[str]:
    """Files under the directory that are missing, or not what `generate` gives."""
    found = []
    for file, text in generate().items():
        path = directory / file
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            found.append(file)
    return found


def _listed(models: Mapping[str, type[BaseModel]], description: str) -> Schema:
    """A file that holds lists; its owner is that of each item that names none."""
    definitions: Schema = {}
    properties: Schema = {"owner": _TEXT, "policy": _TEXT}
    for key, model in models.items():
        item = _schema(model, inspect.getdoc(model) or "")
        del item["$schema"]
        definitions |= item.pop("definitions", {})
        if "owner" in item.get("required", ()):
            item["required"] = [name for name in item["required"] if name != "owner"]
        definitions[model.__name__] = item
        properties[key] = {"type": "array", "items": {"$ref": f"#/definitions/{model.__name__}"}}
    if "rules" not in models:
        del properties["policy"]
    return {
        "$schema": _DRAFT, "description": description, "type": "object", "additionalProperties": False,
        "properties": properties, "definitions": definitions,
    }  # fmt: skip


def _schema(model: type[BaseModel], description: str) -> Schema:
    made = model.model_json_schema(ref_template="#/definitions/{model}")
    definitions = made.pop("$defs", {})
    seen = {item.__name__: item for item in _models(model)}
    for name, part in (*definitions.items(), (model.__name__, made)):
        _describe(part, seen.get(name))
    if definitions:
        made["definitions"] = definitions
    for part in (made, *definitions.values()):
        for name, change in _CHANGES.items():
            if part.get("title") == name:
                change(part)
    _untitled(made)
    return {"$schema": _DRAFT, **made, "description": description}


def _models(model: type[BaseModel]) -> set[type[BaseModel]]:
    """The model and all that are inside of it."""
    found: set[type[BaseModel]] = set()
    waiting: list[Any] = [model]
    while waiting:
        item = waiting.pop()
        if isinstance(item, type) and issubclass(item, BaseModel):
            if item not in found:
                found.add(item)
                waiting += [info.annotation for info in item.model_fields.values()]
        else:
            waiting += getattr(item, "__args__", ())
    return found


def _describe(part: Schema, model: type[BaseModel] | None) -> None:
    """The sentences below the fields of the model, where an editor shows them."""
    if model is None:
        return
    tree = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0]
    assert isinstance(tree, ast.ClassDef)
    for field, below in zip(tree.body, tree.body[1:], strict=False):
        told = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and below.value.value
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(told, str):
            name = model.model_fields[field.target.id].alias or field.target.id
            if name in part.get("properties", {}):
                part["properties"][name]["description"] = " ".join(told.split())


def _untitled(part: Any) -> None:
    """Titles repeat the names of the fields."""
    if isinstance(part, dict):
        if isinstance(part.get("title"), str):
            del part["title"]
        for inner in part.values():
            _untitled(inner)
    elif isinstance(part, list):
        for inner in part:
            _untitled(inner)


def _lead() -> Schema:
    """A lead as a test gives it: some canonical fields."""
    made = Lead.model_json_schema()
    fields = {name: {**made["properties"][name], "description": info.description} for name, info in CATALOGUE.items()}
    return {"type": "object", "additionalProperties": False, "properties": fields}


def _test(part: Schema) -> None:
    part["properties"]["lead"] = _lead()


def _row(part: Schema) -> None:
    told = part["properties"]["when"]["description"]
    part["properties"]["when"] = {"type": "array", "items": _CELL, "description": told}


def _field_rule(part: Schema) -> None:
    texts: Schema = {"type": "array", "items": _TEXT, "minItems": 1}
    part["properties"]["from"] = {**part["properties"]["from"], "anyOf": [_TEXT, texts]}
    for key in ("type", "items", "minItems"):
        part["properties"]["from"].pop(key, None)
    part["properties"]["transform"] = {"enum": [*TRANSFORMS, None], "description": "Name of the transform."}


def _field_map(part: Schema) -> None:
    short: Schema = {"type": "array", "items": _TEXT, "minItems": 1}
    rule: Schema = {"anyOf": [_TEXT, short, {"$ref": f"#/definitions/{FieldRule.__name__}"}]}
    fields = {name: {**rule, "description": info.description} for name, info in CATALOGUE.items() if not info.derived}
    part["properties"]["fields"] = {
        "type": "object", "minProperties": 1, "additionalProperties": False, "properties": fields,
    }  # fmt: skip
    # The file's name says it where the file does not.
    part["required"] = [name for name in part["required"] if name != "connector"]


_CHANGES: Mapping[str, Callable[[Schema], None]] = {
    "RuleTest": _test, "TableTest": _test, "Example": _test, "Row": _row, "FieldRule": _field_rule,
    "FieldMap": _field_map,
}  # fmt: skip
