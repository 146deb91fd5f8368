"""A policy beside the one that runs, on live leads: it decides them, too, and only that it would have is kept.

It comes after production, in a task of its own: what goes wrong here, or is slow, holds up no lead. Questions that the
running policy does not ask are asked of models, on the budget of the lead's connection.
"""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from tierwise import ports
from tierwise.domain import decision as decisions
from tierwise.domain import recall, rules
from tierwise.domain.decision import Judged
from tierwise.domain.lead import Lead
from tierwise.domain.policy import Runnable
from tierwise.pipeline import backtest

Ask = Callable[[Runnable, Lead, str], "Future[Judged]"]
"""Ask models about a lead, on the budget of that connection."""
Keys = Callable[[Runnable, Lead], Collection[str]]
"""Content hashes under which answers about the lead are kept."""
PAGE = 50
PATIENCE = 80.0
"""Seconds for the answers of one page; what comes later is in the cache when the page is looked at again."""


def follow(
    shadow: ports.Shadow,
    tools: backtest.Tools,
    *,
    store: ports.Store,
    ask: Ask,
    keys: Keys,
    clock: ports.Clock,
    limit: int = PAGE,
) -> int:
    """Hold the next decisions against the shadow; how many. `tools.judge` is not used: models are asked."""
    pasts = store.shadows.due(shadow, limit=limit)
    open_ = _open(pasts, tools)
    # Before anything is answered: whatever comes of it, an erasure finds what was.
    store.backtests.note({past.id: keys(tools.after, lead) for past, lead in open_})
    asked = {past.id: ask(tools.after, lead, past.connection) for past, lead in open_}
    concurrent.futures.wait(asked.values(), timeout=PATIENCE)
    late = {number for number, future in asked.items() if not future.done()}
    rows = []
    for past in pasts:
        if past.id in late:
            continue
        spent: list[Judged] = []
        rows.append(_row(shadow, past, _held(past, tools, asked.get(past.id), spent), spent))
        store.assessments.keep([item for judged in spent for item in recall.paid(judged)], now=clock())
    store.shadows.record(rows, now=clock())
    return len(rows)


def _open(pasts: Sequence[ports.PastDecision], tools: backtest.Tools) -> list[tuple[ports.PastDecision, Lead]]:
    """The leads that models have to be asked about."""
    found = []
    for past in pasts:
        lead = backtest.lead_of(past)
        if lead is None or (_same(past, tools) and past.body["scorecard"] is not None):
            continue
        if rules.first(decisions.gate(tools.after, lead)) is None:
            found.append((past, lead))
    return found


def _same(past: ports.PastDecision, tools: backtest.Tools) -> bool:
    return tools.asks(past.policy) == tools.asks(tools.after.digest)


def _held(
    past: ports.PastDecision, tools: backtest.Tools, asked: Future[Judged] | None, spent: list[Judged]
) -> backtest.Replayed | None:
    def answer(*_: Any) -> Judged | None:
        if asked is None:
            return None
        judged = asked.result()
        spent.append(judged)
        return judged

    # What production decided is what stands there, under whatever policy.
    live = tools.before._replace(digest=past.policy)
    return next(iter(backtest.replay([past], tools._replace(before=live, judge=answer))))


def _row(
    shadow: ports.Shadow, past: ports.PastDecision, item: backtest.Replayed | None, spent: Sequence[Judged]
) -> ports.ShadowDecision:
    cost = decisions.total_cost([answer for judged in spent for answer in judged.assessments])
    after = item.after if item is not None else None
    segments = dict(zip(backtest.SEGMENTS, item.segments, strict=True)) if item is not None else {}
    live = {**_plain(item.before), "segments": segments} if item is not None else {}
    error = item.error if item is not None else "its signals cannot be read any more"
    return ports.ShadowDecision(
        decision_id=past.id,
        connection=past.connection,
        record_id=past.record_id,
        policy=shadow.digest,
        live_policy=past.policy,
        live=live,
        shadow=_plain(after) if after is not None else {"error": error},
        differs=item is not None and item.flips,
        cost_usd=cost,
    )


def _plain(side: backtest.Side) -> dict[str, Any]:
    return {**side._asdict(), "codes": list(side.codes)}


def replayed(rows: Sequence[ports.ShadowDecision]) -> list[backtest.Replayed | None]:
    """What was recorded in the shape of a backtest, for the same report."""
    return [_replayed(row) for row in rows]


def _replayed(row: ports.ShadowDecision) -> backtest.Replayed | None:
    if not row.live:
        return None
    return backtest.Replayed(
        connection=row.connection,
        record_id=row.record_id,
        segments=tuple(row.live["segments"].get(name, backtest.NONE) for name in backtest.SEGMENTS),
        before=_side(row.live),
        after=_side(row.shadow) if "error" not in row.shadow else None,
        error=str(row.shadow.get("error", "")),
        asked=True,
        cost_usd=row.cost_usd,
        decision_id=row.decision_id,
    )


def _side(plain: Mapping[str, Any]) -> backtest.Side:
    values = {name: plain[name] for name in backtest.Side._fields}
    return backtest.Side(**{**values, "codes": tuple(values["codes"])})
