"""A CRM that is down, then well again, as commands in processes of their own tell it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.timeout(300), pytest.mark.deep]


def test_a_crm_that_is_down_is_seen_and_costs_no_lead(tierwise: Any, sandbox: Any, tmp_path: Path) -> None:
    box = sandbox(leads=0)
    env = {"TIERWISE_CONNECTIONS__PORTAL__TOKEN": box.token}
    (tmp_path / "tierwise.toml").write_text(f'[connections.portal]\ntype = "hubspot"\nbase_url = "{box.hubspot_url}"\n')
    assert tierwise("db", "upgrade", env=env).code == 0
    assert tierwise("connections", "provision", "portal", "--yes", env=env).code == 0
    assert tierwise("connections", "enable", "portal", env=env).code == 0
    box.contacts({"properties": {"email": "ada@brauer-handel.example", "company": "Brauer Handel"}})

    box.faults([{"match": {"path": "/search"}, "action": "status", "status": 503, "times": None}])
    assert tierwise("poll", "portal", env=env).code == 3
    (line,) = tierwise("connections", "list", "--json", env=env).json()
    (health,) = line["health"]
    assert (health["step"], health["ok"], health["fault"], health["failures"]) == ("poll", False, "unavailable", 1)
    assert "503" in health["error"]
    doctor = tierwise("doctor", "--json", env=env)
    assert doctor.code == 3
    found = {one["what"]: one for one in doctor.json()}["contact with portal"]
    assert (found["ok"], bool(found["remedy"])) == (False, True)
    assert "ada@" not in doctor.out + doctor.err

    box.faults([])
    polled = tierwise("poll", "portal", "--json", env=env)
    assert polled.code == 0, polled.err
    assert (polled.json()["polled"]["new"], polled.json()["wrote_back"]["sent"]) == (1, 1)
    assert tierwise("doctor", env=env).code == 0
