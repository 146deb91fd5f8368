"""HTML files as this program writes them: one file, no script, no address, readable in the dark and on paper.

Whatever is not markup of ours is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

_STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#667;--line:#d5dae0;--back:#fff;--mark:27,94,168;
--good:#176b2c;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ec;--soft:#9aa4ad;--line:#3a424a;--back:#15191d;--mark:110,170,240;
--good:#7bd88f;--bad:#ff8a80}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back);max-width:60rem;margin:2rem auto;
padding:0 1rem}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}p{color:var(--soft)}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--line);overflow-wrap:break-word}
thead th{font-weight:600}figure{margin:1rem 0}figcaption{color:var(--soft)}svg{max-width:100%;height:auto}
svg text{fill:var(--ink);font:12px system-ui,sans-serif}svg .axis{stroke:var(--line);fill:none}
svg .ideal{stroke:var(--soft);stroke-dasharray:4 4}svg .dot{fill:rgb(var(--mark));stroke:var(--back)}
svg .curve{stroke:rgb(var(--mark));fill:none}
.plots{display:flex;flex-wrap:wrap;gap:0 2rem}.plots figure{max-width:26rem}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(13rem,1fr));gap:1rem;margin:1.5rem 0}
.tile{border:1px solid var(--line);border-radius:.5rem;padding:.8rem 1rem}
.tile b{display:block;font-size:1.5rem;line-height:1.3}.tile span,.tile small{display:block;color:var(--soft)}
.met{color:var(--good)}.missed{color:var(--bad)}.unknown{color:var(--soft);font-style:italic}
svg .mark{stroke:var(--bad);stroke-dasharray:3 3}svg .bar{fill:rgb(var(--mark))}
svg .whisker{stroke:rgb(var(--mark));stroke-width:2}svg .soft{fill:var(--soft)}
.wide{font-size:13px}.wide th,.wide td{padding:.3rem .35rem}
@media(max-width:40rem){table{display:block;overflow-x:auto}}
@media print{:root{--ink:#000;--soft:#444;--line:#bbb;--back:#fff;--mark:27,94,168;--good:#176b2c;--bad:#a11}
body{max-width:none;margin:0;font-size:11px}h2,p{break-after:avoid}table,figure,.tile{break-inside:avoid}}
"""


_MANY = 8
"""More columns than this are set smaller, so that the last one stays on the page."""


def document(title: str, body: str) -> str:
    """One HTML file in the report's style; `body` is HTML."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>{body}</body></html>\n"
    )


def plot(caption: str, svg: str) -> str:
    """A plot with what it shows."""
    return f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>"


def table(columns: Iterable[Any], rows: Iterable[Iterable[Any]]) -> str:
    """A table; what is None shows a dash."""
    columns = list(columns)
    head = "".join(f"<th>{escape(str(column))}</th>" for column in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape('–' if cell is None else str(cell))}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    shape = " class=wide" if len(columns) > _MANY else ""
    return f"<table{shape}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
