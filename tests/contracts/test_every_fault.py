"""Every fault that the sandboxes know: what the connector does, how it is seen, and that nothing is lost.

How a fault is seen is the same for all of them: the requests by how they ended (metric), the account's health with
fault, error, remedy and since when (`connections list`, /readyz, the page), one line of `tierwise doctor`, and a log
line with connection and fault; a connection that a person must see to is paused. What the connector made up for by
itself shows in the metric only. Nothing of all this holds an address of a lead.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
import structlog
from tierwise_fixtures.stage import Stage

from tierwise import telemetry
from tierwise.cli import accounts
from tierwise.console import health as console
from tierwise.errors import PauseConnection, RetryLater

LEADS = 4
SOON = 0.3
"""Seconds that are waited for an answer where the fault is that it takes long."""
PERSON = "somebody.private"
LOGIN = {"status": "error", "category": "EXPIRED_AUTHENTICATION", "message": f"token of {PERSON}@firm.example expired"}


class Fault(NamedTuple):
    """One fault, switched on while leads are read or written."""

    name: str
    at: str
    """The step that meets it: poll or write_back."""
    on: Callable[[Stage], None]
    requests: frozenset[str]
    """How requests ended meanwhile, all of these."""
    seen: str = ""
    """The fault that the account's health tells; "" where the connector makes up for it."""
    paused: bool = False
    tries: int = 1
    resting: bool = False
    """The breaker is open at the end."""
    hurried: bool = False
    """An answer is waited for not longer than SOON."""
    refused: bool = False
    """Rows are refused: each is an item in the review queue, and goes out again once a person has seen to it."""


def _some(*names: str) -> frozenset[str]:
    return frozenset(names)


def _on(action: str, path: str = "", **more: Any) -> Callable[[Stage], None]:
    def strike(stage: Stage) -> None:
        place = {"reading": stage.crm.reading, "writing": stage.crm.writing}.get(path, path)
        stage.strike(action, place, **more)

    return strike


def _switch(**switches: Any) -> Callable[[Stage], None]:
    return lambda stage: stage.crm.org.switches.set(switches)


def _secure(**given: list[str]) -> Callable[[Stage], None]:
    fields: dict[str, list[str]] = {"hidden": [], "read_only": [], **given}
    return lambda stage: stage.crm.org.schema.secure(**fields)


def _transport(at: str, path: str) -> list[Fault]:
    """What any HTTP service can do to us, while it is read or written."""
    ok, again = _some("ok"), _some("retried")
    return [
        Fault("one 503", at, _on("status", path, status=503, times=1), again | _some("unavailable")),
        Fault("503 for good", at, _on("status", path, status=503), _some("unavailable"), "unavailable"),
        Fault("503 until left in peace", at, _on("status", path, status=503), _some("unavailable"), "unavailable",
              tries=2, resting=True),
        Fault("429 with Retry-After", at, _on("status", path, status=429, headers={"Retry-After": "2"}, times=1),
              again | _some("rate_limited")),
        Fault("429 without Retry-After for good", at, _on("status", path, status=429), _some("rate_limited"),
              "rate_limited"),
        Fault("no answer in time", at, _on("delay", path, seconds=0.7), _some("timeout"), "timeout",
              hurried=True),
        Fault("a connection reset", at, _on("drop", path, times=1), again | _some("unreachable")),
        Fault("connections reset for good", at, _on("drop", path), _some("unreachable"), "unreachable"),
        Fault("reset after it was carried out", at, _on("drop", path, after=True, times=1),
              again | _some("unreachable")),
        Fault("an answer cut in half", at, _on("truncate", path, times=1), again | _some("bad_answer")),
        Fault("answers cut in half for good", at, _on("truncate", path), _some("bad_answer"), "bad_answer"),
        Fault("a slow body", at, _on("drip", path, seconds=0.4, times=1), ok, hurried=True),
    ]  # fmt: skip


