"""Plots: valid SVG, everything inside the frame, every number where it belongs."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise.cli import plots
from tierwise.cli.plots import LEFT, RIGHT, WIDTH

shares = st.floats(0, 1)


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def xs(root: ElementTree.Element) -> list[float]:
    """Every place across."""
    found = [
        float(item.attrib[name]) for item in root.iter() for name in ("x1", "x2", "cx", "x") if name in item.attrib
    ]
    return found + [float(x) for item in root.iter("path") for x in re.findall(r"[ML]([-\d.]+),", item.attrib["d"])]


@given(st.dictionaries(st.text(max_size=5).filter(str.isprintable), st.lists(st.tuples(st.floats(0, 1e9), shares)),
                       min_size=1, max_size=4))  # fmt: skip
def test_curves_stay_in_the_frame(curves: dict[str, list[tuple[float, float]]]) -> None:
    given_ = {name: sorted(points) for name, points in curves.items()}
    root = parsed(plots.growth(given_, marks={"5 min": 300}, what="<x>"))
    assert root.attrib["aria-label"] == "<x>"
    assert all(0 <= x <= WIDTH for x in xs(root))
    assert len(root.findall("path")) == len(curves)


def test_a_curve_rises_in_steps() -> None:
    (path,) = parsed(plots.growth({"": [[60, 0.5], [3600, 1.0]]}, what="x")).findall("path")
    ys = [float(y) for y in re.findall(r",([-\d.]+)", path.attrib["d"])]
    assert ys == sorted(ys, reverse=True)
    assert (ys[0], ys[-1]) == (204.0, 24.0)


def test_a_spread_without_an_end_reaches_the_edge_and_one_without_a_beginning_is_left_out() -> None:
    rows = [
        {"name": "A & B", "p25": 60.0, "median": 120.0, "p75": None},
        {"name": "C", "p25": 60.0, "median": None, "p75": None},
        {"name": "D", "p25": None, "median": None, "p75": None},
    ]
    root = parsed(plots.spreads(rows, what="x"))
    whiskers = [item for item in root.iter("line") if item.attrib["class"] == "whisker"]
    assert [float(item.attrib["x2"]) for item in whiskers] == [WIDTH - RIGHT] * 2
    assert len(root.findall("circle")) == 1
    assert plots.spreads(rows[2:], what="x") == ""


def test_shares_with_their_intervals() -> None:
    known = {"value": 0.5, "interval": [0.25, 0.75], "hits": 2, "n": 4}
    none = {"value": None, "interval": None, "hits": 0, "n": 0}
    root = parsed(plots.shares([("one <", known), ("two", none)], what="x"))
    (dot,) = root.findall("circle")
    (line,) = [item for item in root.iter("line") if item.attrib["class"] == "whisker"]
    middle = (float(line.attrib["x1"]) + float(line.attrib["x2"])) / 2
    assert float(dot.attrib["cx"]) == pytest.approx(middle, abs=0.1)
    assert dot[0].text == "one <: 2 of 4, 50% (25% to 75%)"
    assert plots.shares([("two", none)], what="x") == ""


def test_bars_are_as_high_as_their_days() -> None:
    days = [{"day": "2026-10-01", "n": 2}, {"day": "2026-10-02", "n": 0}, {"day": "2026-10-03", "n": 4}]
    root = parsed(plots.bars(days, what="x"))
    heights = [float(bar.attrib["height"]) for bar in root.iter("rect")]
    assert heights == [57.0, 0.0, 114.0]
    assert all(LEFT <= float(bar.attrib["x"]) <= WIDTH - RIGHT for bar in root.iter("rect"))
    assert plots.bars([{"day": "2026-10-01", "n": 0}], what="x") == ""
