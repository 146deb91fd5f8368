"""One missing step is one line."""

from __future__ import annotations

from tierwise.cli import checks
from tierwise.sdk import Check

PROVISION = "tierwise connections provision portal"


def test_fields_that_one_command_creates_are_one_line() -> None:
    found = [
        Check("token", True, "accepted"),
        *(Check(f"field tierwise_{name}", False, "missing", PROVISION) for name in ("score", "tier")),
        Check("field tierwise_route", False, "lacks options", PROVISION),
        Check("clock", True, "agrees"),
    ]
    assert checks.rows(found) == [
        ("ok", "token", "accepted", ""),
        ("FAIL", "3 fields", "missing: tierwise_score, tierwise_tier; lacks options: tierwise_route", PROVISION),
        ("ok", "clock", "agrees", ""),
    ]


def test_what_has_another_remedy_stands_apart() -> None:
    found = [
        Check("field a", False, "missing", PROVISION),
        Check("field b", False, "is a formula", "rename it"),
        Check("property volume", False, "the portal has no such property", "correct the map"),
        Check("property size", False, "the portal has no such property", "correct the map"),
    ]
    assert checks.rows(found) == [
        ("FAIL", "field a", "missing", PROVISION),
        ("FAIL", "field b", "is a formula", "rename it"),
        ("FAIL", "2 properties", "the portal has no such property: volume, size", "correct the map"),
    ]


def test_two_failures_of_the_same_name_are_not_mixed_up() -> None:
    found = [Check("scopes", False, "missing: a", "grant"), Check("clock", False, "off", "set it")]
    assert [row[1] for row in checks.rows(found)] == ["scopes", "clock"]
