"""Holds recorded requests and answers against a vendor's own description of its API.

    python tests/descriptions/conform.py RECORDING.jsonl DESCRIPTIONS...

A recording comes of `python -m tierwise_sandbox --record FILE` (or SANDBOX_RECORD around `make demo`);
descriptions are OpenAPI 3.0 documents as JSON, or folders of them, that whoever runs this has got from the vendor: none
is kept here. Exits 1 where anything differs from what is described, 2 where nothing could be compared.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import jsonschema

_KINDS = {"0-1": "contacts", "0-2": "companies", "0-3": "deals", "0-136": "leads", "0-48": "calls"}
# What a vendor's description says otherwise than the vendor's own guide, and the service: it is counted apart.
KNOWN = {
    r"answer 4\d\d: the whole: .*'status' was unexpected": 'refusals of the service say "status": "error"; the '
    "description does not",
    r"/subCategory: '.*' is not of type 'object'": "answers of the service have a text there; the description does not",
    r"associationTypes/\*/label: None is not of type": "the service answers null where a tie has no label",
    r"/search .* request: sorts/\*: .* is not of type 'string'": "HubSpot's guide and service take objects; the "
    "description does not (hubspot-api-python#236, hubspot-api-nodejs#14)",
}
_FORMATS = jsonschema.FormatChecker(formats=())


@_FORMATS.checks("date-time", raises=ValueError)
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@_FORMATS.checks("int32")
def _is_small(value: object) -> bool:
    return not isinstance(value, int) or -(2**31) <= value < 2**31


class Operation(NamedTuple):
    """One described call."""

    file: str
    document: Mapping[str, Any]
    template: str
    path: re.Pattern[str]
    method: str
    described: Mapping[str, Any]
    parameters: Sequence[Mapping[str, Any]]


def operations(paths: Sequence[Path]) -> list[Operation]:
    """Every call of these documents."""
    files = [file for path in paths for file in (sorted(path.rglob("*.json")) if path.is_dir() else [path])]
    found = []
    for file in files:
        document = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(document, dict) or "openapi" not in document:
            continue
        document = {**document, "components": _schema(document.get("components") or {})}
        for template, item in (document.get("paths") or {}).items():
            pattern = re.compile(re.sub(r"\\\{[^/]+?\\\}", "[^/]+", re.escape(template.rstrip("/"))) + "/?")
            for method, described in item.items():
                if method in ("get", "post", "put", "patch", "delete"):
                    parameters = [*item.get("parameters", ()), *described.get("parameters", ())]
                    found.append(Operation(file.stem, document, template, pattern, method, described, parameters))
    return found


def _schema(node: Any) -> Any:
    """OpenAPI 3.0's dialect as JSON Schema; an object takes no property that is not described."""
    if isinstance(node, list):
        return [_schema(one) for one in node]
    if not isinstance(node, dict):
        return node
    made = {key: _schema(value) for key, value in node.items() if key not in ("example", "nullable")}
    if "$ref" in made:
        return {"$ref": made["$ref"]}
    if made.get("type") == "object" and isinstance(made.get("properties"), dict):
        made.setdefault("additionalProperties", False)
    if node.get("nullable") and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    return made


def chosen(found: Sequence[Operation], method: str, path: str) -> Operation | None:
    """The call that is described most narrowly: of the object type's own document, with the fewest placeholders."""
    fitting = [one for one in found if one.method == method.lower() and one.path.fullmatch(path)]
    parts = [_KINDS.get(part, part) for part in path.split("/")]
    return min(
        fitting, key=lambda one: (one.template.count("{"), one.file not in parts, one.file != "objects"), default=None
    )


def differences(operation: Operation, exchange: Mapping[str, Any]) -> Iterator[str]:
    """What of an exchange is not as described."""
    known = {one["name"]: one for one in operation.parameters if one.get("in") == "query"}
    given = dict(parse_qsl(exchange["query"], keep_blank_values=True))
    yield from (f"request: query parameter '{name}' is not described" for name in given if name not in known)
    yield from (f"request: query parameter '{name}' is missing" for name, one in known.items()
                if one.get("required") and name not in given)  # fmt: skip
    refused = exchange["status"] >= 400
    body = (operation.described.get("requestBody") or {}).get("content", {}).get("application/json")
    # What a server refuses may well be wrong; its refusal is looked at.
    if not refused and body is not None:
        yield from _errors("request", operation, body.get("schema"), exchange["request"])
    elif not refused and exchange["request"] is not None and operation.described.get("requestBody") is None:
        yield "request: no body is described"
    answers = operation.described.get("responses") or {}
    answer = answers.get(str(exchange["status"])) or (answers.get("default") if refused else None)
    if answer is None:
        yield f"answer: status {exchange['status']} is not described"
        return
    if "$ref" in answer:
        answer = operation.document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    content = (answer.get("content") or {}).get("application/json") or (answer.get("content") or {}).get("*/*")
    if content is not None:
        yield from _errors(f"answer {exchange['status']}", operation, content.get("schema"), exchange["response"])


def _errors(what: str, operation: Operation, schema: Any, value: Any) -> Iterator[str]:
    if schema is None:
        return
    whole = {**_schema(schema), "components": operation.document["components"]}
    for error in jsonschema.Draft4Validator(whole, format_checker=_FORMATS).iter_errors(value):
        place = "/".join("*" if isinstance(part, int) else str(part) for part in error.absolute_path)
        yield f"{what}: {place or 'the whole'}: {error.message[:160]}"


def main() -> int:
    """0 as described, 1 something differs, 2 nothing to compare."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("recording", type=Path)
    options.add_argument("descriptions", type=Path, nargs="+")
    options.add_argument("--vendor", help="only what this one was asked: hubspot or salesforce")
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    found = operations(given.descriptions)
    lines = [json.loads(line) for line in given.recording.read_text(encoding="utf-8").splitlines()]
    compared: Counter[str] = Counter()
    strange: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    known: Counter[str] = Counter()
    for line in lines:
        if given.vendor and line["vendor"] != given.vendor:
            continue
        operation = chosen(found, line["method"], line["path"])
        if operation is None:
            strange[f"{line['method']} {line['path']}"] += 1
            continue
        name = f"{line['method']} {operation.template} ({operation.file})"
        compared[name] += 1
        for difference in set(differences(operation, line)):
            text = f"{name}: {difference}"
            why = next((why for pattern, why in KNOWN.items() if re.search(pattern, text)), None)
            if why is None:
                wrong[text] += 1
            else:
                known[why] += 1
    if given.json:
        print(
            json.dumps({"compared": compared, "not_described": strange, "known": known, "differences": wrong}, indent=2)
        )
    else:
        for title, counts in (
            ("compared", compared),
            ("not described", strange),
            ("known", known),
            ("differences", wrong),
        ):
            print(f"{title}: {counts.total()}")
            for text, number in sorted(counts.items()):
                print(f"  {number:6} x {text}")
    return 2 if not compared else 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
