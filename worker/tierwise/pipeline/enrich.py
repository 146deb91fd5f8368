"""Leads of a page, with what enrichers know about them: between map and ingest, so that it is part of a fingerprint.

No enricher delays a page beyond its budget, nor all of them beyond theirs; one that fails in a row is left in peace.
Every answer and every failure stands in the lead's provenance. What they mean is `domain/enrichment.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, wait
from typing import Any, NamedTuple

from tierwise import errors, ports, telemetry
from tierwise.domain import enrichment, identity
from tierwise.domain.enrichment import Enriched
from tierwise.domain.lead import CATALOGUE
from tierwise.pipeline.crew import Crew
from tierwise.sdk import Enricher
from tierwise.sdk.breaker import Breaker
from tierwise.sdk.scrub import scrub

IN_FLIGHT = 8
"""Leads that one enricher is asked about at once."""

RESTING = "it failed in a row and is left in peace"

Stored = Callable[[Collection[str]], Mapping[str, Mapping[str, Any]]]
"""Record ids -> provenance as it is stored, for records that are."""
log = telemetry.log(__name__)


class Seat:
    """One configured enricher at work."""

    def __init__(
        self, name: str, enricher: Enricher, *, version: str, seconds: float, breaker: Breaker | None = None
    ) -> None:
        """`version` changes when the same question may get another answer: type and options."""
        reads, gives = tuple(enricher.reads), tuple(enricher.gives)
        unknown = sorted({*reads} - {*CATALOGUE} | {*gives} - enrichment.GIVABLE)
        if unknown:
            raise errors.Misconfigured(
                f"an enricher cannot read or give {', '.join(unknown)}",
                place=f"enrichers.{name}",
                remedy="`tierwise schema` lists the fields of a lead",
            )
        self.name, self.enricher, self.version, self.seconds = name, enricher, version, seconds
        self.reads, self.gives = reads, gives
        self.breaker = breaker or Breaker()
        self.crew = Crew(f"enricher-{name}", size=IN_FLIGHT)

    def ask(self, known: Mapping[str, Any]) -> Mapping[str, Any]:
        """One question, counted by the breaker."""
        self.breaker.admit(place=self.name)
        failed = True
        try:
            answer = self.enricher.enrich(known)
            failed = not isinstance(answer, Mapping)
            return answer
        except errors.RejectRecord:
            failed = False
            raise
        finally:
            (self.breaker.failed if failed else self.breaker.succeeded)()


class _Asked(NamedTuple):
    place: int
    fields: list[str]
    question: str
    answer: Future[Mapping[str, Any]]


class Enrichment:
    """Every configured enricher, in the order of the settings: a later one sees what an earlier one found."""

    def __init__(self, seats: Sequence[Seat], *, seconds: float, monotonic: Callable[[], float]) -> None:
        self._seats = tuple(seats)
        self._seconds = seconds
        self._monotonic = monotonic

    def page(self, arrivals: Sequence[ports.Arrival], *, stored: Stored) -> list[ports.Arrival]:
        """The same arrivals, enriched. Costs one query where any enricher has something to say, else nothing."""
        give_up = self._monotonic() + self._seconds
        items = {
            place: Enriched(arrival.lead, {name: dict(entry) for name, entry in arrival.provenance.items()})
            for place, arrival in enumerate(arrivals)
            if arrival.lead is not None
        }
        memory: Mapping[str, Mapping[str, Any]] | None = None
        for seat in self._seats:
            due = {
                place: (fields, known)
                for place, item in items.items()
                if (fields := enrichment.open_fields(item.lead, item.provenance, seat.gives))
                and (known := enrichment.shown(item.lead, seat.reads)) is not None
            }
            if not due:
                continue
            if memory is None:
                memory = stored([arrivals[place].record_id for place in items])
            resting = seat.breaker.is_open
            asked: list[_Asked] = []
            deadline = min(give_up, self._monotonic() + seat.seconds)
            for place, (fields, known) in due.items():
                question = enrichment.question(seat.version, known)
                before = enrichment.remembered(
                    memory.get(arrivals[place].record_id, {}), fields, name=seat.name, asked=question
                )
                items[place] = enrichment.fill(items[place], before, name=seat.name, asked=question)
                rest = [field for field in fields if field not in before]
                if rest and resting:
                    items[place] = enrichment.unanswered(items[place], rest, name=seat.name, why=RESTING)
                    telemetry.count("tierwise_enrichments_total", enricher=seat.name, result="resting")
                elif rest:
                    asked.append(_Asked(place, rest, question, _submitted(seat, known)))
            self._collect(seat, asked, items, deadline)
        return [_arrival(arrival, items.get(place)) for place, arrival in enumerate(arrivals)]

    def close(self) -> None:
        """Let go of every enricher; one that hangs is left where it is."""
        for seat in self._seats:
            if not seat.crew.stuck:
                seat.crew.submit(seat.enricher.close)
            seat.crew.close()

    def _collect(self, seat: Seat, asked: Sequence[_Asked], items: dict[int, Enriched], deadline: float) -> None:
        if not asked:
            return
        wait([one.answer for one in asked], timeout=max(0.0, deadline - self._monotonic()))
        if not any(one.answer.done() for one in asked):
            seat.breaker.failed()  # its threads may all hang in calls of earlier pages
        reasons: dict[str, int] = {}
        for one in asked:
            item = items[one.place]
            values, result, why = _outcome(seat, one)
            if values is None:
                items[one.place] = enrichment.unanswered(item, one.fields, name=seat.name, why=why)
                reasons[why] = reasons.get(why, 0) + 1
            else:
                items[one.place] = enrichment.fill(item, values, name=seat.name, asked=one.question)
            telemetry.count("tierwise_enrichments_total", enricher=seat.name, result=result)
        for why, leads in reasons.items():
            log.warning("not enriched", enricher=seat.name, leads=leads, reason=why)


def _submitted(seat: Seat, known: Mapping[str, Any]) -> Future[Mapping[str, Any]]:
    return seat.crew.submit(lambda: seat.ask(known))


def _outcome(seat: Seat, one: _Asked) -> tuple[dict[str, Any] | None, str, str]:
    """Values of the fields asked for (None: no answer), the result's name, and why there is no answer."""
    if not one.answer.done():
        if one.answer.cancel():
            return None, "late", f"its turn did not come within {seat.seconds:g} s"
        seat.breaker.failed()
        return None, "late", f"no answer within {seat.seconds:g} s"
    error = one.answer.exception()
    if error is not None:
        known = isinstance(error, errors.TierwiseError)
        why = scrub(str(getattr(error, "message", "")), limit=120) if known else f"it broke with {type(error).__name__}"
        return None, "refused" if isinstance(error, errors.RejectRecord) else "failed", why
    answer: Any = one.answer.result()
    if not isinstance(answer, Mapping):
        return None, "failed", f"it answered with a {type(answer).__name__}"
    values = {field: answer.get(field) for field in one.fields}
    return values, "found" if any(value is not None for value in values.values()) else "nothing", ""


def _arrival(arrival: ports.Arrival, item: Enriched | None) -> ports.Arrival:
    if item is None or arrival.lead is None:
        return arrival
    if item.lead is arrival.lead:
        return arrival._replace(provenance=item.provenance)
    return arrival._replace(
        lead=item.lead,
        provenance=item.provenance,
        fingerprint=item.lead.fingerprint(),
        identity=identity.identity_key(item.lead),
    )
