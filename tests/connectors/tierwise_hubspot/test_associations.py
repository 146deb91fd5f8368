"""Fields of associated records: by the primary one, in few calls, only when asked, never silently absent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tierwise import errors, sdk
from tierwise_hubspot import associations, values
from tierwise_hubspot.associations import Tie
from tierwise_sandbox import kinds
from tierwise_sandbox.store import Write

NOW = 1_795_000_000_000
NAMES = ("email", "company.name", "company.numberofemployees")
TIES = "/crm/associations/2026-09/contacts/companies/batch/read"


def _window() -> tuple[datetime, datetime]:
    return values.moment(0), values.moment(NOW + 10_000)


def _read(crm: Any, names: tuple[str, ...] = NAMES, **options: Any) -> dict[str, dict[str, Any]]:
    pages = crm.connector(**options).changes(*_window(), properties=names)
    return {record.id: dict(record.properties) for page in pages for record in page.records}


def test_a_contact_comes_with_the_fields_of_its_company(crm: Any) -> None:
    one, two, alone = crm.load(range(NOW - 3, NOW))
    crm.employ(one, name="Acme", numberofemployees="250")
    crm.employ(two, name="Zeta")
    found = _read(crm)
    assert found[one] == {"email": "r0@example.org", "company.name": "Acme", "company.numberofemployees": "250"}
    assert found[two]["company.numberofemployees"] is None
    assert found[alone] == {"email": "r2@example.org", "company.name": None, "company.numberofemployees": None}
    assert [path for _, path, _ in crm.calls] == [
        "/crm/objects/2026-09/contacts/search", TIES, "/crm/objects/2026-09/companies/batch/read",
    ]  # fmt: skip
    assert crm.bodies("contacts/search")[0]["properties"][0] == "email"
    assert not [name for name in crm.bodies("contacts/search")[0]["properties"] if "." in name]


def test_a_map_that_asks_for_nothing_else_costs_nothing_else(crm: Any) -> None:
    (key,) = crm.load([NOW])
    crm.employ(key, name="Acme")
    assert _read(crm, ("email", "company")) == {key: {"email": "r0@example.org", "company": None}}
    assert crm.count("/search") == len(crm.calls)


def test_a_thousand_contacts_cost_five_calls_for_ties_and_ten_for_companies_at_most(crm: Any) -> None:
    ids = crm.load(range(NOW - 1_000, NOW))
    for key in ids:
        crm.employ(key, name=f"Firm {key}")
    found = _read(crm)
    assert {found[key]["company.name"] for key in ids} == {f"Firm {key}" for key in ids}
    assert (crm.count("/associations/"), crm.count("09/companies/batch/read")) == (5, 10)
    assert max(len(body["inputs"]) for body in crm.bodies("09/companies/batch/read")) == 100


def test_contacts_of_one_company_read_it_once(crm: Any) -> None:
    ids = crm.load(range(NOW - 150, NOW))
    company = crm.employ(ids[0], name="Acme")
    for key in ids[1:]:
        crm.portal.associations.link((kinds.CONTACTS, int(key)), (kinds.COMPANIES, int(company)), primary=True)
    assert {held["company.name"] for held in _read(crm).values()} == {"Acme"}
    assert [len(body["inputs"]) for body in crm.bodies("09/companies/batch/read")] == [1]


def test_the_primary_company_counts_else_the_oldest(crm: Any) -> None:
    first, second = crm.load(range(NOW - 2, NOW))
    crm.employ(first, primary=False, name="Former employer")
    crm.employ(first, name="Employer")
    crm.employ(second, primary=False, name="Older")
    crm.employ(second, primary=False, name="Newer")
    found = _read(crm)
    assert [found[key]["company.name"] for key in (first, second)] == ["Employer", "Older"]


@pytest.mark.parametrize("kind", [{"typeId": 1}, {"typeId": 9, "label": "Primary company"}])
def test_how_a_primary_tie_is_told(kind: dict[str, Any]) -> None:
    assert associations._is_primary({"associationTypes": [{"typeId": 279, "label": None}, kind]})
    assert not associations._is_primary({"associationTypes": [{"typeId": 279, "label": "Former employer"}]})
    assert associations.chosen_of([Tie("9", False), Tie("100", False)]) == "9", "ids are numbers"


def test_a_company_that_was_merged_or_deleted_meanwhile(crm: Any) -> None:
    moved, left = crm.load(range(NOW - 2, NOW))
    one, two = crm.employ(moved, name="Acme"), crm.employ(left, name="Gone")
    companies = crm.portal.shelf(kinds.COMPANIES).store

    def meanwhile(method: str, path: str, body: Any) -> None:
        if "companies/batch/read" in path and companies.get(two) is not None:
            companies.merge(one, str(companies.create([({"name": "Twin"}, None)], by="person")[0].id))
            companies.archive(companies.get(two))

    crm.instead = meanwhile
    found = _read(crm)
    assert found[moved]["company.name"] == "Acme"
    assert found[left]["company.name"] is None


def test_many_ties_are_read_to_the_end(crm: Any) -> None:
    """The contact of a company is here the one with the lowest id, on a page of its own if need be."""
    company = crm.add(kinds.COMPANIES, {"name": "Acme"})
    ids = crm.load(range(NOW - 520, NOW))
    for key in ids:
        crm.portal.associations.link((kinds.COMPANIES, int(company)), (kinds.CONTACTS, int(key)))
    found = associations.ties(crm.client(object_type="companies"), [company], "contacts")
    assert {tie.id for tie in found[company]} == set(ids)
    assert crm.count("/associations/") == 2


def test_an_empty_complete_is_asked_again_before_it_is_believed(crm: Any) -> None:
    (key,) = crm.load([NOW])
    crm.employ(key, name="Acme")
    silent = {"status": "COMPLETE", "results": []}
    crm.instead = lambda method, path, body: (200, silent) if "/associ" in path and crm.count("/associ") == 1 else None
    assert _read(crm)[key]["company.name"] == "Acme"
    assert crm.count("/associations/") == 2


def test_a_passing_error_is_no_lack_of_a_company(crm: Any) -> None:
    (key,) = crm.load([NOW])
    fault = {"category": "INTERNAL_ERROR", "message": "try again", "context": {"fromObjectId": [key]}}
    crm.instead = lambda method, path, body: (207, {"results": [], "errors": [fault]}) if "/associ" in path else None
    with pytest.raises(errors.RetryLater, match="associations"):
        _read(crm)


def test_where_nobody_has_any(crm: Any) -> None:
    (key,) = crm.load([NOW])
    crm.instead = lambda method, path, body: (404, {"category": "OBJECT_NOT_FOUND"}) if "/associ" in path else None
    assert _read(crm)[key]["company.name"] is None


def test_without_the_scope_the_connection_rests_and_says_which(crm: Any) -> None:
    crm.load([NOW])
    crm.portal.scopes = crm.portal.scopes - {"crm.objects.companies.read"}
    with pytest.raises(errors.PauseConnection) as caught:
        _read(crm)
    assert "crm.objects.companies.read" in caught.value.remedy


def test_records_by_id_have_them_too(crm: Any) -> None:
    (key,) = crm.load([NOW])
    crm.employ(key, name="Acme")
    (record,) = crm.connector().read([key], properties=NAMES)
    assert record.properties["company.name"] == "Acme"


def test_a_lead_has_the_fields_of_its_contact(crm: Any) -> None:
    (key,) = crm.load([NOW])
    lead = crm.add(kinds.LEADS, {"hs_lead_name": "R0"}, (kinds.CONTACTS, key), primary=True)
    found = _read(crm, ("hs_lead_name", "contact.email"), object_type="leads")
    assert found == {lead: {"hs_lead_name": "R0", "contact.email": "r0@example.org"}}


def test_a_changed_company_alone_wakes_nobody_and_is_met_with_the_next_change(crm: Any) -> None:
    (key,) = crm.load([NOW - 5])
    company = crm.employ(key, name="Acme")
    crm.clock.now += 60
    crm.portal.shelf(kinds.COMPANIES).store.update([Write(int(company), {"name": "Acme Group"})], by="person")
    connector = crm.connector(index_lag_seconds=0)
    later = (values.moment(NOW + 1_000), values.moment(NOW + 120_000))
    assert [page.records for page in connector.changes(*later, properties=NAMES)] == [()]
    crm.portal.store.update([Write(int(key), {"city": "Graz"})], by="person")
    (page,) = connector.changes(*later, properties=NAMES)
    assert page.records[0].properties["company.name"] == "Acme Group"


@pytest.mark.parametrize("name", ["firm.name", "company.", "company.a.b", ".name"])
def test_a_prefix_that_means_nothing_is_told(name: str) -> None:
    with pytest.raises(sdk.Misconfigured, match="no property of an associated record") as caught:
        associations.split(["email", name], place="connections.x")
    assert "company.PROPERTY" in caught.value.remedy
