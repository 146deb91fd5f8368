"""The portal as a rep sees it: a list of contacts and a record, with the Tierwise fields on a card of their own.

Plain HTML without scripts; every value is escaped here, and only here.
"""

from __future__ import annotations

import re
from html import escape
from urllib.parse import parse_qs, quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from tierwise_sandbox import card
from tierwise_sandbox.page_frame import CSP, framed, shown_moment, shown_value
from tierwise_sandbox.portal import Portal
from tierwise_sandbox.refusals import Refusal
from tierwise_sandbox.store import Record, Write

PER_PAGE = 50
_MAX_FORM = 10_000


class Pages:
    """Handlers over one portal."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal

    def routes(self) -> list[Route]:
        return [
            Route("/contacts", self.contacts, methods=["GET"]),
            Route("/contacts/{object_id}", self.contact, methods=["GET"]),
            Route("/contacts/{object_id}", self.save, methods=["POST"]),
        ]

    async def contacts(self, request: Request) -> Response:
        """Newest change first; `?page=N&tier=A`."""
        number = request.query_params.get("page", "1")
        page = max(1, int(number)) if number.isdecimal() and len(number) < 8 else 1
        tier = request.query_params.get("tier", "")
        records = self.portal.store.slice(0, len(self.portal.store))
        counts = dict.fromkeys((*card.TIERS, ""), 0)
        for record in records:
            held = record.properties.get("tierwise_tier", "")
            counts[held if held in counts else ""] += 1
        if tier in card.TIERS:
            records = [record for record in records if record.properties.get("tierwise_tier") == tier]
        pages = max(1, -(-len(records) // PER_PAGE))
        page = min(page, pages)
        rows = "".join(_row(record) for record in records[(page - 1) * PER_PAGE : page * PER_PAGE])
        body = f"""
<h1>Contacts</h1>
{_filters(counts, tier)}
<div class="scroll"><table>
<thead><tr><th scope="col">Name</th><th scope="col">Company</th><th scope="col">Came through</th>
<th scope="col" class="num">Score</th><th scope="col">Tier</th><th scope="col">Status</th>
<th scope="col">Last change</th></tr></thead>
<tbody>{rows or '<tr><td colspan="7" class="quiet">No contacts here.</td></tr>'}</tbody>
</table></div>
{_paging(page, pages, tier)}"""
        return _html(framed("Contacts", body))

    async def contact(self, request: Request) -> Response:
        record = self.portal.store.get(request.path_params["object_id"])
        if record is None:
            return _html(framed("Not found", _NOT_FOUND), 404)
        return _html(self._page(record, notice="Saved." if "saved" in request.query_params else ""))

    async def save(self, request: Request) -> Response:
        """The rep's two fields; the change is an edit by a person, as from any CRM form."""
        record = self.portal.store.get(request.path_params["object_id"])
        if record is None:
            return _html(framed("Not found", _NOT_FOUND), 404)
        if request.headers.get("origin") not in {None, f"http://{request.headers.get('host')}"}:
            return _html(self._page(record, error="This form was sent from another site."), 403)
        raw = await request.body()
        form = parse_qs(raw[:_MAX_FORM].decode("utf-8", "replace"), keep_blank_values=True)
        try:
            values = self.portal.definitions.accept(card.form_values(self.portal.definitions, form))
        except Refusal as refusal:
            return _html(self._page(record, error=refusal.message), 400)
        self.portal.store.update([Write(record.id, values)], by="person")
        return RedirectResponse(f"/contacts/{record.id}?saved=1", 303)

    def _page(self, record: Record, *, notice: str = "", error: str = "") -> str:
        held = record.properties
        name = _name(held)
        about = " · ".join(part for part in (held.get("jobtitle"), held.get("company")) if part)
        message = f'<p class="notice" role="status">{escape(notice)}</p>' if notice else ""
        message += f'<p class="error" role="alert">{escape(error)}</p>' if error else ""
        body = f"""
<nav aria-label="Breadcrumb"><a href="/contacts">Contacts</a></nav>
<header class="record"><div class="face" aria-hidden="true">{escape(_initials(name))}</div>
<div><h1>{escape(name)}</h1><p class="quiet">{escape(about) or "No job title or company"}</p></div></header>
{message}
<div class="columns">
<div class="main">{card.render(record, self.portal.definitions)}{self._message(held)}</div>
<div class="side">{self._properties(held)}</div>
</div>"""
        return framed(name, body)

    @staticmethod
    def _message(held: dict[str, str]) -> str:
        if not held.get("message"):
            return ""
        text = escape(held["message"])
        return (
            f'<section class="card" aria-labelledby="m"><h2 id="m">Message</h2><p class="message">{text}</p></section>'
        )

    def _properties(self, values: dict[str, str]) -> str:
        sections = []
        definitions = self.portal.definitions.properties()
        # What the visitor told us first, then what the CRM keeps about everybody.
        for group in sorted(self.portal.definitions.groups(), key=lambda held: held["name"] != "capture_form"):
            rows = [
                f"<dt>{escape(known['label'])}</dt><dd>{shown_value(known, values[known['name']])}</dd>"
                for known in definitions
                if known["groupName"] == group["name"]
                and values.get(known["name"])
                and known["name"] != "message"
                and not known["name"].startswith("tierwise_")
            ]
            if rows:
                label = escape(group["label"])
                sections.append(f'<section class="card"><h2>{label}</h2><dl>{"".join(rows)}</dl></section>')
        return "".join(sections)


