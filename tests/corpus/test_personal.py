"""How much personal data is found in texts that were marked by hand, with floors, and that README.md says the same."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, NamedTuple

import pytest
from tierwise_fixtures import corpus

from tierwise.domain.lead import Lead
from tierwise.llm import personal

TEXTS = [json.loads(line) for line in (corpus.FOLDER / "personal.jsonl").read_text(encoding="utf-8").splitlines()]
FLOORS = {"PERSON": (0.90, 0.95), "EMAIL": (0.95, 0.95), "PHONE": (0.95, 0.95), "URL": (0.95, 0.95),
          "ADDRESS": (0.95, 0.95)}  # fmt: skip
"""Recall and precision that must not be fallen below."""


class Tally(NamedTuple):
    marked: Counter[str]
    covered: Counter[str]
    found: Counter[str]
    right: Counter[str]


@pytest.fixture(scope="module")
def tally() -> Tally:
    """Nothing of a lead's own fields is given: what is found is found by its shape alone."""
    made = Tally(Counter(), Counter(), Counter(), Counter())
    for item in TEXTS:
        text: str = item["text"]
        spans = personal.spans(text, Lead())
        for start, end, kind in item["spans"]:
            hidden = [any(span.start <= place < span.end for span in spans) for place in range(start, end)]
            made.marked[kind] += 1
            # Every letter and digit: half a number is a number.
            made.covered[kind] += all(ok for ok, char in zip(hidden, text[start:end], strict=True) if char.isalnum())
        for span in spans:
            made.found[span.kind] += 1
            marks: list[Any] = item["spans"]
            made.right[span.kind] += any(
                kind == span.kind and start < span.end and span.start < end for start, end, kind in marks
            )
    return made


def test_the_file_is_as_large_and_varied_as_promised() -> None:
    assert len(TEXTS) >= 100
    languages = Counter(item["language"] for item in TEXTS)
    assert set(languages) == {"en", "de", "fr", "es", "it", "nl"}
    assert min(languages.values()) >= 15
    assert sum(not item["spans"] for item in TEXTS) >= 25, "texts in which nothing is to be found"
    for item in TEXTS:
        assert all(item["text"][start:end].strip() for start, end, _ in item["spans"]), item["id"]


@pytest.mark.parametrize("kind", FLOORS)
def test_recall_and_precision_hold(tally: Tally, kind: str) -> None:
    recall, precision = FLOORS[kind]
    assert tally.covered[kind] / tally.marked[kind] >= recall
    assert tally.right[kind] / tally.found[kind] >= precision


def test_the_readme_tells_the_figures(tally: Tally) -> None:
    readme = (corpus.FOLDER / "README.md").read_text(encoding="utf-8")
    for kind in FLOORS:
        shares = ((tally.covered[kind], tally.marked[kind]), (tally.right[kind], tally.found[kind]))
        line = " | ".join([f"| {kind}", *(f"{part} of {whole} ({part / whole:.0%})" for part, whole in shares)])
        assert line in readme, line
    assert f"{len(TEXTS)} texts" in readme


def test_hardly_anything_is_found_where_nothing_is() -> None:
    """The labelled leads hold next to no personal data; what criteria are about must not be eaten there."""
    spans = [span for lead in corpus.leads() if lead.get("message") for span in personal.spans(lead["message"], Lead())]
    assert len(spans) <= 0.02 * len(corpus.leads())
