"""What an enricher's answer does to a lead, so that its failures never change a fingerprint back and forth.

Three rules. What the record states stays. What was answered once for the same question stays, with the lead's own
provenance as the memory. A failure leaves its reason and takes nothing away: a value comes at most once and goes only
when the question changes.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tierwise.domain import identity, mapping
from tierwise.domain.lead import CATALOGUE, Lead, digest
from tierwise.domain.mapping import FieldMap

TRANSFORM = "enriched"
NOTHING = "nothing known"
GIVABLE = frozenset(CATALOGUE) - {"is_duplicate"}
"""What an enricher may fill; who was first with an identity only the database knows."""

Provenance = Mapping[str, Mapping[str, Any]]


class Enriched(NamedTuple):
    """A lead and where its fields came from."""

    lead: Lead
    provenance: dict[str, dict[str, Any]]


def question(version: str, known: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of what is asked: the enricher as it is set, and the fields it is shown."""
    return digest({"enricher": version, "known": dict(known)})


def shown(lead: Lead, reads: Sequence[str]) -> dict[str, Any] | None:
    """The fields an enricher needs, as plain values; None where the lead lacks one of them."""
    signals = lead.signals()
    return {name: signals[name] for name in reads} if all(name in signals for name in reads) else None


def open_fields(lead: Lead, provenance: Provenance, gives: Sequence[str]) -> list[str]:
    """What may be filled: absent fields, and derived ones that Tierwise worked out itself."""
    return [name for name in gives if getattr(lead, name) is None or _is_guess(name, provenance)]


def remembered(stored: Provenance, fields: Sequence[str], *, name: str, asked: str) -> dict[str, Any]:
    """What this enricher answered before to the same question; None where it knew nothing."""
    found = {}
    for field in fields:
        entry = stored.get(field) or {}
        if (entry.get("transform"), entry.get("from"), entry.get("asked")) == (TRANSFORM, _origin(name), asked):
            found[field] = entry.get("raw")
    return found


def fill(item: Enriched, values: Mapping[str, Any], *, name: str, asked: str) -> Enriched:
    """With an enricher's answer: field -> value, None for what it does not know. Unreadable values are noted."""
    changed: dict[str, Any] = {}
    provenance = dict(item.provenance)
    for field, raw in values.items():
        value = None if raw is None else accepted(field, raw)
        if value is not None:
            changed[field] = value
            provenance[field] = _entry(name, value, "", asked)
        elif getattr(item.lead, field) is None:
            note = NOTHING if raw is None else "answered something that cannot be read"
            provenance[field] = _entry(name, None, note, asked)
    return _followed(Enriched(item.lead, provenance), changed)


def unanswered(item: Enriched, fields: Sequence[str], *, name: str, why: str) -> Enriched:
    """With the reason why an enricher said nothing; it is asked again when the record is next read."""
    empty = [field for field in fields if getattr(item.lead, field) is None]
    reasons = {field: _entry(name, None, f"not enriched: {why}", "") for field in empty}
    return Enriched(item.lead, {**item.provenance, **reasons})


def accepted(field: str, raw: Any) -> Any:
    """The canonical value as JSON has it, None for what cannot be one. Canonical values stay what they are."""
    if field not in GIVABLE:
        return None
    info = CATALOGUE[field]
    if info.values and info.derived:
        return raw if raw in info.values else None
    if info.derived:
        return identity.company_key(raw) if isinstance(raw, str) else None
    mapped = mapping.apply(_reader(field), {field: raw}).lead
    return mapped.signals().get(field)


def _followed(item: Enriched, changed: Mapping[str, Any]) -> Enriched:
    """What follows from the new values, as the map would have worked it out."""
    if not changed:
        return item
    new, provenance = dict(changed), item.provenance
    if "country" in new and item.lead.region is None and "region" not in new:
        new["region"] = identity.region(new["country"])
        provenance["region"] = {**provenance["country"], "transform": "derived", "note": "from country"}
    guessed = provenance.get("company_domain", {}).get("transform") == "derived"
    if guessed and new.get("email_kind", "business") != "business" and "company_domain" not in new:
        new["company_domain"] = None  # it was taken from an address that is no company's
        del provenance["company_domain"]
    merged = {**item.lead.model_dump(), **new}
    return Enriched(Lead.model_validate(merged), {key: provenance[key] for key in CATALOGUE if key in provenance})


def _is_guess(field: str, provenance: Provenance) -> bool:
    return CATALOGUE[field].derived and provenance.get(field, {}).get("transform") == "derived"


def _entry(name: str, raw: Any, note: str, asked: str) -> dict[str, Any]:
    return {"from": _origin(name), "raw": raw, "transform": TRANSFORM, "note": note, "asked": asked}


def _origin(name: str) -> str:
    return f"enricher {name}"


@functools.cache
def _reader(field: str) -> FieldMap:
    return FieldMap.model_validate({"connector": "enricher", "owner": "-", "version": "1", "fields": {field: field}})
