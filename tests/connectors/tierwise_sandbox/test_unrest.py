from __future__ import annotations

from typing import Any

import pytest

from tierwise_sandbox.portal import Portal
from tierwise_sandbox.unrest import Unrest


def test_records_of_the_coming_pages_change_under_the_client(search: Any, portal: Portal) -> None:
    portal.unrest.set({"edits": 1, "merges": 1, "deletes": 1})
    first = search(limit=6, sorts=["lastmodifieddate"])
    seen = [one["id"] for one in first["results"]]
    coming = [str(9901 + n) for n in range(6, 12)]
    assert seen == [str(9901 + n) for n in range(6)]
    assert portal.unrest.happened == 3
    assert portal.store.get(coming[0]) is None  # deleted
    merged = portal.store.get(coming[1])
    assert merged is not None
    assert merged is portal.store.get(coming[2])
    assert str(merged.id) not in coming
    edited = portal.store.get(coming[3])
    assert edited is not None
    assert edited.properties["city"] == "Town 3"
    rest = search(limit=6, after=6, sorts=["lastmodifieddate"])
    assert {one["id"] for one in rest["results"]} == {*coming[4:], str(merged.id), coming[3]}


def test_the_last_page_disturbs_nobody(search: Any, portal: Portal) -> None:
    portal.unrest.set({"deletes": 3})
    search(limit=100)
    assert len(portal.store) == 12


@pytest.mark.parametrize("given", [[], {"edits": -1}, {"edits": True}, {"happened": 1}, {"storms": 1}])
def test_what_means_nothing_is_refused(given: Any) -> None:
    unrest = Unrest()
    with pytest.raises(ValueError, match="while_paging"):
        unrest.set(given)
    assert not unrest.any
