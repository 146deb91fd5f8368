from __future__ import annotations

import pytest

from tierwise_sandbox.salesforce.api import NEWEST, OLDEST, Api, is_version
from tierwise_sandbox.salesforce.calls import Call
from tierwise_sandbox.salesforce.org import Org
from tierwise_sandbox.salesforce.refusals import Refusal


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/query", "query"),
        ("GET", "/queryAll", "query_all"),
        ("GET", "/query/01gabc-2000", "query_more"),
        ("GET", "/sobjects/Lead/describe", "describe"),
        ("GET", "/sobjects/Lead/00Q000000000001AAA", "get"),
        ("PATCH", "/composite/sobjects", "collections"),
        ("POST", "/composite", "composite"),
        ("PUT", "/jobs/ingest/750000000000001AAA/batches", "bulk"),
        ("GET", "/nowhere", "other"),
    ],
)
def test_calls_are_counted_under_names(org: Org, method: str, path: str, name: str) -> None:
    assert Api(org).name(method, path) == name


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("DELETE", "/query", 405)])
def test_what_is_not_there_is_refused(org: Org, method: str, path: str, status: int) -> None:
    with pytest.raises(Refusal) as refused:
        Api(org).answer(Call(method, "59.0", path))
    assert refused.value.status == status


def test_versions_are_those_that_are_supported() -> None:
    assert is_version("v59.0")
    assert is_version(f"v{OLDEST}.0")
    assert is_version(f"v{NEWEST}.0")
    for text in ("59.0", "v59", "v59.5", "v30.0", f"v{NEWEST + 1}.0", "vX.0"):
        assert not is_version(text)
