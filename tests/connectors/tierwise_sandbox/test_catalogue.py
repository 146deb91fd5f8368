from __future__ import annotations

from tierwise_sandbox import catalogue
from tierwise_sandbox.definitions import FIELD_TYPES


def test_every_definition_would_pass_the_portals_own_checks() -> None:
    definitions = catalogue.contact_definitions()
    assert len({held["name"] for held in definitions}) == len(definitions)
    for held in definitions:
        assert held["fieldType"] in FIELD_TYPES[held["type"]], held["name"]
        assert held["groupName"] in catalogue.GROUPS, held["name"]
        if held["type"] == "enumeration":
            assert held["options"] or held["externalOptions"], held["name"]


def test_what_the_portal_keeps_itself_cannot_be_written() -> None:
    read_only = {
        held["name"] for held in catalogue.contact_definitions() if held["modificationMetadata"]["readOnlyValue"]
    }
    assert read_only == catalogue.SYSTEM | {"recent_conversion_date", "hs_merged_object_ids"}
