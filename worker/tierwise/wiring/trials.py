"""Trying a policy before it runs: backtests over what is stored, and the staging run.

The replay is plain computing, so it is shared among the cores; each share reads the database by itself.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any, NamedTuple

from tierwise import expressions, policies, ports, store
from tierwise.domain import changes
from tierwise.domain.calibration import Calibration
from tierwise.domain.decision import Judged
from tierwise.domain.lead import Lead
from tierwise.domain.policy import Policy, Runnable
from tierwise.errors import Misconfigured
from tierwise.llm import batching
from tierwise.pipeline import backtest, shadow
from tierwise.wiring.accounts import Accounts

WORTH_SHARING = 1000
"""Decisions from which on a second process is quicker than none."""


class Staged(NamedTuple):
    """What a staging run came to."""

    trial: ports.Trial
    tests: int
    problem: str
    """Why it is red; empty where it is green."""


class Backtested(NamedTuple):
    """A backtest."""

    report: dict[str, Any]
    unanswered: tuple[int, ...]
    """Ids of the decisions that would need a model."""


class _Share(NamedTuple):
    """One process's part of a backtest; crosses a process boundary."""

    database_url: str
    before: Policy
    before_digest: str
    after: Policy
    after_digest: str
    last: int
    part: int
    parts: int
    primary: str | None
    secondary: str | None
    samples: int
    decisions: frozenset[str]
    before_by: Calibration | None = None
    """The calibration under which it runs, as the pump would take it."""
    after_by: Calibration | None = None


class Tried(Accounts):
    """Parts that try policies."""

    def backtest(self, after: Policy, *, digest: str, last: int, before: str | None = None) -> dict[str, Any]:
        """The last so many decisions under `before` (default: what runs) and under `after`: the report as JSON."""
        return self.backtested(after, digest=digest, last=last, before=before).report

    def backtested(self, after: Policy, *, digest: str, last: int, before: str | None = None) -> Backtested:
        """The same with the decisions that it asks models about."""
        base = before or self.ensure_policy().digest
        held = self.store.policies.get(base)
        if held is None:
            raise Misconfigured("no such policy was published", place=f"policy {base[:12]}")
        models = self.settings.model
        parts = min(os.cpu_count() or 1, 4) if self._worth_sharing(last) else 1
        shares = [
            _Share(
                self.settings.database_url, held, base, after, digest, last, part, parts, models.primary,
                models.secondary, models.samples, frozenset(models.decisions), self.fitting(held), self.fitting(after),
            )
            for part in range(parts)
        ]  # fmt: skip
        # Compiled before the fork, once for all.
        policies.compile(held)
        policies.compile(after)
        found = _spread(shares)
        limits = self.settings.policy
        report = backtest.report(
            found,
            before={"digest": base, "version": held.version},
            after={"digest": digest, "version": after.version},
            limits=backtest.Limits(limits.max_flips, limits.max_review, limits.max_asked),
        )
        return Backtested(report, tuple(item.decision_id for item in found if item is not None and item.needs_model))

    def _worth_sharing(self, last: int) -> bool:
        return last >= WORTH_SHARING and self.store.decisions.count(limit=WORTH_SHARING) >= WORTH_SHARING

    def stage(self, digest: str, *, by: str, note: str) -> Staged:
        """Run the bundle's own tests and the stored sample, keep the result, and, where it is green, activate it for
        the staging environment. Raises Refused."""
        tests, problem = 0, ""
        told: dict[str, Any] = {"beyond": []}
        try:
            policy = self.sound(digest)
            tests = sum(len(rule.tests) for rule in policy.rules) + sum(len(table.tests) for table in policy.tables)
            tests += len(policy.rubric.examples)
            tests += sum(len(field_map.tests) for field_map in policy.maps.values())
            if self.store.policies.active() is not None:
                told = self.backtest(policy, digest=digest, last=self.settings.policy.sample)
                if told["failed"]:
                    problem = f"{told['failed']} leads cannot be decided: {told['failures'][0]['error']}"
        except Misconfigured as error:
            problem = str(error)
        kept = {key: value for key, value in told.items() if key not in {"flipped", "needing_model"}}
        trial = self.store.policies.note_trial(
            digest, kind="staging", passed=not problem, beyond=told["beyond"],
            report={**kept, "tests": tests, "problem": problem}, by=by, now=self.clock(),
        )  # fmt: skip
        if not problem:
            self.store.policies.activate(digest, by=by, note=note, now=self.clock(), environment="staging")
        return Staged(trial, tests, problem)

    def shadow(self) -> int | None:
        """Hold a page of live decisions against the shadow; None where none is on."""
        on = self.store.shadows.current()
        if on is None:
            return None
        tools = backtest.Tools(
            before=self.runnable(), after=self.runnable(on.digest), asks=self.asks, judge=lambda *_: None
        )
        with self._seeker() as seeker:
            return shadow.follow(on, tools, store=self.store, ask=self._ask, keys=seeker.keys, clock=self.clock)

    @contextlib.contextmanager
    def _seeker(self) -> Iterator[batching.Seeker]:
        models = self.settings.model
        made = batching.Seeker(
            self.store.assessments.get,
            primary=models.primary,
            secondary=models.secondary,
            samples=models.samples,
            decisions=models.decisions,
        )
        try:
            yield made
        finally:
            made.close()

    def _ask(self, runnable: Runnable, lead: Lead, connection: str) -> Future[Judged]:
        """Opened for the first question: a shadow that asks nothing new needs no model."""
        judge, loop = self.judge()
        return loop.submit(judge.judge(runnable, lead, connection=connection))

    def _ask_or_hold(self, runnable: Runnable, lead: Lead, connection: str) -> Future[Judged]:
        """The same, where leads would be decided without models once a budget is spent."""
        judge, loop = self.judge(holds=True)
        return loop.submit(judge.judge(runnable, lead, connection=connection))

    def shadow_report(self, on: ports.Shadow) -> dict[str, Any]:
        """What it would have decided beside production, in the shape of a backtest."""
        policy, limits = self.store.policies.get(on.digest), self.settings.policy
        return backtest.report(
            shadow.replayed(self.store.shadows.decisions(on.digest)),
            before={"digest": "live", "version": "what ran"},
            after={"digest": on.digest, "version": policy.version if policy is not None else ""},
            limits=backtest.Limits(limits.max_flips, limits.max_review, limits.max_asked),
        )


