"""Reading: SOQL queries and their further pages, describe calls, single records, limits."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from tierwise_sandbox.salesforce import soql, spelling
from tierwise_sandbox.salesforce.calls import Answer, Call
from tierwise_sandbox.salesforce.matching import Matcher, Path
from tierwise_sandbox.salesforce.org import ADMIN, Org
from tierwise_sandbox.salesforce.records import Row
from tierwise_sandbox.salesforce.refusals import Refusal, no_column, not_found

LOCATOR_SECONDS = 2 * 86_400
_MIN_PAGE, _MAX_PAGE = 200, 2_000


@dataclass(frozen=True)
class Cursor:
    """The ids that a query found, of which pages are handed out; values are those of the moment of the page."""

    ids: tuple[str, ...]
    shown: tuple[Path, ...]
    deleted: bool
    made: float


class Reading:
    """Handlers over one org."""

    def __init__(self, org: Org) -> None:
        self.org = org
        self.matcher = Matcher(org.schema, org.records)

    def query(self, call: Call, *, deleted: bool = False) -> Answer:
        """/query and, with `deleted`, /queryAll."""
        text = call.query.get("q", "")
        if not text.strip():
            raise Refusal("MALFORMED_QUERY", "A query string has to be specified")
        query = soql.parse(text)
        plan = self.matcher.plan(query)
        ids = tuple(self.matcher.run(plan, deleted=deleted))
        if not query.fields:
            return Answer(200, {"totalSize": len(ids), "done": True, "records": []})
        return self._page(call, Cursor(ids, plan.shown, deleted, self.org.time()), "", 0)

    def more(self, call: Call, locator: str) -> Answer:
        """The page that `nextRecordsUrl` named: locator-offset."""
        key, _, place = locator.rpartition("-")
        cursor: Cursor | None = self.org.locators.get(key)
        stale = cursor is not None and cursor.made + LOCATOR_SECONDS < self.org.time()
        if cursor is None or stale or not place.isdecimal() or self.org.switches.take("broken_locators"):
            self.org.locators.pop(key, None)
            raise Refusal("INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(call, cursor, key, int(place))

    def _page(self, call: Call, cursor: Cursor, key: str, start: int) -> Answer:
        size = min(_batch_size(call.headers.get("sforce-query-options", "")), self.org.switches.page_rows)
        rows = [row for row in map(self.org.records.get, cursor.ids[start : start + size]) if row is not None]
        body: dict[str, Any] = {
            "totalSize": len(cursor.ids),
            "done": start + size >= len(cursor.ids),
            "records": [
                self.matcher.show(cursor.shown, row, call.root) for row in rows if cursor.deleted or not row.deleted
            ],
        }
        if not body["done"]:
            if not key:
                key = f"01g{secrets.token_hex(8)[:15]}"
                self.org.locators[key] = cursor
            body["nextRecordsUrl"] = f"{call.root}/query/{key}-{start + size}"
            self._edits_while_paging(cursor.ids[start + size :])
        return Answer(200, body)

    def _edits_while_paging(self, coming: tuple[str, ...]) -> None:
        """People go on working while a client pages: rows of coming pages change under it."""
        for key in coming[: self.org.switches.edits_while_paging]:
            row = self.org.records.latest(key)
            if row is not None and not row.deleted and row.kind == "Lead":
                edit = {"Description": f"Called again, {self.org.records.edits} edits so far"}
                written = self.org.records.put(_changed(row, edit), by=ADMIN)
                self.org.records.note(written, edit, by="person", changed=True)

    def describe(self, _call: Call, kind: str) -> Answer:
        return Answer(200, self.org.schema.describe(self.org.schema.kind(kind)))

    def object(self, _call: Call, kind: str) -> Answer:
        return Answer(200, {"objectDescribe": self.org.schema.brief(self.org.schema.kind(kind)), "recentItems": []})

    def objects(self, _call: Call) -> Answer:
        schema = self.org.schema
        described = [schema.brief(kind) for kind in schema.kinds()]
        return Answer(200, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": described})

    def get(self, call: Call, kind: str, key: str) -> Answer:
        """One record: all visible fields, or those of `?fields=`."""
        kind = self.org.schema.kind(kind)
        row = found(self.org, kind, key)
        fields = self.org.schema.visible(kind)
        if wanted := call.query.get("fields"):
            fields = []
            for name in wanted.split(","):
                field = self.org.schema.field(kind, name.strip())
                if field is None:
                    raise no_column(name.strip(), kind)
                fields.append(field)
        shown = self.matcher.show([Path((), field) for field in fields], row, call.root)
        shown.setdefault("Id", row.id)
        return Answer(200, shown)

    def limits(self, _call: Call) -> Answer:
        org = self.org
        return Answer(
            200,
            {
                "DailyApiRequests": {"Max": org.allowance, "Remaining": org.allowance - org.used},
                "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 10_000},
                "DailyBulkApiBatches": {"Max": 15_000, "Remaining": 15_000 - len(org.jobs)},
                "DataStorageMB": {"Max": 1_073, "Remaining": 1_000},
            },
        )


def found(org: Org, kind: str, key: str) -> Row:
    """The record, if it is there and of this kind. Refusal (404)."""
    row = org.records.get(key)
    if row is None or row.kind != kind:
        if not spelling.long_id(key):
            raise Refusal("MALFORMED_ID", f"{kind} ID: id value of incorrect type: {key}")
        raise not_found()
    if row.deleted:
        raise Refusal("ENTITY_IS_DELETED", "entity is deleted", status=404)
    return row


def _changed(row: Row, edit: dict[str, Any]) -> Row:
    return Row(row.kind, row.id, {**row.values, **edit}, row.deleted)


def _batch_size(header: str) -> int:
    """`batchSize=500` from Sforce-Query-Options: a hint, kept within what Salesforce allows."""
    for part in header.split(","):
        name, _, value = part.partition("=")
        if name.strip().lower() == "batchsize" and value.strip().isdecimal():
            return max(_MIN_PAGE, min(int(value), _MAX_PAGE))
    return _MAX_PAGE
