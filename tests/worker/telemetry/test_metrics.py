"""Counters: declared, bounded, and shown together."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import parser

from tierwise import telemetry
from tierwise.telemetry import metrics

IDENTIFYING = {"lead", "record", "record_id", "email", "name", "trace", "identity", "fingerprint"}


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    monkeypatch.setattr(metrics, "_seen", {})
    metrics._metric.cache_clear()


def _samples(text: bytes) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in parser.text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_counts_and_measurements_are_shown() -> None:
    telemetry.count("tierwise_leads_decided_total", connection="c", tier="A", outcome="accept")
    telemetry.count("tierwise_leads_decided_total", 2, connection="c", tier="A", outcome="accept")
    telemetry.observe("tierwise_model_seconds", 0.3, model="openai/gpt-5")
    text, content_type = telemetry.exposition()
    found = _samples(text)
    assert found["tierwise_leads_decided_total", "c", "accept", "A"] == 3
    assert found["tierwise_model_seconds_count", "openai/gpt-5"] == 1
    assert found["tierwise_model_seconds_sum", "openai/gpt-5"] == pytest.approx(0.3)
    assert found["process_resident_memory_bytes",] > 0
    assert content_type.startswith("text/plain")


def test_levels_are_as_given_at_that_moment() -> None:
    gauge = telemetry.Gauge("tierwise_leads", "Leads.", ("connection",), {("a",): 1, ("b",): 0})
    found = _samples(telemetry.exposition([gauge])[0])
    assert (found["tierwise_leads", "a"], found["tierwise_leads", "b"]) == (1, 0)
    assert ("tierwise_leads", "a") not in _samples(telemetry.exposition()[0])


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("tierwise_leads_total", {}),
        ("tierwise_writes_total", {"connection": "c"}),
        ("tierwise_writes_total", {"connection": "c", "result": "sent", "lead": "7"}),
        ("tierwise_model_seconds", {"model": "m"}),  # not a counter
    ],
)
def test_what_is_not_declared_cannot_be_counted(name: str, labels: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=name):
        telemetry.count(name, **labels)


def test_names_follow_the_conventions_and_no_label_names_a_lead() -> None:
    for metric in telemetry.METRICS.values():
        assert metric.name.startswith("tierwise_")
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert metric.help.endswith(".")
        assert not set(metric.labels) & IDENTIFYING


def test_labels_do_not_grow_without_bound() -> None:
    for number in range(metrics.MOST_VALUES + 50):
        telemetry.count("tierwise_model_calls_total", model=f"m{number}", result="ok")
    telemetry.count("tierwise_model_calls_total", model="m0", result="ok")
    found = {
        key: value
        for key, value in _samples(telemetry.exposition()[0]).items()
        if key[0] == "tierwise_model_calls_total"
    }
    assert len(found) == metrics.MOST_VALUES + 1
    assert found["tierwise_model_calls_total", "other", "other"] == 50
    assert found["tierwise_model_calls_total", "m0", "ok"] == 2


def test_labels_are_told_apart_by_what_they_show() -> None:
    """Whatever is kept of a set of labels, 1 and True, which are one key, stay two."""
    for connection in ("1", 1, True, "1", True):
        telemetry.count("tierwise_leads_held_total", connection=connection)
    found = _samples(telemetry.exposition()[0])
    assert (found["tierwise_leads_held_total", "1"], found["tierwise_leads_held_total", "True"]) == (3, 2)


def test_one_process_shows_the_counters_of_all(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    folder.mkdir()
    (folder / "counter_1.db").write_bytes(b"of an earlier run")
    count = "from tierwise import telemetry; telemetry.count('tierwise_writes_total', connection='c', result='sent')"
    program = (
        "import subprocess, sys; from pathlib import Path; from tierwise import telemetry;"
        f"telemetry.share(Path({str(folder)!r}));"
        f"[subprocess.run([sys.executable, '-c', {count!r}], check=True) for _ in range(2)];"
        "sys.stdout.buffer.write(telemetry.exposition()[0])"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, timeout=60, env={**os.environ}
    )
    assert _samples(found.stdout)["tierwise_writes_total", "c", "sent"] == 2
