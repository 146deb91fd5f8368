"""What people are told is stored in the transaction in which it happens, so that no crash in between loses it."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from tierwise.sdk import Notice
from tierwise.store import columns, engine, notifications, schema

QUIET = timedelta(hours=1)
"""The same matter, as severe as before, is told no more often."""
WORK, OUTBOX, AUTOMATION = schema.work, schema.outbox, schema.automation


def tell(database: engine.Database, transaction: sa.Connection, notice: Notice, *, now: datetime) -> int:
    """A row for every notifier that wants such events; how many. Last in its transaction: it locks what others may."""
    wanting = [name for name, events in database.notifiers.items() if not events or notice.event in events]
    return notifications.put(transaction, wanting, notice, quiet=QUIET, now=now) if wanting else 0


def quarantined(database: engine.Database, transaction: sa.Connection, *, now: datetime) -> None:
    """Leads could not be decided and wait for a person."""
    if not database.notifiers:
        return
    query = sa.select(sa.func.count()).where(WORK.c.state == columns.literal("quarantined"))
    number = transaction.execute(query).scalar_one()
    title = "1 lead could not be decided" if number == 1 else f"{number} leads could not be decided"
    text = "They were tried several times and wait in the queue: tierwise review list --kind schema"
    tell(
        database, transaction, Notice("work_quarantined", "warning", title, text, now, event="work_quarantined"),
        now=now,
    )  # fmt: skip


def write_refused(database: engine.Database, transaction: sa.Connection, name: str, *, now: datetime) -> None:
    """The CRM refused records, of our fields or of the organisation's own."""
    if not database.notifiers:
        return
    number = 0
    for table in (OUTBOX, AUTOMATION):
        mine = (table.c.connection == name, table.c.state == columns.literal("refused"))
        number += transaction.execute(sa.select(sa.func.count()).where(*mine)).scalar_one()
    title = f"{name} refuses 1 record" if number == 1 else f"{name} refuses {number} records"
    text = (
        "Why stands with each: tierwise review list --kind write_failed. Once it is mended they go out again by: "
        f"tierwise connections enable {name}"
    )
    tell(
        database, transaction, Notice(f"write_refused:{name}", "warning", title, text, now, event="write_refused"),
        now=now,
    )  # fmt: skip


def paused(database: engine.Database, transaction: sa.Connection, name: str, why: str | None, *, now: datetime) -> None:
    """The account refuses us, and a person must act; None: somebody has."""
    title, text = f"The connection {name} works again", "Somebody has enabled it."
    notice = Notice(f"connection_paused:{name}", "resolved", title, text, now, event="connection_paused")
    if why is not None:
        text = f"{why}\nNothing is lost: leads wait. See to it, then: tierwise connections enable {name}"
        notice = notice._replace(severity="critical", title=f"The connection {name} is paused", text=text)
    tell(database, transaction, notice, now=now)
