"""The first hour on a real portal, as the README tells it: add, check, preview, provision, enable, backfill."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tierwise import wiring

pytestmark = pytest.mark.timeout(300)


def _statuses(box: Any) -> dict[str, str | None]:
    found = box.hubspot(
        "POST", "/crm/objects/2026-09/contacts/search", {"limit": 200, "properties": ["tierwise_status", "email"]}
    )
    return {record["id"]: record["properties"].get("tierwise_status") for record in found["results"]}


def _past_this_second(until: Any) -> None:
    """The CRM tells its time in whole seconds: what was written in this one is read and counted once it is over."""
    over = (wiring.clock() + timedelta(seconds=1)).replace(microsecond=0)
    until(lambda: wiring.clock() >= over)


def test_word_for_word(tierwise: Any, sandbox: Any, tmp_path: Path, until: Any) -> None:
    box = sandbox(leads=12, seed=3)
    env = {"TIERWISE_HOME": str(tmp_path / "home"), "TIERWISE_CONNECTIONS__PORTAL__TOKEN": box.token}

    assert tierwise("init", env=env).code == 0
    assert (tmp_path / "prompts" / "qualify.md").exists()
    assert (tmp_path / "rules" / "reasons.yaml").exists()
    added = tierwise(
        "connections", "add", "portal", "--type", "hubspot", "--option", f"base_url={box.hubspot_url}", env=env
    )
    assert added.code == 0, added.err
    assert "[connections.portal]" in (tmp_path / "tierwise.toml").read_text()
    assert box.token not in (tmp_path / "tierwise.toml").read_text()
    assert tierwise("db", "upgrade", env=env).code == 0
    shown = tierwise("config", "show", env=env)
    assert shown.code == 0
    assert box.token not in shown.out

    # Before provisioning only the own fields are missing, and the remedy says so.
    checked = tierwise("connections", "check", "portal", "--json", env=env)
    assert checked.code == 1
    failing = [line for line in checked.json() if not line["ok"]]
    assert failing
    assert all("provision" in line["remedy"] for line in failing), failing

    writes = box.stats()["writes"]
    preview = tierwise("connections", "preview", "portal", "--limit", "5", "--json", env=env)
    assert preview.code == 0, preview.err
    assert len(preview.json_lines()) == 5
    assert all(line["status"] for line in preview.json_lines())
    assert box.stats()["writes"] == writes

    plan = tierwise("connections", "provision", "portal", "--dry-run", "--json", env=env)
    assert plan.code == 0, plan.err
    assert {step["action"] for step in plan.json()} == {"create"}
    assert tierwise("connections", "provision", "portal", "--yes", env=env).code == 0
    again = tierwise("connections", "provision", "portal", "--dry-run", "--json", env=env)
    assert {step["action"] for step in again.json()} == {"keep"}
    checked = tierwise("connections", "check", "portal", "--json", env=env)
    assert checked.code == 0, checked.out

    assert tierwise("connections", "enable", "portal", env=env).code == 0
    listed = tierwise("connections", "list", "--json", env=env).json()
    assert [(line["name"], line["enabled"]) for line in listed] == [("portal", True)]

    # The cursor begins at now: the twelve older leads are left alone, a new one is not.
    new = {"email": "new@brauer-handel.example", "company": "Brauer Handel", "message": "We want a demo this week."}
    box.contacts({"properties": new})
    polled = tierwise("poll", "portal", "--json", env=env)
    assert polled.code == 0, polled.err
    statuses = _statuses(box)
    assert sum(status is not None for status in statuses.values()) < 12

    _past_this_second(until)
    estimate = tierwise("backfill", "portal", "--since", "30d", "--yes", "--json", env=env)
    assert estimate.code == 0, estimate.err
    assert estimate.json()["leads"] >= 13
    assert tierwise("poll", "portal", env=env).code == 0
    statuses = _statuses(box)
    assert len(statuses) == 13
    assert all(statuses.values())

    # Nothing is done twice, and what was written is read back.
    _past_this_second(until)
    box.reset_stats()
    again = tierwise("poll", "portal", "--json", env=env)
    assert again.json()["wrote_back"] == {}
    assert again.json()["decided"] == {}
    assert box.stats()["writes"] == 0

    lead = next(record_id for record_id, status in statuses.items() if status == "scored")
    story = tierwise("trace", f"portal:{lead}", "--json", env=env)
    assert story.code == 0
    told = story.json()
    if told["blind"]:
        # Drawn for the audit: what we think of it is shown to who asks for it by name.
        assert told["decisions"] == []
        told = tierwise("trace", f"portal:{lead}", "--unblind", "--json", env=env).json()
    decision = told["decisions"][-1]["decision"]
    assert told["provenance"]["email"]["from"] == "email"
    assert {"gate", "route"} <= {hit["stage"] for hit in decision["hits"]}
    assert decision["scorecard"]["contributions"]
    assert decision["assessments"][0]["model"] == "offline/rules"
    assert decision["cost_usd"] == 0
    assert told["attempts"][0]["outcome"] == "sent"
    assert told["delivered_at"]
    # What was read back is what was written, to the letter: nothing of ours passes for a person's.
    assert told["kept"] == []
    assert tierwise("trace", lead, env=env).code == 0

    # A person answers a review item, and the CRM shows it.
    queue = tierwise("review", "list", "--json", env=env).json()
    assert queue
    item = queue[0]
    at_once = {**env, "TIERWISE_REVIEW__UNDO_SECONDS": "0"}
    answered = tierwise("review", "answer", str(item["id"]), "--tier", "A", "--outcome", "accept", env=at_once)
    assert answered.code == 0, answered.err
    assert tierwise("poll", "portal", env=env).code == 0
    found = box.hubspot(
        "GET", f"/crm/objects/2026-09/contacts/{item['record_id']}?properties=tierwise_tier,tierwise_status"
    )
    assert found["properties"]["tierwise_tier"] == "A"
    assert found["properties"]["tierwise_status"] == "scored"
    # Nobody may agree with what is drawn for the audit: a tier can be said of every item.
    twice = tierwise("review", "answer", str(item["id"]), "--tier", "A", env=env)
    assert twice.code == 1

    assert tierwise("connections", "disable", "portal", env=env).code == 0
    refused = tierwise("poll", "portal", env=env)
    assert refused.code == 1
    assert "disabled" in refused.err


def test_a_policy_is_changed_without_a_deployment(tierwise: Any, sandbox: Any, tmp_path: Path) -> None:
    box = sandbox(leads=0)
    env = {"TIERWISE_HOME": str(tmp_path / "home"), "TIERWISE_CONNECTIONS__PORTAL__TOKEN": box.token}
    tierwise("init", env=env)
    tierwise("connections", "add", "portal", "--type", "hubspot", "--option", f"base_url={box.hubspot_url}", env=env)
    assert tierwise("db", "upgrade", env=env).code == 0
    prompt = tmp_path / "prompts" / "qualify.md"
    text = prompt.read_text()
    assert "version: " in text
    broken = text.replace("weight: ", "wieght: ", 1)
    prompt.write_text(broken)
    checked = tierwise("policy", "check", ".", "--json", env=env)
    assert checked.code == 1
    error = next(e for e in checked.json()["errors"] if "wieght" in e["message"] or "wieght" in e["hint"])
    line = next(n for n, row in enumerate(broken.splitlines(), start=1) if "wieght" in row)
    assert (error["file"], error["line"]) == ("prompts/qualify.md", line)
    assert tierwise("policy", "activate", ".", env=env).code == 1
    prompt.write_text(text.replace('version: "', 'version: "9-', 1) if 'version: "' in text else text + "\n")
    activated = tierwise("policy", "activate", ".", "--note", "try it", "--json", env=env)
    assert activated.code == 0, activated.err
    assert json.loads(activated.out)["note"] == "try it"
