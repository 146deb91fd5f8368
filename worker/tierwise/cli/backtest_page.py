"""The report of `tierwise policy backtest` as one HTML file: no script, no address, nothing of a lead but its id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

_STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#667;--line:#d5dae0;--back:#fff;--mark:27,94,168}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ec;--soft:#9aa4ad;--line:#3a424a;--back:#15191d;--mark:110,170,240}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back);max-width:60rem;margin:2rem auto;
padding:0 1rem}h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}p{color:var(--soft)}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
td.n,th.n{text-align:right}td.moved{background:rgba(var(--mark),.18);font-weight:600}
.beyond{color:var(--ink);border-left:4px solid rgb(var(--mark));padding-left:.6rem}
"""


def page(told: Mapping[str, Any]) -> str:
    """The whole document."""
    before, after, review, cost = told["before"], told["after"], told["review"], told["cost"]
    names = f"{before['version']} ({before['digest'][:12]}) → {after['version']} ({after['digest'][:12]})"
    estimate = "unknown" if cost["estimate_usd"] is None else f"{cost['estimate_usd']:.2f} USD"
    parts = [
        f"<h1>Backtest {escape(names)}</h1>",
        f"<p>{told['leads']} stored leads, {told['replayed']} decided again without asking a model,"
        f" {told['would_need_model']} would need one ({escape(estimate)}), {told['failed']} cannot be decided,"
        f" {told['unreadable']} cannot be read any more. {told['flips']} get another tier or outcome. To people:"
        f" {review['before']} before, {review['after']} after.</p>",
        *(f"<p class=beyond>{escape(sentence)}</p>" for sentence in told["beyond"]),
        *(f"<h2>{title}</h2>{_matrix(told[name])}" for name, title in (("outcomes", "Outcomes"), ("tiers", "Tiers"))),
        "<h2>Reasons that come and go with a flip</h2>",
        _table(["reason", "new", "gone"], [[item["code"], item["new"], item["gone"]] for item in told["reasons"]]),
        f"<h2>Leads that flip ({len(told['flipped'])} of {told['flips']} listed)</h2>",
        _table(
            ["lead", "before", "after", "new reasons", "gone reasons"],
            [
                [item["lead"], _side(item["before"]), _side(item["after"]), ", ".join(item["new_reasons"]),
                 ", ".join(item["gone_reasons"])]
                for item in told["flipped"]
            ],
        ),
        "<h2>By segment</h2>",
        _table(
            ["segment", "value", "leads", "flip", "mean score", "accepted before", "accepted after"],
            [
                [item["segment"], item["value"], item["leads"], item["flips"], f"{item['score_shift']:+g}",
                 item["accepted_before"], item["accepted_after"]]
                for item in told["segments"]
            ],
        ),
        "<h2>Leads that would need a model</h2>",
        f"<p>{escape(', '.join(told['needing_model']) or 'none')}</p>",
        "<h2>Leads that cannot be decided</h2>",
        _table(["lead", "why"], [[item["lead"], item["error"]] for item in told["failures"]]),
    ]  # fmt: skip
    head = f'<meta charset="utf-8"><title>Backtest {escape(names)}</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>\n'


def _matrix(matrix: Mapping[str, Mapping[str, int]]) -> str:
    """From (rows) to (columns); what moved is marked."""
    columns = sorted({to for row in matrix.values() for to in row})
    rows = [[start, *(_Moved(row.get(to, 0)) if to != start else row.get(to, 0) for to in columns)]
            for start, row in matrix.items()]  # fmt: skip
    return _table(["from \\ to", *columns], rows)


class _Moved(int):
    """So many changed from one to another."""


def _table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    listed = list(rows)
    if not listed:
        return "<p>none</p>"
    # Numbers stand under each other, and their head over them.
    kinds = [" class=n" if isinstance(cell, int) else "" for cell in listed[0]]
    head = "".join(f"<th scope=col{kind}>{escape(column)}</th>" for column, kind in zip(columns, kinds, strict=True))
    body = "".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in listed)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: Any) -> str:
    names = [
        name for name, given in (("n", isinstance(value, int)), ("moved", isinstance(value, _Moved) and value)) if given
    ]
    mark = f' class="{" ".join(names)}"' if names else ""
    return f"<td{mark}>{escape(str(value))}</td>"


def _side(side: Mapping[str, Any]) -> str:
    score = "" if side["score"] is None else f" {side['score']}"
    return f"{side['tier'] or '–'} {side['outcome']}{score}"
