"""The outbox, drained in the CRM's own batch size. Intents are committed before the call, outcomes after it.

It is apart from deciding because a write cannot be rolled back. Only fields that differ are sent. A connector that
takes a backlog in one flush is given that, with leases renewed while it works.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from tierwise import ports, telemetry
from tierwise.domain import echo
from tierwise.domain.advice import Advice
from tierwise.errors import Misconfigured, PauseConnection, RetryLater, TierwiseError
from tierwise.pipeline import backoff, clocks
from tierwise.sdk import Connector, Flushes, Update, Written

log = telemetry.log(__name__)


class Pace(NamedTuple):
    """How a connection's outbox is drained; seconds."""

    lease: float = 120.0
    longest: float = 45.0
    attempts: int = 8
    """Tries of one row before a person is asked, and of a batch before its rows are sent alone."""
    together: int = 3
    """Tries of one row in flushes; from then on it goes in batches, in which the one that spoils them is found."""
    flush: float = 900.0
    """Longest flush."""


_IN_A_ROW = 4
"""Records that may fail one after the other, alone, before it is taken for the account's failure."""


class WroteBack(NamedTuple):
    """What one drain did."""

    calls: int = 0
    sent: int = 0
    unchanged: int = 0
    retried: int = 0
    refused: int = 0


def write_back(
    store: ports.Store,
    connector: Connector,
    *,
    connection: str,
    owner: str,
    clock: ports.Clock,
    monotonic: Callable[[], float],
    random: Callable[[], float],
    new_id: Callable[[], str],
    pace: Pace,
    servers: clocks.Clocks,
    full_only: bool = False,
    stop: Callable[[], bool] = lambda: False,
) -> WroteBack:
    """Send what is due, batch by batch, until nothing is, time is up or `stop()` says so before a batch.

    `full_only` stops where less than a full batch is left: more is coming. An error of the connector passes through
    after the rows of the batch were put back.
    """
    if not store.outbox.due(now=clock()).get(connection):
        return WroteBack()
    ahead = servers.ahead(connector, connection, clock=clock)
    drain = _Drain(store, connector, clock=clock, ahead=ahead, monotonic=monotonic, random=random, pace=pace, stop=stop)
    limit = connector.flush_size if isinstance(connector, Flushes) else connector.batch_size
    give_up = monotonic() + pace.longest
    while monotonic() < give_up and not stop():
        if full_only and store.outbox.due(now=clock()).get(connection, 0) < connector.batch_size:
            break
        claimed_at = monotonic()
        rows = store.outbox.claim(connection, limit=limit, owner=owner, lease=pace.lease, now=clock())
        if not rows:
            break
        drain.take(rows, new_id=new_id, claimed_at=claimed_at)
    return drain.report


