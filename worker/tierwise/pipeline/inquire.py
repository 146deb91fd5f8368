"""Models are asked what only a backtest wants to know: in batches where that is offered and worth it, else live.

Nothing is decided here and nothing reaches a CRM. An answer is one more row of the cache, so that the backtest that is
run next finds it. The budgets are those of the leads' connections.
"""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from datetime import timedelta
from typing import NamedTuple

from tierwise import telemetry
from tierwise.domain.decision import Judged
from tierwise.domain.lead import Lead
from tierwise.domain.policy import Runnable
from tierwise.errors import Held, TierwiseError
from tierwise.llm import batching
from tierwise.pipeline import backoff, gather, shadow
from tierwise.ports.backtests import Untried

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
    """Seconds after which nothing more is begun."""
    patience: float = 30.0
    """Seconds for which what was begun last is waited for then; a task may take 90."""
    lease: float = 180.0
    """Seconds for which what was taken or begun is ours; outlasts its calls."""
    tries: int = 4
    """After which a decision is given up."""


class Tools(NamedTuple):
    """What asking works with."""

    gathering: gather.Tools
    runnable: Callable[[str], Runnable]
    """By digest, as it would run."""
    ask: shadow.Ask
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
        self._left = {item.id: item for item in page}
        self._held: dict[str, Held] = {}
        """Connections that have no money left."""

    def work(self, report: Inquired) -> Inquired:
        try:
            return self._work(report)
        except TierwiseError as error:
            # The policy cannot be read, or the store not be asked: that is so for all of them.
            items = list(self._left.values())
            begun = self._store.begin(items, lease=self._pace.lease, now=self._tools.gathering.clock())
            self._later([item for item in items if item.id in begun], str(error))
            return report._replace(later=report.later + len(begun))
        except Exception:
            # Whatever it is, it is not met for ever: a try counts, and they are free when the lease is over.
            self._store.begin(list(self._left.values()), lease=self._pace.lease, now=self._tools.gathering.clock())
            self._left.clear()
            raise
        finally:
            # There was no time for these.
            self._store.again(list(self._left), due=self._tools.gathering.clock())

    def _work(self, report: Inquired) -> Inquired:
        page = list(self._left.values())
        given_up = [item for item in page if item.tries >= self._pace.tries]
        self._give_up(given_up)
        report = report._replace(given_up=report.given_up + len(given_up))
        if not self._left:
            return report
        runnable = self._tools.runnable(page[0].policy)
        open_ = [(item, item.lead) for item in page if item.id in self._left and item.lead is not None]
        open_ = [(item, lead) for item, lead in open_ if gather.asked(runnable, lead)]
        # Stopped by a gate, erased or of another version: there is nothing to ask.
        nothing = self._left.keys() - {item.id for item, _ in open_}
        self._done(nothing)
        placed = self._batches(runnable, [(item, lead) for item, lead in open_ if not item.live])
        for key in placed.placed:
            del self._left[key]
        answered, lost = self._live(runnable, [(item, lead) for item, lead in open_ if item.id in self._left])
        return Inquired(
            report.answered + len(nothing) + answered,
            report.questions + placed.questions,
            report.waiting + len(placed.placed),
            report.later + len(open_) - len(placed.placed) - answered - lost,
            report.given_up + lost,
        )

    def _batches(self, runnable: Runnable, patient: Sequence[tuple[Untried, Lead]]) -> gather.Placed:
        tools = self._tools.gathering
        questions = tools.seeker.next(runnable, [batching.Asked(lead, item.connection) for item, lead in patient])
        cases = [
            gather.Case(item.id, item.connection, question)
            for (item, _), question in zip(patient, questions, strict=True)
            if question is not None
        ]
        return gather.plan(tools, self._pace.batches, cases, runnable.digest, whose="backtest")

    def _live(self, runnable: Runnable, items: Sequence[tuple[Untried, Lead]]) -> tuple[int, int]:
        """Ask as many at once as may be; how many are answered, and how many are given up."""
        answered = lost = 0
        size = self._pace.live
        for start in range(0, len(items), size):
            if self._stop() or self._tools.gathering.monotonic() >= self._until:
                break
            some = [(item, lead) for item, lead in items[start : start + size] if item.connection not in self._held]
            made, gone = self._some(runnable, some)
            answered, lost = answered + made, lost + gone
        for connection, held in self._held.items():
            self._hold([item for item in self._left.values() if item.connection == connection], held)
        return answered, lost

    def _some(self, runnable: Runnable, items: Sequence[tuple[Untried, Lead]]) -> tuple[int, int]:
        tools, store = self._tools.gathering, self._store
        # Before anything is answered: whatever ends us, or cancels these, an erasure finds what was.
        store.note({item.decision_id: tools.seeker.keys(runnable, lead) for item, lead in items})
        begun = store.begin([item for item, _ in items], lease=self._pace.lease, now=tools.clock())
        for item, _ in items:
            # From here on a try counts, and the row is free when its lease is over.
            del self._left[item.id]
        asked = {self._tools.ask(runnable, lead, item.connection): item for item, lead in items if item.id in begun}
        self._wait(asked)
        if self._stop():
            # Nobody gave them their time: what comes is in the cache when the lease is over, and no try is counted.
            late = [item.id for future, item in asked.items() if not future.done()]
            store.again(late, due=tools.clock() + timedelta(seconds=self._pace.lease), tried=False)
        done: list[int] = []
        lost: list[Untried] = []
        held: list[Untried] = []
        for future, item in asked.items():
            if not future.done():
                continue  # what comes later is in the cache when the lease is over
            try:
                judged = future.result()
            except Held as error:
                self._held.setdefault(item.connection, error)
                held.append(item)
                continue
            except TierwiseError as error:
                self._later([item], str(error))
                continue
            if not judged.errors and not judged.fallback:
                done.append(item.id)
            elif any(not answer.verdicts for answer in judged.assessments):
                lost.append(item)  # paid, and no answer: it would be paid again, and say the same
            else:
                # A backtest takes no other answer than those that models gave.
                self._later([item], "; ".join(judged.errors))
        for connection in {item.connection for item in held}:
            mine = [item for item in held if item.connection == connection]
            self._hold(mine, self._held[connection], tried=False)
        self._done(done)
        self._give_up(lost)
        return len(done), len(lost)

    def _wait(self, asked: Mapping[Future[Judged], Untried]) -> None:
        monotonic = self._tools.gathering.monotonic
        until = self._until + self._pace.patience
        under_way: set[Future[Judged]] = set(asked)
        while under_way and not self._stop() and monotonic() < until:
            under_way = concurrent.futures.wait(under_way, timeout=LOOK).not_done

    # -- what becomes of them

    def _done(self, ids: Collection[int]) -> None:
        self._store.done(ids)
        for key in ids:
            self._left.pop(key, None)

    def _give_up(self, items: Sequence[Untried]) -> None:
        for item in items:
            log.warning("a backtest goes without an answer", lead=f"{item.connection}:{item.record_id}")
        self._done([item.id for item in items])

    def _hold(self, items: Sequence[Untried], held: Held, *, tried: bool = True) -> None:
        due = self._tools.gathering.clock() + timedelta(seconds=held.after or HELD_FOR)
        self._store.again([item.id for item in items], due=due, error=str(held), tried=tried)
        for item in items:
            self._left.pop(item.id, None)

    def _later(self, items: Sequence[Untried], error: str) -> None:
        for tries in {item.tries for item in items}:
            wait = backoff.delay(tries + 1, jitter=self._tools.random(), first=AGAIN)
            due = self._tools.gathering.clock() + timedelta(seconds=wait)
            self._store.again([item.id for item in items if item.tries == tries], due=due, error=error)
        for item in items:
            self._left.pop(item.id, None)
