"""Records by id, a hundred a call, with an answer for each: found, merged into another, or not there any more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tierwise import sdk
from tierwise.sdk import http
from tierwise_hubspot import refusals
from tierwise_hubspot.client import Client

BATCH = 100  # records that batch/read takes
MERGED = "hs_merged_object_ids"  # ids that live on in this record


def read(
    client: Client, record_ids: Iterable[str], names: Sequence[str], *, object_type: str | None = None
) -> dict[str, dict[str, Any]]:
    """Found records by the id they have now; those that are gone are left out.

    An answer that does not mention a record says nothing of it: RetryLater, if it does so twice.
    """
    wanted = [key for key in dict.fromkeys(record_ids) if key.isascii() and key.isdigit()]
    asked = list(dict.fromkeys([*names, MERGED]))
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(wanted), BATCH):
        left = wanted[start : start + BATCH]
        for _ in range(2):
            left = _read(client, left, asked, object_type=object_type, found=found)
            if not left:
                break
        else:
            raise sdk.RetryLater(
                f"batch/read: the answer says nothing of {len(left)} records that were asked for", place=client.place
            )
    return found


def _read(
    client: Client,
    keys: Sequence[str],
    names: Sequence[str],
    *,
    object_type: str | None,
    found: dict[str, dict[str, Any]],
) -> list[str]:
    """Add what is found; returns the ids of which the answer says nothing."""
    body = {"inputs": [{"id": key} for key in keys], "properties": list(names), "propertiesWithHistory": []}
    try:
        answer = client.call("POST", client.objects("batch/read", object_type), body)
    except http.HttpRefused as refused:
        if refused.status != 404:
            raise
        return []  # none of them is there
    results = {str(one["id"]): one for one in answer.get("results") or ()}
    found |= results
    faults = [fault for fault in answer.get("errors") or () if isinstance(fault, Mapping)]
    failed = next((fault for fault in faults if refusals.passing(fault)), None)
    if failed is not None:
        raise sdk.RetryLater(f"batch/read: {refusals.sentence_of(failed)}", place=client.place)
    gone = {key for fault in faults for key in refusals.ids(fault)}
    if len(results) == len(keys) or (faults and not gone):
        return []
    mentioned = gone | set(results) | {key for one in results.values() for key in former(one)}
    return [key for key in keys if key not in mentioned]


def former(record: Mapping[str, Any]) -> tuple[str, ...]:
    """Ids of the records that were merged into this one."""
    held = record.get("properties") or {}
    return tuple(key for key in str(held.get(MERGED) or "").split(";") if key and key != str(record["id"]))
