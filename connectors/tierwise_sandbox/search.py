"""HubSpot's search: what a body may ask, and which records answer it.

A window on lastmodifieddate, the question that a poll asks, costs a binary search and one page; other filters
are tried on the records of that window only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from tierwise_sandbox import kinds, moments
from tierwise_sandbox.conditions import Condition, build
from tierwise_sandbox.index import Document, Index
from tierwise_sandbox.refusals import Refusal

MAX_GROUPS, MAX_FILTERS, MAX_TOTAL = 5, 6, 18
MAX_LIMIT, MAX_RESULTS, MAX_BODY = 200, 10_000, 3_000
_FREE_TEXT = ("firstname", "lastname", "email", "phone", "company", "hs_object_id")


@dataclass(frozen=True)
class Group:
    """Filters that must all hold; those on the change time are kept apart as bounds in ms (inclusive)."""

    low: int | None
    high: int | None
    rest: tuple[Condition, ...]


@dataclass(frozen=True)
class Query:
    groups: tuple[Group, ...]
    text: str
    sort: str
    descending: bool
    sort_key: Callable[[Document], Any]
    limit: int
    after: int
    properties: tuple[str, ...]
    stamp: str
    """The property of the last change, by which the index is sorted."""


def parse(
    body: Mapping[str, Any], raw_length: int, types: Mapping[str, str], stamp: str = kinds.CONTACTS.modified
) -> Query:
    """`types` maps the portal's property names to their types. Refusal (400) for what HubSpot refuses."""
    if raw_length > MAX_BODY:
        raise Refusal(400, f"The request body is too long: at most {MAX_BODY} characters are allowed.")
    groups = body.get("filterGroups") or []
    if "filters" in body and not groups:
        groups = [{"filters": body["filters"]}]
    if not isinstance(groups, list) or len(groups) > MAX_GROUPS:
        raise Refusal(400, f"Too many filterGroups: at most {MAX_GROUPS} are allowed.")
    filters = [group.get("filters") or [] if isinstance(group, dict) else [] for group in groups]
    if any(len(found) > MAX_FILTERS for found in filters):
        raise Refusal(400, f"Too many filters in a filterGroup: at most {MAX_FILTERS} are allowed.")
    if sum(map(len, filters)) > MAX_TOTAL:
        raise Refusal(400, f"Too many filters: at most {MAX_TOTAL} are allowed in one request.")
    limit, after = _count(body, "limit", 10), _count(body, "after", 0)
    if not 0 <= limit <= MAX_LIMIT:
        raise Refusal(400, f"limit must be between 0 and {MAX_LIMIT}, was {limit}.")
    if after + limit > MAX_RESULTS:
        raise Refusal(400, f"A search cannot page past {MAX_RESULTS} results (after {after}, limit {limit}).")
    sort, descending = _sort(body.get("sorts") or [], types)
    return Query(
        groups=tuple(_group(found, types, stamp) for found in filters),
        text=str(body.get("query") or "").strip().lower(),
        sort=sort,
        descending=descending,
        sort_key=_sort_key(sort, types.get(sort, "string")),
        limit=limit,
        after=after,
        properties=tuple(str(name) for name in body.get("properties") or ()),
        stamp=stamp,
    )


def next_page(query: Query) -> Query:
    """The same query, one page on."""
    return replace(query, after=query.after + query.limit)


def _count(body: Mapping[str, Any], name: str, default: int) -> int:
    value = body.get(name)
    if value is None or value == "":
        return default
    try:
        return int(value)
    except (TypeError, ValueError):
        raise Refusal(400, f"{name} must be a number, was {json.dumps(value)}.") from None


def _sort(sorts: Any, types: Mapping[str, str]) -> tuple[str, bool]:
    if not isinstance(sorts, list) or len(sorts) > 1:
        raise Refusal(400, "Only one sort is supported.")
    if not sorts:
        return "", False
    if isinstance(sorts[0], str):
        name, descending = sorts[0].lstrip("-"), sorts[0].startswith("-")
    else:
        name, descending = str(sorts[0].get("propertyName")), sorts[0].get("direction") == "DESCENDING"
    if name not in types:
        raise Refusal(400, f"There was a problem with the request: cannot sort by unknown property {name}.")
    return name, descending


def _sort_key(name: str, kind: str) -> Callable[[Document], Any]:
    def numeric(document: Document) -> tuple[bool, float]:
        try:
            return False, float(document[name])
        except (KeyError, ValueError):
            return True, 0.0

    def textual(document: Document) -> tuple[bool, str]:
        return name not in document, document.get(name, "").lower()

    return numeric if kind == "number" else textual


def _group(filters: Sequence[Any], types: Mapping[str, str], stamp: str) -> Group:
    low: int | None = None
    high: int | None = None
    rest = []
    for wanted in filters:
        condition = build(wanted, types)
        if condition.name == stamp and condition.bounds is not None:
            floor, ceiling = condition.bounds
            low = floor if low is None else max(low, floor) if floor is not None else low
            high = ceiling if high is None else min(high, ceiling) if ceiling is not None else high
        else:
            rest.append(condition)
    return Group(low, high, tuple(rest))


def run(query: Query, index: Index) -> tuple[int, list[Document]]:
    """How many records match, and the documents of the page that was asked for."""
    start, stop = _span(query, index)
    by_change = query.sort == query.stamp
    first, last = query.after, query.after + query.limit
    plain = len(query.groups) <= 1 and not query.text and not any(group.rest for group in query.groups)
    if plain and by_change:
        keys = index.by_change(start, stop, descending=query.descending)
        return stop - start, [index.documents[key] for key in islice(keys, first, last)]
    if plain and not query.sort and not query.groups:
        return len(index), [index.documents[key] for key in index.by_id()[first:last]]
    keys = index.by_change(start, stop, descending=by_change and query.descending)
    exact = len(query.groups) == 1  # then the span is the group's window, and only its other filters are left
    found = [document for key in keys if _matches(query, document := index.documents[key], in_window=exact)]
    if not by_change:
        found.sort(key=lambda document: int(document["hs_object_id"]))
        if query.sort:
            found.sort(key=query.sort_key, reverse=query.descending)
    return len(found), found[first:last]


def _span(query: Query, index: Index) -> tuple[int, int]:
    if not query.groups:
        return index.window(None, None)
    spans = [index.window(group.low, group.high) for group in query.groups]
    return min(start for start, _ in spans), max(stop for _, stop in spans)


def _matches(query: Query, document: Document, *, in_window: bool) -> bool:
    if query.text and not any(query.text in document.get(name, "").lower() for name in _FREE_TEXT):
        return False
    return not query.groups or any(_holds(group, document, query.stamp, in_window=in_window) for group in query.groups)


def _holds(group: Group, document: Document, stamped: str, *, in_window: bool) -> bool:
    if not in_window and (group.low is not None or group.high is not None):
        stamp = moments.parse(document[stamped]) or 0
        if group.low is not None and stamp < group.low:
            return False
        if group.high is not None and stamp > group.high:
            return False
    return all(condition.holds(document.get(condition.name)) for condition in group.rest)
