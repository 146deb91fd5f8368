"""Backtest and staging by command."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tierwise_fixtures import decided

from tierwise import cli, wiring
from tierwise.cli import session


@pytest.fixture
def bundle(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A policy's files, and a database with decisions under it."""
    directory = tmp_path / "bundle"
    for command in (["init", str(directory)], ["db", "upgrade"], ["policy", "activate", str(directory)]):
        assert cli.run(command) == 0
    with session.opened() as parts:
        decided.fill(parts, 20)
    capsys.readouterr()
    return directory


def run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    assert cli.run([*arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def edit(bundle: Path, old: str, new: str) -> None:
    path = bundle / "prompts" / "qualify.md"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_a_changed_file_is_tried_before_anything_is_stored(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    same = run(capsys, "policy", "backtest", str(bundle), "--last", "10", code=_reviews(capsys, bundle))
    assert (same["leads"], same["flips"]) == (10, 0)
    path = bundle / "prompts" / "qualify.md"
    path.write_text(re.sub(r"(escalate|review)_below: [0-9.]+", r"\1_below: 0.99", path.read_text()))
    page = tmp_path / "report.html"
    assert cli.run(["policy", "backtest", str(bundle), "--html", str(page)]) == 1
    shown = capsys.readouterr()
    assert "from \\ to" in shown.out
    assert "beyond a limit" in shown.err
    assert page.read_text().startswith("<!doctype html>")
    assert len(run(capsys, "policy", "history")["published"]) == 1


def _reviews(capsys: pytest.CaptureFixture[str], bundle: Path) -> int:
    """Exit code of a backtest that changes nothing: the review load alone may be beyond its limit."""
    with session.opened() as parts:
        runnable = parts.runnable()
        return int(bool(parts.backtest(runnable.policy, digest=runnable.digest, last=10)["beyond"]))


def test_a_minor_change_goes_live_by_publish_stage_activate(
    bundle: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "TIERWISE_TOKEN", run(capsys, "users", "add", "ada", "--role", "admin", "--role", "ops")["token"]
    )
    monkeypatch.setenv("TIERWISE_POLICY__MAX_REVIEW", "1")
    monkeypatch.setenv("TIERWISE_POLICY__MAX_FLIPS", "1")
    edit(bundle, "weight: 14", "weight: 13")
    edit(bundle, "weight: 12", "weight: 13")
    digest = run(capsys, "policy", "publish", str(bundle))["digest"]
    assert cli.run(["policy", "activate", digest]) == 1
    assert "no green staging run" in capsys.readouterr().err
    assert run(capsys, "policy", "stage", digest[:12])["passed"]
    assert run(capsys, "policy", "history")["staging"]["digest"] == digest
    made = run(capsys, "policy", "activate", digest[:12])
    assert made["change"] == "minor"
    assert 0 < made["decided_again"] <= 20
    assert cli.run(["policy", "stage", str(bundle)]) == 0
    assert "green" in capsys.readouterr().err


def test_beyond_a_limit_an_approval_is_needed(
    bundle: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = run(capsys, "users", "add", "ada", "--role", "admin", "--role", "ops")["token"]
    monkeypatch.setenv("TIERWISE_TOKEN", ada)
    sue = run(capsys, "users", "add", "sue", "--role", "sales")["token"]
    monkeypatch.setenv("TIERWISE_POLICY__MAX_REVIEW", "0")
    edit(bundle, "weight: 14", "weight: 13")
    edit(bundle, "weight: 12", "weight: 13")
    digest = run(capsys, "policy", "stage", str(bundle))["digest"]
    assert cli.run(["policy", "activate", digest]) == 1
    assert "would go to people" in capsys.readouterr().err
    monkeypatch.setenv("TIERWISE_TOKEN", sue)
    run(capsys, "policy", "approve", digest, "--reason", "we have the people")
    monkeypatch.setenv("TIERWISE_TOKEN", ada)
    assert run(capsys, "policy", "activate", digest)["digest"] == digest


def test_a_shadow_is_switched_on_told_and_off(bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "policy", "shadow") == {"shadow": None, "report": None}
    edit(bundle, "weight: 14", "weight: 13")
    edit(bundle, "weight: 12", "weight: 13")
    with session.opened() as parts:
        before = parts.runnable()
    digest = run(capsys, "policy", "shadow", str(bundle))["shadow"]["digest"]
    with session.opened() as parts:
        later = before.policy.model_copy(update={"version": "later"})
        live = parts.store.policies.publish(later, by="me", note="", now=wiring.clock())
        parts.activate(live, by="me", note="")
        decided.fill(parts, 20)
        assert parts.runnable(digest).policy.rubric.criteria[0].weight == 13
        held = 0
        for some in iter(parts.shadow, 0):
            held += some or 0
    told = run(capsys, "policy", "shadow")["report"]
    assert told["leads"] == held == 20
    page = tmp_path / "shadow.html"
    assert cli.run(["policy", "shadow", "--stop", "--html", str(page)]) == 0
    assert page.exists()
    assert run(capsys, "policy", "shadow")["shadow"]["stopped_at"] is not None


def test_rules_that_are_due_are_listed_with_their_hits(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "policy", "review-due") == [], "nothing is a month old yet"
    found = run(capsys, "policy", "review-due", "--all")
    assert sum(item["hits"] for item in found) > 0
    assert all(item["owner"] for item in found)
    assert cli.run(["policy", "review-due", "--all"]) == 0
    assert found[0]["rule"] in capsys.readouterr().out
