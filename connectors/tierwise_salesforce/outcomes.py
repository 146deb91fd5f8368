"""What became of the leads: status, conversion, the opportunity that came of it, and what sales did to reach them.

Each is read by the time of its own change: an opportunity is won long after its lead was touched last. Objects and
fields that the user does not see are left out; `connections check` says which.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time
from typing import Any, NamedTuple

from tierwise import sdk
from tierwise_salesforce import schema, soql, values
from tierwise_salesforce.client import Client
from tierwise_salesforce.reader import IDS, Reader

TOUCH = "touch"
CONVERTED = "converted"
_LEAD_PREFIX, _CONTACT_PREFIX = "00Q", "003"
_MAILED = "ListEmail"  # a mass mailing is nobody's touch
_DEAL = ("Id", "StageName", "Amount", "IsClosed", "IsWon", "CurrencyIsoCode")
_KINDS = frozenset({"call", "email", "meeting"})

Found = Mapping[str, Any]


class Part(NamedTuple):
    """One of the things that are read, one after the other."""

    name: str
    source: soql.Source
    names: tuple[str, ...]
    tell: Callable[[Sequence[Found]], Iterator[sdk.Outcome]]


class Outcomes:
    """The org's words for how sales stand with a lead."""

    def __init__(self, client: Client, reader: Reader) -> None:
        self._client = client
        self._reader = reader
        self._lead = client.settings.object_type == "Lead"

    def read(
        self, since: datetime, until: datetime, *, position: Mapping[str, Any] | None
    ) -> Iterator[sdk.OutcomePage]:
        """As TellsOutcomes.outcomes; a query for each part and page, and one for two hundred converted contacts."""
        parts = self._parts()
        begin = self._reader.window(since, until)
        number, state = _resumed(position, parts, begin)
        while number < len(parts):
            part = parts[number]
            number += 1
            for found, _, left in self._reader.pages(part.source, part.names, state):
                following: dict[str, Any] | None = None
                if left is not None:
                    following = {"part": part.name, **left.position()}
                elif number < len(parts):
                    following = {"part": parts[number].name, **begin.position()}
                yield sdk.OutcomePage(tuple(part.tell(found)), following)
            state = begin
        if not parts:
            yield sdk.OutcomePage((), None)

    def hidden(self) -> list[str]:
        """Objects that would tell, and that the user does not see."""
        return [name for name in self._objects() if not self._fields(name)]

    def _objects(self) -> tuple[str, ...]:
        deals = ("Opportunity",) if self._lead else ("Opportunity", "OpportunityContactRole")
        return (*deals, "Task", "Event")

    def _parts(self) -> list[Part]:
        seen = {name: self._fields(name) for name in self._objects()}
        deal = [name for name in _DEAL if name in seen["Opportunity"]]
        parts = (
            self._of_leads(deal) if self._lead else self._of_contacts(deal if seen["OpportunityContactRole"] else [])
        )
        if "WhoId" in seen["Task"]:
            names = tuple(name for name in _TASK if name in seen["Task"])
            source = soql.Source("Task", only="WhoId != null AND IsClosed = true")
            parts.append(Part("task", source, names, functools.partial(self._touches, _task)))
        if "WhoId" in seen["Event"]:
            names = tuple(name for name in _EVENT if name in seen["Event"])
            source = soql.Source("Event", only="WhoId != null")
            parts.append(Part("event", source, names, functools.partial(self._touches, _event)))
        return parts

    def _of_leads(self, deal: Sequence[str]) -> list[Part]:
        way = "ConvertedOpportunity"
        shown = deal if "ConvertedOpportunityId" in self._fields("Lead") else ()
        names = tuple(f"{way}.{name}" for name in (soql.STAMP, *shown)) if shown else ()
        tell = functools.partial(_deals, way=way, key="Id")

        def standing(records: Sequence[Found]) -> Iterator[sdk.Outcome]:
            yield from _standing(records)
            # A lead may be converted into an opportunity that changed last long before.
            yield from tell(records)

        parts = [Part("lead", soql.Source("Lead"), ("Status", "IsConverted", "ConvertedDate", *names), standing)]
        if shown:
            source = soql.Source("Lead", stamp=f"{way}.{soql.STAMP}", only="IsConverted = true")
            parts.append(Part("deal", source, names, tell))
        return parts

    def _of_contacts(self, deal: Sequence[str]) -> list[Part]:
        if not deal:
            return []
        way = "Opportunity"
        names = ("ContactId", *(f"{way}.{name}" for name in (soql.STAMP, *deal)))
        tell = functools.partial(_deals, way=way, key="ContactId")
        role = soql.Source("OpportunityContactRole", only="ContactId != null")
        return [
            Part("role", role, names, tell),
            Part("deal", role._replace(stamp=f"{way}.{soql.STAMP}"), names, tell),
        ]

    def _fields(self, name: str) -> schema.Fields:
        try:
            return schema.fields(self._client, object_type=name)
        except sdk.PauseConnection:
            return {}

    def _touches(self, of: Callable[[Found], tuple[str, datetime]], records: Sequence[Found]) -> Iterator[sdk.Outcome]:
        ours = self._leads_of(records)
        for record in records:
            if record.get("TaskSubtype") != _MAILED:
                kind, at = of(record)
                for key in ours.get(str(record["WhoId"]), ()):
                    yield sdk.Outcome(key, TOUCH, kind, at, kind.capitalize())

    def _leads_of(self, records: Sequence[Found]) -> dict[str, list[str]]:
        """Whom it is with -> records that are ours: when a lead is converted, its tasks become the contact's."""
        people = dict.fromkeys(str(record["WhoId"]) for record in records)
        prefix = _LEAD_PREFIX if self._lead else _CONTACT_PREFIX
        found = {key: [key] for key in people if key.startswith(prefix)}
        contacts = [key for key in people if self._lead and key.startswith(_CONTACT_PREFIX) and soql.is_id(key)]
        for start in range(0, len(contacts), IDS):
            answer = self._client.query(soql.converted(contacts[start : start + IDS]))
            for one in answer["records"]:
                found.setdefault(str(one["ConvertedContactId"]), []).append(str(one["Id"]))
        return found


