"""What became of contacts: lifecycle stage, lead status and the first engagement, as they stand after a change.

Stages are the portal's own: their names are read from its property definitions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from tierwise import sdk
from tierwise_hubspot import properties, values
from tierwise_hubspot.client import Client
from tierwise_hubspot.reader import Reader

STAGE, STATUS = "lifecyclestage", "hs_lead_status"
SUBJECTS: Mapping[str, str] = {STAGE: "stage", STATUS: "status"}
TOUCH = "hs_sa_first_engagement_date"
TOUCH_KIND = "hs_sa_first_engagement_object_type"
_ENTERED = ("hs_v2_date_entered_{}", "hs_lifecyclestage_{}_date")  # the property that tells since when; new, old


class Outcomes:
    """The portal's words for how sales stand with a record."""

    def __init__(self, client: Client, reader: Reader) -> None:
        self._client = client
        self._reader = reader

    def read(
        self, since: datetime, until: datetime, *, position: Mapping[str, Any] | None
    ) -> Iterator[sdk.OutcomePage]:
        """As TellsOutcomes.outcomes; one call for the definitions, then a search for each page."""
        held = properties.definitions(self._client)
        titles = {name: _titles(held.get(name)) for name in SUBJECTS}
        entered = {
            stage: name for stage in titles[STAGE] for form in _ENTERED[::-1] if (name := form.format(stage)) in held
        }
        wanted = [name for name in (*SUBJECTS, TOUCH, TOUCH_KIND, *entered.values()) if name in held]
        for page in self._reader.changes(since, until, properties=wanted, position=position):
            told = tuple(found for record in page.records for found in _of(record, titles, entered))
            yield sdk.OutcomePage(told, page.position)


def _titles(definition: Mapping[str, Any] | None) -> dict[str, str]:
    options = (definition or {}).get("options") or ()
    return {str(option.get("value")): str(option.get("label") or option.get("value")) for option in options}


def _of(
    record: sdk.Record, titles: Mapping[str, Mapping[str, str]], entered: Mapping[str, str]
) -> Iterator[sdk.Outcome]:
    for name, subject in SUBJECTS.items():
        value = record.properties.get(name)
        if value:
            since = _moment(record.properties.get(entered.get(str(value), ""))) if name == STAGE else None
            title = titles[name].get(str(value), "")
            yield sdk.Outcome(record.id, subject, str(value), since or record.modified_at, title)
    touched = _moment(record.properties.get(TOUCH))
    if touched is not None:
        yield sdk.Outcome(record.id, "touch", str(record.properties.get(TOUCH_KIND) or "engagement"), touched)


def _moment(text: Any) -> datetime | None:
    try:
        return values.moment(values.milliseconds(str(text))) if text else None
    except (ValueError, OverflowError, OSError):
        return None
