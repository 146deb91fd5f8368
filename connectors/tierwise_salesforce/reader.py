"""Records out of Salesforce: every one changed in a window, or those with given ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from tierwise import sdk
from tierwise.sdk import http
from tierwise_salesforce import schema, soql, values
from tierwise_salesforce.client import Client

IDS = 200  # ids to a query: an address has at most some 16,000 characters
_SMALLEST = 200  # records to a page that is still tried when a query takes too long


class Reader:
    """Reading side of one connection."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._object = client.settings.object_type

    def changes(
        self,
        since: datetime,
        until: datetime,
        *,
        properties: Sequence[str],
        position: Mapping[str, Any] | None = None,
    ) -> Iterator[sdk.Page]:
        """As Connector.changes; `since` is moved back so that records of long transactions are met."""
        names = self._names(properties)
        source = soql.leads(self._object)
        wanted = [name for name in properties if name not in values.OWN]
        for found, rows, state in self.pages(source, names, self._start(since, until, position)):
            records = tuple(self._record(one, row, wanted) for one, row in zip(found, rows, strict=True))
            yield sdk.Page(records, None if state is None else state.position())

    def pages(
        self, source: soql.Source, names: Sequence[str], state: soql.State
    ) -> Iterator[tuple[list[dict[str, Any]], list[soql.Row], soql.State | None]]:
        """Records page by page, with their rows and what is left to read behind them."""
        limit = self._client.settings.page_size
        left: soql.State | None = state
        while left is not None:
            try:
                answer = self._query(soql.page(left, names, source=source, limit=limit))
            except http.HttpRefused as refused:
                # A page that takes Salesforce too long may be had in smaller ones.
                if refused.category != "QUERY_TIMEOUT":
                    raise
                if limit <= _SMALLEST:
                    raise sdk.RetryLater("query: takes Salesforce too long", place=self._client.place) from None
                limit = max(_SMALLEST, limit // 2)
                continue
            found = answer["records"]
            rows = [self._row(one, source) for one in found]
            try:
                left = soql.advance(left, rows, done=bool(answer.get("done", True)), limit=limit)
            except soql.Stuck as error:
                raise sdk.RetryLater(f"query: {error}", place=self._client.place) from None
            yield found, rows, left

    def window(self, since: datetime, until: datetime) -> soql.State:
        """All that changed in [since, until], and what a long transaction may have brought since."""
        late = timedelta(seconds=self._client.settings.late_commit_seconds)
        return soql.State(values.datetime_text(since - late), values.datetime_text(until))

    def read(self, record_ids: Sequence[str], *, properties: Sequence[str]) -> list[sdk.Record]:
        """As Connector.read; converted leads come too."""
        wanted = [key for key in dict.fromkeys(record_ids) if soql.is_id(key)]
        if not wanted:
            return []
        names = self._names(properties)
        asked = [name for name in properties if name not in values.OWN]
        found = []
        for start in range(0, len(wanted), IDS):
            answer = self._query(soql.by_ids(wanted[start : start + IDS], names, object_type=self._object))
            source = soql.leads(self._object)
            found += [self._record(one, self._row(one, source), asked) for one in answer["records"]]
        return found

    def _start(self, since: datetime, until: datetime, position: Mapping[str, Any] | None) -> soql.State:
        if position is not None:
            try:
                return soql.restored(position)
            except ValueError:
                pass  # written by another version: the window from its start costs calls, and nothing else
        return self.window(since, until)

    def _names(self, properties: Sequence[str]) -> list[str]:
        """Columns to ask for: the properties, which must exist and be no formulas, and our fields that exist."""
        wanted = [name for name in dict.fromkeys(properties) if name not in values.OWN]
        held = schema.fields(self._client, needed=wanted)
        missing = [name for name in wanted if name not in held or not soql.is_name(name)]
        if missing:
            raise sdk.PauseConnection(
                f"{self._object} has no field {', '.join(missing)}, or hides it from the user",
                place=self._client.place,
                remedy="correct the map, or grant the field by a permission set (field-level security)",
            )
        formulas = schema.calculated(held, wanted)
        if formulas:
            raise sdk.PauseConnection(
                f"{', '.join(formulas)} is a formula: its changes move no time stamp and would never be seen",
                place=self._client.place,
                remedy=schema.formula_remedy(formulas),
            )
        return [*wanted, *(name for name in values.OWN if name in held)]

    def _query(self, text: str) -> dict[str, Any]:
        try:
            return self._client.query(text)
        except http.HttpRefused as refused:
            if refused.category != "INVALID_FIELD":
                raise
            schema.forget()  # a field was taken away since we looked
            raise sdk.RetryLater("query: a field is gone or hidden since it was looked up", after=1.0,
                                 place=self._client.place) from None  # fmt: skip

    def _row(self, found: Mapping[str, Any], source: soql.Source) -> soql.Row:
        try:
            return soql.stamped(found, source)
        except (KeyError, TypeError, ValueError):
            raise sdk.RetryLater(f"a record came without {source.stamp}", place=self._client.place) from None

    @staticmethod
    def _record(found: Mapping[str, Any], row: soql.Row, properties: Sequence[str]) -> sdk.Record:
        get = found.get
        return sdk.Record(row.id, row.at, {name: get(name) for name in properties}, values.own(found))
