"""One lead's story: everything that decided it can be read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from tierwise.cli import story
from tierwise.domain.decision import Decision, ReasonGiven
from tierwise.domain.lead import Lead
from tierwise.domain.rubric import Assessment, Contribution, Scorecard, Verdict
from tierwise.domain.rules import Hit
from tierwise.ports import Attempt, LeadStory, ReviewItem, StoredDecision

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def _story() -> LeadStory:
    verdict = Verdict(
        criterion="need", level="concrete", probability=0.9, decided_by="openai/gpt", field="message", quote="need [it]"
    )
    card = Scorecard(
        score=71, fit=80, intent=60, tier="A", confidence=0.8,
        contributions=(
            Contribution(
                criterion="need", dimension="intent", weight=20, level="concrete", points=20, reason="NEED",
                verdict=verdict,
            ),
        ),
    )  # fmt: skip
    made = Decision(
        connection="portal", record_id="7", fingerprint="f", policy="p" * 64, policy_version="1.0", status="scored",
        outcome="accept", route="pod", score=71, fit=80, intent=60, tier="A", confidence=0.8,
        reasons=(ReasonGiven(code="NEED", sentence="They need it.", source="criterion:need"),),
        hits=(Hit(rule="spam", stage="gate", truth="unknown", reason="SPAM", missing=("lead.message",)),),
        scorecard=card,
        assessments=(
            Assessment(model="openai/gpt", verdicts=(verdict,), content_hash="c", cost_usd=None, tokens_in=900),
        ),
        used="openai/gpt", errors=("the first model did not answer",), cost_usd=None, decided_at=NOW, trace_id="t" * 32,
    )  # fmt: skip
    return LeadStory(
        connection="portal", record_id="7", lead=Lead(employee_count=125), fingerprint="f",
        provenance={"employee_count": {"from": "company_size", "raw": "51-200", "transform": "range", "note": ""}},
        problems=("phone: unreadable",), rejected=None, revision=1, submitted_at=NOW, first_seen_at=NOW, decided_at=NOW,
        delivered_at=None, own={"tierwise_tier": "A"}, kept=("tierwise_route",), work=[],
        decisions=[StoredDecision(id=1, sequence=1, previous="", hash="h" * 64, decision=made)],
        attempts=[Attempt(NOW, "b", 1, {"tierwise_tier": "A"}, None, "")], reviews=[],
    )  # fmt: skip


def test_a_person_reads_all_of_it(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tierwise.cli.output.out", Console(width=220, highlight=False))
    story.show(_story())
    shown = capsys.readouterr().out
    for word in (
        "portal:7", "51-200", "company_size", "range", "phone: unreadable", "need [it]", "message", "90%",
        "lead.message", "openai/gpt", "unknown", "the first model did not answer", "They need it.", "tier=A",
        "tierwise_route", "uncalibrated",
    ):  # fmt: skip
        assert word in shown, word


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"state": "ready", "attempt": 0}, "waits to be decided; due 2026-11-01 12:00:00 UTC"),
        ({"state": "ready", "attempt": 2, "error": "no answer"}, "again: tried 2 times, no answer; due"),
        ({"state": "ready", "attempt": 0, "batch_since": NOW}, "waits to get into a batch since"),
        ({"state": "ready", "attempt": 0, "batch_since": NOW, "batch": 12}, "waits for batch 12 (tierwise batches"),
        ({"state": "ready", "attempt": 1, "error": "no answer"}, "again: tried once, no answer; due"),
        ({"state": "leased", "attempt": 1, "lease_until": datetime.max.replace(tzinfo=UTC)}, "being decided now"),
        ({"state": "leased", "attempt": 1, "lease_until": NOW - timedelta(days=900)}, "its worker is gone"),
        ({"state": "quarantined", "attempt": 5, "error": "out of memory"}, "given up: tried 5 times, out of memory"),
    ],
)
def test_a_lead_that_is_not_decided_says_what_it_waits_for(
    row: dict[str, Any], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tierwise.cli.output.out", Console(width=220, highlight=False))
    done = {
        "state": "done",
        "attempt": 1,
        "error": "",
        "run_after": NOW,
        "lease_until": None,
        "batch_since": None,
        "batch": None,
    }
    story.show(_story()._replace(work=[done, {**done, **row}]))
    assert said in capsys.readouterr().out
    story.show(_story()._replace(work=[{**done, **row}, done]))
    assert said not in capsys.readouterr().out, "only what is still to come"


def test_a_script_reads_the_same() -> None:
    told = json.loads(json.dumps(story.as_dict(_story()), default=str))
    assert told["lead"] == {"employee_count": 125}
    decision = told["decisions"][0]["decision"]
    assert decision["scorecard"]["contributions"][0]["verdict"]["quote"] == "need [it]"
    assert decision["cost_usd"] is None
    assert told["attempts"][0]["outcome"] is None


def test_while_its_audit_is_open_nothing_of_what_we_think_is_told() -> None:
    item = ReviewItem(
        3, "portal", "7", "low_confidence", "open", 900, "Not certain (NEED)", NOW, 1, 71, "A", 0.8, drawn=True,
        awaited=True,
    )  # fmt: skip
    told = _story()._replace(reviews=[item, item._replace(id=2, drawn=False, reason="Not certain", state="answered")])
    veiled = story.veiled(told)
    text = json.dumps(story.as_dict(veiled), default=str)
    assert json.loads(text)["lead"] == {"employee_count": 125}, "the lead itself is shown"
    for word in ("71", '"A"', "NEED", "concrete", "0.8", "need [it]", "openai/gpt", "They need it", "accept"):
        assert word in json.dumps(story.as_dict(told), default=str), word
        assert word not in text, word
