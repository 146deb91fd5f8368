from __future__ import annotations

from typing import Any

import pytest

from tierwise_sandbox.salesforce.control import provision
from tierwise_sandbox.salesforce.org import Org

EVIL = "<script>alert(1)</script>\"'&"


@pytest.fixture
def scored(org: Org, sf: Any, leads: list[str]) -> str:
    provision(org, None)
    values = {
        "Tierwise_Status__c": "scored",
        "Tierwise_Score__c": 81,
        "Tierwise_Tier__c": "A",
        "Tierwise_Reasons__c": "One\nTwo",
        "Tierwise_Scored_At__c": "2026-11-21T08:00:00Z",
        "Tierwise_Policy__c": "v1 abc",
        "Description": "We need it.",
    }
    assert sf.collection([{"id": leads[0], **values}], Sforce_Auto_Assign="FALSE")[0]["success"]
    return leads[0]


def test_a_lead_shows_its_advice_its_description_and_its_details(stranger_sf: Any, scored: str) -> None:
    answer = stranger_sf.http.get(f"/leads/{scored}")
    assert answer.status_code == 200
    assert "script-src" not in answer.headers["content-security-policy"]
    for text in (
        "Person No 0",
        "<li>One</li><li>Two</li>",
        '<strong class="score">81</strong>',
        "We need it.",
        "p0@acme-0.example",
        "21 Nov 2026, 08:00 UTC",
        "Open - Not Contacted",
        "<dd>Admin</dd>",
    ):
        assert text in answer.text


def test_before_provisioning_the_card_says_so(stranger_sf: Any, leads: list[str]) -> None:
    assert "not provisioned" in stranger_sf.http.get(f"/leads/{leads[0]}").text


def test_the_list_is_newest_first_and_filters_by_tier(stranger_sf: Any, scored: str) -> None:
    text = stranger_sf.http.get("/leads").text
    assert text.index("Person No 0<") < text.index("Person No 11<") < text.index("Person No 1<")
    only = stranger_sf.http.get("/leads?tier=A").text
    assert (only.count("<tr>"), f'href="/leads/{scored}"' in only) == (2, True)
    assert "/contacts" not in text
    assert stranger_sf.http.get("/").headers["location"] == "/leads"


def test_the_form_is_an_edit_by_a_person(stranger_sf: Any, scored: str, org: Org) -> None:
    body = "tierwise_request_review=on&tierwise_feedback=too_high&FirstName=Mallory"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = stranger_sf.http.post(f"/leads/{scored}", content=body, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/leads/{scored}?saved=1")
    row = org.records.get(scored)
    assert row is not None
    assert row.values["Tierwise_Request_Review__c"] is True
    assert row.values["Tierwise_Feedback__c"] == "too_high"
    assert row.values["FirstName"] == "Person"
    assert org.records.journal()[-1]["by"] == "person"
    assert "checked" in stranger_sf.http.get(f"/leads/{scored}").text


def test_a_wrong_form_is_refused(stranger_sf: Any, scored: str, org: Org) -> None:
    answer = stranger_sf.http.post(f"/leads/{scored}", content="tierwise_feedback=wrong")
    assert (answer.status_code, 'role="alert"' in answer.text) == (400, True)
    answer = stranger_sf.http.post(f"/leads/{scored}", content="", headers={"Origin": "http://elsewhere.example"})
    assert answer.status_code == 403
    assert org.stats()["edits"] == 0


def test_no_value_can_become_markup(stranger_sf: Any, sf: Any, scored: str) -> None:
    for name in ("FirstName", "Company", "Title", "Description", "LeadSource", "Tierwise_Reasons__c", "Website"):
        sf.collection([{"id": scored, name: EVIL[:40]}])
    for path in ("/leads", f"/leads/{scored}"):
        assert "<script" not in stranger_sf.http.get(path).text


def test_a_lead_that_is_not_there(stranger_sf: Any, sf: Any, leads: list[str]) -> None:
    sf.door("delete", {"id": leads[0]})
    for key in ("x", leads[0], "00Q000000000000AAA"):
        assert stranger_sf.http.get(f"/leads/{key}").status_code == 404
        assert stranger_sf.http.post(f"/leads/{key}", content="").status_code == 404
