"""Writes this folder's Salesforce metadata from the fields that Tierwise declares and the values its policy can give.

    python ops/salesforce/generate.py [--policy DIR] [--object Lead]

Run it after a change of the policy's tiers or reason codes and deploy again; nothing of an org is read.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from tierwise import content, policies
from tierwise.domain.advice import AdviceField, fields_for
from tierwise_salesforce import schema, values

HERE = Path(__file__).parent
API_VERSION = "66.0"
NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
SOURCE = "force-app/main/default"
WORKER, REPS = "Tierwise", "Tierwise_Rep"
REQUEST = values.NAMES["tierwise_request_review"]
# What a rep sees without scrolling. A compact layout takes ten fields, and neither long texts nor multi-selects.
COMPACT = ("tierwise_tier", "tierwise_score", "tierwise_confidence", "tierwise_status", "tierwise_route")

# Kind -> type and its own elements. Reps read these fields; only lists of values that never grow are restricted, so
# that a reason code of a new policy is written before anybody has deployed it.
SHAPES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "number": ("Number", {"precision": 3, "scale": 0}),
    "text": ("Text", {"length": schema.LENGTHS["text"]}),
    "long_text": ("LongTextArea", {"length": 32_768, "visibleLines": 6}),
    "choice": ("Picklist", {}),
    "multi_choice": ("MultiselectPicklist", {"visibleLines": 4}),
    "timestamp": ("DateTime", {}),
    "boolean": ("Checkbox", {"defaultValue": "false"}),
}
TOLD_BY = ("Account", "Contact", "Opportunity")
"""Read for what became of leads; Salesforce shows no opportunity or contact to who may not see its account."""
GROWING = frozenset({"tierwise_tier", "tierwise_reason_codes"})


def files(fields: Sequence[AdviceField], object_type: str = "Lead") -> dict[str, str]:
    """Path under this folder -> text of every file of the project."""
    place = f"{SOURCE}/objects/{object_type}"
    project = {
        "packageDirectories": [{"path": "force-app", "default": True}],
        "name": "tierwise",
        "namespace": "",
        "sourceApiVersion": API_VERSION,
    }
    action = f"{object_type}.{REQUEST.removesuffix('__c')}"
    return {
        "sfdx-project.json": json.dumps(project, indent=2) + "\n",
        **{
            f"{place}/fields/{values.field_name(field.name)}.field-meta.xml": _xml("CustomField", _field(field))
            for field in fields
        },
        f"{place}/compactLayouts/Tierwise.compactLayout-meta.xml": _xml("CompactLayout", _compact(object_type)),
        f"{place}/fieldSets/Tierwise.fieldSet-meta.xml": _xml("FieldSet", _field_set(fields)),
        f"{SOURCE}/quickActions/{action}.quickAction-meta.xml": _xml("QuickAction", _quick_action()),
        f"{SOURCE}/permissionsets/{WORKER}.permissionset-meta.xml": _xml(
            "PermissionSet", _permissions(fields, object_type, worker=True)
        ),
        f"{SOURCE}/permissionsets/{REPS}.permissionset-meta.xml": _xml(
            "PermissionSet", _permissions(fields, object_type, worker=False)
        ),
    }


def _field(field: AdviceField) -> dict[str, Any]:
    kind, more = SHAPES[field.kind]
    made: dict[str, Any] = {
        "fullName": values.field_name(field.name),
        "description": field.description,
        "externalId": False if kind in {"Number", "Text"} else None,
        "inlineHelpText": field.description,
        "label": field.label,
        **more,
        "required": False if kind != "Checkbox" else None,
        "type": kind,
        "unique": False if kind in {"Number", "Text"} else None,
    }
    if kind in {"Picklist", "MultiselectPicklist"}:
        listed = [{"fullName": value, "default": False, "label": label} for value, label in field.options]
        made["valueSet"] = {
            "restricted": field.name not in GROWING,
            "valueSetDefinition": {"sorted": False, "value": listed},
        }
    return made


def _compact(object_type: str) -> dict[str, Any]:
    first = ["Name", "Company"] if object_type == "Lead" else ["Name"]
    return {"fullName": "Tierwise", "fields": [*first, *map(values.field_name, COMPACT)], "label": "Tierwise"}


def _field_set(fields: Iterable[AdviceField]) -> dict[str, Any]:
    shown = [{"field": values.field_name(field.name), "isFieldManaged": False, "isRequired": False} for field in fields]
    return {
        "fullName": "Tierwise",
        "description": "All fields of Tierwise, for a section of a dynamic form.",
        "displayedFields": shown,
        "label": "Tierwise",
    }


def _quick_action() -> dict[str, Any]:
    """One button: ticks the box that puts the lead on top of the review queue."""
    item = {"emptySpace": False, "field": REQUEST, "uiBehavior": "Edit"}
    return {
        "description": "Puts the lead on top of Tierwise's review queue.",
        "fieldOverrides": {"field": REQUEST, "formula": "TRUE"},
        "label": "Request review",
        "optionsCreateFeedItem": False,
        "quickActionLayout": {
            "layoutSectionStyle": "TwoColumnsLeftToRight",
            "quickActionLayoutColumns": [{"quickActionLayoutItems": item}, {}],
        },
        "successMessage": "Tierwise shows it to a reviewer with its next poll.",
        "type": "Update",
    }


def _permissions(fields: Sequence[AdviceField], object_type: str, *, worker: bool) -> dict[str, Any]:
    """Without these nobody sees a deployed field, its maker included."""
    granted = sorted(
        (
            {"editable": worker or field.by_rep, "field": f"{object_type}.{values.field_name(field.name)}",
             "readable": True}
            for field in fields
        ),
        key=lambda entry: str(entry["field"]),
    )  # fmt: skip
    about = "for the user that the Tierwise worker acts as" if worker else "for people who work with leads"
    made: dict[str, Any] = {
        "description": f"Fields of Tierwise, {about}.",
        "fieldPermissions": granted,
        "hasActivationRequired": False,
        "label": WORKER if worker else "Tierwise for reps",
    }
    if worker:
        made["objectPermissions"] = [_right(name, edit=name == object_type) for name in sorted({object_type, *TOLD_BY})]
        made["userPermissions"] = [{"enabled": True, "name": name} for name in ("ActivitiesAccess", "ApiEnabled")]
    return made


def _right(object_type: str, *, edit: bool) -> dict[str, Any]:
    return {
        "allowCreate": False,
        "allowDelete": False,
        "allowEdit": edit,
        "allowRead": True,
        "modifyAllRecords": False,
        "object": object_type,
        "viewAllRecords": True,
    }


def _xml(kind: str, held: Mapping[str, Any]) -> str:
    root = ElementTree.Element(kind, {"xmlns": NAMESPACE})
    _fill(root, held)
    ElementTree.indent(root, "    ")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _fill(parent: ElementTree.Element, held: Mapping[str, Any]) -> None:
    for name, value in held.items():
        for one in value if isinstance(value, list) else [value]:
            if one is None:
                continue
            child = ElementTree.SubElement(parent, name)
            if isinstance(one, Mapping):
                _fill(child, one)
            else:
                child.text = str(one).lower() if isinstance(one, bool) else str(one)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files; 0."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--policy", type=Path, help="directory with rules/ and prompts/ (default: the packaged one)")
    parser.add_argument("--object", default="Lead", choices=("Lead", "Contact"), help="object that holds the leads")
    parser.add_argument("--to", type=Path, default=HERE, help="folder to write to (default: this one)")
    options = parser.parse_args(arguments)
    fields = fields_for(policies.read(content.find(options.policy)))
    for path, text in files(fields, options.object).items():
        target = options.to / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
