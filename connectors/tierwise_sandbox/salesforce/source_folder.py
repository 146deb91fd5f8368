"""Fields and permission sets from an SFDX source folder, as a deployment of it would bring them into an org."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree

from tierwise_sandbox.salesforce.fields import Field

_TYPES = {
    "Text": ("string", 255),
    "TextArea": ("textarea", 255),
    "LongTextArea": ("textarea", 32_768),
    "Html": ("textarea", 32_768),
    "Number": ("double", 0),
    "Percent": ("percent", 0),
    "Currency": ("currency", 0),
    "Checkbox": ("boolean", 0),
    "DateTime": ("datetime", 0),
    "Date": ("date", 0),
    "Picklist": ("picklist", 255),
    "MultiselectPicklist": ("multipicklist", 4_099),
    "Url": ("url", 255),
    "Email": ("email", 80),
    "Phone": ("phone", 40),
}


@dataclass(frozen=True)
class Deployment:
    """Fields by object, and the Object.Field names that the permission sets let be edited or only read."""

    fields: dict[str, list[Field]]
    editable: frozenset[str]
    readable: frozenset[str]


def read(folder: Path) -> Deployment:
    """ValueError names the file and what is wrong with it; OSError when there is no such folder."""
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder")
    fields: dict[str, list[Field]] = {}
    for path in sorted(folder.rglob("objects/*/fields/*.field-meta.xml")):
        fields.setdefault(path.parent.parent.name, []).append(_field(path))
    if not fields:
        raise ValueError(f"{folder}: no objects/*/fields/*.field-meta.xml in it")
    editable, readable = set(), set()
    for path in sorted(folder.rglob("permissionsets/*.permissionset-meta.xml")):
        for entry in _root(path, "PermissionSet").iter("fieldPermissions"):
            name = _text(entry, "field")
            if _text(entry, "editable") == "true":
                editable.add(name)
            elif _text(entry, "readable") == "true":
                readable.add(name)
    return Deployment(fields, frozenset(editable), frozenset(readable))


def _field(path: Path) -> Field:
    root = _root(path, "CustomField")
    name, given = _text(root, "fullName"), _text(root, "type")
    if not name.endswith("__c") or path.name != f"{name}.field-meta.xml":
        raise ValueError(f"{path}: fullName {name!r} must be a custom field (__c) and the name of the file")
    if given not in _TYPES:
        raise ValueError(f"{path}: type {given!r} is not one of {', '.join(_TYPES)}")
    kind, length = _TYPES[given]
    label = _text(root, "label")
    if not label or len(label) > 40:
        raise ValueError(f"{path}: a label of 1 to 40 characters is needed")
    digits, scale = int(_text(root, "precision") or 18), int(_text(root, "scale") or 0)
    field = Field(name, label, kind, formula=_text(root, "formula"), required=_text(root, "required") == "true")
    if kind in {"double", "percent", "currency"}:
        if not _text(root, "precision") and not field.formula:
            raise ValueError(f"{path}: a number needs precision and scale")
        return replace(field, digits=digits, scale=scale)
    given_length = _text(root, "length")
    if given in {"Text", "LongTextArea", "Html"} and not given_length and not field.formula:
        raise ValueError(f"{path}: {given} needs a length")
    field = replace(field, length=int(given_length or length))
    values = root.find("valueSet")
    if kind in {"picklist", "multipicklist"}:
        if values is None:
            raise ValueError(f"{path}: a picklist needs a valueSet")
        options = tuple((_text(one, "fullName"), _text(one, "label")) for one in values.iter("value"))
        return replace(field, options=options, restricted=_text(values, "restricted") == "true")
    return field


def _root(path: Path, wanted: str) -> ElementTree.Element:
    try:
        root = ElementTree.fromstring(path.read_bytes())  # noqa: S314 - our own files, named on the command line
    except ElementTree.ParseError as error:
        raise ValueError(f"{path}: not XML: {error}") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    if root.tag != wanted:
        raise ValueError(f"{path}: {wanted} is expected, was {root.tag}")
    return root


def _text(element: ElementTree.Element, name: str) -> str:
    return (element.findtext(name) or "").strip()


# What `--salesforce-provisioned` brings without a folder: the fields that reps of the demo look at.
_BUILT_IN = (
    ("Score", "double"), ("Fit", "double"), ("Intent", "double"), ("Tier", "picklist"), ("Confidence", "double"),
    ("Status", "picklist"), ("Outcome", "picklist"), ("Route", "string"), ("Reason_Codes", "multipicklist"),
    ("Reasons", "textarea"), ("Talking_Points", "textarea"), ("Policy", "string"), ("Scored_At", "datetime"),
    ("Fingerprint", "string"), ("Request_Review", "boolean"), ("Feedback", "picklist"),
)  # fmt: skip
_OPTIONS = {
    "Tier": "A|B|C|D",
    "Status": "scored|in_review|rejected|not_scorable",
    "Outcome": "accept|nurture|reject|review",
    "Feedback": "right|too_high|too_low",
}
_LENGTHS = {"string": 255, "textarea": 32_768, "picklist": 255, "multipicklist": 4_099}


def built_in() -> Iterator[Field]:
    """The Tierwise fields of a lead, for an org that was provisioned before."""
    for name, kind in _BUILT_IN:
        options = tuple((value, value.replace("_", " ").capitalize()) for value in _OPTIONS.get(name, "").split("|"))
        yield Field(
            f"Tierwise_{name}__c",
            f"Tierwise {name.replace('_', ' ').lower()}",
            kind,
            length=_LENGTHS.get(kind, 0),
            digits=18 if kind == "double" else 0,
            scale=2 if kind == "double" else 0,
            options=options if name in _OPTIONS else (),
            restricted=name in _OPTIONS,
        )
