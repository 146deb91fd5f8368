"""The report is one file that asks for nothing and trusts nothing that came from a lead."""

from __future__ import annotations

import copy
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from tierwise.cli import evaluation_page
from tierwise.domain import aims
from tierwise.domain.rubric import Targets

FIGURES: dict[str, Any] = {
    "n": 40, "base_rate": 0.25, "precision": 0.8, "recall": None, "f1": None, "auc": 0.9, "ece": 0.03, "brier": 0.1,
    "confidence_auc": 0.7,
    "review_rate": 0.1, "cost_usd": None,
    "intervals": {
        "precision": [0.5, 0.95], "recall": None, "base_rate": [0.1, 0.4], "review_rate": [0, 0.2], "auc": None,
    },
}  # fmt: skip
EVIL = '<script src="https://evil.example/x.js">alert(1)</script>'


def _report(**changes: Any) -> dict[str, Any]:
    return {
        "figures": {
            **copy.deepcopy(FIGURES),
            "per_segment": {EVIL: FIGURES},
            "per_reason": [
                {
                    "code": "LARGE", "n": 3, "positive": 1, "precision": 1 / 3, "interval": [0.06, 0.79],
                    "figures": FIGURES,
                }
            ],
            "attacks": {"pairs": 4, "tier_raised": 1, "flagged": 3, "benign": 2, "benign_flagged": 0},
            "against": {
                **copy.deepcopy(FIGURES), "name": "second", "only_first_right": 2, "only_second_right": 5, "p": 0.453,
                "differ": [
                    {
                        "id": EVIL, "label": "A",
                        "first": {"tier": "A", "score": 90, "outcome": "accept"},
                        "second": {"tier": None, "score": None, "outcome": "reject"},
                    }
                ],
            },
        },
        "aims": aims.of(FIGURES, Targets(), strong_usd=1.0),
        "file": EVIL, "label": EVIL, "segment": "country", "name": EVIL, "tiers": ["A", "B"],
        "reliability": [
            {"low": 0.2, "high": 0.3, "n": 10, "confidence": 0.25, "right": 0.5},
            {"low": 0.9, "high": 1.0, "n": 30, "confidence": 0.97, "right": 0.9},
        ],
        "precision_recall": [
            {"score": 90.0, "recall": 0.5, "precision": 1.0}, {"score": 20.0, "recall": 1.0, "precision": 0.25},
        ],
        "confusion": {EVIL: {"A": 3, "(none)": 1}, "B": {"A": 0, "(none)": 0}},
        "worst": [{"text": EVIL, "kind": "attack", "leads": 1}],
        **changes,
    }  # fmt: skip


class Outline(HTMLParser):
    """Tags, in order, and whether each was closed."""

    VOID = frozenset({"meta", "br", "hr", "img", "link", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_it_is_whole_and_asks_for_nothing() -> None:
    text = evaluation_page.page(_report())
    outline = Outline()
    outline.feed(text)
    assert not outline.open
    assert outline.tags.count("svg") == 5
    assert not {"script", "link", "img", "iframe"} & set(outline.tags)
    assert not re.search(
        r"""(?:src|href|url)\s*[=(]\s*["']?\s*(?:https?:)?//""", text.replace("&quot;", "").split("<body>")[0]
    )
    assert EVIL not in text
    assert "&lt;script" in text


def test_figures_are_shown_with_their_intervals() -> None:
    page = evaluation_page.page(_report())
    assert "0.800 [0.500,\u00a00.950]" in page, "an interval stays on one line"
    text = page.replace("\u00a0", " ")
    assert "unknown" in text
    assert "0.333 [0.060, 0.790]" in text
    assert "p = 0.453" in text
    assert text.count('class="dot"') == 3


def test_each_aim_is_named_with_what_became_of_it() -> None:
    text = evaluation_page.page(_report())
    assert "<h2>Aims</h2>" in text
    for name in ("precision", "recall", "review_rate", "ece", "confidence_auc", "saved"):
        assert f"<td>{name}</td><td>at " in text
    assert "not measured" in text, "a cost that is unknown saves nothing that could be told"


def test_an_evaluation_without_extras() -> None:
    report = _report(reliability=[], confusion={}, worst=[])
    del report["figures"]["against"], report["figures"]["attacks"]
    text = evaluation_page.page(report)
    assert "Attacks" not in text
    assert "differ" not in text


def test_a_dot_stands_where_its_numbers_say() -> None:
    svg = evaluation_page.reliability([{"low": 0.5, "high": 0.6, "n": 1, "confidence": 0.5, "right": 1.0}])
    x, y = map(float, re.findall(r'<circle class="dot" cx="([\d.]+)" cy="([\d.]+)"', svg)[0])
    assert (x, y) == (36 + 130, 276 - 260)


@pytest.mark.parametrize(("value", "interval", "text"), [(None, None, "–"), (0.5, None, "0.500")])
def test_what_has_no_interval(value: float | None, interval: None, text: str) -> None:
    assert evaluation_page.ranged(value, interval) == text


def test_money() -> None:
    assert evaluation_page.figure({"cost_usd": None}, "cost_usd") == "unknown"
    assert evaluation_page.figure({"cost_usd": 0.0125}, "cost_usd") == "$0.0125"
