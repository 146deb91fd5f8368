"""Stages, statuses and first engagements in the portal's own words."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tierwise import sdk
from tierwise_hubspot import outcomes
from tierwise_sandbox import kinds
from tierwise_sandbox.store import Write


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


def test_a_deal_is_told_of_every_contact_it_belongs_to(crm: Any) -> None:
    ann, bob = crm.load([int(crm.clock.now * 1000)] * 2)
    held = {"dealname": "Big", "amount": "1200.50", "deal_currency_code": "EUR"}
    deal = crm.add(kinds.DEALS, held, (kinds.CONTACTS, ann), (kinds.CONTACTS, bob))
    found = [one for one in _told(crm, crm.connector()) if one.subject.startswith("deal")]
    assert {one.record_id for one in found} == {ann, bob}
    assert {(one.subject, one.value, one.title, one.amount, one.currency, one.won) for one in found} == {
        (f"deal:{deal}", "appointmentscheduled", "Appointment scheduled", 1200.5, "EUR", None)
    }


@pytest.mark.parametrize(("stage", "won"), [("closedwon", True), ("closedlost", False), ("contractsent", None)])
def test_a_stage_of_a_deal_is_met_though_the_contact_did_not_change(crm: Any, stage: str, won: bool | None) -> None:
    (ann,) = crm.load([int(crm.clock.now * 1000)])
    deal = crm.add(kinds.DEALS, {"dealname": "Big"}, (kinds.CONTACTS, ann))
    crm.clock.now += 5 * 86_400
    crm.portal.shelf(kinds.DEALS).store.update([Write(int(deal), {"dealstage": stage})], by="person")
    moved = datetime.fromtimestamp(crm.clock.now, UTC)
    (found,) = _told(crm, crm.connector())
    assert (found.record_id, found.value, found.won, found.at) == (ann, stage, won, moved)


def test_every_kind_of_touch_by_sales_is_told_with_its_time(crm: Any) -> None:
    (ann,) = crm.load([int(crm.clock.now * 1000)])
    at = "2026-11-18T10:00:00.000Z"
    made = {
        kinds.CALLS: {"hs_call_direction": "OUTBOUND"},
        kinds.EMAILS: {"hs_email_direction": "EMAIL", "hs_email_status": "SENT"},
        kinds.MEETINGS: {"hs_meeting_outcome": "COMPLETED"},
        kinds.TASKS: {"hs_task_status": "COMPLETED", "hs_task_completion_date": at},
    }
    for kind, values in made.items():
        crm.add(kind, {"hs_timestamp": at, **values}, (kinds.CONTACTS, ann))
    crm.add(kinds.EMAILS, {"hs_timestamp": at, "hs_email_direction": "INCOMING_EMAIL"}, (kinds.CONTACTS, ann))
    found = {one.value: one for one in _told(crm, crm.connector()) if one.subject == "touch"}
    assert set(found) == {"call", "email", "meeting", "task"}
    assert {(one.record_id, one.at) for one in found.values()} == {(ann, datetime(2026, 11, 18, 10, tzinfo=UTC))}


def test_a_quiet_hour_costs_a_search_for_each_kind(crm: Any) -> None:
    pages = list(crm.connector().outcomes(*_window(crm)))
    assert [page.outcomes for page in pages] == [()] * 6
    assert (crm.count("/search"), crm.count("/associations/")) == (6, 0)


def test_reading_goes_on_in_the_kind_where_it_stopped(crm: Any) -> None:
    ids = crm.load([int(crm.clock.now * 1000)] * 6)
    for key in ids:
        crm.portal.store.update([Write(int(key), {"hs_lead_status": "NEW"})], by="person")
        crm.add(kinds.DEALS, {"dealname": key}, (kinds.CONTACTS, key))
        crm.add(kinds.CALLS, {"hs_timestamp": str(int(crm.clock.now * 1000))}, (kinds.CONTACTS, key))
    connector = crm.connector(page_size=2)
    pages = list(connector.outcomes(*_window(crm)))
    everything = {(one.record_id, one.subject) for page in pages for one in page.outcomes}
    assert len(everything) == 18
    for number, page in enumerate(pages[:-1]):
        position = json.loads(json.dumps(page.position))
        rest = connector.outcomes(*_window(crm), position=position)
        before = {(one.record_id, one.subject) for one in itertools.chain(*(p.outcomes for p in pages[: number + 1]))}
        assert before | {(one.record_id, one.subject) for p in rest for one in p.outcomes} == everything
    assert pages[-1].position is None


def test_without_the_scope_for_deals_all_else_is_told(crm: Any) -> None:
    (ann,) = crm.load([int(crm.clock.now * 1000)])
    crm.add(kinds.DEALS, {"dealname": "Big"}, (kinds.CONTACTS, ann))
    crm.add(kinds.CALLS, {"hs_timestamp": str(int(crm.clock.now * 1000))}, (kinds.CONTACTS, ann))
    crm.portal.scopes = crm.portal.scopes - {outcomes.DEALS_SCOPE}
    assert [one.subject for one in _told(crm, crm.connector())] == ["touch"]
    crm.portal.scopes = frozenset()
    with pytest.raises(sdk.PauseConnection):
        _told(crm, crm.connector())


def test_a_token_that_ran_out_half_way_skips_nothing(crm: Any) -> None:
    """A refusal of the token is not a refusal of deals: the window is read again, all of it."""
    connector = crm.connector()
    pages = connector.outcomes(*_window(crm))
    assert next(pages).position == {"phase": "deals", "of": None}
    crm.portal.token = "renewed-meanwhile"
    with pytest.raises(sdk.PauseConnection):
        next(pages)


def test_a_leads_own_stage_is_that_of_its_pipeline(crm: Any) -> None:
    (ann,) = crm.load([int(crm.clock.now * 1000)])
    lead = crm.add(kinds.LEADS, {"hs_lead_name": "Ann"}, (kinds.CONTACTS, ann), primary=True)
    crm.add(kinds.MEETINGS, {"hs_timestamp": str(int(crm.clock.now * 1000))}, (kinds.LEADS, lead))
    found = {one.subject: one for one in _told(crm, crm.connector(object_type="leads"))}
    assert set(found) == {"stage", "touch"}
    assert (found["stage"].record_id, found["stage"].value, found["stage"].title) == (lead, "new-stage-id", "New")
    assert found["touch"].record_id == lead


def test_a_position_of_an_earlier_version_is_one_of_the_leads(crm: Any) -> None:
    crm.portal.store.create([({"email": "a@b.example", "hs_lead_status": "NEW"}, None)], by="person")
    old = {"at": 0, "until": int(crm.clock.now * 1000) + 86_400_000, "seen": [], "ranges": []}
    found = [one for page in crm.connector().outcomes(*_window(crm), position=old) for one in page.outcomes]
    assert [one.value for one in found] == ["NEW"]
