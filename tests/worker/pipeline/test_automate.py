"""The pure edges of the pass; what it does with a database is in tests/worker/store/test_automations.py."""

from __future__ import annotations

from datetime import UTC, datetime

from tierwise.domain.decision import Decision
from tierwise.domain.rollout import Target
from tierwise.pipeline import automate
from tierwise.ports.automation import Candidate, Intended
from tierwise.sdk import Update, Written


def test_the_flag_is_asked_about_pod_and_company() -> None:
    decision = Decision(
        connection="emea", record_id="1", fingerprint="f", policy="p", policy_version="1", status="scored",
        outcome="accept", route="north", decided_at=datetime(2026, 11, 2, tzinfo=UTC),
    )  # fmt: skip
    assert automate.target(Candidate(1, "emea", "1", "acme.example", decision)) == Target(
        "emea", "north", "acme.example"
    )


def test_what_is_sent_is_the_field_alone() -> None:
    class Crm:
        sent: list[Update]

        def write(self, updates: list[Update]) -> list[Written]:
            self.sent = updates
            return [Written(update.record_id, "written") for update in updates]

    crm = Crm()
    automate.send(crm, [Intended(7, "emea", "1", 3, "their_tier", "bronze", "gold")])  # type: ignore[arg-type]
    assert crm.sent == [Update("1", {"their_tier": "gold"}, "auto-7")]