HUBSPOT = [
    *_transport("poll", "reading"),
    *_transport("write_back", "writing"),
    Fault("a token that is refused", "poll", _on("unauthorized"), _some("unauthorised"), "unauthorised", paused=True),
    Fault("a token that is refused while we write", "write_back", _on("status", status=401, body=LOGIN),
          _some("unauthorised"), "unauthorised", paused=True),
    Fault("the day's calls used up", "poll",
          lambda stage: stage.crm.spend_day(), _some("quota"), "quota"),
    Fault("too many searches a second", "poll", lambda stage: stage.crm.portal.limits.set({"search_per_second": 1}),
          _some("ok")),
    Fault("too many calls in ten seconds", "write_back", lambda stage: stage.crm.portal.limits.set({"burst": 1}),
          _some("rate_limited"), "rate_limited"),
    Fault("a scope that is missing", "write_back",
          lambda stage: setattr(stage.crm.portal, "scopes", frozenset({"crm.objects.contacts.read"})),
          _some("unauthorised"), "unauthorised", paused=True),
    Fault("COMPLETE with nothing in it", "write_back", _on("partial", "writing", share=0.0), _some("ok"), "partial"),
    Fault("half a batch carried out", "write_back", _on("partial", "writing", share=0.5, times=1), _some("ok"),
          "partial"),
    Fault("a whole batch refused", "write_back",
          _on("status", "writing", status=400, body={"status": "error", "category": "VALIDATION_ERROR",
              "message": f"Property values were not valid for {PERSON}@firm.example"}, times=1), _some("refused")),
]  # fmt: skip

SALESFORCE = [
    *_transport("poll", "reading"),
    *_transport("write_back", "writing"),
    Fault("sessions that end with every call", "poll", _switch(session_calls=1), _some("unauthorised", "ok")),
    Fault("sessions that end while we write", "write_back", _switch(session_calls=1), _some("unauthorised", "ok")),
    Fault("a storm of refused sessions", "poll", _switch(session_storm=50), _some("unauthorised"), "unauthorised"),
    Fault("the day's calls used up", "poll", _switch(daily_requests=10), _some("ok"), "quota", tries=6),
    Fault("the app's own calls used up", "poll", lambda stage: stage.crm.spend_day(), _some("ok"), "quota", tries=2),
    Fault("a cursor that is lost", "poll", _switch(broken_locators=1), _some("ok")),
    Fault("transactions that commit late", "poll", _switch(late_commit_seconds=500), _some("ok")),
    Fault("a clock that is wrong", "poll", _switch(clock_skew_seconds=240), _some("ok")),
    Fault("edits while we page", "poll", _switch(edits_while_paging=2, page_rows=200), _some("ok")),
    Fault("rows that are locked for a moment", "write_back", _switch(lock_rows=2), _some("ok"), "partial"),
    Fault("rows that stay locked", "write_back", _switch(lock_share=1.0), _some("ok"), "partial"),
    Fault("a trigger that trips over a lock", "write_back", _switch(trigger_lock_rows=2), _some("ok"), "partial"),
    Fault("a server busy with other rows", "write_back", _switch(transient_rows=2), _some("ok"), "partial"),
    Fault(
        "a rule of the admin's that refuses rows",
        "write_back",
        _switch(required_when_written="Phone"),
        _some("ok"),
        refused=True,
    ),
    Fault(
        "a field of ours that is hidden",
        "write_back",
        _secure(hidden=["Lead.Tierwise_Score__c"]),
        _some("ok"),
        "refused",
        paused=True,
    ),
    Fault(
        "a field of ours that is read-only",
        "write_back",
        _secure(read_only=["Lead.Tierwise_Score__c"]),
        _some("ok"),
        "refused",
        paused=True,
    ),
    Fault(
        "a mapped field that is hidden",
        "poll",
        _secure(hidden=["Lead.Email"]),
        _some("refused"),  # what is remembered of the org is forgotten, and the next poll knows what is wrong
        "refused",
        paused=True,
        tries=2,
    ),
]


class Seen(NamedTuple):
    """What people could know of it."""

    health: Any
    told: RetryLater | PauseConnection | str
    """By `tierwise doctor`."""
    page: console.Finding
    lines: list[Any]
    """Of the log, about this connection."""


@contextlib.contextmanager
def _logged() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        yield lines


