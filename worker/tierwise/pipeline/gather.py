"""Leads of backfills and replays into batches: what each has still to be asked, and whether that is worth a batch.

Never a lead of a poll as it comes in. Whatever cannot wait, or need not, is decided live at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from tierwise import ports, telemetry
from tierwise.domain import decision as decisions
from tierwise.domain import rules
from tierwise.domain.policy import Runnable
from tierwise.errors import TierwiseError
from tierwise.llm import batching, cost
from tierwise.llm.asking import Question
from tierwise.ports.batches import Plan, Waiter, Wanted

TO_SUBMIT = timedelta(hours=2)
"""For which a batch may wait to be submitted."""
log = telemetry.log(__name__)


class Pace(NamedTuple):
    """What is worth a batch."""

    fewest: int = 50
    most: int = 2000
    linger: float = 60.0
    """Seconds that a lead waits for others."""
    longest: float = 40.0
    """Seconds after which the rest is left for the next time."""


class Tools(NamedTuple):
    """What gathering works with."""

    store: ports.Store
    seeker: batching.Seeker
    offers: Callable[[str], bool]
    """Whether a model's provider takes batches."""
    runnable: Callable[[], Runnable]
    prices: cost.Prices
    budgets: ports.Budgets
    clock: ports.Clock
    monotonic: Callable[[], float] = time.monotonic


class Gathered(NamedTuple):
    """What became of the leads."""

    released: int = 0
    """Decided live: they need no answer, or none that a batch can bring."""
    batches: int = 0
    questions: int = 0
    waiting: int = 0
    """Leads that wait for one of these batches, or for one that asks the same."""
    held: int = 0
    """Leads for which no budget has room."""


def gather(tools: Tools, pace: Pace, *, stop: Callable[[], bool] = lambda: False) -> Gathered:
    """Put leads that waited long enough, or are many enough, into batches."""
    report, seen, until = Gathered(), set[int](), tools.monotonic() + pace.longest
    while not stop() and tools.monotonic() < until:
        now = tools.clock()
        there = tools.store.batches.gathering(now=now)
        if there.oldest is None or (there.leads < pace.most and (now - there.oldest).total_seconds() < pace.linger):
            break
        page = tools.store.batches.waiters(limit=pace.most, now=now)
        if not {waiter.work_id for waiter in page} - seen:
            break  # what is left is answered live just now, or waits for money
        seen |= {waiter.work_id for waiter in page}
        report = _page(tools, pace, page, report)
    return report


def release_all(tools: Tools) -> int:
    """Decide live what waits to get into a batch: batches are off."""
    released = 0
    while page := tools.store.batches.waiters(limit=1000, now=tools.clock()):
        tools.store.batches.release([waiter.work_id for waiter in page], now=tools.clock())
        released += len(page)
    return released


def _page(tools: Tools, pace: Pace, page: Sequence[Waiter], report: Gathered) -> Gathered:
    runnable = tools.runnable()
    # A lead that was decided under this policy is decided so again, whatever models would say today.
    decided = tools.store.decisions.find({_key(waiter, runnable) for waiter in page})
    open_ = [waiter for waiter in page if _key(waiter, runnable) not in decided and _asked(runnable, waiter)]
    questions = tools.seeker.next(runnable, [batching.Asked(item.lead, item.connection) for item in open_])
    groups: dict[tuple[str, str], list[tuple[Waiter, Question, int]]] = {}
    for waiter, question in zip(open_, questions, strict=True):
        if question is None or question.stage not in batching.BATCHED or not tools.offers(question.model):
            continue
        nano = _nano(tools, waiter, question)
        if nano is not None:
            groups.setdefault((question.model, question.stage), []).append((waiter, question, nano))
    kept: set[int] = set()
    for (model, stage), found in groups.items():
        keys = {waiter.work_id: question.key for waiter, question, _ in found}
        if len(set(keys.values())) < pace.fewest:
            continue
        kept |= keys.keys()
        wanted = tuple(
            Wanted(waiter.work_id, keys[waiter.work_id], waiter.connection, nano) for waiter, _, nano in found
        )
        plan = Plan(model, stage, found[0][1].strong, runnable.digest, wanted)
        now = tools.clock()
        made = tools.store.batches.plan(plan, budgets=tools.budgets, deadline=now + TO_SUBMIT, now=now)
        if made.batch is not None:
            log.info("batch planned", batch=made.batch, model=model, stage=stage, questions=made.questions)
        if made.spent is not None:
            log.warning("leads wait for a budget", scope=made.spent.scope, period=made.spent.period)
        report = report._replace(
            batches=report.batches + (made.batch is not None),
            questions=report.questions + made.questions,
            waiting=report.waiting + made.leads,
            held=report.held + (len(wanted) - made.leads if made.spent is not None else 0),
        )
    free = [waiter.work_id for waiter in page if waiter.work_id not in kept]
    tools.store.batches.release(free, now=tools.clock())
    return report._replace(released=report.released + len(free))


def _key(waiter: Waiter, runnable: Runnable) -> ports.DecisionKey:
    return (waiter.connection, waiter.record_id, waiter.fingerprint, runnable.digest)


def _asked(runnable: Runnable, waiter: Waiter) -> bool:
    try:
        return rules.first(decisions.gate(runnable, waiter.lead)) is None
    except TierwiseError:
        return False  # decided live, what is wrong is told there


def _nano(tools: Tools, waiter: Waiter, question: Question) -> int | None:
    """Estimated cost; None where a budget counts it and nobody knows."""
    usd = batching.estimate(question, tools.prices)
    if usd is None:
        return None if tools.budgets.of(waiter.connection) else 0
    return round(usd * ports.NANO)


def told(report: Gathered) -> Mapping[str, int]:
    """The figures that are not nothing."""
    return {name: value for name, value in report._asdict().items() if value}
