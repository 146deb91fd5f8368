"""The Tierwise card on a record: the advice as a rep reads it, and the two fields that a rep fills in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from tierwise_sandbox.page_frame import shown_moment

TIERS = ("A", "B", "C", "D")
REVIEW, FEEDBACK = "tierwise_request_review", "tierwise_feedback"
_STATUS_WORDS = {
    "scored": "Scored",
    "in_review": "In review",
    "rejected": "Rejected",
    "not_scorable": "Not scorable",
}


def tier_badge(tier: str) -> str:
    if not tier:
        return '<span class="quiet">–</span>'
    kind = f"tier-{tier.lower()}" if tier in TIERS else "plain"
    return f'<span class="badge {kind}">{escape(tier)}</span>'


def status_badge(status: str) -> str:
    if not status:
        return '<span class="quiet">Not scored yet</span>'
    kind = f"status-{status}" if status in _STATUS_WORDS else "plain"
    return f'<span class="badge {kind}">{escape(_STATUS_WORDS.get(status, status))}</span>'


def render(held: Mapping[str, str], definitions: Iterable[Mapping[str, Any]], action: str) -> str:
    """The whole card, its form posting to `action`; it says so when the fields are not there or not filled yet.

    Definitions need name, label, type, fieldType and options; names are those of HubSpot's properties.
    """
    known = {one["name"]: one for one in definitions if one["name"].startswith("tierwise_")}
    if not known:
        inner = '<p class="quiet">The Tierwise fields are not provisioned in this CRM yet.</p>'
    elif not held.get("tierwise_status"):
        inner = '<p class="quiet">Not scored yet.</p>' + _form(held, known, action)
    else:
        inner = _advice(held, known) + _form(held, known, action)
    return f'<section class="card advice" aria-labelledby="t"><h2 id="t">Tierwise</h2>{inner}</section>'


def form_values(definitions: Iterable[Mapping[str, Any]], form: Mapping[str, list[str]]) -> dict[str, str]:
    """What the posted form sets: an unticked box is a value too."""
    known = {held["name"]: held for held in definitions}
    values = {}
    if REVIEW in known:
        on, off = _tick_values(known[REVIEW])
        values[REVIEW] = on if REVIEW in form else off
    if FEEDBACK in known and FEEDBACK in form:
        values[FEEDBACK] = form[FEEDBACK][0]
    return values


def _tick_values(definition: Mapping[str, Any]) -> tuple[str, str]:
    options = [option["value"] for option in definition["options"]]
    on = "true" if "true" in options or not options else options[0]
    return on, "false" if "false" in options else ""


def _advice(held: Mapping[str, str], known: Mapping[str, Mapping[str, Any]]) -> str:
    score = held.get("tierwise_score", "")
    tier = held.get("tierwise_tier", "")
    confidence = held.get("tierwise_confidence", "")
    figures = [
        _figure("Score", f'<strong class="score">{escape(score) or "–"}</strong><span class="of">of 100</span>'),
        _figure("Tier", tier_badge(tier)),
        _figure("Confidence", f"{escape(confidence)} %" if confidence else "–"),
        _figure("Status", status_badge(held["tierwise_status"])),
    ]
    facts = "".join(
        f"<dt>{label}</dt><dd>{escape(_label(known, name, held[name]))}</dd>"
        for name, label in (
            ("tierwise_outcome", "Outcome"),
            ("tierwise_route", "Route"),
            ("tierwise_fit", "Fit"),
            ("tierwise_intent", "Intent"),
        )
        if held.get(name)
    )
    small = " · ".join(
        part
        for part in (
            f"Policy {escape(held['tierwise_policy'])}" if held.get("tierwise_policy") else "",
            f"Scored {shown_moment(held['tierwise_scored_at'])}" if held.get("tierwise_scored_at") else "",
        )
        if part
    )
    return (
        f'<div class="figures">{"".join(figures)}</div><dl class="inline">{facts}</dl>'
        + _lines("Why", held.get("tierwise_reasons", ""))
        + _lines("Talking points", held.get("tierwise_talking_points", ""))
        + (f'<p class="quiet small">{small}</p>' if small else "")
    )


def _figure(label: str, inner: str) -> str:
    return f'<div class="figure"><span class="label">{label}</span><span class="value">{inner}</span></div>'


def _label(known: Mapping[str, Mapping[str, Any]], name: str, value: str) -> str:
    options = known[name]["options"] if name in known else []
    return next((str(option["label"]) for option in options if option["value"] == value), value)


def _lines(title: str, text: str) -> str:
    items = "".join(f"<li>{escape(line.strip())}</li>" for line in text.splitlines() if line.strip())
    return f'<h3>{title}</h3><ul class="lines">{items}</ul>' if items else ""


def _form(held: Mapping[str, str], known: Mapping[str, Mapping[str, Any]], action: str) -> str:
    fields = ""
    if REVIEW in known:
        ticked = " checked" if held.get(REVIEW, "") == _tick_values(known[REVIEW])[0] else ""
        label = escape(known[REVIEW]["label"])
        fields += f'<label class="tick"><input type="checkbox" name="{REVIEW}" value="on"{ticked}> {label}</label>'
    if FEEDBACK in known:
        chosen = held.get(FEEDBACK, "")
        options = '<option value="">No feedback</option>' + "".join(
            f'<option value="{escape(option["value"])}"{" selected" if option["value"] == chosen else ""}>'
            f"{escape(option['label'])}</option>"
            for option in known[FEEDBACK]["options"]
        )
        label = escape(known[FEEDBACK]["label"])
        fields += f'<label>{label} <select name="{FEEDBACK}">{options}</select></label>'
    if not fields:
        return ""
    return f'<form method="post" action="{escape(action)}">{fields}<button type="submit">Save</button></form>'
