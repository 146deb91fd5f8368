"""A rep asks for a review in the CRM: first in the queue within one poll, answered in the CRM within two ticks.

Beat, worker, broker, CRM and commands are processes of their own. Polls and ticks are counted as they were begun in
the database, not by a clock that a busy machine slows down.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tierwise import wiring
from tierwise.cli import demo
from tierwise.store import schema

pytestmark = [pytest.mark.timeout(300), pytest.mark.alone, pytest.mark.usefixtures("own_environment")]

UNDO = 1.0
"""Seconds in which the answer may be taken back here; nothing is written before they are over."""


def _rep_ticks(running: demo.Running, record_id: str) -> None:
    """The quick action, as a person presses it."""
    url = running.sandbox.hubspot_url
    if running.sandbox.salesforce:
        door, body = "salesforce/records", {"id": record_id, "values": {"Tierwise_Request_Review__c": True}}
    else:
        door, body = "contacts", {"id": record_id, "properties": {"tierwise_request_review": "true"}}
    request = urllib.request.Request(f"{url}/_sandbox/{door}", json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200


def _tierwise(*arguments: str, **env: str) -> Any:
    """A command in another terminal; TIERWISE_CONFIG is the running stack's."""
    done = subprocess.run(
        [sys.executable, "-m", "tierwise", *arguments, "--json"], env={**os.environ, **env}, capture_output=True,
        text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _until(found: Callable[[], Any], *, seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.05)
    return value


def _claimed(running: demo.Running, kind: str, *, after: datetime, before: datetime) -> int:
    """How many polls or ticks were due between the two moments."""
    slot = schema.schedule_slot
    query = sa.select(sa.func.count()).where(slot.c.kind == kind, slot.c.at >= after, slot.c.at < before)
    with running.parts.store._database.read() as reader:  # type: ignore[attr-defined]
        return int(reader.execute(query).scalar_one())


def _polls(running: demo.Running) -> int:
    """How many polls began so far; a slot that is claimed while the one before still reads begins none."""
    cursor = schema.cursor
    query = sa.select(sa.func.sum(cursor.c.version)).where(cursor.c.kind == "changes")
    with running.parts.store._database.read() as reader:  # type: ignore[attr-defined]
        return int(reader.execute(query).scalar_one())


@pytest.mark.parametrize("crm", ["hubspot", "salesforce"])
def test_a_reps_request_and_its_answer(crm: str) -> None:
    # One lead in twenty is drawn for the audit and waits for a person anyway: enough of them that some always do not.
    with demo.running(demo.Options(leads="40", seed=5, crm=crm, poll_seconds=4)) as running:
        demo.settle(running, quiet=True)
        store = running.parts.store
        waiting = store.reviews.list()
        # A lead that nobody would have looked at next.
        asked = {item.record_id: item.kind for item in waiting}
        stands = {record["id"]: record["properties"]["tierwise_status"] for record in running.crm.contacts()}
        free = [record_id for record_id, status in stands.items() if record_id not in asked and status == "scored"]
        assert free, (stands, asked)
        lead = next(record for record in running.crm.contacts() if record["id"] == free[0])
        record_id, shown = lead["id"], lead["properties"]["tierwise_tier"]
        right = next(tier for tier in ("B", "C") if tier != shown)

        _rep_ticks(running, record_id)
        # A CRM tells its time in whole seconds, and a poll reads up to what it tells: one that began in the second of
        # the press may have ended before it.
        told = wiring.clock().replace(microsecond=0) + timedelta(seconds=1)
        _until(lambda: wiring.clock() >= told)
        begun = _polls(running)
        latest = begun

        def brought() -> Any:
            nonlocal latest
            polls = _polls(running)
            if found := next((one for one in store.reviews.list() if one.kind == "fast_track"), None):
                return found
            latest = polls
            return None

        item = _until(brought)
        assert item.record_id == record_id
        assert latest - begun <= 1, "the next poll brings it"
        taken = _tierwise("review", "take")
        assert (taken["id"], taken["record_id"], taken["kind"]) == (item.id, record_id, "fast_track"), (
            "it is at the head"
        )

        _tierwise("review", "answer", str(item.id), "--tier", right, TIERWISE_REVIEW__UNDO_SECONDS=str(UNDO))
        answered = store.reviews.get(item.id)
        assert answered is not None
        assert answered.answered_at is not None
        stands = answered.answered_at + timedelta(seconds=UNDO)

        def now_shown() -> dict[str, Any]:
            return next(record["properties"] for record in running.crm.contacts() if record["id"] == record_id)

        def answer_is_there() -> bool:
            found = now_shown()
            return found["tierwise_tier"] == right and str(found["tierwise_request_review"]).lower() != "true"

        _until(answer_is_there)
        attempt = schema.write_attempt
        after = sa.select(attempt.c.at, attempt.c.outcome, attempt.c.finished_at).where(
            attempt.c.record_id == record_id, attempt.c.at >= answered.answered_at
        )

        def sent() -> Any:
            """The intents since the answer once one is known as sent: the CRM shows it a moment before we do."""
            with store._database.read() as reader:  # type: ignore[attr-defined]
                rows = reader.execute(after).all()
            return rows if any(row.outcome == "sent" for row in rows) else None

        attempts = _until(sent)
        assert min(row.at for row in attempts) >= stands, "as long as it could be taken back nothing was written"
        written = max(row.finished_at for row in attempts if row.outcome == "sent")
        assert _claimed(running, "tick", after=stands, before=written) <= 2
        (label,) = store.labels.list(source="review")
        assert (label.record_id, label.value) == (record_id, right)
        # It stays: the next poll sees its own writing, and no second request.
        polled = wiring.clock()
        _until(lambda: _claimed(running, "poll", after=polled, before=wiring.clock()) >= 1)
        assert now_shown()["tierwise_tier"] == right
        assert [one for one in store.reviews.list() if one.record_id == record_id] == []
