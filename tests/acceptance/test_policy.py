"""A changed cut-off goes from a file into running workers and back, under load, with no restart."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tierwise import cli, content, wiring
from tierwise.cli import demo, stack
from tierwise.domain import decision as decisions
from tierwise.domain import recall, rules
from tierwise.domain.lead import Lead

pytestmark = [pytest.mark.timeout(300), pytest.mark.alone, pytest.mark.usefixtures("own_environment")]

MODEL = "openai/gpt-6-luna"
LEADS = 90
GRACE = timedelta(seconds=5)


def _command(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    found = cli.run([*arguments, "--json"])
    shown = capsys.readouterr()
    assert found == code, shown.err
    return json.loads(shown.out) if code == 0 else shown.err


def _until(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.05)


def _made(parts: wiring.Wiring) -> list[decisions.Decision]:
    """Every decision in the database, the oldest first."""
    stories = [parts.store.leads.story(demo.NAME, str(name))[0] for name in _records(parts)]
    links = [link for story in stories for link in story.decisions]
    return [link.decision for link in sorted(links, key=lambda link: link.id)]


def _records(parts: wiring.Wiring) -> list[str]:
    return [past.record_id for past in parts.store.decisions.recent(limit=100_000)]


def _count(parts: wiring.Wiring, digest: str) -> int:
    return sum(past.policy == digest for past in parts.store.decisions.recent(limit=20))


def _was_active(history: list[Any], digest: str, moment: datetime) -> bool:
    """Whether it ran at some time within the five seconds before."""
    ends = [*(item.at for item in history[1:]), moment + timedelta(days=1)]
    return any(
        item.digest == digest and item.at <= moment and end >= moment - GRACE
        for item, end in zip(history, ends, strict=True)
    )


def test_from_file_to_effect_by_three_commands_and_back_by_one(
    sandbox: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    box = sandbox(leads=0, latency_ms=300)
    os.environ.update({"OPENAI_API_BASE": f"{box.model_url}/v1", "OPENAI_API_KEY": "sk-test"})
    files = tmp_path / "policy"
    content.lay_out(files)
    options = demo.Options(leads=str(LEADS), seed=5, model=MODEL, pool=stack.Pool("prefork", 2))
    with demo.running(options) as running:
        parts = running.parts
        os.environ["OPENAI_API_KEY"] = "sk-test"
        first = parts.store.policies.active()
        assert first is not None
        pids = running.supervisor.pids()
        tokens = {"ada": _command(capsys, "users", "add", "ada", "--role", "admin", "--role", "ops")["token"]}
        os.environ["TIERWISE_TOKEN"] = tokens["ada"]
        os.environ["TIERWISE_POLICY__MAX_FLIPS"] = "1"
        os.environ["TIERWISE_POLICY__MAX_REVIEW"] = "1"
        # Under load: some are decided, most are not.
        _until(lambda: parts.store.works.counts()["done"] >= 10)
        assert parts.store.works.counts()["done"] < LEADS

        prompt = files / "prompts" / "qualify.md"
        tiers = parts.runnable().policy.rubric.tiers
        best, cut = next(iter(tiers.items()))
        text = prompt.read_text()
        assert f"{best}: {cut}" in text
        began = time.monotonic()
        prompt.write_text(text.replace(f"{best}: {cut}", f"{best}: {cut - 4}", 1))
        digest = _command(capsys, "policy", "publish", str(files), "--note", "a lower bar")["digest"]
        assert _command(capsys, "policy", "stage", digest)["passed"]
        activated = _command(capsys, "policy", "activate", digest)
        _until(lambda: _count(parts, digest) > 0)
        took = time.monotonic() - began
        assert activated["change"] == "minor"
        assert took < 10, f"from file to effect took {took:.1f} s"

        # The providers go away, and so do the files: the way back needs neither.
        _until(lambda: parts.store.works.counts()["ready"] + parts.store.works.counts()["leased"] == 0, seconds=90)
        os.kill(box.pid, signal.SIGKILL)
        shutil.rmtree(files)
        began = time.monotonic()
        back = _command(capsys, "policy", "rollback", "--note", "too low")
        assert (back["digest"], back["kind"]) == (first.digest, "rollback")
        assert back["decided_again"] > 0
        _until(lambda: parts.store.works.counts()["ready"] + parts.store.works.counts()["leased"] == 0, seconds=60)
        took = time.monotonic() - began
        assert took < 10, f"from the rollback to its effect took {took:.1f} s"
        # New leads are decided under what runs again, by people's help where no model answers.
        assert {name: running.supervisor.pids()[name] for name in ("worker", "beat")} == {
            name: pids[name] for name in ("worker", "beat")
        }, "nothing was restarted"

        history = list(reversed(parts.store.policies.history()))
        made = _made(parts)
        assert {item.policy for item in made} == {first.digest, digest}
        for item in made:
            assert _was_active(history, item.policy, item.decided_at), (item.policy[:8], item.decided_at)
            _unmixed(parts, item)
        # Every open lead shows the old bar again: what the CRM is to show was put back.
        assert parts.store.decisions.verify(demo.NAME).broken_at is None
        events = parts.store.admin_events.list(subject=f"policy {first.digest}")
        assert events[0].action == "policy.rollback"


def _unmixed(parts: wiring.Wiring, made: decisions.Decision) -> None:
    """Decided again from its own record under the policy that it cites, it is the same in every part."""
    runnable = parts.runnable(made.policy)
    assert made.policy_version == runnable.policy.version
    lead = Lead.model_validate(made.fields)
    gates = decisions.gate(runnable, lead)
    judged = None if rules.first(gates) is not None else recall.judged(runnable, made, lead)
    again = decisions.decide(
        runnable, lead, connection=made.connection, record_id=made.record_id, gates=gates, judged=judged,
        now=made.decided_at, trace_id=made.trace_id, chain=made.chain,
    )  # fmt: skip
    assert again.model_dump(exclude={"assessments", "cost_usd"}) == made.model_dump(exclude={"assessments", "cost_usd"})
