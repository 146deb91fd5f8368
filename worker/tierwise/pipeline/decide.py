"""The pump: claims leads in chunks as slots come free, keeps the model calls of many chunks in flight on the one
event loop of its process, and commits finished decisions in small batches.

Never one task per lead, never a gather per batch: a barrier waits for the slowest call of each batch.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from datetime import timedelta
from typing import Any, NamedTuple

from tierwise import ports, telemetry
from tierwise.domain import decision as decisions
from tierwise.domain import recall, rules
from tierwise.domain.decision import Decision, Judged
from tierwise.domain.policy import Policy, Runnable
from tierwise.errors import Held, RetryLater, TierwiseError
from tierwise.pipeline import backoff, record, telling

_LOOK_AGAIN = 60.0
log = telemetry.log(__name__)
Submit = Callable[[Coroutine[Any, Any, Judged]], "Future[Judged]"]


class Pace(NamedTuple):
    """How leads are decided; seconds."""

    longest: float = 50.0
    chunk: int = 50
    batch: int = 100
    """Decisions committed together at the most."""
    flush: float = 1.0
    in_flight: int = 350
    """Leads under way at once: about seven times the model's slots, since leads also wait for the
    ledger and for their batch, and a slot must never wait for them."""
    lease: float = 60.0
    attempts: int = 5


class Tools(NamedTuple):
    """What the pump works with."""

    store: ports.Store
    judge: ports.Judge
    submit: Submit
    """Runs a coroutine on the process's one event loop."""
    runnable: Callable[[], Runnable]
    """The active policy, compiled and cached; at most a few seconds old."""
    clock: ports.Clock
    monotonic: Callable[[], float]
    random: Callable[[], float]
    new_trace: Callable[[], str]
    asks: Callable[[str], str]
    """Digest of what the policy of a digest asks models."""
    chain: Callable[[], str | None] = lambda: None
    """Hash of models, parameters and calibration, kept with each decision."""
    audit: Callable[[Decision, Policy], ports.AuditDraw | None] = lambda *_: None
    """Whether people are to look at a decision whatever it is."""


class Pumped(NamedTuple):
    """What one run of the pump did."""

    decided: int = 0
    reused: int = 0
    """Leads whose decision at this fingerprint and policy existed already."""
    model_calls: int = 0
    retried: int = 0
    quarantined: int = 0
    held: int = 0
    """Leads that wait until a budget has room again."""
    lost: int = 0
    """Results dropped because somebody else holds the lease now."""
    connections: tuple[str, ...] = ()
    """Connections that have new advice to write."""


class _Landed(NamedTuple):
    claim: ports.Claim
    runnable: Runnable
    """Fixed when the lead was started: an activation in between never mixes two versions in one decision."""
    gates: tuple[rules.Hit, ...]
    judged: Judged | None
    error: BaseException | None
    trace_id: str


