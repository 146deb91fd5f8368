"""Stages, statuses and first engagements in the portal's own words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tierwise import sdk


def _window(crm: Any) -> tuple[datetime, datetime]:
    now = datetime.fromtimestamp(crm.clock.now, UTC)
    return now - timedelta(days=1), now + timedelta(days=1)


def _told(crm: Any, connector: Any) -> list[sdk.Outcome]:
    return [one for page in connector.outcomes(*_window(crm)) for one in page.outcomes]


def _property(crm: Any, name: str, kind: str, field_type: str) -> None:
    body = {"name": name, "label": name, "type": kind, "fieldType": field_type, "groupName": "contactinformation"}
    headers = {"Authorization": f"Bearer {crm.portal.token}"}
    answer = crm.send("POST", "/crm/properties/2026-09/contacts", json=body, headers=headers)
    assert answer.status_code == 201, answer.text


def test_the_connector_tells_outcomes(crm: Any) -> None:
    assert isinstance(crm.connector(), sdk.TellsOutcomes)


def test_a_stage_has_the_portals_name_for_it(crm: Any) -> None:
    definition = crm.portal.definitions.property("lifecyclestage")
    own = {"label": "Trial", "value": "98765432", "hidden": False, "displayOrder": 9}
    held = {"results": [{**definition, "options": [*definition["options"], own]}]}
    crm.instead = lambda method, path, body: (200, held) if path.endswith("/contacts") else None
    (record,) = crm.portal.store.create([({"email": "a@b.example", "lifecyclestage": "98765432"}, None)], by="person")
    found = _told(crm, crm.connector())
    assert [(one.record_id, one.subject, one.value) for one in found] == [(str(record.id), "stage", "98765432")]
    assert found[0].title == "Trial"
    assert found[0].at == datetime.fromtimestamp(record.modified_ms // 1000, UTC).replace(
        microsecond=record.modified_ms % 1000 * 1000
    )


def test_where_the_portal_tells_since_when_that_counts(crm: Any) -> None:
    _property(crm, "hs_v2_date_entered_customer", "datetime", "date")
    _property(crm, "hs_sa_first_engagement_date", "datetime", "date")
    entered, touched = "2026-11-01T08:00:00.000Z", "2026-11-02T09:30:00.000Z"
    values = {
        "email": "a@b.example", "lifecyclestage": "customer", "hs_lead_status": "CONNECTED",
        "hs_v2_date_entered_customer": entered, "hs_sa_first_engagement_date": touched,
    }  # fmt: skip
    crm.portal.store.create([(values, None)], by="person")
    found = {one.subject: one for one in _told(crm, crm.connector())}
    assert found["stage"].at == datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
    assert (found["stage"].title, found["status"].title) == ("Customer", "Connected")
    assert (found["touch"].value, found["touch"].at) == ("engagement", datetime(2026, 11, 2, 9, 30, tzinfo=UTC))


def test_contacts_without_a_stage_tell_nothing_and_pages_resume(crm: Any) -> None:
    rows = [({"email": f"n{n}@b.example", "hs_lead_status": "NEW"} if n else {"email": "x@b.example"}, None)
            for n in range(5)]  # fmt: skip
    crm.portal.store.create(rows, by="person")
    connector = crm.connector(page_size=2)
    pages = list(connector.outcomes(*_window(crm)))
    assert len({one.record_id for page in pages for one in page.outcomes}) == 4
    assert pages[-1].position is None
    rest = connector.outcomes(*_window(crm), position=pages[0].position)
    got = {one.record_id for page in [pages[0], *rest] for one in page.outcomes}
    assert len(got) == 4
