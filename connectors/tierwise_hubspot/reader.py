"""Records out of HubSpot: every one changed in a window, or those with given ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from tierwise import sdk
from tierwise.sdk import http
from tierwise_hubspot import associations, batches, values, windows
from tierwise_hubspot.client import Client, spelled

_MAX_BODY = 3_000  # characters that search takes
_ROOM = 1_000  # of them kept for filters with excluded ids
_EXCLUDING = 80  # characters of a filter on ids without the ids


class Reader:
    """Reading side of one connection; of another object type than its own where one is given."""

    def __init__(self, client: Client, object_type: str | None = None) -> None:
        self._client = client
        self._object_type = object_type
        self._modified = client.settings.modified if object_type is None else "hs_lastmodifieddate"
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
        wanted = associations.split(properties, place=self._client.place)
        state: windows.State | None = self._start(since, until, position)
        if state is not None and state.at > state.until:
            state = None
            yield sdk.Page((), None)
        while state is not None:
            answer = self._search(state, wanted.own)
            results = {windows.Row(int(found["id"]), self._stamp(found)): found for found in answer["results"]}
            try:
                rows, state = windows.advance(state, list(results), total=int(answer["total"]))
            except windows.Stuck as error:
                raise sdk.RetryLater(f"search: {error}", place=self._client.place) from None
            found = [results[row] for row in rows]
            if not self._fits(wanted.own):
                found = self._completed(found, wanted.own)
            if found or state is None:
                records = self._records(found, wanted)
                yield sdk.Page(tuple(records), None if state is None else state.position())

    def read(self, record_ids: Sequence[str], *, properties: Sequence[str]) -> list[sdk.Record]:
        """As Connector.read."""
        wanted = associations.split(properties, place=self._client.place)
        return self._records(list(self._batch_read(record_ids, wanted.own).values()), wanted)

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
        body: dict[str, Any] = {
            "filterGroups": [{"filters": windows.filters(state, modified=self._modified, room=0)}],
            "sorts": [
                {"propertyName": windows.sort(state, modified=self._modified), "direction": "ASCENDING"},
            ],
            "properties": self._names(properties) if self._fits(properties) else [self._modified],
            "limit": self._client.settings.page_size,
            "after": "0",  # never further: a window is read on from where it is, not by page
        }
        if state.seen:
            room = _MAX_BODY - len(spelled(body)) - _EXCLUDING
            body["filterGroups"] = [{"filters": windows.filters(state, modified=self._modified, room=room)}]
        try:
            answer = self._client.call("POST", self._client.objects("search", self._object_type), body)
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
        full = self._batch_read([one["id"] for one in found], properties)
        moved = {one["id"]: {self._modified: one["properties"][self._modified]} for one in found}
        return [
            {**full[one["id"]], "properties": {**full[one["id"]]["properties"], **moved[one["id"]]}}
            for one in found
            if one["id"] in full  # else it was merged or deleted meanwhile; a merged one comes under its new id
        ]

    def _batch_read(self, record_ids: Sequence[str], own: Sequence[str]) -> dict[str, dict[str, Any]]:
        return batches.read(self._client, record_ids, self._names(own), object_type=self._object_type)

    def _records(self, found: Sequence[Mapping[str, Any]], wanted: associations.Wanted) -> list[sdk.Record]:
        """With the fields of associated records, where any are wanted."""
        others = associations.fields(self._client, [str(one["id"]) for one in found], wanted) if wanted.others else {}
        return [self._record(one, wanted.own, others.get(str(one["id"]), {})) for one in found]

    def _record(self, found: Mapping[str, Any], own: Sequence[str], others: Mapping[str, Any]) -> sdk.Record:
        held = found["properties"]
        shown = {name: held.get(name) for name in own if name not in values.KINDS} | dict(others)
        changed = values.moment(self._stamp(found))
        return sdk.Record(str(found["id"]), changed, shown, values.own(held), batches.former(found))

    def _stamp(self, found: Mapping[str, Any]) -> int:
        text = found["properties"].get(self._modified) or found.get("updatedAt")
        if not text:
            raise sdk.RetryLater(f"a record came without {self._modified}", place=self._client.place)
        return values.milliseconds(str(text))

    def _names(self, properties: Sequence[str]) -> list[str]:
        own = values.KINDS if self._object_type is None else ()
        return list(dict.fromkeys([*properties, *own, self._modified, batches.MERGED]))

    def _fits(self, properties: Sequence[str]) -> bool:
        """Whether search takes the list of names, or only ids are searched and the rest is read by id."""
        return len(spelled(self._names(properties))) <= _MAX_BODY - _ROOM
