"""The frame of every page: head, style sheet, and how single values look. No script, no outside resource."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from starlette.responses import HTMLResponse

from tierwise_sandbox import moments

CSP = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


def framed(title: str, body: str, *, home: str = "/contacts") -> str:
    """A whole page; `home` is where its brand leads to."""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)} · Sandbox CRM</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{_STYLE}</style></head>
<body><a class="skip" href="#content">Skip to content</a>
<div class="bar"><a class="brand" href="{home}">Sandbox CRM</a><span>Test data. No real people.</span></div>
<main id="content">{body}</main></body></html>"""


def html(page: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(page, status, headers={"Content-Security-Policy": CSP, "Cache-Control": "no-store"})


def shown_moment(text: str) -> str:
    """An ISO moment as `21 Nov 2026, 08:15 UTC`; anything else as it is."""
    milliseconds = moments.parse(text)
    if milliseconds is None:
        return escape(text)
    spoken = moments.spoken(milliseconds)
    return f'<time datetime="{moments.iso(milliseconds)}">{spoken}</time>'


def shown_value(definition: Mapping[str, Any], value: str) -> str:
    """A property's value for reading: option labels, moments, everything else as text."""
    if definition["type"] == "datetime":
        return shown_moment(value)
    labels = {option["value"]: option["label"] for option in definition["options"]}
    parts = value.split(";") if definition["fieldType"] == "checkbox" else [value]
    return escape(", ".join(labels.get(part, part) for part in parts))


_STYLE = """
:root{--ink:#1d2733;--quiet:#5a6776;--line:#dde3ea;--paper:#fff;--ground:#f3f5f8;--link:#0b5cad;
--accent:#0f6b5c;--accent-soft:#e7f4f1}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",
Roboto,"DejaVu Sans",sans-serif}
a{color:var(--link)}a:focus-visible,button:focus-visible,select:focus-visible,input:focus-visible
{outline:3px solid #f0a202;outline-offset:2px}
.skip{position:absolute;left:-9999px}.skip:focus{left:1rem;top:.5rem;background:#fff;padding:.5rem}
.bar{display:flex;gap:1rem;align-items:baseline;background:#24323f;color:#c9d3dd;padding:.7rem 1.5rem;
font-size:.875rem}
.brand{color:#fff;font-weight:650;font-size:1rem;text-decoration:none}
main{max-width:72rem;margin:0 auto;padding:1.5rem}
h1{font-size:1.6rem;line-height:1.25;margin:0}h2{font-size:1.05rem;margin:0 0 .9rem}
h3{font-size:.9rem;margin:1.1rem 0 .35rem;color:var(--quiet)}
.quiet{color:var(--quiet)}.small{font-size:.85rem}
nav[aria-label=Breadcrumb]{font-size:.9rem;margin-bottom:.75rem}
.record{display:flex;gap:1rem;align-items:center;margin-bottom:1.25rem}.record p{margin:.1rem 0 0}
.face{flex:none;width:3.25rem;height:3.25rem;border-radius:50%;display:grid;place-items:center;
background:#d9e2ec;color:#34475a;font-weight:650}
.columns{display:grid;grid-template-columns:minmax(0,3fr) minmax(0,2fr);gap:1.25rem;align-items:start}
.card{background:var(--paper);border:1px solid var(--line);border-radius:.6rem;padding:1.15rem 1.35rem;
margin-bottom:1.25rem;overflow-wrap:anywhere}
.advice{border-top:4px solid var(--accent)}
.figures{display:grid;grid-template-columns:repeat(4,auto);gap:.5rem 1.5rem;justify-content:space-between;
padding:.9rem 1rem;background:var(--accent-soft);border-radius:.5rem;margin-bottom:1rem}
.figure{display:flex;flex-direction:column;gap:.2rem}.label{font-size:.8rem;color:var(--quiet)}
.value{min-height:2.1rem;display:flex;align-items:center;gap:.4rem;font-weight:600}
.score{font-size:1.9rem;line-height:1.1}.of{font-size:.8rem;color:var(--quiet);font-weight:400}
dl{display:grid;grid-template-columns:minmax(7rem,2fr) 3fr;gap:.45rem 1rem;margin:0;font-size:.93rem}
dt{color:var(--quiet)}dd{margin:0}
dl.inline{grid-template-columns:auto 1fr auto 1fr}
.lines{margin:0;padding-left:1.15rem}.lines li{margin:.25rem 0}
.message{white-space:pre-wrap;margin:0}
.badge{display:inline-block;padding:.08rem .6rem;border-radius:1rem;font-weight:650;font-size:.85rem;
background:#e6eaef;color:#2b3947;white-space:nowrap}
.tier-a{background:#0f6b5c;color:#fff}.tier-b{background:#bfe3db;color:#0b4239}
.tier-c{background:#fbe7b2;color:#5a4300}.tier-d{background:#e6eaef;color:#3c4a58}
.status-scored{background:#dcefe0;color:#174a25}.status-in_review{background:#fde5c8;color:#6b3d00}
.status-rejected{background:#f7d9d9;color:#6e1616}.status-not_scorable{background:#e6eaef;color:#3c4a58}
form{display:flex;flex-wrap:wrap;gap:.6rem .9rem;align-items:center;margin-top:1.1rem;padding-top:1rem;
border-top:1px solid var(--line)}
label{display:flex;gap:.5rem;align-items:center}input[type=checkbox]{width:1.1rem;height:1.1rem}
select,button{font:inherit;padding:.35rem .6rem;border-radius:.4rem;border:1px solid #8d9aa8;background:#fff;
color:inherit}
button{background:var(--accent);border-color:var(--accent);color:#fff;padding:.35rem .9rem;font-weight:600;
cursor:pointer}
.notice,.error{padding:.6rem 1rem;border-radius:.5rem;margin:0 0 1rem}
.notice{background:#dcefe0;color:#174a25}.error{background:#f7d9d9;color:#6e1616}
.filters ul{list-style:none;display:flex;flex-wrap:wrap;gap:.4rem;padding:0;margin:1rem 0}
.filters a{display:block;padding:.25rem .8rem;border:1px solid var(--line);border-radius:1rem;background:#fff;
text-decoration:none;font-size:.9rem}
.filters a[aria-current]{background:#24323f;border-color:#24323f;color:#fff}
.count{opacity:.75;font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto;background:var(--paper);border:1px solid var(--line);border-radius:.6rem}
table{border-collapse:collapse;width:100%;font-size:.93rem}
th,td{text-align:left;padding:.55rem .9rem;border-bottom:1px solid var(--line)}
thead th{font-size:.8rem;color:var(--quiet);font-weight:600;white-space:nowrap}
tbody th{font-weight:600}tbody tr:last-child>*{border-bottom:0}tbody tr:hover{background:#f7f9fb}
td time{white-space:nowrap}.num{text-align:right;font-variant-numeric:tabular-nums}
.paging{display:flex;gap:1.25rem;justify-content:center;align-items:center;margin-top:1rem;font-size:.93rem}
@media(max-width:50rem){.columns{grid-template-columns:minmax(0,1fr)}.figures{grid-template-columns:1fr 1fr}
dl.inline{grid-template-columns:auto 1fr}main{padding:1rem}}
"""
