"""A wall around a connector: whatever a stranger's code does, nothing is lost and its fault is told by name.

A call that hangs is given up, an error that is no family of ours becomes one without its text (which may hold a
secret), an answer that breaks the contract is refused before anything is stored. Every call runs on one thread.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from tierwise import errors
from tierwise.pipeline.contact import Contact
from tierwise.pipeline.crew import Crew
from tierwise.sdk import (
    FIELDS,
    AdviceField,
    Check,
    Connector,
    Flushes,
    OutcomePage,
    Page,
    PlanStep,
    Quota,
    Record,
    TellsOutcomes,
    TellsQuota,
    Update,
    Written,
)

CALL_SECONDS = 300.0
"""Longest call; longer than any lease, so that only what hangs is given up."""
_LONGEST_ID = 200
_LONGEST_OWN = 20_000  # characters of one of our fields as the CRM shows it
_OWN = frozenset(field.name for field in FIELDS)
T = TypeVar("T")


class Guarded:
    """A connector that keeps the contract, or says that it does not. Used by one thread at a time, as any."""

    def __init__(
        self,
        open_: Callable[[], Connector],
        *,
        name: str,
        seconds: float = CALL_SECONDS,
        contact: Contact | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Opens it. Raises the families of `errors` only. `contact` hears of every call."""
        self._name = name
        self._contact = contact or Contact(name)
        self._monotonic = monotonic
        self._seconds = seconds
        self._crew = Crew(f"connector-{name}", size=1)
        self._hangs = False
        self._connector = self._call("open", open_)
        self.batch_size = max(1, int(self._connector.batch_size))
        flushes = int(self._connector.flush_size) if isinstance(self._connector, Flushes) else 0
        self.flush_size = max(self.batch_size, flushes)

    def check(self, *, properties: Sequence[str], fields: Sequence[AdviceField]) -> Sequence[Check]:
        """As the connector."""
        return list(self._call("check", lambda: self._connector.check(properties=properties, fields=fields)))

    def now(self) -> datetime:
        """As the connector; PauseConnection where it has no time zone."""
        return self._moment("now", self._call("now", self._connector.now))

    def changes(
        self,
        since: datetime,
        until: datetime,
        *,
        properties: Sequence[str],
        position: Mapping[str, Any] | None = None,
    ) -> Iterator[Page]:
        """As the connector, page by page; an end without a last page is no end."""
        pages = self._call(
            "changes", lambda: iter(self._connector.changes(since, until, properties=properties, position=position))
        )
        while (page := self._call("changes", lambda: next(pages, None))) is not None:
            yield self._page(page)
            if page.position is None:
                return
        raise self._stopped()

    def read(self, record_ids: Sequence[str], *, properties: Sequence[str]) -> Sequence[Record]:
        """As the connector."""
        found = self._call("read", lambda: list(self._connector.read(record_ids, properties=properties)))
        return [self._record(record) for record in found]

    def write(self, updates: Sequence[Update]) -> Sequence[Written]:
        """As the connector; answers that fit no update count as none, and are tried again for as long as any."""
        found: Any = self._call("write", lambda: self._connector.write(updates))
        answers = list(found) if isinstance(found, list | tuple) else []
        if not (len(answers) == len(updates) and all(map(_fits, answers, updates))):
            why = f"{self._name}: the connector's answer does not fit the batch"
            answers = [Written(update.record_id, "retry", error=why) for update in updates]
        self._contact.wrote(answers)
        return answers

    def flush(self, updates: Sequence[Update]) -> Iterator[Mapping[int, Written]]:
        """As the connector, step by step; an answer that fits no update, or tells of one again, counts as none."""
        inner = self._connector
        if not isinstance(inner, Flushes):
            for start in range(0, len(updates), self.batch_size):
                some = self.write(updates[start : start + self.batch_size])
                yield {start + place: said for place, said in enumerate(some)}
            return
        steps = self._call("flush", lambda: iter(inner.flush(updates)))
        left = set(range(len(updates)))
        try:
            while (step := self._call("flush", lambda: next(steps, None))) is not None:
                fits = {place: said for place, said in _entries(step) if place in left and _fits(said, updates[place])}
                left -= fits.keys()
                self._contact.wrote(list(fits.values()))
                yield fits
            unanswered = f"{self._name}: the connector told nothing of it"
            self._contact.wrote([Written(updates[place].record_id, "retry", error=unanswered) for place in left])
        finally:
            if (close := getattr(steps, "close", None)) is not None and not self._hangs:
                self._call("close", close)

    def provision(self, fields: Sequence[AdviceField], *, dry_run: bool) -> Sequence[PlanStep]:
        """As the connector."""
        return list(self._call("provision", lambda: self._connector.provision(fields, dry_run=dry_run)))

    def describe(self) -> Mapping[str, str]:
        """As the connector."""
        return self._call("describe", self._connector.describe)

    def outcomes(
        self, since: datetime, until: datetime, *, position: Mapping[str, Any] | None = None
    ) -> Iterator[OutcomePage]:
        """As the connector; nothing became of anything where it does not tell."""
        inner = self._connector
        if not isinstance(inner, TellsOutcomes):
            yield OutcomePage((), None)
            return
        pages = self._call("outcomes", lambda: iter(inner.outcomes(since, until, position=position)))
        while (page := self._call("outcomes", lambda: next(pages, None))) is not None:
            if not isinstance(page, OutcomePage):
                raise self._broken(f"outcomes gave a {type(page).__name__}, not an OutcomePage")
            yield page
            if page.position is None:
                return
        raise self._stopped()

    def quota(self) -> Quota | None:
        """As the connector; None where it does not tell."""
        inner = self._connector
        return self._call("quota", inner.quota) if isinstance(inner, TellsQuota) else None

    def close(self) -> None:
        """One that hangs is left where it is: its thread ends with the process."""
        if not self._hangs:
            with contextlib.suppress(errors.TierwiseError):
                self._call("close", self._connector.close)
        self._crew.close()

    def _call(self, what: str, call: Callable[[], T]) -> T:
        began = self._monotonic()
        try:
            answer = self._answer(what, call)
        except errors.TierwiseError as error:
            self._contact.ended(what, self._monotonic() - began, error)
            raise
        self._contact.ended(what, self._monotonic() - began, None)
        return answer

    def _answer(self, what: str, call: Callable[[], T]) -> T:
        if self._hangs:
            raise errors.RetryLater(f"the connector hangs in an earlier call, so {what} is not tried", place=self._name)
        future = self._crew.submit(call)
        concurrent.futures.wait([future], timeout=self._seconds)
        if not future.done():
            self._hangs = True
            hung = errors.RetryLater(
                f"the connector did not come back from {what} within {self._seconds:g} s",
                place=self._name,
                remedy="if it stays so, tell its makers that a call has no timeout",
            )
            hung.fault = "timeout"
            raise hung
        error = future.exception()
        if error is None:
            return future.result()
        if isinstance(error, errors.TierwiseError):
            error.place = error.place or self._name
            raise error
        broke = errors.RetryLater(
            f"the connector broke in {what} with {type(error).__name__}",
            place=self._name,
            remedy="if it stays so, tell its makers: only the errors of tierwise.sdk may leave a connector",
        )
        broke.fault = "broken"
        raise broke from None

    def _page(self, page: Any) -> Page:
        if not isinstance(page, Page):
            raise self._broken(f"changes gave a {type(page).__name__}, not a Page")
        try:
            json.dumps(page.position, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            raise self._broken("a page's position is not JSON") from None
        return Page(tuple(self._record(record) for record in page.records), page.position)

    def _record(self, record: Any) -> Record:
        if not isinstance(record, Record) or not isinstance(record.properties, Mapping):
            raise self._broken("a record is not a Record with its properties")
        key = record.id
        if not (isinstance(key, str) and 0 < len(key) <= _LONGEST_ID and key.isprintable()):
            raise self._broken(f"a record's id is not a printable text of at most {_LONGEST_ID} characters")
        self._moment("a record", record.modified_at)
        own = {name: _plain(value) for name, value in dict(record.own).items() if name in _OWN and value is not None}
        return record._replace(own=own)

    def _moment(self, what: str, value: Any) -> datetime:
        if not isinstance(value, datetime) or value.utcoffset() is None:
            raise self._broken(f"{what} has a time without a time zone")
        return value

    def _stopped(self) -> errors.RetryLater:
        told = errors.RetryLater("the connector stopped before its last page", place=self._name)
        told.fault = "broken"
        self._contact.ended("answer", 0.0, told)
        return told

    def _broken(self, what: str) -> errors.PauseConnection:
        told = errors.PauseConnection(
            f"the connector breaks its contract: {what}",
            place=self._name,
            remedy="tell its makers to run tierwise.sdk.testing.ConnectorContract; then tierwise connections enable",
        )
        told.fault = "broken"
        self._contact.ended("answer", 0.0, told)
        return told


def _fits(said: Any, update: Update) -> bool:
    return isinstance(said, Written) and said.record_id == update.record_id


def _entries(step: Any) -> list[tuple[int, Any]]:
    return [(place, said) for place, said in step.items() if type(place) is int] if isinstance(step, Mapping) else []


def _plain(value: Any) -> Any:
    """One of our fields as any database takes it."""
    if isinstance(value, tuple | list):
        return tuple(_plain(one) for one in value)
    if isinstance(value, bool | int | float):
        return value
    text = str(value)[:_LONGEST_OWN].replace("\x00", "\ufffd")
    return text.encode("utf-8", "replace").decode("utf-8")
