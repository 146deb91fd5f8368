"""The sandbox CRM as the demo asks it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tierwise.cli import crm, stack
from tierwise.errors import Unreachable


def test_every_contact_comes_once_whatever_the_number_of_pages(sandbox: Callable[..., Any]) -> None:
    box = sandbox(leads=crm.PAGE * 2 + 3)
    view = crm.View(box.hubspot_url, box.token)
    found = [record["id"] for record in view.contacts()]
    assert len(found) == len(set(found)) == view.count() == crm.PAGE * 2 + 3
    assert view.count(having="email") < view.count()
    assert view.stats()["writes"] == 0


def test_a_crm_that_is_gone() -> None:
    with pytest.raises(Unreachable) as caught:
        crm.View("http://127.0.0.1:1", "t").count()
    assert caught.value.place == "http://127.0.0.1:1"


def test_an_org_is_shown_as_the_portal_is(sandbox: Callable[..., Any]) -> None:
    box = sandbox(leads=crm.PAGE + 3, salesforce_port=0, salesforce_provisioned=True)
    view = crm.OrgView(stack.Sandbox(box.hubspot_url, box.token, box.model_url, box.salesforce))
    found = view.contacts()
    assert len({record["id"] for record in found}) == len(found) == view.count() == crm.PAGE + 3
    assert view.count(having="email") < view.count()
    assert view.count(having="tierwise_status") == 0
    box.org("records", {"id": found[0]["id"], "values": {"Tierwise_Score__c": 82, "Tierwise_Tier__c": "A"}})
    shown = next(record for record in view.contacts() if record["id"] == found[0]["id"])
    assert (shown["properties"]["tierwise_score"], shown["properties"]["tierwise_tier"]) == (82, "A")
    stats = view.stats()
    assert (stats["writes"], stats["model_calls"]) == (0, 0)
    assert view.page == f"{box.salesforce['url']}/leads"
