"""Plots hold what they were given, and nothing that came from a file gets out of its text."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

from tierwise.cli import evaluation_plots

EVIL = '"><script>alert(1)</script>'
POINTS = [{"score": 90.0, "recall": 0.5, "precision": 1.0}, {"score": 20.0, "recall": 1.0, "precision": 0.25}]


def group(value: float | None, interval: list[float] | None) -> dict[str, Any]:
    return {"n": 9, "precision": value, "intervals": {"precision": interval}}


def test_the_curve_goes_through_every_point_and_the_dot_is_the_decision() -> None:
    told = {"base_rate": 0.25, "precision": 0.8, "recall": 0.5}
    text = evaluation_plots.precision_recall(POINTS, told)
    ElementTree.fromstring(text)
    assert 'points="166.0,16.0 296.0,211.0"' in text
    assert 'cx="166.0" cy="68.0"' in text


def test_where_nothing_was_predicted_there_is_no_dot() -> None:
    text = evaluation_plots.precision_recall([], {"base_rate": None, "precision": None, "recall": 0.0})
    ElementTree.fromstring(text)
    assert "<circle" not in text


def test_groups_are_rows_with_their_intervals() -> None:
    text = evaluation_plots.ranges(
        {EVIL: group(0.5, [0.25, 0.75]), "none": group(None, None), "alone": group(1.0, None)}, name="precision"
    )
    ElementTree.fromstring(text)
    assert "<script" not in text
    assert text.count("<circle") == 2
    assert text.count('class="whisker"') == 1
    assert 'x1="195.0"' in text
    assert "–" in text


def test_a_plot_stays_readable_however_many_groups_there_are() -> None:
    text = evaluation_plots.ranges({f"group {n}": group(0.5, None) for n in range(60)}, name="precision")
    assert len(re.findall("<circle", text)) == 15