def _doctor(stage: Stage, name: str) -> RetryLater | PauseConnection | str:
    try:
        return accounts.contact(stage.parts.settings, name)
    except (RetryLater, PauseConnection) as told:
        return told


def _play(stage: Stage, fault: Fault, number: int) -> None:
    name = f"{stage.crm.type}-{number}"
    stage.connect(name, **({"read_timeout": SOON} if fault.hurried else {}))
    record_ids = stage.crm.add([f"{PERSON}.{number}.{n}@firm{n}.example" for n in range(LEADS)])
    stage.wait(1)
    if fault.at == "write_back":
        stage.run(name, "poll", "pump")
    try:
        fault.on(stage)
        with _logged() as lines:
            for again in range(fault.tries):
                stage.wait(700 if again else 0)
                stage.run(name, fault.at)
        requests = stage.requests(name)
        assert fault.requests <= requests.keys(), requests
        health, state, told = stage.health(name).get(fault.at), stage.state(name), _doctor(stage, name)
        page = {one.name: one for one in console.accounts(stage.parts.store)}[name]
        assert health is not None
        if fault.seen:
            about = [line for line in lines if line.get("connection") == name]
            _trouble_is_seen(fault, Seen(health, told, page, about))
        else:
            assert (health.failures, state.paused, page.ok) == (0, None, True), health
            assert isinstance(told, str)
        assert (state.paused is not None) == fault.paused
        assert (health.resting_until is not None) == fault.resting
        everything = repr([lines, health, state, told, page, telemetry.exposition()[0]])
        assert PERSON not in everything, "personal data is shown"

        if fault.refused:
            assert stage.counted("tierwise_writes_total", "result", connection=name) == {"refused": LEADS}
            waiting = stage.parts.store.reviews.list(kind="write_failed", limit=1000)
            assert {item.record_id for item in waiting} >= set(record_ids), "a person is asked"
            assert stage.parts.store.leads.counts(name)["refused"] == LEADS
    finally:
        stage.clear(name)
    if fault.paused or fault.refused:
        stage.resume(name)
    stage.settle(name)
    for record_id in record_ids:
        (story,) = stage.parts.store.leads.story(name, record_id)
        assert len(story.decisions) == 1, "decided once"
        assert stage.crm.fingerprint(record_id) == story.fingerprint, "the CRM shows it"
        assert story.delivered_at is not None
    assert [one.failures for one in stage.health(name).values()] == [0] * len(stage.health(name)), "it does well again"
    assert isinstance(_doctor(stage, name), str)


def _trouble_is_seen(fault: Fault, seen: Seen) -> None:
    health, told = seen.health, seen.told
    assert (health.fault, health.failures >= 1, health.failing_since is not None) == (fault.seen, True, True)
    assert health.error
    assert isinstance(told, PauseConnection if fault.paused else RetryLater)
    assert told.remedy
    assert (seen.page.ok, bool(seen.page.remedy)) == (False, True)
    if fault.seen != "partial":
        assert health.error in told.message or fault.paused
        assert any(line.get("fault") in (fault.seen, "resting") for line in seen.lines), seen.lines


QUICK = frozenset(
    {"one 503", "503 until left in peace", "no answer in time", "reset after it was carried out",
     "answers cut in half for good"}
)  # fmt: skip
"""Of what any HTTP service can do: the rest of it meets the second connector in `make test-deep`."""


def _table(faults: list[Fault], *, of_any: int = 0) -> list[Any]:
    """Of the first `of_any`, the quick ones are enough for every day."""
    return [
        pytest.param(
            fault,
            number,
            id=f"{fault.at}: {fault.name}",
            marks=[pytest.mark.deep] if number < of_any and fault.name not in QUICK else [],
        )
        for number, fault in enumerate(faults)
    ]


@pytest.mark.parametrize(("fault", "number"), _table(HUBSPOT))
def test_hubspot(hubspot_stage: Stage, fault: Fault, number: int) -> None:
    _play(hubspot_stage, fault, number)


@pytest.mark.parametrize(("fault", "number"), _table(SALESFORCE, of_any=24))
def test_salesforce(salesforce_stage: Stage, fault: Fault, number: int) -> None:
    _play(salesforce_stage, fault, number)
