"""The list page of both CRMs: rows, filter by tier, pages. Names of values are those of HubSpot's properties."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from tierwise_sandbox import card
from tierwise_sandbox.page_frame import shown_moment

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of the list."""

    href: str
    held: Mapping[str, str]


def render(title: str, root: str, entries: Sequence[Entry], query: Mapping[str, str]) -> str:
    """The body of the list page at `root`; `query` may ask for `page` and `tier`, and nonsense in it is ignored."""
    number = query.get("page", "1")
    page = max(1, int(number)) if number.isdecimal() and len(number) < 8 else 1
    tier = query.get("tier", "")
    counts = dict.fromkeys((*card.TIERS, ""), 0)
    for entry in entries:
        held = entry.held.get("tierwise_tier", "")
        counts[held if held in counts else ""] += 1
    if tier in card.TIERS:
        entries = [entry for entry in entries if entry.held.get("tierwise_tier") == tier]
    pages = max(1, -(-len(entries) // PER_PAGE))
    page = min(page, pages)
    rows = "".join(_row(entry) for entry in entries[(page - 1) * PER_PAGE : page * PER_PAGE])
    return f"""
<h1>{escape(title)}</h1>
{_filters(root, counts, tier)}
<div class="scroll"><table>
<thead><tr><th scope="col">Name</th><th scope="col">Company</th><th scope="col">Came through</th>
<th scope="col" class="num">Score</th><th scope="col">Tier</th><th scope="col">Status</th>
<th scope="col">Last change</th></tr></thead>
<tbody>{rows or _none(title)}</tbody>
</table></div>
{_paging(root, page, pages, tier)}"""


def name(held: Mapping[str, str]) -> str:
    full = f"{held.get('firstname', '')} {held.get('lastname', '')}".strip()
    named = full or held.get("name") or held.get("hs_lead_name")
    return named or held.get("email") or held.get("company") or held.get("domain") or f"Record {held['hs_object_id']}"


def initials(name: str) -> str:
    words = re.findall(r"\w+", name)
    return "".join(word[0] for word in words[:2]).upper() or "?"


def _none(title: str) -> str:
    return f'<tr><td colspan="7" class="quiet">No {escape(title.lower())} here.</td></tr>'


def _row(entry: Entry) -> str:
    held = entry.held
    cells = [
        f'<th scope="row"><a href="{entry.href}">{escape(name(held))}</a></th>',
        f"<td>{escape(held.get('company', ''))}</td>",
        f"<td>{escape(held.get('lead_touchpoint', ''))}</td>",
        f'<td class="num">{escape(held.get("tierwise_score", ""))}</td>',
        f"<td>{card.tier_badge(held.get('tierwise_tier', ''))}</td>",
        f"<td>{card.status_badge(held.get('tierwise_status', ''))}</td>",
        f"<td>{shown_moment(held.get('lastmodifieddate') or held['hs_lastmodifieddate'])}</td>",
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _filters(root: str, counts: dict[str, int], tier: str) -> str:
    def link(value: str, label: str, count: int) -> str:
        current = ' aria-current="page"' if value == tier else ""
        href = f"{root}?tier={quote(value)}" if value else root
        return f'<li><a href="{href}"{current}>{label} <span class="count">{count:,}</span></a></li>'

    items = link("", "All", sum(counts.values()))
    items += "".join(link(name, f"Tier {name}", counts[name]) for name in card.TIERS)
    return f'<nav class="filters" aria-label="Filter"><ul>{items}</ul></nav>'


def _paging(root: str, page: int, pages: int, tier: str) -> str:
    def link(number: int, label: str, relation: str) -> str:
        query = f"page={number}" + (f"&amp;tier={quote(tier)}" if tier else "")
        return f'<a href="{root}?{query}" rel="{relation}">{label}</a>'

    before = link(page - 1, "Newer", "prev") if page > 1 else ""
    after = link(page + 1, "Older", "next") if page < pages else ""
    return f'<nav class="paging" aria-label="Pages">{before}<span>Page {page} of {pages}</span>{after}</nav>'
