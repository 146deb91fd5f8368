"""The org as a rep sees it: the list of leads and a lead, with the Tierwise fields on the same card as the portal's.

Plain HTML without scripts; every value is escaped here or in the parts that both CRMs share.
"""

from __future__ import annotations

from html import escape
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tierwise_sandbox import card, listing
from tierwise_sandbox.page_frame import framed, html, shown_value
from tierwise_sandbox.salesforce import loading, spelling, values
from tierwise_sandbox.salesforce.fields import Field
from tierwise_sandbox.salesforce.org import ADMIN, Org
from tierwise_sandbox.salesforce.records import Row
from tierwise_sandbox.salesforce.refusals import Refusal

_MAX_FORM = 10_000
_PORTAL_NAMES = {ours: theirs for theirs, ours in loading.NAMES.items()}
_SYSTEM = ("Id", "IsDeleted", "CreatedById", "LastModifiedById", "SystemModstamp", "Name", "Description")


class Pages:
    """Handlers over one org."""

    def __init__(self, org: Org) -> None:
        self.org = org

    def routes(self) -> list[Route]:
        return [
            Route("/", self.home, methods=["GET"]),
            Route("/leads", self.leads, methods=["GET"]),
            Route("/leads/{key}", self.lead, methods=["GET"]),
            Route("/leads/{key}", self.save, methods=["POST"]),
        ]

    async def home(self, _request: Request) -> Response:
        return RedirectResponse("/leads", 303)

    async def leads(self, request: Request) -> Response:
        """Newest change first; `?page=N&tier=A`."""
        rows = [row for row in self.org.records.window("Lead", None, None) if not row.deleted]
        entries = [listing.Entry(f"/leads/{row.id}", held(row)) for row in reversed(rows)]
        return html(framed("Leads", listing.render("Leads", "/leads", entries, request.query_params), home="/leads"))

    async def lead(self, request: Request) -> Response:
        row = self._row(request)
        if row is None:
            return html(_not_found(), 404)
        return html(self._page(row, notice="Saved." if "saved" in request.query_params else ""))

    async def save(self, request: Request) -> Response:
        """The rep's two fields; the change is an edit by a person, as from any CRM form."""
        row = self._row(request)
        if row is None:
            return html(_not_found(), 404)
        if request.headers.get("origin") not in {None, f"http://{request.headers.get('host')}"}:
            return html(self._page(row, error="This form was sent from another site."), 403)
        raw = await request.body()
        form = parse_qs(raw[:_MAX_FORM].decode("utf-8", "replace"), keep_blank_values=True)
        known = self.org.schema.every("Lead")
        try:
            given = {
                field.name: values.check(field, value == "true" if field.type == "boolean" else value)
                for name, value in card.form_values(self._definitions(), form).items()
                for field in known.values()
                if _own_name(field.name) == name
            }
        except Refusal as refusal:
            return html(self._page(row, error=refusal.message), 400)
        latest = self.org.records.latest(row.id) or row
        new = Row("Lead", row.id, {**latest.values, **given})
        written = self.org.records.put(new, by=ADMIN, delay=self.org.switches.commit_delay())
        self.org.records.note(written, given, by="person", changed=True)
        return RedirectResponse(f"/leads/{row.id}?saved=1", 303)

    def _row(self, request: Request) -> Row | None:
        row = self.org.records.get(request.path_params["key"])
        return row if row is not None and row.kind == "Lead" and not row.deleted else None

    def _definitions(self) -> list[dict[str, Any]]:
        fields = self.org.schema.every("Lead").values()
        return [_definition(field) for field in fields if field.name.startswith("Tierwise_")]

    def _page(self, row: Row, *, notice: str = "", error: str = "") -> str:
        shown = held(row)
        name = listing.name(shown)
        about = " · ".join(part for part in (shown.get("jobtitle"), shown.get("company")) if part)
        told = f'<p class="notice" role="status">{escape(notice)}</p>' if notice else ""
        told += f'<p class="error" role="alert">{escape(error)}</p>' if error else ""
        said = ""
        if text := escape(shown.get("message", "")):
            said = f'<section class="card"><h2>Description</h2><p class="message">{text}</p></section>'
        body = f"""
<nav aria-label="Breadcrumb"><a href="/leads">Leads</a></nav>
<header class="record"><div class="face" aria-hidden="true">{escape(listing.initials(name))}</div>
<div><h1>{escape(name)}</h1><p class="quiet">{escape(about) or "No title or company"}</p></div></header>
{told}
<div class="columns">
<div class="main">{card.render(shown, self._definitions(), f"/leads/{row.id}")}{said}</div>
<div class="side">{self._details(row)}</div>
</div>"""
        return framed(name, body, home="/leads")

    def _details(self, row: Row) -> str:
        rows = []
        for field in self.org.schema.every("Lead").values():
            value = row.values.get(field.name)
            if value is None or field.name in _SYSTEM or field.name.startswith("Tierwise_"):
                continue
            owner = self.org.records.get(value) if field.relationship else None
            text = str(owner.values.get("Name") or value) if owner else _text(field, value)
            rows.append(f"<dt>{escape(field.label)}</dt><dd>{shown_value(_definition(field), text)}</dd>")
        return f'<section class="card"><h2>Details</h2><dl>{"".join(rows)}</dl></section>'


def held(row: Row) -> dict[str, str]:
    """A lead's values under the names that the shared parts of the pages know."""
    shown = {"hs_object_id": row.id, "lastmodifieddate": str(row.stamp)}
    for name, value in row.values.items():
        if value is None:
            continue
        known = _own_name(name) if name.startswith("Tierwise_") else _PORTAL_NAMES.get(name)
        if known:
            shown[known] = spelling.moment(value) if name == "Tierwise_Scored_At__c" else _plain(value)
    return shown


def _own_name(name: str) -> str:
    """Tierwise_Scored_At__c -> tierwise_scored_at."""
    return name.removesuffix("__c").lower()


def _definition(field: Field) -> dict[str, Any]:
    """A field as the shared parts of the pages know definitions."""
    return {
        "name": _own_name(field.name),
        "label": field.label,
        "type": "datetime" if field.type == "datetime" else "string",
        "fieldType": "checkbox" if field.type == "multipicklist" else field.type,
        "options": [{"value": value, "label": label} for value, label in field.options],
    }


def _text(field: Field, value: Any) -> str:
    return spelling.moment(value) if field.type == "datetime" else _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _not_found() -> str:
    body = '<h1>No such lead</h1><p>It may have been merged or deleted. <a href="/leads">All leads</a></p>'
    return framed("Not found", body, home="/leads")
