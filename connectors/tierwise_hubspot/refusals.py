"""HubSpot's error bodies: which record and property they speak of, and whether another try helps. Pure.

Values are never taken over into a sentence: HubSpot quotes them, and they may be a person's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tierwise.sdk import http
from tierwise.sdk.scrub import scrub

NO_SUCH_PROPERTY = frozenset({"PROPERTY_DOESNT_EXIST"})
NO_SUCH_OPTION = frozenset({"INVALID_OPTION"})
PROVISION = "tierwise connections provision adds what is missing"
_PASSING = frozenset(
    {"RATE_LIMITS", "RATE_LIMIT", "INTERNAL_ERROR", "SERVER_ERROR", "SERVICE_UNAVAILABLE", "TIMEOUT", "LOCKED",
     "MIGRATION", "CONCURRENT_MODIFICATION"}
)  # fmt: skip
_PLAIN = {
    "OBJECT_NOT_FOUND": "the record is not there any more",
    "CONFLICT": "the value is another record's already",
}


class Problem(NamedTuple):
    """One thing that is wrong with one property."""

    code: str
    property: str


def problems(body: Any) -> list[Problem]:
    """Code and property of everything an error body (of a call or of one record) complains about."""
    return list(dict.fromkeys(_problems(body)))


def _problems(body: Any) -> Iterator[Problem]:
    if not isinstance(body, Mapping):
        return
    for entry in body.get("errors") or ():
        if not isinstance(entry, Mapping):
            continue
        names = _texts(entry.get("context"), "propertyName") or [str(entry.get("in") or "")]
        yield from (Problem(str(entry.get("code") or ""), name) for name in names if entry.get("code"))
        yield from _problems(entry)
    # Validation errors come as JSON inside the message too, in some answers only there.
    _, bracket, rest = str(body.get("message") or "").partition("[")
    if bracket:
        try:
            listed, _end = json.JSONDecoder().raw_decode(bracket + rest)
        except ValueError:
            return
        for entry in listed:
            if isinstance(entry, Mapping) and entry.get("error") and entry.get("name"):
                yield Problem(str(entry["error"]), str(entry["name"]))


def sentence_of(body: Any) -> str:
    """What is wrong, in words without values."""
    found = problems(body)
    body = body if isinstance(body, Mapping) else {}
    category = str(body.get("category") or "")
    if found:
        text = "; ".join(f"{one.code} on {one.property}" if one.property else one.code for one in found[:5])
        options = any(one.code in NO_SUCH_OPTION for one in found)
        return scrub(f"{text} ({PROVISION})" if options else text)
    plain = _PLAIN.get(category, "")
    message = plain or str(body.get("message") or "refused without a reason")
    return scrub(f"{category}: {message}" if category else message)


def sentence(refused: http.HttpRefused) -> str:
    """The same for a whole call."""
    return sentence_of(refused.document) if isinstance(refused.document, Mapping) else refused.message


def passing(fault: Mapping[str, Any]) -> bool:
    """Whether the same write may succeed later."""
    return bool({str(fault.get("category") or ""), str(fault.get("errorType") or "")} & _PASSING)


def traces(fault: Mapping[str, Any], sent: Sequence[tuple[str, str]]) -> list[str]:
    """Trace ids of the updates that a record's error speaks of. `sent` holds (trace id, record id)."""
    context = fault.get("context")
    named = set(_texts(context, "objectWriteTraceId"))
    keys = ids(fault)
    return [trace for trace, key in sent if trace in named] or [trace for trace, key in sent if key in keys]


def ids(fault: Mapping[str, Any]) -> set[str]:
    """Ids of the records that an error speaks of."""
    names = ("id", "ids", "objectId", "objectIds", "fromObjectId")
    return {key for name in names for key in _texts(fault.get("context"), name)}


def _texts(context: Any, name: str) -> list[str]:
    if not isinstance(context, Mapping):
        return []
    value = context.get(name)
    return [str(one) for one in (value if isinstance(value, list) else [value]) if one is not None]
