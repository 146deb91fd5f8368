"""The old paths, and through them a client that is not ours: hubspot-api-client's generated classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import hubspot
import pytest
from hubspot.crm.contacts import (
    ApiException,
    BatchInputSimplePublicObjectBatchInput,
    BatchReadInputSimplePublicObjectId,
    PublicObjectSearchRequest,
    SimplePublicObjectBatchInput,
    SimplePublicObjectInput,
)
from hubspot.crm.properties import PropertyCreate

from tierwise_sandbox.versions import dated


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/crm/v3/objects/contacts/search", "/crm/objects/2026-09/contacts/search"),
        ("/crm/v3/properties/contacts", "/crm/properties/2026-09/contacts"),
        ("/crm/v3/owners", "/crm/v3/owners"),
        ("/contacts/crm/v3/objects/1", "/contacts/crm/v3/objects/1"),
        ("/crm/objects/2026-09/contacts", "/crm/objects/2026-09/contacts"),
    ],
)
def test_old_paths_become_dated_ones(path: str, expected: str) -> None:
    assert dated(path) == expected


def test_an_old_path_is_served_counted_and_guarded_like_the_dated_one(client: Any, stranger: Any, portal: Any) -> None:
    old, new = (client.get(f"{root}/contacts/9901").json() for root in ("/crm/v3/objects", "/crm/objects/2026-09"))
    assert old == new
    assert portal.calls["get"] == 2
    assert stranger.get("/crm/v3/objects/contacts/9901").status_code == 401


@pytest.fixture
def box(sandbox: Callable[..., Any]) -> Any:
    return sandbox(leads=230, seed=5)


@pytest.fixture
def generated(box: Any) -> Iterator[Any]:
    client = hubspot.HubSpot(access_token=box.token, host=box.hubspot_url)
    made: list[Any] = []

    def api(package: Any, name: str, config: dict[str, Any]) -> Any:
        """The client's own factory, with its pools kept so that they can be closed."""
        configuration = package.Configuration(host=config["host"])
        configuration.access_token = config["access_token"]
        made.append(package.ApiClient(configuration=configuration))
        return getattr(package, name)(api_client=made[-1])

    client.config["api_factory"] = api
    yield client
    for one in made:
        one.rest_client.pool_manager.clear()


def test_the_generated_classes_find_read_write_and_define(box: Any, generated: Any) -> None:
    search = generated.crm.contacts.search_api
    seen: list[str] = []
    after = None
    while True:
        request = PublicObjectSearchRequest(limit=100, after=after, sorts=["lastmodifieddate"], properties=["email"])
        page = search.do_search(public_object_search_request=request)
        seen += [one.id for one in page.results]
        if page.paging is None:
            break
        after = page.paging.next.after
    assert page.total == len(seen) == len(set(seen)) == 230

    batch = generated.crm.contacts.batch_api
    inputs = [SimplePublicObjectBatchInput(id=key, properties={"city": "Graz"}) for key in seen[:100]]
    written = batch.update(batch_input_simple_public_object_batch_input=BatchInputSimplePublicObjectBatchInput(inputs))
    assert (written.status, len(written.results)) == ("COMPLETE", 100)
    asked = BatchReadInputSimplePublicObjectId(
        inputs=[{"id": key} for key in seen[:3]], properties=["city"], properties_with_history=[]
    )
    found = batch.read(batch_read_input_simple_public_object_id=asked)
    assert [one.properties["city"] for one in found.results] == ["Graz"] * 3

    basic = generated.crm.contacts.basic_api
    basic.update(seen[0], simple_public_object_input=SimplePublicObjectInput(properties={"city": "Wien"}))
    assert basic.get_by_id(seen[0], properties=["city"]).properties["city"] == "Wien"
    assert basic.get_page(limit=50).paging.next.after

    properties = generated.crm.properties.core_api
    made = PropertyCreate(
        name="rank", label="Rank", type="number", field_type="number", group_name="contactinformation"
    )
    assert properties.create("contacts", property_create=made).name == "rank"
    assert "rank" in {one.name for one in properties.get_all("contacts").results}
    assert box.stats()["writes"] == 101


def test_the_generated_classes_see_refusals_as_they_are(generated: Any) -> None:
    basic = generated.crm.contacts.basic_api
    with pytest.raises(ApiException) as refused:
        basic.get_by_id("1")
    assert refused.value.status == 404
    wrong = SimplePublicObjectInput(properties={"nonsense": "1"})
    with pytest.raises(ApiException, match="PROPERTY_DOESNT_EXIST"):
        basic.update("9901", simple_public_object_input=wrong)


def test_the_clients_raw_door_reaches_the_dated_path(box: Any) -> None:
    client = hubspot.HubSpot(access_token=box.token, base_url=box.hubspot_url)
    path = "/crm/objects/2026-09/contacts/search"
    answer = client.api_request({"path": path, "method": "POST", "body": {"limit": 1}})
    assert answer.json()["total"] == 230
    answer.close()
