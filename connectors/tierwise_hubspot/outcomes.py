"""What became of the leads: stage and status, their deals, and when sales first called, wrote or met.

A change of a deal or an activity does not move the lead's own stamp: each kind is read by its own window, one after the
other, and led back to the leads by its associations. Stages are the portal's own: their names are read from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from tierwise import sdk
from tierwise.sdk import http
from tierwise_hubspot import activities, associations, properties, values
from tierwise_hubspot.client import Client, Denied
from tierwise_hubspot.reader import Reader

# Property of the lead -> what it is about; a Lead's own stage is that of its pipeline.
SUBJECTS: Mapping[str, str] = {"lifecyclestage": "stage", "hs_lead_status": "status", "hs_pipeline_stage": "stage"}
TOUCH = "hs_sa_first_engagement_date"
TOUCH_KIND = "hs_sa_first_engagement_object_type"
DEALS_SCOPE = "crm.objects.deals.read"
_DEAL = ("dealstage", "amount", "deal_currency_code", "hs_is_closed", "hs_is_closed_won")
_ENTERED = ("hs_v2_date_entered_{}", "hs_lifecyclestage_{}_date")  # the property that tells since when; new, old
_LEADS = "records"
_PHASES = (_LEADS, "deals", *activities.KINDS)


class Outcomes:
    """The portal's words for how sales stand with a record."""

    def __init__(self, client: Client, reader: Reader) -> None:
        self._client = client
        self._reader = reader

    def read(
        self, since: datetime, until: datetime, *, position: Mapping[str, Any] | None
    ) -> Iterator[sdk.OutcomePage]:
        """As TellsOutcomes.outcomes; a call or two for definitions, a search for each kind's page, one for its ties."""
        phase, inner = _restored(position)
        for place in range(_PHASES.index(phase), len(_PHASES)):
            name = _PHASES[place]
            after = None if place + 1 == len(_PHASES) else {"phase": _PHASES[place + 1], "of": None}
            try:
                for page in self._phase(name, since, until, inner):
                    going_on = None if page.position is None else {"phase": name, "of": page.position}
                    yield page._replace(position=going_on or after)
            except (Denied, http.HttpRefused):
                # Beside the leads themselves nothing must be readable: `check` says what is not told.
                if name == _LEADS:
                    raise
                yield sdk.OutcomePage((), after)
            inner = None

    def _phase(
        self, name: str, since: datetime, until: datetime, position: Mapping[str, Any] | None
    ) -> Iterator[sdk.OutcomePage]:
        if name == _LEADS:
            yield from self._stages(since, until, position)
        elif name == "deals":
            yield from self._deals(since, until, position)
        else:
            yield from self._touches(name, since, until, position)

    def _stages(
        self, since: datetime, until: datetime, position: Mapping[str, Any] | None
    ) -> Iterator[sdk.OutcomePage]:
        held = properties.definitions(self._client)
        titles = {name: _titles(held.get(name)) for name in SUBJECTS if name in held}
        entered = {
            stage: name
            for one, stages in titles.items()
            if SUBJECTS[one] == "stage"
            for stage in stages
            for form in _ENTERED[::-1]
            if (name := form.format(stage.replace("-", "_"))) in held
        }
        wanted = [name for name in (*titles, TOUCH, TOUCH_KIND, *entered.values()) if name in held]
        for page in self._reader.changes(since, until, properties=wanted, position=position):
            told = tuple(found for record in page.records for found in _of(record, titles, entered))
            yield sdk.OutcomePage(told, page.position)

    def _deals(self, since: datetime, until: datetime, position: Mapping[str, Any] | None) -> Iterator[sdk.OutcomePage]:
        titles = self._deal_stages()
        entered = {stage: _ENTERED[0].format(stage.replace("-", "_")) for stage in titles}
        wanted = [*_DEAL, *entered.values()]
        for page in Reader(self._client, "deals").changes(since, until, properties=wanted, position=position):
            told = tuple(
                _deal(record, lead, titles, entered)
                for record, leads in self._led_back("deals", page.records)
                if record.properties.get("dealstage")
                for lead in leads
            )
            yield sdk.OutcomePage(told, page.position)

    def _deal_stages(self) -> dict[str, str]:
        try:
            answer = self._client.call("GET", self._client.pipelines("deals"))
        except Denied:
            return {}  # a stage without its name is better than none
        return {
            str(stage["id"]): str(stage.get("label") or stage["id"])
            for pipeline in answer.get("results") or ()
            for stage in pipeline.get("stages") or ()
        }

    def _touches(
        self, kind: str, since: datetime, until: datetime, position: Mapping[str, Any] | None
    ) -> Iterator[sdk.OutcomePage]:
        wanted = activities.KINDS[kind].properties
        for page in Reader(self._client, kind).changes(since, until, properties=wanted, position=position):
            moments = {record.id: activities.touched(kind, record.properties) for record in page.records}
            by_sales = [record for record in page.records if moments[record.id] is not None]
            told = tuple(
                sdk.Outcome(lead, "touch", activities.KINDS[kind].word, moment)
                for record, leads in self._led_back(kind, by_sales)
                if (moment := moments[record.id]) is not None
                for lead in leads
            )
            yield sdk.OutcomePage(told, page.position)

    def _led_back(self, kind: str, records: Any) -> Iterator[tuple[sdk.Record, list[str]]]:
        """Each record with the ids of the leads it belongs to."""
        if not records:
            return
        lead_type = self._client.settings.object_type
        found = associations.ties(self._client, [record.id for record in records], lead_type, object_type=kind)
        for record in records:
            yield record, [tie.id for tie in found.get(record.id, ())]


def _restored(position: Mapping[str, Any] | None) -> tuple[str, Mapping[str, Any] | None]:
    """Phase and position within it; one that an earlier version wrote is of the leads."""
    if position is None or "phase" not in position:
        return _LEADS, position
    phase = position["phase"]
    return (phase, position.get("of")) if phase in _PHASES else (_LEADS, None)


def _titles(definition: Mapping[str, Any] | None) -> dict[str, str]:
    options = (definition or {}).get("options") or ()
    return {str(option.get("value")): str(option.get("label") or option.get("value")) for option in options}


def _of(
    record: sdk.Record, titles: Mapping[str, Mapping[str, str]], entered: Mapping[str, str]
) -> Iterator[sdk.Outcome]:
    for name, labels in titles.items():
        value = record.properties.get(name)
        if value:
            subject = SUBJECTS[name]
            since = (
                values.read_moment(record.properties.get(entered.get(str(value), ""))) if subject == "stage" else None
            )
            yield sdk.Outcome(record.id, subject, str(value), since or record.modified_at, labels.get(str(value), ""))
    touched = values.read_moment(record.properties.get(TOUCH))
    if touched is not None:
        yield sdk.Outcome(record.id, "touch", str(record.properties.get(TOUCH_KIND) or "engagement"), touched)


def _deal(deal: sdk.Record, lead: str, titles: Mapping[str, str], entered: Mapping[str, str]) -> sdk.Outcome:
    held = deal.properties
    stage = str(held["dealstage"])
    won = {"true": True, "false": False}.get(str(held.get("hs_is_closed_won")).lower())
    closed = str(held.get("hs_is_closed")).lower() == "true"
    return sdk.Outcome(
        lead,
        f"deal:{deal.id}",
        stage,
        values.read_moment(held.get(entered.get(stage, ""))) or deal.modified_at,
        titles.get(stage, ""),
        amount=values.read_number(held.get("amount")),
        currency=str(held.get("deal_currency_code") or "") or None,
        won=won if won or closed else None,
    )
