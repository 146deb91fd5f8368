"""The field catalogue for people and programs that build a capture source: a form, an import, an integration.

Only a reading of `lead.CATALOGUE` and the transforms; nothing is declared here. docs/capture-fields.md is generated
from it, and a test keeps it fresh.
"""

from __future__ import annotations

from typing import Any

from tierwise.domain.canonical import IDENTIFYING
from tierwise.domain.lead import CATALOGUE, MAX_TEXT, SCHEMA_VERSION, FieldInfo, Lead
from tierwise.domain.mapping import DEFAULT_TRANSFORMS
from tierwise.domain.transforms import TRANSFORMS

_INTRODUCTION = """\
# What a capture source can fill

Generated from the field catalogue, schema version {version}: do not edit. `tierwise schema --json` gives the same to
programs.

A form, an import or an integration writes to properties of the CRM (or to columns of a file). A map, in
`rules/maps/`, says which property becomes which of these fields. A file whose columns carry these names needs no map.

* **Send what you know, leave out what you do not.** An absent field is unknown and rules treat it so; `0`, "n/a" or a
  guess would be taken for an answer. ("n/a", "-", "none", "unknown" and the like are read as absent.)
* **At least one of {identifying}** must be there:
  a record with none of them goes to review as not scorable.
* **Ask for numbers as numbers or as ranges** and say the unit beside the input: `monthly_volume` is per month.
  A value that names another period ("100 per day") is converted where the map says `per: month`.
* **Keep the touchpoint.** `source` tells how the lead came; without it intent rests on the message alone.
* **Send the time of submission** with its zone. The time to an answer is measured from it.
* Free text is kept up to {longest:,} characters, in Unicode NFKC, without invisible characters.
"""


def accepts(info: FieldInfo) -> str:
    """What may stand in a property that is mapped to the field; empty for derived fields."""
    if info.derived:
        return ""
    name = DEFAULT_TRANSFORMS.get(info.name, "text")
    return "one of its values, or options that the map lists" if name == "picklist" else TRANSFORMS[name].accepts


def catalogue_document() -> str:
    """docs/capture-fields.md, without the line end at its end."""
    settable = [info for info in CATALOGUE.values() if not info.derived]
    lines = [
        _INTRODUCTION.format(version=SCHEMA_VERSION, identifying=_or(IDENTIFYING), longest=MAX_TEXT),
        "## Fields",
        "",
        "| field | kind | what it is | what is accepted |",
        "|---|---|---|---|",
        *(
            f"| `{info.name}` | {_kind(info)} | {_cell(info.description)} | {_cell(accepts(info))} |"
            for info in settable
        ),
        "",
        "## Values of choices",
        "",
        *(f"* `{info.name}`: {', '.join(f'`{value}`' for value in info.values)}" for info in settable if info.values),
        "",
        "## Personal data",
        "",
        f"{_and([info.name for info in settable if info.personal])} are personal. They are stored with the lead, never"
        " logged, and",
        "never sent to a model unless a criterion of the rubric names them.",
        f"{_and([info.name for info in settable if info.free_text])} are free text: what a lead says of itself there",
        "earns a capped share of the score.",
        "",
        "## What Tierwise works out itself",
        "",
        *(f"* `{info.name}`: {info.description}" for info in CATALOGUE.values() if info.derived),
        "* `company_domain` from a business e-mail address and `region` from the country, where the record names none.",
    ]
    return "\n".join(lines)


def catalogue_json() -> dict[str, Any]:
    """`tierwise schema --json`: the fields in order, and the JSON Schema of a canonical lead."""
    return {
        "schema_version": SCHEMA_VERSION,
        "require_one_of": list(IDENTIFYING),
        "fields": [
            {**info._asdict(), "values": list(info.values), "accepts": accepts(info)} for info in CATALOGUE.values()
        ],
        "json_schema": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **Lead.model_json_schema(),
        },
    }


def _kind(info: FieldInfo) -> str:
    return f"{info.kind}, {info.unit}" if info.unit else info.kind


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def _or(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names[:-1]) + f" or `{names[-1]}`"


def _and(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names[:-1]) + f" and `{names[-1]}`"
