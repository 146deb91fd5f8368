from __future__ import annotations

from typing import Any

import pytest

from tierwise_sandbox import kinds, other_objects
from tierwise_sandbox.definitions import FIELD_TYPES
from tierwise_sandbox.kinds import Kind
from tierwise_sandbox.portal import Portal
from tierwise_sandbox.store import Write

DEALS = "/crm/objects/2026-09/deals"


@pytest.mark.parametrize("kind", list(kinds.KINDS.values()), ids=list(kinds.KINDS))
def test_every_definition_would_pass_the_portals_own_checks(kind: Kind) -> None:
    definitions = other_objects.definitions(kind)
    assert len({held["name"] for held in definitions}) == len(definitions)
    assert kind.system <= {held["name"] for held in definitions}
    for held in definitions:
        assert held["fieldType"] in FIELD_TYPES[held["type"]], held["name"]
        assert held["groupName"] in other_objects.groups(kind), held["name"]
        if held["type"] == "enumeration":
            assert held["options"] or held["externalOptions"], held["name"]


def test_a_new_deal_is_in_the_first_stage_and_open(client: Any) -> None:
    made = client.post(DEALS, json={"properties": {"dealname": "Big one", "amount": "1200.50"}})
    assert made.status_code == 201
    held = client.get(f"{DEALS}/{made.json()['id']}", params={"properties": "dealstage,pipeline,hs_is_closed"}).json()
    shown = held["properties"]
    assert (shown["dealstage"], shown["pipeline"], shown["hs_is_closed"]) == (
        "appointmentscheduled",
        "default",
        "false",
    )


def test_a_won_deal_is_closed_and_says_since_when(portal: Portal, clock: Any) -> None:
    deals = portal.shelf(kinds.DEALS).store
    (deal,) = deals.create([({"dealname": "Big one"}, None)], by="person")
    clock.seconds += 60
    (deal,) = deals.update([Write(deal.id, {"dealstage": "closedwon"})], by="person")
    assert (deal.properties["hs_is_closed"], deal.properties["hs_is_closed_won"]) == ("true", "true")
    assert deal.properties[other_objects.entered("closedwon")] == deal.properties["hs_lastmodifieddate"]
    entered = deal.properties[other_objects.entered("closedwon")]
    clock.seconds += 60
    (deal,) = deals.update([Write(deal.id, {"amount": "9"})], by="person")
    assert deal.properties[other_objects.entered("closedwon")] == entered


def test_what_the_portal_computes_cannot_be_written(client: Any) -> None:
    answer = client.post(DEALS, json={"properties": {"hs_is_closed_won": "true"}})
    assert answer.status_code == 400
    assert "READ_ONLY_VALUE" in answer.text


def test_a_property_belongs_to_one_object_type(client: Any) -> None:
    body = {"name": "crew", "label": "Crew", "type": "number", "fieldType": "number", "groupName": "companyinformation"}
    assert client.post("/crm/properties/2026-09/companies", json=body).status_code == 201
    assert client.get("/crm/properties/2026-09/0-2/crew").status_code == 200
    assert client.get("/crm/properties/2026-09/contacts/crew").status_code == 404
    assert client.post("/crm/objects/2026-09/companies", json={"properties": {"crew": "12"}}).status_code == 201
    assert client.post("/crm/objects/2026-09/contacts", json={"properties": {"crew": "12"}}).status_code == 400


def test_a_lead_needs_a_name_and_its_contact(client: Any, portal: Portal) -> None:
    (contact, *_) = portal.store.page(0, 1)
    tie = {
        "to": {"id": str(contact.id)},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 578}],
    }
    named = {"properties": {"hs_lead_name": "Person 0"}}
    path = "/crm/objects/2026-09/0-136"
    assert client.post(path, json=named).status_code == 400
    assert client.post(path, json={"properties": {}, "associations": [tie]}).status_code == 400
    unknown = {**named, "associations": [{**tie, "to": {"id": "1"}}]}
    assert client.post(path, json=unknown).status_code == 400
    made = client.post(path, json={**named, "associations": [tie]})
    assert made.status_code == 201
    (lead,) = portal.shelf(kinds.LEADS).store.page(0, 2)
    assert portal.associations.of(kinds.LEADS, lead, kinds.CONTACTS)[0]["toObjectId"] == str(contact.id)


def test_search_of_other_objects_goes_by_their_own_stamp(client: Any, portal: Portal) -> None:
    companies = portal.shelf(kinds.COMPANIES).store
    companies.load(({"name": f"Firm {n}"}, 1_000_000 + n, 1_000_000 + n, None) for n in range(5))
    window = {"propertyName": "hs_lastmodifieddate", "operator": "BETWEEN", "value": "1000001", "highValue": "1000003"}
    body = {"filterGroups": [{"filters": [window]}], "sorts": ["hs_lastmodifieddate"], "properties": ["name"]}
    found = client.post("/crm/objects/2026-09/companies/search", json=body).json()
    assert [one["properties"]["name"] for one in found["results"]] == ["Firm 1", "Firm 2", "Firm 3"]
    wrong = {**window, "propertyName": "lastmodifieddate"}
    body["filterGroups"] = [{"filters": [wrong]}]
    assert client.post("/crm/objects/2026-09/companies/search", json=body).status_code == 400
