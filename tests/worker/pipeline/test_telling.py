from __future__ import annotations

import logging
from typing import Any

import pytest
import structlog
from tierwise_fixtures import fakes

from tierwise import telemetry


def test_a_decision_is_told_by_its_facts_and_the_lead_by_a_hash(line: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="tierwise")
    line.put("1")
    assert line.poll().complete
    line.judge.says["1@acme.example"] = [fakes.judged("telling-1")]
    with structlog.testing.capture_logs(processors=[]) as lines:
        assert line.pump().decided == 1
    (told,) = [entry for entry in lines if entry["event"] == "lead decided"]
    (link,) = line.decided()["1"]
    made = link.decision
    assert {name: told[name] for name in ("connection", "tier", "score", "outcome", "model")} == {
        "connection": "crm", "tier": made.tier, "score": made.score, "outcome": made.outcome, "model": made.used,
    }  # fmt: skip
    assert told["trace"] == made.trace_id
    assert told["lead"] == telemetry.lead_ref("crm", "1")
    assert "acme.example" not in str(told)


def test_a_failure_names_the_lead_by_its_hash_and_the_try(line: Any) -> None:
    line.put("1")
    assert line.poll().complete
    line.judge.says["1@acme.example"] = [ValueError("ada@private.example")]
    with structlog.testing.capture_logs(processors=[]) as lines:
        assert line.pump().retried == 1
    (told,) = [entry for entry in lines if entry["log_level"] == "warning"]
    assert (told["lead"], told["attempt"]) == (telemetry.lead_ref("crm", "1"), 1)
    assert "private" not in str(told)
