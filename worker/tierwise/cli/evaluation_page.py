"""The report of `tierwise eval` as one HTML file: no script, no address, plots as inline SVG.

Everything that came from a file is escaped. Leads appear by id and label only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from tierwise.cli import evaluation_plots
from tierwise.cli.pages import document, plot, table
from tierwise.domain.aims import Aim

ROWS = (
    "n", "base_rate", "precision", "recall", "f1", "auc", "ece", "brier", "confidence_auc", "review_rate", "cost_usd",
)  # fmt: skip
SEGMENT_ROWS = ("n", "base_rate", "precision", "recall", "f1", "auc", "ece", "review_rate", "cost_usd")
SEGMENT_NAMES = ("n", "base rate", "precision", "recall", "F1", "AUC", "ECE", "review rate", "cost")
REASON_NAMES = ("reason code", "leads", "share positive", "precision", "recall", "review rate")
_INTERVAL = re.compile(r"\[-?\d[\d.]*, -?\d[\d.]*\]")
"""A line breaks before an interval, not within."""
AIM_NAMES = ("figure", "aim", "measured", "")
_DIFFER = 200
"""Differing leads listed at most."""


def page(report: Mapping[str, Any]) -> str:
    """The whole document."""
    figures = report["figures"]
    others = [figures["against"]] if "against" in figures else []
    parts = [
        f"<h1>Evaluation of {escape(report['name'])}</h1>",
        f"<p>{figures['n']} leads of {escape(report['file'])}, labelled in {escape(report['label'])}. Intervals are"
        " 95 % (Wilson; Hanley and McNeil for the AUC). Leads in review count as not predicted. These figures describe"
        " this file; they permit no automation.</p>",
        table(
            ["", report["name"], *(item["name"] for item in others)],
            [[name, *(figure(item, name) for item in (figures, *others))] for name in ROWS],
        ),
        "<h2>Aims</h2>",
        "<p>Precision and recall as agreed in the rubric; the rest is what Tierwise promises.</p>",
        table(AIM_NAMES, [of_aim(item) for item in report["aims"]]),
        "<div class=plots>",
        plot("Reliability: what was stated, and how often it was right", reliability(report["reliability"])),
        plot(
            "Precision and recall if leads were taken from each score on; the dot is what was decided",
            evaluation_plots.precision_recall(report["precision_recall"], figures),
        ),
        plot("Labels (rows) and tiers (columns)", confusion(report["confusion"])),
        *(
            plot(
                f"Cross-fitted on these labels, {name}: ECE {ranged(item['ece'], None)},"
                f" Brier {ranged(item['brier'], None)}",
                reliability(item["reliability"]),
            )
            for name in ("before", "after")
            if (item := (figures.get("calibration") or {}).get(name))
        ),
        "</div>",
        f"<h2>By {escape(report['segment'])}</h2>",
        "<div class=plots>",
        *(
            plot(f"{name.capitalize()} with 95 % intervals", evaluation_plots.ranges(figures["per_segment"], name=name))
            for name in ("precision", "recall")
        ),
        "</div>",
        table(
            ["segment", *SEGMENT_NAMES],
            [[name, *(figure(item, key) for key in SEGMENT_ROWS)] for name, item in figures["per_segment"].items()],
        ),
        "<h2>By reason code: the leads that carry it</h2>",
        table(REASON_NAMES, [of_reason(item) for item in figures["per_reason"]]),
    ]
    for other in others:
        parts += [
            "<h2>Leads that differ</h2>",
            f"<p>Only the first is right on {other['only_first_right']} leads, only the second on"
            f" {other['only_second_right']} (exact McNemar p = {other['p']:.3f}).</p>",
            table(*differing(other)),
        ]
    if "attacks" in figures:
        parts += ["<h2>Attacks</h2>", table(list(figures["attacks"]), [list(figures["attacks"].values())])]
        if report["worst"]:
            parts.append(
                table(["text", "kind", "leads"], [[i["text"][:300], i["kind"], i["leads"]] for i in report["worst"]])
            )
    return document("Evaluation", _INTERVAL.sub(lambda found: found[0].replace(" ", "\u00a0"), "".join(parts)))


def figure(item: Mapping[str, Any], name: str) -> str:
    """One figure for people, with its interval where it has one."""
    value = item[name]
    if name == "n":
        return str(value)
    if name == "cost_usd":
        return "unknown" if value is None else f"${value:.4f}"
    return ranged(value, item["intervals"].get(name))


def of_reason(item: Mapping[str, Any]) -> list[Any]:
    """One reason code under `REASON_NAMES`."""
    rows = ("precision", "recall", "review_rate")
    positive = ranged(item["precision"], item["interval"])
    return [item["code"], item["n"], positive, *(figure(item["figures"], name) for name in rows)]


def of_aim(item: Aim) -> list[Any]:
    """One aim under `AIM_NAMES`."""
    return [item.name, item.said, ranged(item.measured, item.interval), item.verdict]


def ranged(value: float | None, interval: Sequence[float] | None) -> str:
    """0.812 [0.750, 0.861], or a dash where there is nothing to divide."""
    if value is None:
        return "–"
    return f"{value:.3f}" + (f" [{interval[0]:.3f}, {interval[1]:.3f}]" if interval else "")


def differing(other: Mapping[str, Any]) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows of the leads on which two runs differ."""
    columns = ["id", "label", "first: tier", "score", "outcome", "second: tier", "score", "outcome"]
    rows = [
        [item["id"], item["label"], *(item[run][key] for run in ("first", "second") for key in _SIDE)]
        for item in other["differ"][:_DIFFER]
    ]
    return columns, rows


