"""Watching what automation wrote: people who changed it are found, and the flag is lowered where too much was wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from tierwise import ports
from tierwise.domain import retreat, rollout
from tierwise.ports.automation import FlagVersion
from tierwise.sdk import Connector, Notice

BY = "tierwise"


class Ended(NamedTuple):
    """Automation was ended."""

    why: tuple[retreat.Reason, ...]
    before: int
    """Percent of companies that it was on for."""


def overrides(store: ports.Store, connector: Connector, *, connection: str, newest: int, clock: ports.Clock) -> int:
    """Look at the newest writes; where somebody else's value stands now, keep that as theirs. How many."""
    rows = store.automations.list(connection=connection, limit=newest)
    last = {row.record_id: row for row in reversed(rows)}
    ours = [row for row in last.values() if row.state == "written"]
    changed = 0
    for start in range(0, len(ours), connector.batch_size):
        some = ours[start : start + connector.batch_size]
        for field in sorted({row.field for row in some}):
            of = {row.record_id: row for row in some if row.field == field}
            for record in connector.read(list(of), properties=[field]):
                row = of.get(record.id)
                shown = record.properties.get(field)
                if row is None or ("" if shown is None else str(shown)) == row.after:
                    continue
                changed += store.automations.finish(
                    row.id, "kept", error="somebody changed it", was=("written",), now=clock()
                )
    return changed


def watch(
    store: ports.Store,
    *,
    limits: retreat.Limits,
    positive_tiers: Sequence[str],
    newest: int,
    now: datetime,
    notice: Callable[[Ended], Notice],
) -> Ended | None:
    """End automation where something speaks against it, and tell people in the same transaction; None where nothing
    does, or it is off."""
    history = store.flags.history(limit=1000)
    if not history or history[0].flag.percentage == 0:
        return None
    window = store.automations.window(since=began(history), newest=newest, positive_tiers=positive_tiers)
    alerts = [f"{item.kind} ({item.scope}): {item.detail}" for item in store.flags.alerts()]
    why = retreat.reasons(window, alerts=alerts, limits=limits)
    flag = retreat.lowered(history[0].flag, why)
    if flag is None:
        return None
    words = "; ".join(reason.detail for reason in why)
    # First the alert, which alone turns the gate red: a crash in between leaves it off.
    for reason in why:
        if reason.kind != "alert":
            store.flags.alert(reason.kind, rollout.FLAG, reason.detail, now=now)
    ended = Ended(tuple(why), history[0].flag.percentage)
    store.flags.put(flag, by=BY, machine=True, reason=words, now=now, notice=notice(ended))
    return ended


def began(history: Sequence[FlagVersion]) -> datetime:
    """When the run that lasts began: what was before its last end was judged then. `history` is the newest first."""
    at = history[0].at
    for version in history:
        if version.flag.percentage == 0:
            break
        at = version.at
    return at
