from __future__ import annotations

from typing import Any

import pytest

from tierwise_sandbox.salesforce import scenario
from tierwise_sandbox.salesforce.org import Org


def test_switches_security_and_a_burst_come_from_one_object(org: Org) -> None:
    scenario.apply(
        org, {"lock_rows": 2, "hidden_fields": ["Lead.Title"], "read_only_fields": ["Lead.Phone"], "burst": 30}
    )
    assert org.switches.lock_rows == 2
    assert org.schema.field("Lead", "Title") is None
    assert ("Lead", "Phone") in org.schema.read_only
    stamps = [row.stamp for row in org.records.window("Lead", None, None)]
    assert stamps.count(stamps[-1]) == 30
    scenario.apply(org, {"hidden_fields": []})
    assert org.schema.field("Lead", "Title") is not None
    assert ("Lead", "Phone") in org.schema.read_only


@pytest.mark.parametrize(
    "given", [[], {"burst": 0}, {"burst": True}, {"hidden_fields": "Title"}, {"hidden_fields": ["Lead.No"]}, {"x": 1}]
)
def test_what_means_nothing_is_refused(org: Org, given: Any) -> None:
    with pytest.raises(ValueError, match=r"salesforce|Lead\.No"):
        scenario.apply(org, given)
