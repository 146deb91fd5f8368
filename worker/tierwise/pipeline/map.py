"""Records of a page become arrivals: mapped leads with provenance, or the reason why they do not conform."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from tierwise import ports
from tierwise.domain import identity, mapping
from tierwise.errors import RejectRecord
from tierwise.sdk import Record

Enrich = Callable[[Sequence[ports.Arrival]], list[ports.Arrival]]
"""Arrivals with what enrichers know about them."""


def arrivals(
    records: Sequence[Record],
    *,
    connection: str,
    field_map: mapping.FieldMap,
    leads: ports.Leads,
    enrich: Enrich | None = None,
) -> list[ports.Arrival]:
    """Every record of the page, first submitted first; two queries, however many records."""
    mapped = [arrival(record, field_map) for record in {record.id: record for record in records}.values()]
    if enrich is not None:
        mapped = enrich(mapped)  # before duplicates are marked: what is found may tell whose lead it is
    mapped.sort(key=lambda item: (_order(item), item.record_id))
    return _mark_duplicates(mapped, connection=connection, leads=leads)


def _order(item: ports.Arrival) -> datetime:
    submitted = item.lead.submitted_at if item.lead else None
    return submitted or item.modified_at


def arrival(record: Record, field_map: mapping.FieldMap) -> ports.Arrival:
    """One record, mapped or refused; nothing is known yet of others."""
    try:
        mapped = mapping.apply(field_map, record.properties)
    except RejectRecord as refusal:
        return ports.Arrival(
            record_id=record.id,
            modified_at=record.modified_at,
            lead=None,
            fingerprint=mapping.raw_fingerprint(field_map, record.properties),
            identity=None,
            provenance={},
            problems=(),
            rejected=str(refusal),
            own=record.own,
            former_ids=record.former_ids,
        )
    return ports.Arrival(
        record_id=record.id,
        modified_at=record.modified_at,
        lead=mapped.lead,
        fingerprint=mapped.lead.fingerprint(),
        identity=identity.identity_key(mapped.lead),
        provenance=mapped.provenance,
        problems=mapped.problems,
        rejected=None,
        own=record.own,
        former_ids=record.former_ids,
    )


def _mark_duplicates(items: Sequence[ports.Arrival], *, connection: str, leads: ports.Leads) -> list[ports.Arrival]:
    """`is_duplicate` is a signal, so it is set before the fingerprint: who came first keeps being first."""
    first = dict(leads.first_seen(connection, {item.identity for item in items if item.identity}))
    marked = []
    for item in items:
        if item.lead is None or item.identity is None:
            marked.append(item)
            continue
        owner = first.setdefault(item.identity, item.record_id)
        lead = item.lead.model_copy(update={"is_duplicate": owner not in (item.record_id, *item.former_ids)})
        marked.append(item._replace(lead=lead, fingerprint=lead.fingerprint()))
    return marked