_SIDE = ("tier", "score", "outcome")


def reliability(bins: Sequence[Mapping[str, Any]]) -> str:
    """Stated confidence across, share that was right upwards; a dot's area is the number of leads."""
    size, left, bottom = 260, 36, 276

    def place(item: Mapping[str, Any]) -> tuple[float, float]:
        return left + size * item["confidence"], bottom - size * item["right"]

    most = max((item["n"] for item in bins), default=1)
    dots = "".join(
        f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="{3 + 9 * (item["n"] / most) ** 0.5:.1f}">'
        f"<title>{item['n']} leads: stated {item['confidence']:.2f}, right {item['right']:.2f}</title></circle>"
        for item in bins
        for x, y in [place(item)]
    )
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(place, bins))
    ticks = "".join(
        f'<text x="{left + size * t:.0f}" y="{bottom + 16}" text-anchor="middle">{t:g}</text>'
        f'<text x="{left - 6}" y="{bottom - size * t + 4:.0f}" text-anchor="end">{t:g}</text>'
        for t in (0, 0.5, 1)
    )
    return (
        f'<svg viewBox="-14 0 334 310" width="334" role="img" aria-label="Reliability diagram">'
        f'<rect class="axis" x="{left}" y="{bottom - size}" width="{size}" height="{size}"/>'
        f'<line class="ideal" x1="{left}" y1="{bottom}" x2="{left + size}" y2="{bottom - size}"/>'
        f'<polyline class="curve" points="{line}"/>{dots}{ticks}'
        f'<text x="{left + size / 2:.0f}" y="306" text-anchor="middle">stated confidence</text>'
        f'<text x="0" y="{bottom - size / 2:.0f}" text-anchor="middle"'
        f' transform="rotate(-90 0 {bottom - size / 2:.0f})">share right</text></svg>'
    )


def confusion(counts: Mapping[str, Mapping[str, int]]) -> str:
    """Labels down, tiers across; darker is a larger share of its label."""
    if not counts:
        return ""
    cell, left, top = 52, 110, 26
    tiers = list(next(iter(counts.values())))
    parts = [
        f'<text x="{left + cell * (n + 0.5):.0f}" y="16" text-anchor="middle">{escape(tier)}</text>'
        for n, tier in enumerate(tiers)
    ]
    for row, (label, found) in enumerate(counts.items()):
        total = sum(found.values()) or 1
        y = top + cell * row
        parts.append(f'<text x="{left - 8}" y="{y + cell / 2 + 4:.0f}" text-anchor="end">{escape(label[:16])}</text>')
        for n, tier in enumerate(tiers):
            x = left + cell * n
            parts.append(
                f'<rect x="{x}" y="{y}" width="{cell}" height="{cell}" class="axis"'
                f' style="fill:rgba(var(--mark),{0.75 * found[tier] / total:.2f})"/>'
                f'<text x="{x + cell / 2:.0f}" y="{y + cell / 2 + 4:.0f}" text-anchor="middle">{found[tier]}</text>'
            )
    width, height = left + cell * len(tiers) + 2, top + cell * len(counts) + 2
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" aria-label="Confusion of labels and tiers">'
        + "".join(parts)
        + "</svg>"
    )
