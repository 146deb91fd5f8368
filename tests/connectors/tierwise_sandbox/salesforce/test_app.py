from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import simple_salesforce
from requests.adapters import HTTPAdapter

from tierwise_sandbox.salesforce import spelling
from tierwise_sandbox.salesforce.app import MAX_URI
from tierwise_sandbox.salesforce.org import Org

LIMITS = "/services/data/v59.0/limits"


def test_without_a_session_nothing_is_told_and_nothing_is_charged(stranger_sf: Any, org: Org) -> None:
    answer = stranger_sf.call("GET", "limits", status=401)
    assert answer == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    assert (
        stranger_sf.call("GET", "limits", status=401, Authorization="Bearer x")[0]["errorCode"] == "INVALID_SESSION_ID"
    )
    assert org.stats()["api_calls"] == 0
    assert org.stats()["calls"] == {"limits": 2}


def test_a_session_is_had_for_a_secret_and_ends_when_it_is_ended(stranger_sf: Any, org: Org) -> None:
    form = {"grant_type": "client_credentials", "client_id": org.client_id, "client_secret": org.client_secret}
    answer = stranger_sf.http.post("/services/oauth2/token", data=form)
    token = answer.json()["access_token"]
    stranger_sf.call("GET", "limits", Authorization=f"Bearer {token}")
    stranger_sf.door("expire_sessions", {})
    stranger_sf.call("GET", "limits", status=401, Authorization=f"Bearer {token}")
    answer = stranger_sf.http.post("/services/oauth2/token", data={**form, "client_secret": "x"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")


def test_a_storm_of_invalid_sessions_passes(sf: Any, org: Org) -> None:
    org.switches.session_storm = 2
    for status in (401, 401, 200):
        sf.call("GET", "limits", status=status)
    org.faults.replace([{"action": "unauthorized", "match": {"path": "/limits"}, "times": 1}])
    assert sf.call("GET", "limits", status=401)[0]["errorCode"] == "INVALID_SESSION_ID"


def test_a_used_up_allowance_is_a_403_without_retry_after(sf: Any, org: Org) -> None:
    org.switches.daily_requests = 1
    assert sf.http.get(LIMITS).headers["sforce-limit-info"] == "api-usage=1/1"
    answer = sf.http.get(LIMITS)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (403, "REQUEST_LIMIT_EXCEEDED")
    assert "retry-after" not in answer.headers


def test_every_answer_carries_the_orgs_time_and_usage(sf: Any, org: Org, clock: Any) -> None:
    org.switches.set({"clock_skew_seconds": 3_600, "per_app_usage": True})
    answer = sf.http.get(LIMITS)
    assert answer.headers.get_list("date") == [spelling.http_date(clock() + 3_600)]
    assert answer.headers["sforce-limit-info"] == "api-usage=1/100000; per-app-api-usage=1/100000(appName=Tierwise)"


def test_unknown_versions_paths_and_too_long_addresses(sf: Any) -> None:
    sf.call("GET", "/services/data/v10.0/limits", status=404)
    sf.call("GET", "nowhere", status=404)
    sf.call("DELETE", "limits", status=405)
    sf.query("SELECT Id FROM Lead WHERE Name = '" + "a" * MAX_URI + "'", status=414)
    assert sf.call("GET", "/services/data")[0]["version"] == "31.0"


class ToLoopback(HTTPAdapter):
    """Takes https://ANY to the sandbox: simple-salesforce knows no http."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    def send(self, request: requests.PreparedRequest, **more: Any) -> requests.Response:  # type: ignore[override]
        assert request.url is not None
        _, _, rest = request.url.removeprefix("https://").partition("/")
        request.url = f"{self.url}/{rest}"
        return super().send(request, **more)


@pytest.fixture
def box(sandbox: Callable[..., Any]) -> Any:
    return sandbox(leads=40, seed=4, salesforce_port=0, salesforce_provisioned=True)


@pytest.fixture
def foreign(box: Any) -> Iterator[simple_salesforce.Salesforce]:
    """simple-salesforce unchanged, signed in with a key."""
    with requests.Session() as session:
        session.mount("https://", ToLoopback(box.salesforce["url"]))
        yield simple_salesforce.Salesforce(
            username=box.salesforce["username"],
            consumer_key=box.salesforce["client_id"],
            privatekey=box.salesforce["private_key"],
            domain="tierwise-sandbox.my",
            session=session,
        )


def test_simple_salesforce_reads_writes_and_describes(box: Any, foreign: simple_salesforce.Salesforce) -> None:
    box.org("switches", {"page_rows": 15})
    text = "SELECT Id, Name, SystemModstamp FROM Lead WHERE IsConverted = false ORDER BY SystemModstamp, Id"
    found = foreign.query_all(text)
    keys = [record["Id"] for record in found["records"]]
    assert found["totalSize"] == len(set(keys)) == 40
    assert box.org("stats")["calls"]["query_more"] == 2

    assert foreign.Lead.update(keys[0], {"Tierwise_Tier__c": "A"}) == 204
    assert foreign.Lead.get(keys[0])["Tierwise_Tier__c"] == "A"
    with pytest.raises(simple_salesforce.exceptions.SalesforceMalformedRequest, match="RESTRICTED_PICKLIST"):
        foreign.Lead.update(keys[0], {"Tierwise_Tier__c": "Z"})
    with pytest.raises(simple_salesforce.exceptions.SalesforceResourceNotFound):
        foreign.Lead.get("00Q000000000000AAA")
    assert {field["name"] for field in foreign.Lead.describe()["fields"]} >= {"Tierwise_Score__c", "Id"}
    assert foreign.limits()["DailyApiRequests"]["Max"] == 100_000
    assert foreign.api_usage["api-usage"].total == 100_000


def test_simple_salesforce_signs_in_again_when_its_session_ends(
    box: Any, foreign: simple_salesforce.Salesforce
) -> None:
    box.org("expire_sessions", {})
    assert foreign.query("SELECT Id FROM Lead LIMIT 1")["totalSize"] == 1
    assert box.org("stats")["calls"]["token"] == 2


def test_simple_salesforce_runs_a_bulk_job(foreign: simple_salesforce.Salesforce) -> None:
    keys = [record["Id"] for record in foreign.query_all("SELECT Id FROM Lead")["records"]]
    rows = [{"Id": key, "Tierwise_Score__c": str(place)} for place, key in enumerate(keys)]
    rows[3]["Id"] = "nonsense"
    (job,) = foreign.bulk2.Lead.update(records=rows)
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (40, 1)
    failed = foreign.bulk2.Lead.get_failed_records(job["job_id"])
    assert "MALFORMED_ID" in failed
    text = "SELECT Tierwise_Score__c FROM Lead WHERE Tierwise_Score__c != null"
    assert foreign.query(text)["totalSize"] == 39
