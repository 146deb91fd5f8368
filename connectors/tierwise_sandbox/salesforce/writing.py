"""Writing: single records and collections of up to 200, with everything that can refuse a row.

A collection is answered 200 whatever became of its rows; results stand in the order asked, failures without an id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from tierwise_sandbox.salesforce import spelling, values
from tierwise_sandbox.salesforce.calls import Answer, Call
from tierwise_sandbox.salesforce.org import API_USER, Org
from tierwise_sandbox.salesforce.reading import found
from tierwise_sandbox.salesforce.records import Row
from tierwise_sandbox.salesforce.refusals import Refusal, locked

MAX_ROWS, MAX_CHUNKS = 200, 10
_ROLLED_BACK = Refusal(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
)


class Writing:
    """Handlers over one org."""

    def __init__(self, org: Org) -> None:
        self.org = org

    def patch(self, call: Call, kind: str, key: str) -> Answer:
        kind = self.org.schema.kind(kind)
        row = found(self.org, kind, key)
        self.update(kind, row.id, call.object(), assign=call.assigns)
        return Answer(204)

    def post(self, call: Call, kind: str) -> Answer:
        kind = self.org.schema.kind(kind)
        return Answer(201, {"id": self.create(kind, call.object()), "success": True, "errors": []})

    def delete(self, _call: Call, kind: str, key: str) -> Answer:
        kind = self.org.schema.kind(kind)
        row = found(self.org, kind, key)
        self._lockable(row.id)
        self.org.records.put(replace(row, deleted=True), by=API_USER)
        return Answer(204)

    def collection(self, call: Call) -> Answer:
        """PATCH or POST /composite/sobjects."""
        body = call.object()
        records = body.get("records")
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            raise Refusal("JSON_PARSER_ERROR", "Can not deserialize: records must be a list of objects")
        if len(records) > MAX_ROWS:
            message = f"record limit reached. cannot submit more than {MAX_ROWS} records into this call"
            raise Refusal("EXCEEDED_ID_LIMIT", message)
        kinds = [self._kind(record) for record in records]
        if sum(1 for _ in groupby(kinds)) > MAX_CHUNKS:
            raise Refusal("LIMIT_EXCEEDED", f"Cannot process more than {MAX_CHUNKS} chunks of records in one call")
        with self.org.records.transaction() as roll_back:
            try:
                results = self._rows(call, kinds, records)
            except Refusal:  # of the whole request: it was read before any row was written
                roll_back()
                raise
            if body.get("allOrNone") is True and not all(result["success"] for result in results):
                roll_back()
                results = [_ROLLED_BACK.row() if result["success"] else result for result in results]
        return Answer(200, results)

    def _rows(self, call: Call, kinds: Sequence[str], records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        results, seen = [], set()
        for kind, record in zip(kinds, records, strict=True):
            try:
                given = str(record.get("id") or record.get("Id") or "")
                if call.method == "POST":
                    key = self.create(kind, record)
                else:
                    key = spelling.long_id(given)
                    if not key or not key.startswith(self.org.schema.brief(kind)["keyPrefix"]):
                        raise Refusal("MALFORMED_ID", f"{kind} ID: id value of incorrect type: {given}", fields=["Id"])
                    if key in seen:
                        raise Refusal("DUPLICATE_VALUE", f"duplicate id specified: {key}")
                    seen.add(key)
                    self.update(kind, key, record, assign=call.assigns)
                results.append({"id": key, "success": True, "errors": []})
            except Refusal as refusal:
                if refusal.code == "JSON_PARSER_ERROR":
                    raise
                results.append(refusal.row())
        return results

    def update(self, kind: str, key: str, given: Mapping[str, Any], *, assign: bool) -> None:
        """One row by the integration user. Refusal says why it was not written."""
        org = self.org
        kept = values.accept(org.schema, kind, given)
        with org.records.lock:
            row = org.records.get(key)
            if row is None or row.kind != kind:
                raise Refusal("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
            if row.deleted:
                raise Refusal("ENTITY_IS_DELETED", "entity is deleted")
            if row.values.get("IsConverted"):
                raise Refusal("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
            self._lockable(row.id)
            self._validated(row, kept)
            if assign and kind == "Lead" and org.switches.assignment_rules:
                kept_by_rule = {**kept, "OwnerId": org.next_owner()}
            else:
                kept_by_rule = kept
            changed = any(row.values.get(name) != value for name, value in kept.items())
            new = Row(kind, row.id, named({**row.values, **kept_by_rule}, kind))
            written = org.records.put(new, by=API_USER)
            org.records.note(written, kept, by="api", changed=changed)

    def create(self, kind: str, given: Mapping[str, Any]) -> str:
        org = self.org
        kept = values.accept(org.schema, kind, given)
        missing = [
            field.name
            for field in org.schema.visible(kind)
            if field.required and field.writable and not kept.get(field.name) and not field.options
        ]
        if missing:
            message = f"Required fields are missing: [{', '.join(missing)}]"
            raise Refusal("REQUIRED_FIELD_MISSING", message, fields=missing)
        kept.setdefault("OwnerId", API_USER)
        if kind == "Lead":
            kept.setdefault("Status", "Open - Not Contacted")
        key = org.records.load(kind, named(kept, kind), by=API_USER)
        row = org.records.get(key)
        assert row is not None
        org.records.note(row, kept, by="api", changed=True)
        return key

    def _lockable(self, key: str) -> None:
        switches = self.org.switches
        held = self.org.records.is_locked(key)
        if held or switches.take("lock_rows") or switches.drawn(switches.lock_share):
            raise locked()
        if switches.take("transient_rows"):
            raise Refusal("SERVER_UNAVAILABLE", "Server unavailable, please retry later")

    def _validated(self, row: Row, kept: Mapping[str, Any]) -> None:
        """What the customer's own automation has against an update."""
        needed = self.org.switches.required_when_written
        if needed and not {**row.values, **kept}.get(needed):
            raise Refusal("FIELD_CUSTOM_VALIDATION_EXCEPTION", f"{needed} must be filled in before a lead is saved.")
        if self.org.switches.take("trigger_lock_rows"):
            raise Refusal(
                "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
                "LeadTrigger: execution of AfterUpdate caused by: System.DmlException: Update failed. First exception "
                "on row 0; first error: UNABLE_TO_LOCK_ROW, unable to obtain exclusive access to this record: []",
            )

    def _kind(self, record: Mapping[str, Any]) -> str:
        attributes = record.get("attributes")
        name = attributes.get("type") if isinstance(attributes, dict) else None
        if not isinstance(name, str):
            raise Refusal("INVALID_INPUT", "Each record needs attributes with a type")
        try:
            return self.org.schema.kind(name)
        except Refusal:
            raise Refusal("INVALID_TYPE", f"sObject type '{name}' is not supported.") from None


def named(held: dict[str, Any], kind: str) -> dict[str, Any]:
    """With what Salesforce derives from other fields."""
    if kind in {"Lead", "Contact"}:
        held["Name"] = " ".join(part for part in (held.get("FirstName"), held.get("LastName")) if part)
    elif kind == "Task":
        held["IsClosed"] = held.get("Status") == "Completed"
    elif kind == "Opportunity":
        held["IsWon"] = held.get("StageName") == "Closed Won"
        held["IsClosed"] = str(held.get("StageName", "")).startswith("Closed")
    return held
