"""What the integration user sees of the org's objects: fields, and field-level security over them.

A field that is hidden is absent everywhere; nothing here tells it from one that does not exist.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tierwise_sandbox.salesforce import fields
from tierwise_sandbox.salesforce.fields import Field
from tierwise_sandbox.salesforce.refusals import Refusal, not_found


class Schema:
    """Objects and fields with the user's rights to them. Names are matched without regard to case."""

    def __init__(self) -> None:
        self._objects = fields.standard()
        self._names = {kind.lower(): kind for kind in self._objects}
        self.hidden: set[tuple[str, str]] = set()
        self.read_only: set[tuple[str, str]] = set()
        self._index: dict[str, dict[str, Field]] = {}
        self._changed()

    def kind(self, name: str) -> str:
        """The object's proper name. Refusal (404) when there is none."""
        kind = self._names.get(name.lower())
        if kind is None:
            raise not_found()
        return kind

    def queried(self, name: str) -> str:
        """The same for SOQL, with its own error."""
        if name.lower() not in self._names:
            raise Refusal(
                "INVALID_TYPE",
                f"\nFROM {name}\n     ^\nERROR at Row:1:Column:6\nsObject type '{name}' is not supported. If you are "
                "attempting to use a custom object, be sure to append the '__c' after the entity name.",
            )
        return self._names[name.lower()]

    def field(self, kind: str, name: str) -> Field | None:
        """The field, if this user may see it."""
        return self._index[kind].get(name.lower())

    def parent(self, kind: str, relationship: str) -> Field | None:
        """The visible reference field behind a relationship's name (Owner, ConvertedOpportunity)."""
        wanted = relationship.lower()
        return next((held for held in self._index[kind].values() if held.relationship.lower() == wanted), None)

    def visible(self, kind: str) -> list[Field]:
        return list(self._index[kind].values())

    def every(self, kind: str) -> dict[str, Field]:
        """All fields, hidden ones too: what the org keeps, for pages and the control door."""
        return self._objects[kind]

    def writable(self, kind: str, field: Field) -> bool:
        return field.writable and not field.formula and (kind, field.name) not in self.read_only

    def deploy(
        self, kind: str, added: Iterable[Field], *, granted: Iterable[str], readable: Iterable[str] = ()
    ) -> None:
        """Add fields; only those `granted` (or, without editing, `readable`) are seen by the user afterwards."""
        granted, readable = set(granted), set(readable)
        for held in added:
            self._objects[kind][held.name] = held
            key = (kind, held.name)
            self.hidden.discard(key)
            self.read_only.discard(key)
            if held.name not in granted:
                (self.read_only if held.name in readable else self.hidden).add(key)
        self._changed()

    def secure(self, *, hidden: Iterable[str] | None = None, read_only: Iterable[str] | None = None) -> None:
        """Set field-level security by `Object.Field` names. ValueError for a field that does not exist."""
        for given, kept in ((hidden, self.hidden), (read_only, self.read_only)):
            if given is not None:
                keys = {self._key(name) for name in given}
                kept.clear()
                kept.update(keys)
        self._changed()

    def _key(self, name: str) -> tuple[str, str]:
        kind, _, field = name.partition(".")
        if field not in self._objects.get(kind, {}):
            raise ValueError(f"{name!r} is not the Object.Field of a field of this org")
        return kind, field

    def _changed(self) -> None:
        self._index = {
            kind: {name.lower(): held for name, held in held_by_name.items() if (kind, name) not in self.hidden}
            for kind, held_by_name in self._objects.items()
        }

    def describe(self, kind: str) -> dict[str, Any]:
        """The answer of /sobjects/KIND/describe."""
        return {
            **self.brief(kind),
            "fields": [held.describe(writable=self.writable(kind, held)) for held in self.visible(kind)],
            "recordTypeInfos": [],
            "childRelationships": [],
        }

    def brief(self, kind: str) -> dict[str, Any]:
        """One object of the global describe."""
        return {
            "name": kind,
            "label": kind,
            "labelPlural": f"{kind}s",
            "keyPrefix": fields.PREFIXES[kind],
            "custom": False,
            "queryable": True,
            "retrieveable": True,
            "searchable": True,
            "createable": kind != "User",
            "updateable": kind != "User",
            "deletable": kind != "User",
        }

    def kinds(self) -> list[str]:
        return list(self._objects)
