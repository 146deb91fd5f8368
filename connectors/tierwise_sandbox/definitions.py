"""The portal's property definitions and groups, with the checks that HubSpot makes when one is created.

Knows nothing of records: whether a value fits a definition is `values`.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from tierwise_sandbox import catalogue, kinds, moments, other_objects, values
from tierwise_sandbox.refusals import Refusal, invalid_values

FIELD_TYPES = {
    "bool": {"booleancheckbox", "calculation_equation"},
    "date": {"date"},
    "datetime": {"date", "calculation_equation"},
    "enumeration": {"booleancheckbox", "checkbox", "radio", "select", "calculation_equation"},
    "number": {"number", "calculation_equation"},
    "phone_number": {"phonenumber"},
    "string": {"file", "html", "phonenumber", "text", "textarea", "calculation_equation"},
}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
_CHANGEABLE = {"label", "groupName", "description", "options", "displayOrder", "hidden", "formField"}


class Definitions:
    """Properties and groups of one object type; safe to use from threads."""

    def __init__(self, portal_id: int, kind: kinds.Kind = kinds.CONTACTS) -> None:
        self.portal_id = portal_id
        self._lock = threading.RLock()
        self._groups: dict[str, dict[str, Any]] = {}
        self._properties: dict[str, dict[str, Any]] = {}
        self._types: dict[str, str] = {}
        for place, (name, label) in enumerate(other_objects.groups(kind).items()):
            self._groups[name] = {"name": name, "label": label, "displayOrder": place, "archived": False}
        for definition in other_objects.definitions(kind):
            self._store(definition)

    def types(self) -> Mapping[str, str]:
        """Property name -> type; the mapping is replaced when a property comes or goes."""
        return self._types

    def properties(self) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._properties.values())

    def groups(self) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._groups.values())

    def property(self, name: str) -> dict[str, Any]:
        with self._lock:
            if name not in self._properties:
                raise Refusal(
                    404, f'Property "{name}" does not exist.', category="OBJECT_NOT_FOUND", context={"name": [name]}
                )
            return self._properties[name]

    def group(self, name: str) -> dict[str, Any]:
        with self._lock:
            if name not in self._groups:
                raise Refusal(404, f'Property group "{name}" does not exist.', category="OBJECT_NOT_FOUND")
            return self._groups[name]

    def create_group(self, given: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            name, label = given.get("name"), given.get("label")
            if not isinstance(name, str) or not _NAME.fullmatch(name) or not label:
                raise Refusal(400, "A property group needs a name (lower case, digits, underscores) and a label.")
            if name in self._groups:
                raise Refusal(409, f"A property group named '{name}' already exists.", category="OBJECT_ALREADY_EXISTS")
            self._groups[name] = {
                "name": name,
                "label": str(label),
                "displayOrder": given.get("displayOrder", -1),
                "archived": False,
            }
            return self._groups[name]

    def create_property(self, given: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            definition = self._checked(given)
            if definition["name"] in self._properties:
                raise Refusal(
                    409,
                    f"A property named '{definition['name']}' already exists.",
                    category="OBJECT_ALREADY_EXISTS",
                    sub_category="Properties.PROPERTY_EXISTS",
                )
            return self._store(definition)

    def ensure_text(self, name: str, label: str) -> None:
        """Make a plain text property of a column that the portal does not know."""
        with self._lock:
            if name not in self._properties:
                self._store(
                    catalogue.definition(name, label, kind="string", field_type="text", group="contactinformation")
                )

    def change_property(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            held = self.property(name)
            if held["modificationMetadata"]["readOnlyDefinition"]:
                raise Refusal(400, f"Property {name} is defined by HubSpot and cannot be changed.")
            fixed = {key: held[key] for key in ("name", "type", "fieldType", "hasUniqueValue")}
            changes = {key: value for key, value in given.items() if key in _CHANGEABLE}
            if given.get("type", held["type"]) != held["type"]:
                raise Refusal(400, f"The type of property {name} cannot change here.")
            return self._store({**self._checked({**held, **changes, **fixed}), "createdAt": held["createdAt"]})

    def change_group(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            self._groups[name] = {
                **self.group(name),
                **{key: given[key] for key in ("label", "displayOrder") if key in given},
            }
            return self._groups[name]

    def remove_property(self, name: str) -> None:
        with self._lock:
            if not self.property(name)["modificationMetadata"]["archivable"]:
                raise Refusal(400, f"Property {name} is defined by HubSpot and cannot be archived.")
            del self._properties[name]
            self._types = {key: kind for key, kind in self._types.items() if key != name}

    def remove_group(self, name: str) -> None:
        with self._lock:
            self.group(name)
            if any(held["groupName"] == name for held in self._properties.values()):
                raise Refusal(400, f"Property group {name} still has properties.")
            del self._groups[name]

    def accept(self, given: Mapping[str, Any], *, by_person: bool = False) -> dict[str, str]:
        """Property values in the portal's form. Refusal (400) that names every value that does not fit."""
        kept: dict[str, str] = {}
        problems: list[values.Problem] = []
        with self._lock:
            for name, value in given.items():
                definition = self._properties.get(name)
                if definition is None:
                    message = f'Property "{name}" does not exist'
                    problems.append((name, "PROPERTY_DOESNT_EXIST", message))
                elif definition["modificationMetadata"]["readOnlyValue"] and not by_person:
                    message = f'"{name}" is a read only property; its value cannot be set.'
                    problems.append((name, "READ_ONLY_VALUE", message))
                else:
                    kept[name], problem = values.check(definition, value)
                    if problem is not None:
                        problems.append(problem)
        if problems:
            raise invalid_values(problems, portal_id=self.portal_id)
        return kept

    def _store(self, definition: dict[str, Any]) -> dict[str, Any]:
        now = moments.iso(int(time.time() * 1000))
        definition = {"createdAt": now, **definition, "updatedAt": now}
        self._properties[definition["name"]] = definition
        self._types = {**self._types, definition["name"]: definition["type"]}
        return definition

    def _checked(self, given: Mapping[str, Any]) -> dict[str, Any]:
        missing = [key for key in ("name", "label", "type", "fieldType", "groupName") if not given.get(key)]
        if missing:
            raise Refusal(
                400,
                f"Invalid input JSON: some required fields were not set: [{', '.join(missing)}]",
                context={"propertyName": [str(given.get("name"))]},
            )
        name, kind, field_type = str(given["name"]), str(given["type"]), str(given["fieldType"])
        if not _NAME.fullmatch(name):
            raise Refusal(400, f"The property name {name!r} must match [a-z][a-z0-9_]* and be at most 100 long.")
        if kind not in FIELD_TYPES:
            raise Refusal(400, f"Invalid input JSON: {kind} is not one of {sorted(FIELD_TYPES)}.")
        if field_type not in FIELD_TYPES[kind]:
            raise Refusal(400, f"fieldType {field_type} is not valid for type {kind}: {sorted(FIELD_TYPES[kind])}.")
        if given["groupName"] not in self._groups:
            raise Refusal(400, f"Property group {given['groupName']} does not exist.")
        options = self._options(name, kind, given.get("options") or [])
        return {
            **catalogue.definition(
                name,
                str(given["label"]),
                kind=kind,
                field_type=field_type,
                group=str(given["groupName"]),
                options=options,
                description=str(given.get("description") or ""),
            ),
            "displayOrder": given.get("displayOrder", -1),
            "hasUniqueValue": bool(given.get("hasUniqueValue", False)),
            "hidden": bool(given.get("hidden", False)),
            "formField": bool(given.get("formField", False)),
        }

    @staticmethod
    def _options(name: str, kind: str, given: Sequence[Any]) -> list[dict[str, Any]]:
        if kind == "bool" and not given:
            given = [{"label": "Yes", "value": "true"}, {"label": "No", "value": "false"}]
        if kind == "enumeration" and not given:
            raise Refusal(400, f"Property {name} of type enumeration needs options.")
        if any(not isinstance(o, dict) or not o.get("label") or "value" not in o for o in given):
            raise Refusal(400, f"Every option of property {name} needs a label and a value.")
        for key in ("label", "value"):
            if len({str(option[key]) for option in given}) != len(given):
                raise Refusal(400, f"Property {name} has two options with the same {key}.")
        return [
            {
                "label": str(option["label"]),
                "value": str(option["value"]),
                "description": str(option.get("description") or ""),
                "displayOrder": option.get("displayOrder", place),
                "hidden": bool(option.get("hidden", False)),
            }
            for place, option in enumerate(given)
        ]
