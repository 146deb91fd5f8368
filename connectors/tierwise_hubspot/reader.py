"""Records out of HubSpot: every one changed in a window, or those with given ids."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from tierwise import sdk
from tierwise.sdk import http
from tierwise_hubspot import values, windows
from tierwise_hubspot.client import Client

BATCH = 100  # records that batch/read takes
MERGED = "hs_merged_object_ids"  # ids that live on in this record
_MAX_BODY = 3_000  # characters that search takes
_ROOM = 1_000  # of them kept for filters with excluded ids


class Reader:
    """Reading side of one connection."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._modified = client.settings.modified
        self._exclude = True
        """Whether a query names ids to leave out; given up for this session when HubSpot refuses that."""

    def changes(
        self,
        since: datetime,
        until: datetime,
        *,
        properties: Sequence[str],
        position: Mapping[str, Any] | None = None,
    ) -> Iterator[sdk.Page]:
        """As Connector.changes; `since` is moved back by the index lag, so late arrivals in the index are met."""
        state: windows.State | None = self._start(since, until, position)
        if state is not None and state.at > state.until:
            state = None
            yield sdk.Page((), None)
        while state is not None:
            answer = self._search(state, properties)
            results = {windows.Row(int(found["id"]), self._stamp(found)): found for found in answer["results"]}
            try:
                rows, state = windows.advance(state, list(results), total=int(answer["total"]))
            except windows.Stuck as error:
                raise sdk.RetryLater(f"search: {error}", place=self._client.place) from None
            found = [results[row] for row in rows]
            if not self._fits(properties):
                found = self._completed(found, properties)
            if found or state is None:
                records = tuple(self._record(one, properties) for one in found)
                yield sdk.Page(records, None if state is None else state.position())

    def read(self, record_ids: Sequence[str], *, properties: Sequence[str]) -> list[sdk.Record]:
        """As Connector.read."""
        return [self._record(found, properties) for found in self._batch_read(record_ids, self._names(properties))]

    def _start(self, since: datetime, until: datetime, position: Mapping[str, Any] | None) -> windows.State:
        if position is None:
            lag = round(self._client.settings.index_lag_seconds * 1000)
            return windows.State(max(0, values.stamp(since) - lag), values.stamp(until))
        try:
            return windows.restored(position)
        except ValueError:
            # Written by another version: the window from its start costs calls, and nothing else.
            return self._start(since, until, None)

    def _search(self, state: windows.State, properties: Sequence[str]) -> dict[str, Any]:
        if not self._exclude:
            state = state._replace(seen=())
        body = {
            "filterGroups": [{"filters": windows.filters(state, modified=self._modified)}],
            "sorts": [
                {"propertyName": windows.sort(state, modified=self._modified), "direction": "ASCENDING"},
            ],
            "properties": self._names(properties) if self._fits(properties) else [self._modified],
            "limit": self._client.settings.page_size,
        }
        try:
            answer = self._client.call("POST", self._client.objects("search"), body)
        except http.HttpRefused as refused:
            # Leaving out ids only saves a repeat; that search allows it for ids is not documented.
            if refused.status == 400 and state.seen:
                self._exclude = False
                return self._search(state, properties)
            raise
        if not isinstance(answer, dict) or not isinstance(answer.get("results"), list) or "total" not in answer:
            raise sdk.RetryLater("search: the answer has no results and total", place=self._client.place)
        return answer

    def _completed(self, found: Sequence[Mapping[str, Any]], properties: Sequence[str]) -> list[dict[str, Any]]:
        """The same records with all properties. Their change times stay those of the search: the window's order."""
        full = {one["id"]: one for one in self._batch_read([one["id"] for one in found], self._names(properties))}
        moved = {one["id"]: {self._modified: one["properties"][self._modified]} for one in found}
        return [
            {**full[one["id"]], "properties": {**full[one["id"]]["properties"], **moved[one["id"]]}}
            for one in found
            if one["id"] in full  # else it was merged or deleted meanwhile; a merged one comes under its new id
        ]

    def _batch_read(self, record_ids: Sequence[str], names: Sequence[str]) -> list[dict[str, Any]]:
        wanted = [key for key in dict.fromkeys(record_ids) if key.isascii() and key.isdigit()]
        found: dict[str, dict[str, Any]] = {}
        for start in range(0, len(wanted), BATCH):
            body = {"inputs": [{"id": key} for key in wanted[start : start + BATCH]], "properties": list(names)}
            try:
                answer = self._client.call("POST", self._client.objects("batch/read"), body)
            except http.HttpRefused as refused:
                if refused.status != 404:
                    raise
                continue  # none of them is there
            found |= {str(one["id"]): one for one in answer.get("results", ())}
        return list(found.values())

    def _record(self, found: Mapping[str, Any], properties: Sequence[str]) -> sdk.Record:
        held = found["properties"]
        wanted = {name: held.get(name) for name in properties if name not in values.KINDS}
        former = tuple(key for key in str(held.get(MERGED) or "").split(";") if key and key != str(found["id"]))
        return sdk.Record(str(found["id"]), values.moment(self._stamp(found)), wanted, values.own(held), former)

    def _stamp(self, found: Mapping[str, Any]) -> int:
        text = found["properties"].get(self._modified) or found.get("updatedAt")
        if not text:
            raise sdk.RetryLater(f"a record came without {self._modified}", place=self._client.place)
        return values.milliseconds(str(text))

    def _names(self, properties: Sequence[str]) -> list[str]:
        return list(dict.fromkeys([*properties, *values.KINDS, self._modified, MERGED]))

    def _fits(self, properties: Sequence[str]) -> bool:
        """Whether search takes the list of names, or only ids are searched and the rest is read by id."""
        return len(json.dumps(self._names(properties))) <= _MAX_BODY - _ROOM
