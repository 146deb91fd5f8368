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
from tierwise.domain.lead import Lead
from tierwise.domain.policy import Runnable
from tierwise.errors import TierwiseError
from tierwise.llm import batching, cost
from tierwise.llm.asking import Question
from tierwise.ports.batches import Plan, Waiter, Wanted, Whose

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
    open_ = [waiter for waiter in page if _key(waiter, runnable) not in decided and asked(runnable, waiter.lead)]
    questions = tools.seeker.next(runnable, [batching.Asked(item.lead, item.connection) for item in open_])
    asking = [
        Case(waiter.work_id, waiter.connection, question)
        for waiter, question in zip(open_, questions, strict=True)
        if question is not None
    ]
    made = plan(tools, pace, asking, runnable.digest)
    kept = made.placed
    report = report._replace(
        batches=report.batches + made.batches,
        questions=report.questions + made.questions,
        waiting=report.waiting + made.waiting,
        held=report.held + made.held,
    )
    free = [waiter.work_id for waiter in page if waiter.work_id not in kept]
    tools.store.batches.release(free, now=tools.clock())
    return report._replace(released=report.released + len(free))


class Case(NamedTuple):
    """What somebody who waits needs answered."""

    waiter: int
    connection: str
    question: Question


class Placed(NamedTuple):
    """What became of the questions."""

    placed: frozenset[int] = frozenset()
    """Who waits for a batch, or for money."""
    batches: int = 0
    questions: int = 0
    waiting: int = 0
    held: int = 0


def plan(tools: Tools, pace: Pace, cases: Sequence[Case], policy: str, *, whose: Whose = "lead") -> Placed:
    """Write the questions down as batches, one for each model and stage, where that is offered and worth it."""
    groups: dict[tuple[str, str], list[tuple[Case, int]]] = {}
    for case in cases:
        question = case.question
        if question.stage not in batching.BATCHED or not tools.offers(question.model):
            continue
        nano = _nano(tools, case)
        if nano is not None:
            groups.setdefault((question.model, question.stage), []).append((case, nano))
    total = Placed()
    for (model, stage), found in groups.items():
        if len({case.question.key for case, _ in found}) < pace.fewest:
            continue
        wanted = tuple(Wanted(case.waiter, case.question.key, case.connection, nano) for case, nano in found)
        planned = Plan(model, stage, found[0][0].question.strong, policy, wanted, whose)
        now = tools.clock()
        made = tools.store.batches.plan(planned, budgets=tools.budgets, deadline=now + TO_SUBMIT, now=now)
        if made.batch is not None:
            log.info("batch planned", batch=made.batch, model=model, stage=stage, questions=made.questions, of=whose)
        if made.spent is not None:
            log.warning("leads wait for a budget", scope=made.spent.scope, period=made.spent.period)
        total = Placed(
            total.placed.union(case.waiter for case, _ in found),
            total.batches + (made.batch is not None),
            total.questions + made.questions,
            total.waiting + made.leads,
            total.held + (len(wanted) - made.leads if made.spent is not None else 0),
        )
    return total


def _key(waiter: Waiter, runnable: Runnable) -> ports.DecisionKey:
    return (waiter.connection, waiter.record_id, waiter.fingerprint, runnable.digest)


def asked(runnable: Runnable, lead: Lead) -> bool:
    """Whether models are asked about the lead: no gate stops it. What is wrong is told where it is decided."""
    try:
        return rules.first(decisions.gate(runnable, lead)) is None
    except TierwiseError:
        return False


def _nano(tools: Tools, case: Case) -> int | None:
    """Estimated cost; None where a budget counts it and nobody knows."""
    usd = batching.estimate(case.question, tools.prices)
    if usd is None:
        return None if tools.budgets.of(case.connection) else 0
    return round(usd * ports.NANO)


def told(report: Gathered) -> Mapping[str, int]:
    """The figures that are not nothing."""
    return {name: value for name, value in report._asdict().items() if value}
