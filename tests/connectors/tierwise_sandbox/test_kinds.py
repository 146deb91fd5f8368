from __future__ import annotations

import pytest

from tierwise_sandbox import kinds


@pytest.mark.parametrize("spelling", ["leads", "lead", "0-136", "LEADS"])
def test_an_object_type_is_found_under_each_of_its_names(spelling: str) -> None:
    assert kinds.find(spelling) is kinds.LEADS


def test_what_the_portal_does_not_have_is_not_found() -> None:
    assert kinds.find("tickets") is None


def test_only_contacts_keep_their_last_change_without_a_prefix() -> None:
    names = {kind.name: kind.modified for kind in kinds.KINDS.values()}
    assert names.pop("contacts") == "lastmodifieddate"
    assert set(names.values()) == {"hs_lastmodifieddate"}


def test_activities_come_under_the_scope_of_contacts() -> None:
    assert {kind.scope for kind in kinds.ACTIVITIES} == {"contacts"}