class Pump:
    """One run. Not reusable, not shared between threads."""

    def __init__(self, tools: Tools, *, owner: str, pace: Pace, connection: str | None = None) -> None:
        self._tools, self._owner, self._pace, self._connection = tools, owner, pace, connection
        self._landed: queue.SimpleQueue[_Landed] = queue.SimpleQueue()
        self._claims: dict[int, ports.Claim] = {}
        self._ready: list[ports.Finished] = []
        self._ready_since: float | None = None
        self._report = Pumped()
        self._touched: set[str] = set()

    def run(self, *, stop: Callable[[], bool]) -> Pumped:
        """Work until nothing is due, time is up or `stop()` says so; then finish or release what is under way."""
        tools, pace = self._tools, self._pace
        give_up = tools.monotonic() + pace.longest
        renew_at = tools.monotonic() + pace.lease / 3
        drain_until: float | None = None
        dry, look_at = False, 0.0
        while True:
            now = tools.monotonic()
            closing = stop() or now >= give_up
            if closing and drain_until is None:
                drain_until = now + min(15.0, pace.lease / 3)
            claimed = False
            if not closing and not dry and (now >= look_at or not self._waiting()):
                claimed = self._claim()
                dry = not claimed
                # While answers come in, an empty queue is asked again in a moment, not with every answer.
                look_at = now + pace.flush if dry else now
            if self._waiting():
                # While there is room and more is due, only what is there is taken: a slot must not wait for an answer.
                self._collect(timeout=0 if claimed and self._room() else pace.flush)
                dry = False
            self._commit(force=not self._waiting())
            if now >= renew_at:
                self._renew()
                renew_at = now + pace.lease / 3
            if not self._claims and (closing or dry):
                break
            if drain_until is not None and now >= drain_until:
                self._commit(force=True)
                self._release()
                break
        return self._report._replace(connections=tuple(sorted(self._touched)))

    def _waiting(self) -> bool:
        return len(self._claims) > len(self._ready)

    def _room(self) -> int:
        """Free slots; none where they are fewer than a chunk."""
        room = self._pace.in_flight - len(self._claims)
        return room if room >= min(self._pace.chunk, self._pace.in_flight) else 0

    def _claim(self) -> bool:
        """Fill the free slots; False where nothing was due."""
        room = self._room()
        if not room:
            return True
        tools = self._tools
        claims = tools.store.works.claim(
            limit=min(self._pace.chunk, room),
            owner=self._owner,
            lease=self._pace.lease,
            now=tools.clock(),
            connection=self._connection,
        )
        if not claims:
            return False
        # After a long sleep, leases of ours that ran out may have come back to us: the old answers are not theirs.
        self._lose([claim.work_id for claim in claims])
        self._claims.update({claim.work_id: claim for claim in claims})
        runnable = tools.runnable()
        made = tools.store.decisions.find({_key(claim, runnable) for claim in claims})
        fresh = [claim for claim in claims if _key(claim, runnable) not in made]
        earlier = tools.store.decisions.newest({_key(claim, runnable)[:3] for claim in fresh}) if fresh else {}
        for claim in claims:
            existing = made.get(_key(claim, runnable))
            if existing is not None:
                self._reuse(claim, runnable, existing)
            elif not self._recall(claim, runnable, earlier.get(_key(claim, runnable)[:3])):
                self._start(claim, runnable)
        return True

    def _recall(self, claim: ports.Claim, runnable: Runnable, earlier: Decision | None) -> bool:
        """Decide from what models said of the same lead under a policy that asked the same; False where none did."""
        tools = self._tools
        if earlier is None or claim.attempt > 1:
            return False
        try:
            if tools.asks(earlier.policy) != tools.asks(runnable.digest):
                return False
            gates = decisions.gate(runnable, claim.lead)
            judged = None if rules.first(gates) is not None else recall.judged(runnable, earlier, claim.lead)
            if judged is None and rules.first(gates) is None:
                return False
        except TierwiseError:
            return False  # asked anew, what is wrong is told there
        self._land(_Landed(claim, runnable, gates, judged, None, tools.new_trace()))
        return True

    def _reuse(self, claim: ports.Claim, runnable: Runnable, existing: Decision) -> None:
        try:
            finished = self._finished(claim, existing, runnable.policy)
        except Exception as error:
            self._fail(claim, error)
            return
        self._finish(finished)
        self._report = self._report._replace(reused=self._report.reused + 1)

    def _start(self, claim: ports.Claim, runnable: Runnable) -> None:
        trace_id = self._tools.new_trace()
        if claim.attempt > self._pace.attempts:
            # Counted at claim: whatever kills the process that decides this lead stops doing so.
            error = RetryLater("every try ended without an answer")
            self._land(_Landed(claim, runnable, (), None, error, trace_id))
            return
        try:
            gates = decisions.gate(runnable, claim.lead)
            stopped = rules.first(gates) is not None
            asked = None if stopped else self._tools.judge.judge(runnable, claim.lead, connection=claim.connection)
            future = None if asked is None else self._tools.submit(asked)
        except Exception as error:
            self._land(_Landed(claim, runnable, (), None, error, trace_id))
            return
        if future is None:
            self._land(_Landed(claim, runnable, gates, None, None, trace_id))
            return

        def landed(done: Future[Judged]) -> None:
            if done.cancelled():
                error: BaseException | None = RetryLater("the process is shutting down")
            else:
                error = done.exception()
            judged = None if error else done.result()
            self._landed.put(_Landed(claim, runnable, gates, judged, error, trace_id))

        future.add_done_callback(landed)

    def _collect(self, *, timeout: float) -> None:
        """Take what has landed; wait up to `timeout` seconds for the first."""
        try:
            landed = self._landed.get(timeout=timeout)
            while True:
                self._land(landed)
                landed = self._landed.get_nowait()
        except queue.Empty:
            return

    def _land(self, landed: _Landed) -> None:
        claim, error = landed.claim, landed.error
        if self._claims.get(claim.work_id) is not claim:
            return
        if error is None:
            try:
                current = self._tools.runnable()
                if current.digest != landed.runnable.digest:
                    self._overtaken(landed, current)
                    return
                self._decide(landed)
                return
            except Exception as failure:
                error = failure
        self._fail(claim, error)

    def _overtaken(self, landed: _Landed, current: Runnable) -> None:
        """Another policy was activated while a model thought: the answer is kept, the lead decided under that one."""
        paid = recall.paid(landed.judged) if landed.judged is not None else ()
        self._tools.store.assessments.keep(paid, now=self._tools.clock())
        self._report = self._report._replace(model_calls=self._report.model_calls + len(paid))
        self._start(landed.claim, current)

    def _decide(self, landed: _Landed) -> None:
        claim, runnable = landed.claim, landed.runnable
        made = decisions.decide(
            runnable,
            claim.lead,
            connection=claim.connection,
            record_id=claim.record_id,
            gates=landed.gates,
            judged=landed.judged,
            now=self._tools.clock(),
            trace_id=landed.trace_id,
            chain=self._tools.chain(),
        )
        calls = sum(1 for item in made.assessments if not item.cached)
        self._report = self._report._replace(model_calls=self._report.model_calls + calls)
        self._finish(self._finished(claim, made, runnable.policy))

    def _finished(self, claim: ports.Claim, made: Decision, policy: Policy) -> ports.Finished:
        return record.finished(claim, made, policy, audit=self._tools.audit(made, policy))

    def _finish(self, finished: ports.Finished) -> None:
        self._ready.append(finished)
        if self._ready_since is None:
            self._ready_since = self._tools.monotonic()

    def _fail(self, claim: ports.Claim, error: BaseException) -> None:
        """One lead's failure is its own: again later, or to a person when that did not help."""
        if isinstance(error, Held):
            self._hold(claim, error)
            return
        tools = self._tools
        text = str(error) if isinstance(error, TierwiseError) else f"unexpected {type(error).__name__}"
        last = claim.attempt >= self._pace.attempts
        if last:
            ours = tools.store.works.quarantine(claim, error=text, now=tools.clock())
        else:
            wish = error.after if isinstance(error, RetryLater) else None
            wait = backoff.delay(claim.attempt, jitter=tools.random(), wish=wish)
            run_after = tools.clock() + timedelta(seconds=wait)
            ours = tools.store.works.retry(claim, run_after=run_after, error=text, now=tools.clock())
        if not ours:
            self._lose([claim.work_id])
            return
        del self._claims[claim.work_id]
        if last:
            log.error("lead goes to a person after too many tries", error=text, **telling.about(claim))
            self._touched.add(claim.connection)
            self._report = self._report._replace(quarantined=self._report.quarantined + 1)
        else:
            log.warning("lead will be tried again", error=text, **telling.about(claim))
            self._report = self._report._replace(retried=self._report.retried + 1)

    def _hold(self, claim: ports.Claim, held: Held) -> None:
        """Nothing was tried: the lead waits for money, and nobody is told but once a run."""
        tools = self._tools
        run_after = tools.clock() + timedelta(seconds=held.after or _LOOK_AGAIN)
        if not tools.store.works.hold(claim, run_after=run_after, error=str(held), now=tools.clock()):
            self._lose([claim.work_id])
            return
        del self._claims[claim.work_id]
        if not self._report.held:
            log.warning("leads wait for a budget", error=str(held), connection=claim.connection)
        telemetry.count("tierwise_leads_held_total", connection=claim.connection)
        self._report = self._report._replace(held=self._report.held + 1)

    def _commit(self, *, force: bool) -> None:
        if not self._ready or self._ready_since is None:
            return
        waited = self._tools.monotonic() - self._ready_since
        if not force and len(self._ready) < self._pace.batch and waited < self._pace.flush:
            return
        while self._ready:
            part, self._ready = self._ready[: self._pace.batch], self._ready[self._pace.batch :]
            committed = self._tools.store.decisions.commit(part, now=self._tools.clock())
            self._settle(part, committed)
        self._ready_since = None

    def _settle(self, part: Sequence[ports.Finished], committed: ports.Committed) -> None:
        for item in part:
            self._claims.pop(item.claim.work_id, None)
        done = [item for item in part if item.claim.work_id in committed.done]
        self._touched.update(item.claim.connection for item in done)
        telling.decided(item.decision for item in done)
        self._report = self._report._replace(
            decided=self._report.decided + len(committed.done), lost=self._report.lost + len(committed.lost)
        )

    def _renew(self) -> None:
        ours = self._tools.store.works.renew(
            list(self._claims.values()), lease=self._pace.lease, now=self._tools.clock()
        )
        self._lose([work_id for work_id in self._claims if work_id not in ours])

    def _lose(self, work_ids: Sequence[int]) -> None:
        """Drop what we hold of these: whatever comes of it, somebody else decides."""
        gone = [work_id for work_id in work_ids if self._claims.pop(work_id, None) is not None]
        self._ready = [item for item in self._ready if item.claim.work_id in self._claims]
        self._report = self._report._replace(lost=self._report.lost + len(gone))

    def _release(self) -> None:
        self._tools.store.works.release(list(self._claims.values()), now=self._tools.clock())
        self._claims.clear()


def _key(claim: ports.Claim, runnable: Runnable) -> ports.DecisionKey:
    return (claim.connection, claim.record_id, claim.fingerprint, runnable.digest)
