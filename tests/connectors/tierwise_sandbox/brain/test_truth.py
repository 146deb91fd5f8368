from __future__ import annotations

import json
from pathlib import Path

import pytest

from tierwise_sandbox.brain import truth
from tierwise_sandbox.brain.reading import Field

TEXT = "We ship 4,000 parcels a month from two sites, call Anna Weber on Monday."


def field(text: str) -> Field:
    return Field("message", text, text.lower())


def test_a_lead_is_known_by_its_text_whatever_its_layout() -> None:
    known = truth.parse([{"text": TEXT, "verdicts": {"need": "concrete"}}])
    assert known.levels([field("we  ship 4,000 PARCELS a month\nfrom two sites; call Anna Weber on Monday")]) == {
        "need": "concrete"
    }
    assert known.levels([Field("job_title", "CEO", "ceo")]) is None


def test_a_redacted_text_is_found_by_its_words_and_another_one_is_not() -> None:
    known = truth.parse([{"text": TEXT, "verdicts": {"need": "concrete"}}])
    assert known.levels([field(TEXT.replace("Anna Weber", "[person]"))]) == {"need": "concrete"}
    assert known.levels([field("We ship nothing at all, please call me on Monday about a job.")]) is None


def test_a_file_of_lines_is_read_and_a_broken_one_named(tmp_path: Path) -> None:
    file = tmp_path / "truth.jsonl"
    file.write_text(json.dumps({"text": TEXT, "verdicts": {"need": "none"}}) + "\n", encoding="utf-8")
    assert len(truth.parse(str(file))) == 1
    with pytest.raises(ValueError, match=r"truth\[0\]: text"):
        truth.parse([{"verdicts": {}}])
    with pytest.raises(ValueError, match=r"nowhere.jsonl"):
        truth.parse(str(tmp_path / "nowhere.jsonl"))
