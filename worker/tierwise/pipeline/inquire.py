"""Models are asked what only a backtest wants to know: in batches where that is offered and worth it, else live.

Nothing is decided here and nothing reaches a CRM. An answer is one more row of the cache, so that the backtest that is
run next finds it. The budgets are those of the leads' connections.
"""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import timedelta
from typing import NamedTuple

from tierwise import telemetry
from tierwise.domain import decision as decisions
from tierwise.domain import rules
from tierwise.domain.decision import Judged
from tierwise.domain.lead import Lead
from tierwise.domain.policy import Runnable
from tierwise.errors import Held, TierwiseError
from tierwise.llm import batching
from tierwise.pipeline import backoff, gather
from tierwise.ports.backtests import Untried

Ask = Callable[[Runnable, Lead, str], "Future[Judged]"]
"""Ask models about a lead, on the budget of that connection."""
AGAIN = 30.0
"""Seconds of the first wait after a failure; the second is twice as long, and so on."""
LOOK = 1.0
"""Seconds between two looks at whether the process is to end."""
HELD_FOR = 900.0
"""Seconds until a budget is looked at again that does not say when it has room."""
log = telemetry.log(__name__)


class Pace(NamedTuple):
    """How much at once."""

    batches: gather.Pace = gather.Pace()
    live: int = 50
    """Leads under way."""
    longest: float = 40.0
    """Seconds after which the rest is left for the next time."""
    lease: float = 180.0
    """Seconds for which what was taken is ours; outlasts `longest` and the last calls."""
    tries: int = 4
    """Looks without an answer, after which a decision is given up."""


class Tools(NamedTuple):
    """What asking works with."""

    gathering: gather.Tools
    runnable: Callable[[str], Runnable]
    """By digest, as it would run."""
    ask: Ask
    random: Callable[[], float]


class Inquired(NamedTuple):
    """What became of the decisions that were looked at."""

    answered: int = 0
    """Nothing is left to ask."""
    questions: int = 0
    """In new batches."""
    waiting: int = 0
    """For a batch, or for money."""
    later: int = 0
    """Tried again."""
    given_up: int = 0


def inquire(
    tools: Tools, pace: Pace, *, policy: str | None = None, stop: Callable[[], bool] = lambda: False
) -> Inquired:
    """Look at what is due, the longest waiting first; of `policy` alone where it is given."""
    report = Inquired()
    until = tools.gathering.monotonic() + pace.longest
    while not stop() and tools.gathering.monotonic() < until:
        now = tools.gathering.clock()
        page = tools.gathering.store.backtests.take(limit=pace.batches.most, lease=pace.lease, now=now, policy=policy)
        if not page:
            break
        report = _Page(tools, pace, page, until=until, stop=stop).work(report)
    return report


class _Page:
    """Some decisions under one policy."""

    def __init__(
        self, tools: Tools, pace: Pace, page: Sequence[Untried], *, until: float, stop: Callable[[], bool]
    ) -> None:
        self._tools, self._pace, self._until, self._stop = tools, pace, until, stop
        self._store = tools.gathering.store.backtests
        self._page = page
        self._runnable = tools.runnable(page[0].policy)

    def work(self, report: Inquired) -> Inquired:
        given_up = [item for item in self._page if item.tries > self._pace.tries]
        for item in given_up:
            log.warning("a backtest goes without an answer", lead=f"{item.connection}:{item.record_id}")
        open_ = [(item, item.lead) for item in self._page if item.tries <= self._pace.tries and item.lead is not None]
        open_ = [(item, lead) for item, lead in open_ if self._asked(lead)]
        keep = {item.id for item, _ in open_}
        # Stopped by a gate, erased or of another version: there is nothing to ask.
        self._store.done([item.id for item in self._page if item.id not in keep])
        placed = self._batches([(item, lead) for item, lead in open_ if not item.live])
        live = [(item, lead) for item, lead in open_ if item.id not in placed.placed]
        answered, later = self._live(live)
        return Inquired(
            report.answered + len(self._page) - len(given_up) - len(open_) + answered,
            report.questions + placed.questions,
            report.waiting + len(placed.placed),
            report.later + later,
            report.given_up + len(given_up),
        )

    def _asked(self, lead: Lead) -> bool:
        try:
            return rules.first(decisions.gate(self._runnable, lead)) is None
        except TierwiseError:
            return False  # the backtest tells what is wrong

    def _batches(self, patient: Sequence[tuple[Untried, Lead]]) -> gather.Placed:
        tools = self._tools.gathering
        asked = [batching.Asked(lead, item.connection) for item, lead in patient]
        questions = tools.seeker.next(self._runnable, asked)
        cases = [
            gather.Case(item.id, item.connection, question)
            for (item, _), question in zip(patient, questions, strict=True)
            if question is not None
        ]
        return gather.plan(tools, self._pace.batches, cases, self._page[0].policy, whose="backtest")

    def _live(self, items: Sequence[tuple[Untried, Lead]]) -> tuple[int, int]:
        """Ask as many at once as may be; how many are answered, and how many are tried again."""
        answered = later = 0
        tools, size = self._tools.gathering, self._pace.live
        for start in range(0, len(items), size):
            some = items[start : start + size]
            if self._stop() or tools.monotonic() >= self._until:
                # Not even looked at: free at once.
                left = [item.id for item, _ in items[start:]]
                self._store.again(left, due=tools.clock(), counted=False)
                return answered, later + len(left)
            made = self._some(some)
            answered, later = answered + made, later + len(some) - made
        return answered, later

    def _some(self, items: Sequence[tuple[Untried, Lead]]) -> int:
        # Before anything is answered: whatever ends us, or cancels these, an erasure finds what was.
        seeker = self._tools.gathering.seeker
        self._store.note({item.decision_id: seeker.keys(self._runnable, lead) for item, lead in items})
        asked = {self._tools.ask(self._runnable, lead, item.connection): item for item, lead in items}
        self._wait(asked)
        done: list[int] = []
        for future, item in asked.items():
            if not future.done():
                continue  # what comes later is in the cache when the lease is over
            try:
                judged = future.result()
            except Held as held:
                self._hold(item, held)
                continue
            except TierwiseError as error:
                self._later(item, str(error))
                continue
            if judged.errors or judged.fallback:
                # A backtest takes no other answer than those that models gave.
                self._later(item, "; ".join(judged.errors))
            else:
                done.append(item.id)
        self._store.done(done)
        return len(done)

    def _wait(self, asked: Mapping[Future[Judged], Untried]) -> None:
        monotonic = self._tools.gathering.monotonic
        until = monotonic() + self._pace.lease / 2
        under_way: set[Future[Judged]] = set(asked)
        while under_way and not self._stop() and monotonic() < until:
            under_way = concurrent.futures.wait(under_way, timeout=LOOK).not_done

    def _hold(self, item: Untried, held: Held) -> None:
        due = self._tools.gathering.clock() + timedelta(seconds=held.after or HELD_FOR)
        self._store.again([item.id], due=due, error=str(held), counted=False)

    def _later(self, item: Untried, error: str) -> None:
        wait = backoff.delay(item.tries, jitter=self._tools.random(), first=AGAIN)
        self._store.again([item.id], due=self._tools.gathering.clock() + timedelta(seconds=wait), error=error)
