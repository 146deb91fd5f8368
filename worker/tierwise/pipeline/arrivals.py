"""Whether writes of the organisation's field arrived whose end nobody knows: told by what stands there now.

It only reads the CRM. What did not arrive may be begun again by the next pass, if it is still permitted then.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from tierwise import ports, telemetry
from tierwise.ports.automation import Automated, AutomationState, Unsettled
from tierwise.sdk import Connector

PATIENCE = timedelta(minutes=10)
"""Longer than any call: what has not arrived by then will not."""
ATTEMPTS = 5
"""Of one decision's write; what did not arrive in these goes to a person."""
MOST = 1000
IN_DOUBT: tuple[AutomationState, ...] = ("begun", "unsure")
log = telemetry.log(__name__)


class Settled(NamedTuple):
    """What came of the writes in doubt."""

    written: int = 0
    lost: int = 0
    """They did not arrive."""
    kept: int = 0
    """Somebody else's value stands there."""
    refused: int = 0
    """They never arrive: a person is asked."""


def settle(
    store: ports.Store, connector: Connector, *, connection: str, clock: ports.Clock, patience: timedelta = PATIENCE
) -> Settled:
    """Look at what was begun longer ago than `patience` and has no end; an error of the connector passes through."""
    report = Settled()
    rows = store.automations.unsettled(connection, before=clock() - patience, limit=MOST)
    for field in sorted({row.write.field for row in rows}):
        some = [row for row in rows if row.write.field == field]
        for start in range(0, len(some), connector.batch_size):
            part = some[start : start + connector.batch_size]
            shown = _shown(connector, part, field)
            for row in part:
                state, error = ended(row, shown)
                if store.automations.finish(row.write.id, state, error=error, was=IN_DOUBT, now=clock()):
                    report = report._replace(**{state: getattr(report, state) + 1})
                    telemetry.count("tierwise_automated_total", connection=connection, result=state)
    if any(report):
        log.info("writes in doubt are settled", connection=connection, **report._asdict())
    return report


def ended(row: Unsettled, shown: dict[str, str | None]) -> tuple[AutomationState, str]:
    """How a write ended, and why: by what the next one of the same record found there, or else by what stands now."""
    write = row.write
    if row.followed:
        # It looked before it wrote.
        stood = row.stood
    elif write.record_id in shown:
        stood = shown[write.record_id]
    else:
        return "lost", "the record is not in the CRM any more"
    if stood == write.after:
        return "written", ""
    if stood != write.before:
        return "kept", "somebody changed it"
    if row.attempt >= ATTEMPTS:
        return "refused", f"it did not arrive in {row.attempt} tries; the last one: {write.error or 'no answer'}"
    return "lost", f"it did not arrive: {write.error or 'no answer'}"


def _shown(connector: Connector, rows: Sequence[Unsettled], field: str) -> dict[str, str | None]:
    ids = [row.write.record_id for row in rows if not row.followed]
    found = connector.read(list(dict.fromkeys(ids)), properties=[field]) if ids else ()
    return {record.id: text(record.properties.get(field)) for record in found}


def text(value: object) -> str | None:
    """A field's value as it is compared: nothing and empty are one."""
    return None if value is None or value == "" else str(value)


def old(rows: Sequence[Automated], *, now: datetime) -> int:
    """Of these, in doubt for longer than one look takes to settle them: nobody looks, or the CRM does not answer."""
    return sum(row.state in IN_DOUBT and now - row.at > 6 * PATIENCE for row in rows)