_NOT_FOUND = '<h1>No such contact</h1><p>It may have been merged. <a href="/contacts">All contacts</a></p>'


def _html(page: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(page, status, headers={"Content-Security-Policy": CSP, "Cache-Control": "no-store"})


def _name(held: dict[str, str]) -> str:
    full = f"{held.get('firstname', '')} {held.get('lastname', '')}".strip()
    return full or held.get("email") or held.get("company") or f"Contact {held['hs_object_id']}"


def _initials(name: str) -> str:
    words = re.findall(r"\w+", name)
    return "".join(word[0] for word in words[:2]).upper() or "?"


def _row(record: Record) -> str:
    held = record.properties
    cells = [
        f'<th scope="row"><a href="/contacts/{record.id}">{escape(_name(held))}</a></th>',
        f"<td>{escape(held.get('company', ''))}</td>",
        f"<td>{escape(held.get('lead_touchpoint', ''))}</td>",
        f'<td class="num">{escape(held.get("tierwise_score", ""))}</td>',
        f"<td>{card.tier_badge(held.get('tierwise_tier', ''))}</td>",
        f"<td>{card.status_badge(held.get('tierwise_status', ''))}</td>",
        f"<td>{shown_moment(held['lastmodifieddate'])}</td>",
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _filters(counts: dict[str, int], tier: str) -> str:
    def link(value: str, label: str, count: int) -> str:
        current = ' aria-current="page"' if value == tier else ""
        href = f"/contacts?tier={quote(value)}" if value else "/contacts"
        return f'<li><a href="{href}"{current}>{label} <span class="count">{count:,}</span></a></li>'

    items = link("", "All", sum(counts.values()))
    items += "".join(link(name, f"Tier {name}", counts[name]) for name in card.TIERS)
    return f'<nav class="filters" aria-label="Filter"><ul>{items}</ul></nav>'


def _paging(page: int, pages: int, tier: str) -> str:
    def link(number: int, label: str, relation: str) -> str:
        query = f"page={number}" + (f"&amp;tier={quote(tier)}" if tier else "")
        return f'<a href="/contacts?{query}" rel="{relation}">{label}</a>'

    before = link(page - 1, "Newer", "prev") if page > 1 else ""
    after = link(page + 1, "Older", "next") if page < pages else ""
    return f'<nav class="paging" aria-label="Pages">{before}<span>Page {page} of {pages}</span>{after}</nav>'
