"""The portal as a rep sees it: lists, and a record with the Tierwise fields on a card of their own.

Plain HTML without scripts; every value is escaped here, and only here.
"""

from __future__ import annotations

from html import escape
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tierwise_sandbox import card, kinds, listing
from tierwise_sandbox.page_frame import framed, html, shown_value
from tierwise_sandbox.portal import Portal, Shelf
from tierwise_sandbox.refusals import Refusal
from tierwise_sandbox.store import Record, Write

_MAX_FORM = 10_000


class Pages:
    """Handlers over one portal."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal

    def routes(self) -> list[Route]:
        return [
            route
            for kind in kinds.PAGES
            for route in (
                Route(f"/{kind.name}", self.records, methods=["GET"]),
                Route(f"/{kind.name}/{{object_id}}", self.record, methods=["GET"]),
                Route(f"/{kind.name}/{{object_id}}", self.save, methods=["POST"]),
            )
        ]

    def _shelf(self, request: Request) -> Shelf:
        name = request.url.path.strip("/").split("/")[0]
        return self.portal.shelf(kinds.KINDS[name])

    async def records(self, request: Request) -> Response:
        """Newest change first; `?page=N&tier=A`."""
        shelf = self._shelf(request)
        root, title = f"/{shelf.kind.name}", shelf.kind.title
        entries = [
            listing.Entry(f"{root}/{record.id}", record.properties) for record in shelf.store.slice(0, len(shelf.store))
        ]
        return html(framed(title, listing.render(title, root, entries, request.query_params)))

    async def record(self, request: Request) -> Response:
        shelf = self._shelf(request)
        record = shelf.store.get(request.path_params["object_id"])
        if record is None:
            return html(framed("Not found", _not_found(shelf.kind)), 404)
        return html(self._page(shelf, record, notice="Saved." if "saved" in request.query_params else ""))

    async def save(self, request: Request) -> Response:
        """The rep's two fields; the change is an edit by a person, as from any CRM form."""
        shelf = self._shelf(request)
        record = shelf.store.get(request.path_params["object_id"])
        if record is None:
            return html(framed("Not found", _not_found(shelf.kind)), 404)
        if request.headers.get("origin") not in {None, f"http://{request.headers.get('host')}"}:
            return html(self._page(shelf, record, error="This form was sent from another site."), 403)
        raw = await request.body()
        form = parse_qs(raw[:_MAX_FORM].decode("utf-8", "replace"), keep_blank_values=True)
        try:
            values = shelf.definitions.accept(card.form_values(shelf.definitions.properties(), form))
        except Refusal as refusal:
            return html(self._page(shelf, record, error=refusal.message), 400)
        shelf.store.update([Write(record.id, values)], by="person")
        return RedirectResponse(f"/{shelf.kind.name}/{record.id}?saved=1", 303)

    def _page(self, shelf: Shelf, record: Record, *, notice: str = "", error: str = "") -> str:
        held = record.properties
        name = listing.name(held)
        about = " · ".join(part for part in (held.get("jobtitle"), held.get("company")) if part)
        message = f'<p class="notice" role="status">{escape(notice)}</p>' if notice else ""
        message += f'<p class="error" role="alert">{escape(error)}</p>' if error else ""
        advice = card.render(held, shelf.definitions.properties(), f"/{shelf.kind.name}/{record.id}")
        body = f"""
<nav aria-label="Breadcrumb"><a href="/{shelf.kind.name}">{shelf.kind.title}</a></nav>
<header class="record"><div class="face" aria-hidden="true">{escape(listing.initials(name))}</div>
<div><h1>{escape(name)}</h1><p class="quiet">{escape(about) or _about(held)}</p></div></header>
{message}
<div class="columns">
<div class="main">{advice}{self._message(held)}</div>
<div class="side">{self._properties(shelf, held)}</div>
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

    @staticmethod
    def _properties(shelf: Shelf, values: dict[str, str]) -> str:
        sections = []
        definitions = shelf.definitions.properties()
        # What the visitor told us first, then what the CRM keeps about everybody.
        for group in sorted(shelf.definitions.groups(), key=lambda held: held["name"] != "capture_form"):
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


def _about(held: dict[str, str]) -> str:
    return escape(held.get("domain", "")) or "No job title or company"


def _not_found(kind: kinds.Kind) -> str:
    return (
        f"<h1>No such {kind.singular}</h1><p>It may have been merged. "
        f'<a href="/{kind.name}">All {kind.title.lower()}</a></p>'
    )
