"""Fields of the company or contact that a record belongs to, where the field map asks: `company.numberofemployees`.

Nothing is asked for that no map names. Of several companies the primary one counts, else the one with the lowest id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from tierwise import sdk
from tierwise.sdk import http
from tierwise_hubspot import batches, refusals
from tierwise_hubspot.client import Client

PREFIXES: Mapping[str, str] = {"company": "companies", "contact": "contacts"}
BATCH = 1_000  # records that one call takes, since February 2025
_PRIMARY = frozenset({1, 5, 578})  # contact to company, deal to company, Lead to contact


class Wanted(NamedTuple):
    """Property names of a map, by whose they are."""

    own: tuple[str, ...]
    others: Mapping[str, tuple[str, ...]]
    """Prefix -> names without it."""


class Tie(NamedTuple):
    """One associated record."""

    id: str
    primary: bool


def split(properties: Iterable[str], *, place: str = "") -> Wanted:
    """Misconfigured for a prefix that means nothing."""
    own: list[str] = []
    others: dict[str, list[str]] = {}
    for name in dict.fromkeys(properties):
        prefix, dot, rest = name.partition(".")
        if not dot:
            own.append(name)
        elif prefix in PREFIXES and rest and "." not in rest:
            others.setdefault(prefix, []).append(rest)
        else:
            raise sdk.Misconfigured(
                f"'{name}' is no property of an associated record",
                place=place,
                remedy=f"write {' or '.join(f'{one}.PROPERTY' for one in PREFIXES)} in the field map",
            )
    return Wanted(tuple(own), {prefix: tuple(names) for prefix, names in others.items()})


def fields(client: Client, record_ids: Sequence[str], wanted: Wanted) -> dict[str, dict[str, Any]]:
    """Record id -> "prefix.name" -> value, for all names of other objects; None where there is no such record."""
    found: dict[str, dict[str, Any]] = {key: {} for key in record_ids}
    for prefix, names in wanted.others.items():
        chosen = {key: chosen_of(held) for key, held in ties(client, record_ids, PREFIXES[prefix]).items()}
        there = batches.read(
            client, [key for key in chosen.values() if key is not None], names, object_type=PREFIXES[prefix]
        )
        renamed = {old: key for key, one in there.items() for old in batches.former(one)}
        for record_id in record_ids:
            key = chosen.get(record_id)
            held = (there.get(key) or there.get(renamed.get(key, "")) or {}) if key is not None else {}
            values = held.get("properties") or {}
            found[record_id].update({f"{prefix}.{name}": values.get(name) for name in names})
    return found


def chosen_of(held: Sequence[Tie]) -> str | None:
    """The one whose fields count."""
    best = min(held, key=lambda tie: (not tie.primary, int(tie.id)), default=None)
    return best.id if best is not None else None


def ties(client: Client, record_ids: Sequence[str], to: str, *, object_type: str | None = None) -> dict[str, list[Tie]]:
    """All associated records of each; a record without any may be left out.

    What an answer does not mention is asked once more: an empty COMPLETE must not look like a record without company.
    """
    found: dict[str, list[Tie]] = {}
    for start in range(0, len(record_ids), BATCH):
        waiting: list[dict[str, str]] = [{"id": key} for key in record_ids[start : start + BATCH]]
        silent = False
        while waiting:
            following, left = _ask(client, waiting, to, object_type=object_type, found=found)
            if left and silent:
                left = []
            silent = bool(left)
            waiting = following + left
    return found


def _ask(
    client: Client,
    inputs: Sequence[Mapping[str, str]],
    to: str,
    *,
    object_type: str | None,
    found: dict[str, list[Tie]],
) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Add what is found; returns the next pages to ask for, and the inputs of which the answer says nothing."""
    try:
        answer = client.call("POST", client.associations(to, object_type), {"inputs": list(inputs)})
    except http.HttpRefused as refused:
        if refused.status != 404:
            raise
        return [], []  # nobody has any
    following: list[dict[str, str]] = []
    mentioned: set[str] = set()
    for result in answer.get("results") or ():
        key = str(result["from"]["id"])
        mentioned.add(key)
        held = found.setdefault(key, [])
        held += [Tie(str(one["toObjectId"]), _is_primary(one)) for one in result.get("to") or ()]
        after = ((result.get("paging") or {}).get("next") or {}).get("after")
        if after:
            following.append({"id": key, "after": str(after)})
    faults = [fault for fault in answer.get("errors") or () if isinstance(fault, Mapping)]
    failed = [fault for fault in faults if refusals.passing(fault)]
    if failed:
        raise sdk.RetryLater(f"associations: {refusals.sentence_of(failed[0])}", place=client.place)
    named = {key for fault in faults for key in refusals.ids(fault)}
    if faults and not named:
        return following, []
    return following, [dict(one) for one in inputs if one["id"] not in mentioned | named]


def _is_primary(tie: Mapping[str, Any]) -> bool:
    return any(
        kind.get("typeId") in _PRIMARY or str(kind.get("label") or "").casefold().startswith("primary")
        for kind in tie.get("associationTypes") or ()
        if isinstance(kind, Mapping)
    )
