from __future__ import annotations

from typing import Any

import pytest

from tierwise_sandbox.salesforce.org import ADMIN, Org

ROOT = "/services/data/v59.0"


def part(name: str, keys: list[str], *, headers: dict[str, str] | None = None, **values: Any) -> dict[str, Any]:
    records = [{"attributes": {"type": "Lead"}, "id": key, **values} for key in keys]
    body = {"allOrNone": False, "records": records}
    request = {"method": "PATCH", "url": f"{ROOT}/composite/sobjects", "referenceId": name, "body": body}
    return request if headers is None else {**request, "httpHeaders": headers}


def test_five_collections_cost_one_call(sf: Any, org: Org, leads: list[str]) -> None:
    parts = [part(f"c{n}", leads[n * 2 : n * 2 + 2], Title="x") for n in range(5)]
    parts.append({"method": "GET", "url": f"{ROOT}/limits", "referenceId": "limits"})
    answers = sf.call("POST", "composite", {"compositeRequest": parts})["compositeResponse"]
    assert [answer["referenceId"] for answer in answers] == ["c0", "c1", "c2", "c3", "c4", "limits"]
    assert all(answer["httpStatusCode"] == 200 for answer in answers)
    assert answers[1]["body"][0]["id"] == leads[2]
    assert org.stats()["api_calls"] == 1
    assert org.stats()["writes"] == 10


def test_the_outer_headers_are_not_handed_down(sf: Any, org: Org, leads: list[str]) -> None:
    off = {"Sforce-Auto-Assign": "FALSE"}
    parts = [part("a", leads[:1], Title="x", headers=off), part("b", leads[1:2], Title="x")]
    sf.call("POST", "composite", {"compositeRequest": parts}, Sforce_Auto_Assign="FALSE")
    rows = [org.records.get(key) for key in leads[:2]]
    assert [row is not None and row.values["OwnerId"] == ADMIN for row in rows] == [True, False]


def test_a_failed_subrequest_fails_alone_or_all_together(sf: Any, org: Org, leads: list[str]) -> None:
    wrong = {"method": "GET", "url": f"{ROOT}/sobjects/Lead/nonsense", "referenceId": "wrong"}
    parts = [part("a", leads[:1], Title="x"), wrong, part("b", leads[1:2], Title="x")]
    answers = sf.call("POST", "composite", {"compositeRequest": parts})["compositeResponse"]
    assert [answer["httpStatusCode"] for answer in answers] == [200, 400, 200]
    assert org.stats()["writes"] == 2
    answers = sf.call("POST", "composite", {"allOrNone": True, "compositeRequest": parts})["compositeResponse"]
    codes = [answer["body"][0]["errorCode"] for answer in answers]
    assert codes == ["PROCESSING_HALTED", "MALFORMED_ID", "PROCESSING_HALTED"]
    assert org.stats()["writes"] == 2


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([], "JSON_PARSER_ERROR"),
        ([{"method": "GET", "url": f"{ROOT}/limits", "referenceId": str(n)} for n in range(26)], "LIMIT_EXCEEDED"),
        ([part(str(n), []) for n in range(6)], "LIMIT_EXCEEDED"),
        ([{"method": "GET", "url": f"{ROOT}/query?q=x", "referenceId": str(n)} for n in range(6)], "LIMIT_EXCEEDED"),
        ([part("same", []), part("same", [])], "INVALID_INPUT"),
        ([{"method": "GET", "url": f"{ROOT}/limits"}], "INVALID_INPUT"),
        ([{"method": "GET", "url": "/services/data/v58.0/limits", "referenceId": "a"}], "INVALID_INPUT"),
        ([{"method": "POST", "url": f"{ROOT}/composite", "referenceId": "a"}], "INVALID_INPUT"),
        ([part("a", [], headers={"Authorization": "Bearer x"})], "INVALID_INPUT"),
    ],
)
def test_limits_and_shapes_are_kept(sf: Any, parts: list[Any], code: str) -> None:
    assert sf.call("POST", "composite", {"compositeRequest": parts}, status=400)[0]["errorCode"] == code


def test_a_query_can_be_a_subrequest(sf: Any, leads: list[str]) -> None:
    url = f"{ROOT}/query?q=SELECT+Id+FROM+Lead+WHERE+Company+%3D+'Acme+3'"
    parts = [{"method": "GET", "url": url, "referenceId": "q"}]
    (answer,) = sf.call("POST", "composite", {"compositeRequest": parts})["compositeResponse"]
    assert [record["Id"] for record in answer["body"]["records"]] == [leads[3]]
