"""What the CRM refused, on its way once more: whoever mended the account must not have to find each record."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from tierwise.store import columns, reviews, schema

TABLE = schema.outbox
LEAD = schema.lead
AUTOMATION = schema.automation


def refused(connection: sa.Connection, name: str, *, now: datetime) -> int:
    """Every refused row of connection `name` is ready again, and nobody is asked about it. Returns how many were,
    writes of the organisation's own field not counted."""
    mine = (TABLE.c.connection == name, TABLE.c.state == "refused")
    found = connection.execute(sa.select(TABLE.c.record_id).where(*mine)).scalars().all()
    changed = 0
    for some in columns.chunks(sorted(found)):
        # Leads before outbox rows, each in the order of their ids, as everywhere.
        leads = sa.select(LEAD.c.id).where(LEAD.c.connection == name, LEAD.c.record_id.in_(some))
        connection.execute(leads.order_by(LEAD.c.id).with_for_update()).all()
        query = sa.select(TABLE.c.id, TABLE.c.record_id).where(*mine, TABLE.c.record_id.in_(some))
        rows = connection.execute(query.order_by(TABLE.c.id).with_for_update()).all()
        ready = {"state": "ready", "attempt": 0, "run_after": now, "error": "", "updated_at": now}
        statement = sa.update(TABLE).where(TABLE.c.id.in_([row.id for row in rows]), TABLE.c.state == "refused")
        changed += connection.execute(statement.values(ready)).rowcount
        reviews.supersede(connection, name, [row.record_id for row in rows], kinds=("write_failed",))
    _automations(connection, name)
    return changed


def _automations(connection: sa.Connection, name: str) -> None:
    """Tiers that the organisation's field would not take may be begun again, where that is permitted then."""
    mine = (AUTOMATION.c.connection == name, AUTOMATION.c.state == "refused")
    again = sa.update(AUTOMATION).where(*mine).values(state="lost", attempt=0).returning(AUTOMATION.c.record_id)
    records = set(connection.execute(again).scalars())
    reviews.supersede(connection, name, records, kinds=("write_failed",))
