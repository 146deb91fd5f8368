"""Connections by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tierwise import policies, wiring
from tierwise import settings as configuration
from tierwise.errors import Misconfigured


def test_a_connection_without_a_map_is_told(parts: wiring.Wiring) -> None:
    policy = policies.read(parts.policy_directory())
    assert parts.field_map("emea", policy).connector == "hubspot"
    with pytest.raises(Misconfigured, match="no field map") as caught:
        parts.field_map("odd", policy)
    assert caught.value.place == "rules/maps/other.yaml"
    parts.settings.connections["cards"] = parts.connection("emea").model_copy(
        update={"options": {"object_type": "0-136"}}
    )
    assert parts.field_map("cards", policy).object == "leads"
    with pytest.raises(Misconfigured, match="nobody"):
        parts.connection("nobody")


def test_a_token_is_asked_for_where_the_type_needs_one(home: Path) -> None:
    connections = {"drop": {"type": "files"}, "mine": {"type": "files", "token": "x"}, "emea": {"type": "hubspot"}}
    made = wiring.Wiring(configuration.Settings(home=home, connections=connections))
    assert (made.token("drop"), made.token("mine")) == ("", "x")
    with pytest.raises(Misconfigured, match="has no token"):
        made.token("emea")
