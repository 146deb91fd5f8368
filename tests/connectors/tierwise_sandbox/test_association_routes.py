from __future__ import annotations

from typing import Any

import pytest

from tierwise_sandbox import association_routes, kinds
from tierwise_sandbox.portal import SCOPES, Portal

PATH = "/crm/associations/2026-09/contacts/companies/batch/read"


@pytest.fixture
def tied(portal: Portal) -> tuple[str, str, str]:
    """A contact with a company, that company, a contact without."""
    first, second = portal.store.page(0, 2)
    (firm,) = portal.shelf(kinds.COMPANIES).store.create([({"name": "Firm"}, None)], by="person")
    portal.associations.link((kinds.CONTACTS, first.id), (kinds.COMPANIES, firm.id), primary=True)
    return str(first.id), str(firm.id), str(second.id)


def _read(client: Any, *ids: str, path: str = PATH) -> Any:
    return client.post(path, json={"inputs": [{"id": key} for key in ids]})


def test_who_has_none_is_an_error_beside_the_results(client: Any, tied: tuple[str, str, str]) -> None:
    contact, firm, alone = tied
    answer = _read(client, contact, alone, "1")
    assert answer.status_code == 200
    (result,) = answer.json()["results"]
    assert (result["from"]["id"], result["to"][0]["toObjectId"]) == (contact, firm)
    errors = answer.json()["errors"]
    assert [error["context"]["fromObjectId"] for error in errors] == [[alone], ["1"]]
    assert {error["subCategory"] for error in errors} == {"crm.associations.NO_ASSOCIATIONS_FOUND"}
    assert _read(client, contact).status_code == 200


def test_a_thousand_ids_are_the_most(client: Any) -> None:
    assert _read(client, *(str(n) for n in range(1_000))).status_code == 200
    assert _read(client, *(str(n) for n in range(1_001))).status_code == 400


@pytest.mark.parametrize("item", [{"id": "abc"}, {"id": "9901", "limit": 5}, {"id": "9901", "after": "x"}])
def test_inputs_are_checked(client: Any, item: dict[str, Any]) -> None:
    assert client.post(PATH, json={"inputs": [item]}).status_code == 400


def test_object_types_without_associations_are_refused(client: Any) -> None:
    assert _read(client, "1", path=PATH.replace("contacts", "deals").replace("companies", "calls")).status_code == 400
    assert _read(client, "1", path=PATH.replace("companies", "tickets")).status_code == 400


def test_many_ties_come_in_pages(client: Any, portal: Portal) -> None:
    (firm,) = portal.shelf(kinds.COMPANIES).store.create([({"name": "Firm"}, None)], by="person")
    ids = portal.burst(association_routes.PER_ANSWER + 20)
    for key in ids:
        portal.associations.link((kinds.CONTACTS, key), (kinds.COMPANIES, firm.id))
    path = "/crm/associations/2026-09/companies/contacts/batch/read"
    (first,) = _read(client, str(firm.id), path=path).json()["results"]
    after = first["paging"]["next"]["after"]
    (rest,) = client.post(path, json={"inputs": [{"id": str(firm.id), "after": after}]}).json()["results"]
    assert {one["toObjectId"] for one in first["to"] + rest["to"]} == set(map(str, ids))
    assert "paging" not in rest


@pytest.mark.parametrize("scope", ["crm.objects.contacts.read", "crm.objects.companies.read"])
def test_both_scopes_are_needed(client: Any, portal: Portal, scope: str) -> None:
    portal.scopes = frozenset(SCOPES) - {scope}
    answer = _read(client, "9901")
    assert answer.status_code == 403
    assert scope in answer.text


def test_the_vendors_old_path_leads_here_too(client: Any, tied: tuple[str, str, str]) -> None:
    assert _read(client, tied[0], path="/crm/v4/associations/contacts/companies/batch/read").status_code == 200


def test_pipelines_name_their_stages(client: Any) -> None:
    answer = client.get("/crm/pipelines/2026-09/deals").json()
    stages = {stage["id"]: stage for stage in answer["results"][0]["stages"]}
    assert stages["closedwon"]["label"] == "Closed won"
    assert stages["closedwon"]["metadata"] == {"isClosed": "true", "probability": "1.0"}
    assert client.get("/crm/pipelines/2026-09/contacts").status_code == 400
