"""Plots of the evaluation's report that need no script: what taking more leads would give, and figures by segment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

_SIZE, _LEFT, _BOTTOM = 260, 36, 276
_ROW, _NAMES, _WIDTH = 24, 130, 260
_MOST = 15
"""Segments drawn; the table has all."""


def precision_recall(points: Sequence[Mapping[str, float]], decided: Mapping[str, Any]) -> str:
    """Recall across, precision upwards; the dot is where the policy stands, review counted as not predicted."""

    def place(recall: float, precision: float) -> tuple[float, float]:
        return _LEFT + _SIZE * recall, _BOTTOM - _SIZE * precision

    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(item["recall"], item["precision"]) for item in points))
    base = decided["base_rate"] or 0.0
    dot = ""
    if decided["precision"] is not None and decided["recall"] is not None:
        x, y = place(decided["recall"], decided["precision"])
        dot = (
            f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="6"><title>precision {decided["precision"]:.2f},'
            f" recall {decided['recall']:.2f}</title></circle>"
        )
    floor = _BOTTOM - _SIZE * base
    return (
        '<svg viewBox="-14 0 334 310" width="334" role="img" aria-label="Precision and recall">'
        f'<rect class="axis" x="{_LEFT}" y="{_BOTTOM - _SIZE}" width="{_SIZE}" height="{_SIZE}"/>'
        f'<line class="ideal" x1="{_LEFT}" y1="{floor:.1f}" x2="{_LEFT + _SIZE}" y2="{floor:.1f}"/>'
        f'<polyline class="curve" points="{line}"/>{dot}{_ticks()}'
        f'<text x="{_LEFT + _SIZE / 2:.0f}" y="306" text-anchor="middle">recall</text>'
        f'<text x="0" y="{_BOTTOM - _SIZE / 2:.0f}" text-anchor="middle"'
        f' transform="rotate(-90 0 {_BOTTOM - _SIZE / 2:.0f})">precision</text></svg>'
    )


def ranges(groups: Mapping[str, Mapping[str, Any]], *, name: str) -> str:
    """One row a group: the figure as a dot, its interval as a line; a group without the figure shows a dash."""
    shown = list(groups.items())[:_MOST]
    parts = [
        f'<line class="axis" x1="{_NAMES + _WIDTH * t:.0f}" y1="0" x2="{_NAMES + _WIDTH * t:.0f}"'
        f' y2="{_ROW * len(shown)}"/><text x="{_NAMES + _WIDTH * t:.0f}" y="{_ROW * len(shown) + 16}"'
        f' text-anchor="middle">{t:g}</text>'
        for t in (0, 0.5, 1)
    ]
    for row, (group, item) in enumerate(shown):
        y = _ROW * (row + 0.5)
        label = group if len(group) <= 18 else f"{group[:17]}…"
        parts.append(f'<text x="{_NAMES - 8}" y="{y + 4:.0f}" text-anchor="end">{escape(label)}</text>')
        value, interval = item[name], item["intervals"].get(name)
        if value is None:
            parts.append(f'<text x="{_NAMES + 6}" y="{y + 4:.0f}" class="soft">–</text>')
            continue
        if interval:
            low, high = (_NAMES + _WIDTH * end for end in interval)
            parts.append(f'<line class="whisker" x1="{low:.1f}" y1="{y:.0f}" x2="{high:.1f}" y2="{y:.0f}"/>')
        parts.append(
            f'<circle class="dot" cx="{_NAMES + _WIDTH * value:.1f}" cy="{y:.0f}" r="5">'
            f"<title>{item['n']} leads: {value:.3f}</title></circle>"
        )
    width, height = _NAMES + _WIDTH + 20, _ROW * len(shown) + 22
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" aria-label="{escape(name)} by group">'
        + "".join(parts)
        + "</svg>"
    )


def _ticks() -> str:
    return "".join(
        f'<text x="{_LEFT + _SIZE * t:.0f}" y="{_BOTTOM + 16}" text-anchor="middle">{t:g}</text>'
        f'<text x="{_LEFT - 6}" y="{_BOTTOM - _SIZE * t + 4:.0f}" text-anchor="end">{t:g}</text>'
        for t in (0, 0.5, 1)
    )
