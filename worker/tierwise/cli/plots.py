"""Plots as inline SVG, in the style of `pages`: no script, every number also in words beside them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

LEFT, RIGHT, WIDTH = 56, 16, 440
_PLACES = ((1, "1 s"), (10, "10 s"), (60, "1 min"), (300, "5 min"), (3600, "1 h"), (86_400, "1 d"), (604_800, "1 w"),
           (2_592_000, "30 d"), (31_536_000, "1 y"))  # fmt: skip
_DASHES = ("", "6 3", "2 3", "8 3 2 3", "1 4")


def growth(
    curves: Mapping[str, Sequence[Sequence[float]]], *, marks: Mapping[str, float] | None = None, what: str
) -> str:
    """Shares that have happened (upwards) after so long (across, logarithmic); `curves`: name -> (seconds, share)."""
    height, top, bottom = 240, 24, 204
    marks = marks or {}
    times = [max(1.0, seconds) for points in curves.values() for seconds, _ in points] + list(marks.values())
    axis = _Time(min(times, default=1.0), max(times, default=3600.0))

    def up(share: float) -> float:
        return bottom - (bottom - top) * share

    lines, names = [], []
    for number, (name, points) in enumerate(curves.items()):
        # A step: nothing happens between two moments.
        path, share = f"M{LEFT},{up(0):.1f}", 0.0
        for seconds, now in points:
            x = axis.at(max(1.0, seconds))
            path += f"L{x:.1f},{up(share):.1f}L{x:.1f},{up(now):.1f}"
            share = now
        path += f"L{WIDTH - RIGHT},{up(share):.1f}"
        dashes = _DASHES[number % len(_DASHES)]
        lines.append(f'<path class="curve" d="{path}" stroke-dasharray="{dashes}"><title>{escape(name)}</title></path>')
        if len(curves) > 1:
            names.append(_text(WIDTH - RIGHT - 2, up(share) - 4, name, anchor="end"))
    drawn = "".join(
        f'<line class="mark" x1="{axis.at(at):.1f}" x2="{axis.at(at):.1f}" y1="{top}" y2="{bottom}"/>'
        + _text(axis.at(at), top - 8, name, anchor="middle")
        for name, at in marks.items()
    )
    grid = "".join(
        f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{up(share):.1f}" y2="{up(share):.1f}"/>'
        + _text(LEFT - 6, up(share) + 4, f"{share:.0%}", anchor="end")
        for share in (0, 0.5, 1)
    )
    return _svg(height, what, grid + axis.ticks(bottom) + drawn + "".join(lines) + "".join(names))


def spreads(rows: Sequence[Mapping[str, Any]], *, what: str) -> str:
    """By name: the middle half as a bar, the median as a dot; what was not reached ends at the edge."""
    rows = [row for row in rows if row["p25"] is not None]
    if not rows:
        return ""
    times = [max(1.0, row[key]) for row in rows for key in ("p25", "median", "p75") if row[key] is not None]
    axis = _Time(min(times), max(times))
    parts = []
    for number, row in enumerate(rows):
        y = 18 + 26 * number
        end = axis.at(max(1.0, row["p75"])) if row["p75"] is not None else WIDTH - RIGHT
        parts.append(_text(LEFT - 6, y + 4, str(row["name"]), anchor="end"))
        parts.append(
            f'<line class="whisker" x1="{axis.at(max(1.0, row["p25"])):.1f}" x2="{end:.1f}" y1="{y}" y2="{y}"/>'
        )
        if row["median"] is not None:
            parts.append(f'<circle class="dot" cx="{axis.at(max(1.0, row["median"])):.1f}" cy="{y}" r="5"/>')
    bottom = 18 + 26 * len(rows)
    return _svg(bottom + 34, what, axis.ticks(bottom) + "".join(parts))


def shares(rows: Sequence[tuple[str, Mapping[str, Any]]], *, what: str) -> str:
    """By name: a share as a dot with its interval as a line, 0 to 100 %; what is of nothing is left out."""
    rows = [(name, found) for name, found in rows if found["value"] is not None]
    if not rows:
        return ""
    left = 150
    span = WIDTH - RIGHT - left
    parts = []
    for number, (name, found) in enumerate(rows):
        y = 18 + 26 * number
        low, high = found["interval"]
        said = f"{name}: {found['hits']} of {found['n']}, {found['value']:.0%} ({low:.0%} to {high:.0%})"
        parts.append(
            _text(left - 8, y + 4, _short(name), anchor="end")
            + f'<line class="whisker" x1="{left + span * low:.1f}" x2="{left + span * high:.1f}" y1="{y}" y2="{y}"/>'
            f'<circle class="dot" cx="{left + span * found["value"]:.1f}" cy="{y}" r="5"><title>{escape(said)}</title>'
            "</circle>"
        )
    bottom = 18 + 26 * len(rows)
    ticks = "".join(
        f'<line class="axis" x1="{left + span * at:.1f}" x2="{left + span * at:.1f}" y1="6" y2="{bottom}"/>'
        + _text(left + span * at, bottom + 16, f"{at:.0%}", anchor="middle")
        for at in (0, 0.25, 0.5, 0.75, 1)
    )
    return _svg(bottom + 26, what, ticks + "".join(parts))


def bars(days: Sequence[Mapping[str, Any]], *, what: str) -> str:
    """A bar for every day; nothing where there is nothing to show."""
    if not any(day["n"] for day in days):
        return ""
    top, bottom = 16, 130
    most = max(day["n"] for day in days)
    room = (WIDTH - RIGHT - LEFT) / len(days)
    parts = []
    for number, day in enumerate(days):
        height = (bottom - top) * day["n"] / most
        parts.append(
            f'<rect class="bar" x="{LEFT + room * number + room * 0.1:.1f}" y="{bottom - height:.1f}"'
            f' width="{room * 0.8:.1f}" height="{height:.1f}"><title>{escape(str(day["day"]))}: {day["n"]}</title>'
            "</rect>"
        )
    grid = "".join(
        f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
        + _text(LEFT - 6, y + 4, str(count), anchor="end")
        for y, count in ((bottom, 0), (top, most))
    )
    ends = _text(LEFT, bottom + 16, str(days[0]["day"]))
    if len(days) > 1:
        ends += _text(WIDTH - RIGHT, bottom + 16, str(days[-1]["day"]), anchor="end")
    return _svg(bottom + 24, what, grid + "".join(parts) + ends)


class _Time:
    """Seconds across, logarithmic."""

    def __init__(self, least: float, most: float) -> None:
        least, most = max(1.0, least), max(1.0, most)
        # Whole marks at both ends, so that a reader has something to hold on to.
        self._low = math.log(max((at for at, _ in _PLACES if at <= least), default=1))
        self._high = math.log(min((at for at, _ in _PLACES if at > most), default=most * 2))

    def at(self, seconds: float) -> float:
        share = (math.log(seconds) - self._low) / (self._high - self._low)
        return LEFT + (WIDTH - RIGHT - LEFT) * min(1.0, max(0.0, share))

    def ticks(self, bottom: float) -> str:
        return "".join(
            f'<line class="axis" x1="{self.at(at):.1f}" x2="{self.at(at):.1f}" y1="{bottom}" y2="{bottom + 4}"/>'
            + _text(self.at(at), bottom + 18, name, anchor="middle")
            for at, name in _PLACES
            if self._low - 1e-9 <= math.log(at) <= self._high + 1e-9
        )


def _svg(height: float, what: str, inside: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" role="img" aria-label="{escape(what)}">{inside}</svg>'
    )


def _text(x: float, y: float, text: str, *, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _short(name: str) -> str:
    return name if len(name) <= 21 else f"{name[:20]}…"