def _spread(shares: list[_Share]) -> list[backtest.Replayed | None]:
    if len(shares) == 1 or "fork" not in multiprocessing.get_all_start_methods():
        return _replay(shares[0]._replace(part=0, parts=1))
    with multiprocessing.get_context("fork").Pool(len(shares)) as pool:
        return [item for part in pool.map(_replay, shares, chunksize=1) for item in part]


def _replay(share: _Share) -> list[backtest.Replayed | None]:
    from tierwise.llm import recorded

    if share.parts > 1:
        # A process of its own that ends with this: looking for garbage among what it parsed would take a third of it.
        gc.disable()
    opened = store.open_store(share.database_url)
    judge: recorded.Recorded | None = None
    asks: dict[str, str] = {}

    def asked(digest: str) -> str:
        if digest not in asks:
            known = {share.before_digest: share.before, share.after_digest: share.after}
            policy = known.get(digest) or opened.policies.get(digest)
            asks[digest] = changes.asks(policy) if policy is not None else f"unknown {digest}"
        return asks[digest]

    def said(runnable: Runnable, lead: Lead) -> Judged | None:
        # Made for the first lead that needs it: mostly none does.
        nonlocal judge
        if judge is None:
            judge = recorded.Recorded(
                opened.assessments.get, primary=share.primary, secondary=share.secondary, samples=share.samples,
                decisions=share.decisions,
            )  # fmt: skip
        return judge.judge(runnable, lead)

    memory = expressions.Remembering()
    before, after = (_remembering(policies.compile(policy), memory) for policy in (share.before, share.after))
    tools = backtest.Tools(
        before=before._replace(digest=share.before_digest, calibration=share.before_by),
        after=after._replace(digest=share.after_digest, calibration=share.after_by),
        asks=asked,
        judge=said,
    )
    try:
        pasts = opened.decisions.recent(limit=share.last, part=share.part, parts=share.parts, brief=True)
        return list(backtest.replay(pasts, tools))
    finally:
        if judge is not None:
            judge.close()
        opened.close()


def _remembering(runnable: Runnable, memory: expressions.Remembering) -> Runnable:
    """The policy with expressions that answer once for the same values, under whichever version asks."""
    return runnable._replace(
        rules={name: memory.of(predicate) for name, predicate in runnable.rules.items()},
        levels={name: memory.of(predicate) for name, predicate in runnable.levels.items()},
    )
