"""From labels to a calibration that applies, by command."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tierwise import cli

Run = Callable[..., Any]


@pytest.fixture
def tierwise(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """`tierwise("calibrate", "list")`: its JSON, or its messages where it fails."""
    assert cli.run(["db", "upgrade"]) == 0
    capsys.readouterr()

    def run(*arguments: str, code: int = 0) -> Any:
        assert cli.run([*arguments, "--json"]) == code
        shown = capsys.readouterr()
        return json.loads(shown.out) if code == 0 else shown.err

    return run


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """Sixty leads with a tier each; every fifth label is not what a rule would say."""
    rng, lines = random.Random(2), []
    for number in range(60):
        lead = {
            "id": str(number), "email": f"p{number}@acme{number}.example",
            "source": rng.choice(["demo_request", "event"]),
            "employee_count": rng.choice([5, 40, 400]), "monthly_volume": rng.choice([100, 30000]),
            "industry": "retail", "job_title": "Head of Logistics",
            "message": rng.choice(["We ship 9000 orders a month by hand.", "Send me your brochure."]),
        }  # fmt: skip
        strong = lead["employee_count"] == 400 and lead["source"] == "demo_request"
        tier = "A" if strong else "C"
        lines.append(json.dumps({**lead, "label": "D" if number % 5 == 0 else tier}))
    file = tmp_path / "labels.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def test_from_labels_to_a_calibration_in_force(tierwise: Run, labels: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    made = tierwise("calibrate", "fit", "--labels", str(labels), "--html", str(page), "--note", "corpus")
    assert (made["labels"], made["method"], made["source"]) == (60, "temperature", "labels.jsonl")
    assert made["models"] == ["offline/rules"]
    assert made["after"]["ece"] < made["before"]["ece"] or made["after"]["brier"] < made["before"]["brier"]
    assert page.read_text().count("<svg") == 2
    listed = tierwise("calibrate", "list")
    assert [(item["digest"], item["active"], item["does_not_apply"]) for item in listed] == [
        (made["digest"], False, None)
    ]
    short = made["digest"][:10]
    scored = tierwise_lines(tierwise, labels, short)
    assert {item["calibrated"] for item in scored} == {True}
    assert tierwise("calibrate", "activate", short, "--note", "on")["digest"] == made["digest"]
    assert tierwise("calibrate", "show", "active")["digest"] == made["digest"]
    found = tierwise("eval", str(labels), "--label", "label", "--calibration", "active", "--cross-fit")
    assert found["calibration"]["labels"] == 60
    assert found["confidence_auc"] is not None
    assert tierwise("calibrate", "deactivate")["digest"] is None
    assert "no calibration is active" in tierwise("calibrate", "show", "active", code=2)


def tierwise_lines(tierwise: Run, labels: Path, calibration: str) -> list[dict[str, Any]]:
    import contextlib
    import io

    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        assert cli.run(["score", str(labels), "--calibration", calibration, "--json"]) == 0
    return [json.loads(line) for line in shown.getvalue().splitlines()]


def test_labels_of_a_file_count_by_how_they_were_drawn(tierwise: Run, labels: Path) -> None:
    rows = [json.loads(line) for line in labels.read_text().splitlines()]
    drawn = [{**row, "drawn": 0.5 if row["employee_count"] == 5 else 1} for row in rows]
    labels.write_text("\n".join(map(json.dumps, drawn)), encoding="utf-8")
    plain = tierwise("calibrate", "fit", "--labels", str(labels))
    made = tierwise("calibrate", "fit", "--labels", str(labels), "--sampling", "drawn", "--disputes", "said")
    assert (plain["effective_labels"], plain["disputes"]) == (60, "weighed")
    assert 50 <= made["effective_labels"] < 60
    assert made["disputes"] == "said"
    assert made["digest"] != plain["digest"]
    for wrong in ("often", [0.5], 10**400):
        labels.write_text("\n".join(json.dumps({**row, "drawn": wrong}) for row in rows), encoding="utf-8")
        assert "'drawn' is no probability" in tierwise(
            "calibrate", "fit", "--labels", str(labels), "--sampling", "drawn", code=2
        )
    assert "no row has a value in 'drwan'" in tierwise(
        "calibrate", "fit", "--labels", str(labels), "--sampling", "drwan", code=2
    )
    assert "add --labels FILE" in tierwise("calibrate", "fit", "--sampling", "drawn", code=2)


def test_too_few_labels_leave_confidence_uncalibrated(tierwise: Run, labels: Path) -> None:
    few = labels.with_name("few.jsonl")
    few.write_text("\n".join(labels.read_text().splitlines()[:20]), encoding="utf-8")
    assert "confidence stays uncalibrated" in tierwise("calibrate", "fit", "--labels", str(few), code=1)
    assert "0 labels" in tierwise("calibrate", "fit", code=1)
    assert "no calibration 'abcdef'" in tierwise("calibrate", "activate", "abcdef", code=2)
