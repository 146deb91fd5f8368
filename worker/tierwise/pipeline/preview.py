"""Leads scored on the spot, nothing stored: `score` for files, `preview` for a live connection."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple

from tierwise import ports
from tierwise.domain import decision as decisions
from tierwise.domain import mapping, rules
from tierwise.domain.decision import Decision, Judged
from tierwise.domain.lead import Lead
from tierwise.domain.policy import Runnable
from tierwise.pipeline import map as mapped
from tierwise.sdk import Record

WINDOW = 200
"""Leads under way at once."""
PAGE = 50
"""Leads that enrichers are asked about together, within one budget."""


class Row(NamedTuple):
    """One record of a file or a page."""

    id: str
    properties: Mapping[str, Any]


class Previewed(NamedTuple):
    """One row's decision, or why it does not conform."""

    id: str
    decision: Decision | None
    rejected: str | None
    problems: tuple[str, ...] = ()


def preview(
    rows: Iterable[Row],
    *,
    runnable: Runnable,
    field_map: mapping.FieldMap,
    judge: ports.Judge,
    submit: Callable[[Coroutine[Any, Any, Judged]], Future[Judged]],
    clock: ports.Clock,
    enrich: mapped.Enrich | None = None,
) -> Iterator[Previewed]:
    """Decisions in the order of the rows; a duplicate is a row whose identity came earlier in them."""
    seen: set[str] = set()
    waiting: list[Callable[[], Previewed]] = []
    for item in _arrived(rows, field_map, clock=clock, enrich=enrich):
        waiting.append(_start(item, runnable, judge=judge, submit=submit, clock=clock, seen=seen))
        if len(waiting) >= WINDOW:
            yield waiting.pop(0)()
    for finish in waiting:
        yield finish()


def _arrived(
    rows: Iterable[Row], field_map: mapping.FieldMap, *, clock: ports.Clock, enrich: mapped.Enrich | None
) -> Iterator[ports.Arrival]:
    left = iter(rows)
    while page := list(itertools.islice(left, PAGE if enrich is not None else 1)):
        arrived = [mapped.arrival(Record(row.id, clock(), row.properties, {}), field_map) for row in page]
        yield from enrich(arrived) if enrich is not None else arrived


def _start(
    item: ports.Arrival,
    runnable: Runnable,
    *,
    judge: ports.Judge,
    submit: Callable[[Coroutine[Any, Any, Judged]], Future[Judged]],
    clock: ports.Clock,
    seen: set[str],
) -> Callable[[], Previewed]:
    if item.lead is None:
        return lambda: Previewed(item.record_id, None, item.rejected)
    lead = _marked(item.lead, item.identity, seen)
    gates = decisions.gate(runnable, lead)
    future = None if rules.first(gates) is not None else submit(judge.judge(runnable, lead))

    def finish() -> Previewed:
        judged = future.result() if future is not None else None
        made = decisions.decide(
            runnable, lead, connection="preview", record_id=item.record_id, gates=gates, judged=judged, now=clock()
        )
        return Previewed(item.record_id, made, None, item.problems)

    return finish


def _marked(lead: Lead, key: str | None, seen: set[str]) -> Lead:
    if key is None:
        return lead
    duplicate = key in seen
    seen.add(key)
    return lead.model_copy(update={"is_duplicate": duplicate})


def as_json(item: Previewed) -> dict[str, Any]:
    """The shape that scripts rely on: one object a lead."""
    made = item.decision
    if made is None:
        return {
            "id": item.id, "status": "not_scorable", "score": None, "fit": None, "intent": None, "tier": None,
            "confidence": None, "calibrated": False, "outcome": "review", "route": None,
            "reason_codes": ["NOT_SCORABLE"], "policy": None, "error": item.rejected,
        }  # fmt: skip
    return {
        "id": item.id,
        "status": made.status,
        "score": made.score,
        "fit": made.fit,
        "intent": made.intent,
        "tier": made.tier,
        "confidence": made.confidence,
        "calibrated": made.calibrated,
        "outcome": made.outcome,
        "route": made.route,
        "reason_codes": list(made.reason_codes),
        "policy": made.policy,
    }


def rows(records: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Rows of a file: `id` from the column `id` where it is filled, else the row's number from 1."""
    return [Row(_text(record.get("id")) or str(number), record) for number, record in enumerate(records, start=1)]


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()