class _Drain:
    """One drain, and what it has learnt about the account so far."""

    def __init__(
        self,
        store: ports.Store,
        connector: Connector,
        *,
        clock: ports.Clock,
        ahead: timedelta,
        monotonic: Callable[[], float],
        random: Callable[[], float],
        pace: Pace,
        stop: Callable[[], bool],
    ) -> None:
        self._store, self._connector, self._pace, self._stop, self._ahead = store, connector, pace, stop, ahead
        self._clock, self._monotonic, self._random = clock, monotonic, random
        self.report = WroteBack()

    def take(self, rows: Sequence[ports.Outgoing], *, new_id: Callable[[], str], claimed_at: float) -> None:
        """Send what differs of these, part by part; the parts behind one that failed are put back."""
        parts = list(self._parts(rows))
        for number, part in enumerate(parts):
            rest = [row for later in parts[number:] for row in later]
            batch = new_id()
            if number and self._stop():
                self._let_go(rest, batch=batch)
                return
            if number:
                claimed_at = self._monotonic()
                self._store.outbox.renew(rest, lease=self._pace.lease, now=self._clock())
            try:
                self._part(part, batch=batch, claimed_at=claimed_at)
            except Exception as error:
                self._put_back([row for later in parts[number + 1 :] for row in later], error, batch=batch)
                raise

    def _parts(self, rows: Sequence[ports.Outgoing]) -> Iterator[Sequence[ports.Outgoing]]:
        """One flush where there is enough for it, and the others in batches."""
        size = self._connector.batch_size
        early = [row for row in rows if row.attempt <= min(self._pace.together, self._pace.attempts - 1)]
        if len(early) > size and isinstance(self._connector, Flushes):
            yield early
            flushed = {row.outbox_id for row in early}
            rows = [row for row in rows if row.outbox_id not in flushed]
        for start in range(0, len(rows), size):
            yield rows[start : start + size]

    def _part(self, rows: Sequence[ports.Outgoing], *, batch: str, claimed_at: float) -> None:
        """A flush, or a batch in one call, which is taken apart where it failed too often."""
        busy = self._intended(rows, batch=batch)
        # A process that slept through half of its lease may be followed by another one already: let go unsent.
        if not busy or self._late(claimed_at):
            return
        if len(rows) > self._connector.batch_size:
            self._flush(busy, batch=batch, renewed_at=claimed_at)
            return
        outcome = self._send(busy, batch=batch)
        if not isinstance(outcome, Exception):
            self._settle(outcome, batch=batch)
        elif _is_the_accounts(outcome) or not any(self._suspect(row) for row, _ in busy):
            self._put_back([row for row, _ in busy], outcome, batch=batch)
            raise outcome
        else:
            self._apart(busy, outcome, batch=batch, claimed_at=claimed_at)

    def _intended(self, rows: Sequence[ports.Outgoing], *, batch: str) -> list[tuple[ports.Outgoing, Advice]]:
        """What differs, with its intents stored; the rest is settled, or somebody else's by now."""
        plans = {row.outbox_id: echo.changes(desired=row.desired, known=row.known, kept=row.kept) for row in rows}
        idle = [row for row in rows if not plans[row.outbox_id]]
        busy = [(row, plans[row.outbox_id]) for row in rows if plans[row.outbox_id]]
        if idle:
            self._store.outbox.settle([ports.Settled(row, "unchanged") for row in idle], batch=batch, now=self._clock())
            self.report = self.report._replace(unchanged=self.report.unchanged + len(idle))
        now = self._clock()
        ours = self._store.outbox.intend(busy, batch=batch, now=now, theirs=now + self._ahead) if busy else frozenset()
        return [(row, values) for row, values in busy if row.outbox_id in ours]

    def _flush(self, busy: Sequence[tuple[ports.Outgoing, Advice]], *, batch: str, renewed_at: float) -> None:
        """Hand all of it over and settle what is told as it is told. What is told counts, whatever comes after it."""
        left = dict(enumerate(busy))
        give_up = self._monotonic() + self._pace.flush
        try:
            with contextlib.closing(self._answers(_updates(busy, batch))) as answers:
                for answer in answers:
                    if settled := [self._settled(*left.pop(place), said) for place, said in answer.items()]:
                        self._settle(settled, batch=batch)
                    now = self._monotonic()
                    if self._stop() or now >= give_up:
                        break
                    if now - renewed_at > self._pace.lease / 4:
                        renewed_at = now
                        rows = [row for row, _ in left.values()]
                        self._store.outbox.renew(rows, lease=self._pace.lease, now=self._clock())
        except Exception as error:
            self._put_back([row for row, _ in left.values()], error, batch=batch)
            raise
        rows = [row for row, _ in left.values()]
        if self._stop():
            self._let_go(rows, batch=batch)
        elif rows:
            self._put_back(rows, RetryLater("the CRM did not tell what became of this row"), batch=batch)

    def _answers(self, updates: Sequence[Update]) -> Generator[Mapping[int, Written]]:
        assert isinstance(self._connector, Flushes)
        yield from self._connector.flush(updates)

    def _apart(
        self, busy: Sequence[tuple[ports.Outgoing, Advice]], error: Exception, *, batch: str, claimed_at: float
    ) -> None:
        """Send each alone, under the intent of the batch that failed with `error`, to find those that fail it.

        Whoever failed before somebody got through is to blame. Several in a row that nobody follows, or nobody to
        compare with: it may be the account; they and all that is left are put back, and the error goes on. Where the
        order begins is chance, so that neighbours who both fail the batch do not come last again and again.
        """
        start = int(self._random() * len(busy))
        doubts = [(busy[0][0], error)] if len(busy) == 1 else []
        left = [] if len(busy) == 1 else [*busy[start:], *busy[:start]]
        while left:
            if self._stop() or self._late(claimed_at):
                self._let_go([row for row, _ in left], batch=batch)
                break
            one = left.pop(0)
            outcome = self._send([one], batch=batch)
            if not isinstance(outcome, Exception):
                self._settle(outcome, batch=batch)
                for doubt in doubts:
                    self._blame(*doubt, batch=batch)
                doubts = []
                continue
            doubts.append((one[0], outcome))
            if len(doubts) > _IN_A_ROW or _is_the_accounts(outcome):
                self._put_back([*(row for row, _ in doubts), *(row for row, _ in left)], outcome, batch=batch)
                raise outcome
        if len(doubts) == 1 and self.report.calls:
            self._blame(*doubts[0], batch=batch)
        elif doubts:
            self._put_back([row for row, _ in doubts], doubts[-1][1], batch=batch)
            raise doubts[-1][1]

    def _send(self, busy: Sequence[tuple[ports.Outgoing, Advice]], *, batch: str) -> list[ports.Settled] | Exception:
        """One call; what became of each, or why nobody knows."""
        try:
            results = self._connector.write(_updates(busy, batch))
            return [self._settled(row, values, said) for (row, values), said in zip(busy, results, strict=True)]
        except Exception as error:
            return error

    def _settled(self, row: ports.Outgoing, values: Advice, result: Written) -> ports.Settled:
        if result.outcome == "written":
            return ports.Settled(row, "sent", sent=values, new_id=result.new_id)
        if result.outcome == "refused":
            return ports.Settled(row, "refused", error=result.error)
        if result.new_id not in (None, row.record_id):
            # It goes on as that record, unless that one has advice of its own: then it is over.
            return ports.Settled(row, "retry", error=result.error, run_after=self._clock(), new_id=result.new_id)
        if self._suspect(row):
            return ports.Settled(row, "refused", error=f"gave up after {row.attempt} tries: {result.error}")
        return self._later(row, result.error)

    def _later(self, row: ports.Outgoing, error: str, *, wish: float | None = None) -> ports.Settled:
        wait = backoff.delay(row.attempt, jitter=self._random(), wish=wish)
        return ports.Settled(row, "retry", error=error, run_after=self._clock() + timedelta(seconds=wait))

    def _settle(self, settled: Sequence[ports.Settled], *, batch: str, called: bool = True) -> None:
        if not settled:
            return
        self._store.outbox.settle(settled, batch=batch, now=self._clock())
        if called:
            self.report = _count(self.report, settled)

    def _let_go(self, rows: Sequence[ports.Outgoing], *, batch: str) -> None:
        """Free for anybody at once."""
        now = [ports.Settled(row, "retry", run_after=self._clock()) for row in rows]
        self._settle(now, batch=batch, called=False)

    def _put_back(self, rows: Sequence[ports.Outgoing], error: Exception, *, batch: str) -> None:
        """The account's failure, or nobody's: it uses up no record's tries."""
        wish = error.after if isinstance(error, RetryLater) else 60.0 if isinstance(error, PauseConnection) else None
        self._settle([self._later(row, _text(error), wish=wish) for row in rows], batch=batch, called=False)

    def _blame(self, row: ports.Outgoing, error: Exception, *, batch: str) -> None:
        text = _text(error)
        lead = telemetry.lead_ref(row.connection, row.record_id)
        log.error("this record fails its batches", error=text, connection=row.connection, lead=lead)
        if self._suspect(row):
            blamed = ports.Settled(row, "refused", error=f"gave up after {row.attempt} tries: {text}")
        else:
            blamed = self._later(row, text)
        self._store.outbox.settle([blamed], batch=batch, now=self._clock())
        self.report = _tally(self.report, [blamed])

    def _suspect(self, row: ports.Outgoing) -> bool:
        return row.attempt >= self._pace.attempts

    def _late(self, claimed_at: float) -> bool:
        return self._monotonic() - claimed_at > self._pace.lease / 2