_TASK = ("WhoId", "CreatedDate", "CompletedDateTime", "TaskSubtype", "Type")
_EVENT = ("WhoId", "CreatedDate", "StartDateTime")


def _resumed(position: Mapping[str, Any] | None, parts: Sequence[Part], begin: soql.State) -> tuple[int, soql.State]:
    """Number of the part and where in it reading goes on; the start where the position is none of ours."""
    names = [part.name for part in parts]
    if position is not None and position.get("part") in names:
        try:
            return names.index(position["part"]), soql.restored(position)
        except ValueError:
            pass
    return 0, begin


def _standing(records: Sequence[Found]) -> Iterator[sdk.Outcome]:
    """Status and conversion of leads."""
    for record in records:
        key, at = str(record["Id"]), values.moment(str(record[soql.STAMP]))
        if status := record.get("Status"):
            yield sdk.Outcome(key, "status", str(status), at, str(status))
        if record.get("IsConverted"):
            yield sdk.Outcome(key, "stage", CONVERTED, _converted_at(record.get("ConvertedDate"), at), "Converted")


def _converted_at(day: Any, changed: datetime) -> datetime:
    """Salesforce keeps the day only: the last change where that was on it, else when the day ended."""
    try:
        on = datetime.combine(datetime.fromisoformat(str(day)).date(), time.max, UTC)
    except ValueError:
        return changed
    return min(changed, on)


def _deals(records: Sequence[Found], *, way: str, key: str) -> Iterator[sdk.Outcome]:
    for record in records:
        deal = record.get(way)
        if deal and deal.get("StageName"):
            yield sdk.Outcome(
                str(record[key]),
                f"deal:{deal['Id']}",
                str(deal["StageName"]),
                values.moment(str(deal[soql.STAMP])),
                str(deal["StageName"]),
                amount=deal.get("Amount"),
                currency=deal.get("CurrencyIsoCode"),
                won=bool(deal.get("IsWon")) if deal.get("IsClosed") else None,
            )


def _task(found: Found) -> tuple[str, datetime]:
    """A call that is logged is done when it is made; a to-do when it is ticked."""
    told = (str(found.get(name) or "").lower() for name in ("TaskSubtype", "Type"))
    kind = next((word for word in told if word in _KINDS), "task")
    return kind, values.moment(str(found.get("CompletedDateTime") or found["CreatedDate"]))


def _event(found: Found) -> tuple[str, datetime]:
    """Booking it is the touch; one that is entered afterwards was at its time."""
    made = values.moment(str(found["CreatedDate"]))
    start = found.get("StartDateTime")
    return "meeting", min(made, values.moment(str(start))) if start else made
