"""`tierwise eval` on the project's own corpus and over a model's HTTP interface, as a user types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tierwise_fixtures import corpus

pytestmark = pytest.mark.timeout(300)


def test_the_lexicon_on_the_development_part(tierwise: Any, tmp_path: Path) -> None:
    corpus.join("development", tmp_path / "leads.jsonl")
    done = tierwise(
        "eval", "leads.jsonl", "--label", corpus.LABEL, "--segment", "language", "--html", "report.html", "--json",
        env={"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"},
    )  # fmt: skip
    assert done.code == 0, done.err
    found = done.json()
    leads = corpus.joined("development")
    assert found["n"] == len(leads)
    assert found["base_rate"] == sum(lead[corpus.LABEL] == "A" for lead in leads) / len(leads)
    # A floor that a broken policy falls through, not a target: the lexicon is honest about what it cannot read.
    assert found["auc"] >= 0.8
    assert found["precision"] >= 0.5
    assert found["cost_usd"] == 0
    assert sum(item["n"] for item in found["per_segment"].values()) == found["n"]
    assert {"en", "de", "ja"} <= found["per_segment"].keys()
    page = (tmp_path / "report.html").read_text()
    assert page.count("<svg") == 5  # reliability, confusion, precision against recall, and two by segment
    assert "<script" not in page


def test_a_second_run_pays_nothing_and_finds_the_same(tierwise: Any, sandbox: Any, tmp_path: Path) -> None:
    box = sandbox(leads=0)
    some = [lead for lead in corpus.joined("development") if lead["language"] == "en"][:25]
    (tmp_path / "leads.jsonl").write_text("".join(json.dumps(lead) + "\n" for lead in some))
    environment = {"OPENAI_API_BASE": f"{box.model_url}/v1", "OPENAI_API_KEY": "sk-test"}
    arguments = ("eval", "leads.jsonl", "--label", corpus.LABEL, "--model", "openai/gpt-6-luna", "--json")

    first = tierwise(*arguments, "--answers", "answers.db", env=environment)
    assert first.code == 0, first.err
    found, calls = first.json(), box.stats()["model_calls"]
    assert found["fallbacks"] == 0
    assert found["cost_usd"] > 0
    assert 10 <= calls <= 2 * len(some)

    second = tierwise(*arguments, "--answers", "answers.db", env=environment)
    assert second.code == 0, second.err
    assert box.stats()["model_calls"] == calls
    assert second.json() == found


def test_a_run_that_was_killed_goes_on_where_it_was(tierwise: Any, sandbox: Any, tmp_path: Path, until: Any) -> None:
    # Answers come so slowly that an answer is on file long before the second next one is there.
    box = sandbox(leads=0, latency_ms=300)
    some = [lead for lead in corpus.joined("development") if lead["quality"] in {"good", "excellent"}][:24]
    (tmp_path / "leads.jsonl").write_text("".join(json.dumps(lead) + "\n" for lead in some))
    environment = {
        "OPENAI_API_BASE": f"{box.model_url}/v1", "OPENAI_API_KEY": "sk-test", "TIERWISE_MODEL__IN_FLIGHT": "2",
    }  # fmt: skip
    arguments = ["eval", "leads.jsonl", "--label", corpus.LABEL, "--model", "openai/gpt-6-luna", "--json"]
    killed = subprocess.Popen(
        [sys.executable, "-m", "tierwise", *arguments],
        env={**os.environ, "TIERWISE_HOME": str(tmp_path / "home"), **environment},
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: box.stats()["model_calls"] >= 8, within=60)
    finally:
        killed.kill()
        killed.wait()
    before = box.stats()["model_calls"]
    assert before < len(some)

    done = tierwise(*arguments, env=environment)
    assert done.code == 0, done.err
    found = done.json()
    assert (found["n"], found["fallbacks"]) == (len(some), 0)
    resumed = box.stats()["model_calls"]
    fresh = tierwise(*arguments, "--answers", "other.db", env=environment)
    needed = box.stats()["model_calls"] - resumed
    assert fresh.json()["n"] == found["n"]
    # Lost at most what was under way (two calls) or on its way to the file (two more).
    assert needed <= resumed <= needed + 4


def test_a_model_that_cannot_be_reached_is_said_and_not_scored_as_it(tierwise: Any, tmp_path: Path) -> None:
    some = corpus.joined("development")[:3]
    (tmp_path / "leads.jsonl").write_text("".join(json.dumps(lead) + "\n" for lead in some))
    done = tierwise(
        "eval", "leads.jsonl", "--label", corpus.LABEL, "--model", "openai/gpt-6-luna", "--json",
        env={"OPENAI_API_BASE": "http://127.0.0.1:9/v1", "OPENAI_API_KEY": "sk-test"},
    )  # fmt: skip
    assert done.code == 3, done.err
    found = done.json()
    assert found["fallbacks"] == 3
    assert found["review_rate"] == 1
    assert "no model answered: all 3 leads" in done.err