def _updates(busy: Sequence[tuple[ports.Outgoing, Advice]], batch: str) -> list[Update]:
    return [Update(row.record_id, values, f"{batch}-{row.outbox_id}") for row, values in busy]


def _is_the_accounts(error: Exception) -> bool:
    """Whether it cannot be one record's: a person must act on the account, or the account named a time."""
    named = isinstance(error, RetryLater) and error.after is not None
    return named or isinstance(error, PauseConnection | Misconfigured)


def _text(error: Exception) -> str:
    """An unknown error's words may hold anybody's data."""
    return str(error) if isinstance(error, TierwiseError) else f"unexpected {type(error).__name__}"


def _count(report: WroteBack, settled: Sequence[ports.Settled]) -> WroteBack:
    """With one more call that was answered."""
    return _tally(report._replace(calls=report.calls + 1), settled)


def _tally(report: WroteBack, settled: Sequence[ports.Settled]) -> WroteBack:
    outcomes = [item.outcome for item in settled]
    connection = settled[0].row.connection
    for outcome in set(outcomes):
        telemetry.count("tierwise_writes_total", outcomes.count(outcome), connection=connection, result=outcome)
    return report._replace(
        sent=report.sent + outcomes.count("sent"),
        retried=report.retried + outcomes.count("retry"),
        refused=report.refused + outcomes.count("refused"),
    )
