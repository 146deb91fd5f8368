from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tierwise_sandbox import scenario
from tierwise_sandbox.portal import Portal


def test_a_document_sets_everything_it_names(portal: Portal) -> None:
    scenario.apply(
        portal,
        {
            "faults": [{"action": "drop"}],
            "rate_limits": {"search_per_second": 5},
            "index_lag_seconds": 2,
            "scopes": ["crm.objects.contacts.read"],
        },
    )
    assert portal.limits.search_per_second == 5
    assert portal.store.index_lag == 2.0
    assert portal.scopes == {"crm.objects.contacts.read"}
    assert portal.faults.take("GET", "/") is not None
    scenario.apply(portal, [])
    assert portal.limits.search_per_second == 5


def test_unrest_and_a_burst_can_be_ordered(portal: Portal) -> None:
    scenario.apply(portal, {"while_paging": {"edits": 2}, "burst": 40})
    assert portal.unrest.edits == 2
    assert len(portal.store) == 52


def test_the_part_of_an_org_goes_to_the_org(portal: Portal) -> None:
    with pytest.raises(ValueError, match="--salesforce-port"):
        scenario.apply(portal, {"salesforce": {"lock_rows": 1}})
    taken: list[Any] = []
    portal.set_salesforce = taken.append
    scenario.apply(portal, {"salesforce": {"lock_rows": 1}})
    assert taken == [{"lock_rows": 1}]


@pytest.mark.parametrize(
    "given",
    [
        {"burst": 0},
        {"burst": True},
        {"while_paging": {"edits": -1}},
        3,
        {"weather": 1},
        {"index_lag_seconds": -1},
        {"scopes": "all"},
        {"faults": {}},
        {"rate_limits": {"x": 1}},
    ],
)
def test_what_makes_no_sense_is_refused(portal: Portal, given: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        scenario.apply(portal, given)


def test_a_broken_file_is_named_with_its_line(portal: Portal, tmp_path: Path) -> None:
    path = tmp_path / "faults.json"
    path.write_text('[\n{"action": "drop",}\n]')
    with pytest.raises(ValueError, match=r"faults\.json:2: not JSON"):
        scenario.apply_file(portal, path)
    path.write_text(json.dumps([{"action": "explode"}]))
    with pytest.raises(ValueError, match=r"faults\.json: faults\[0\]: action 'explode'"):
        scenario.apply_file(portal, path)
