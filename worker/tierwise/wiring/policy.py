"""Which policy runs: the active one of the database, compiled once per process."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from tierwise import content, policies, ports
from tierwise.domain import changes
from tierwise.domain.policy import Policy, Runnable
from tierwise.errors import Misconfigured
from tierwise.wiring.parts import Parts

ACTIVE_FOR = 1.0
"""Seconds that the active policy is remembered: an activation reaches every worker well within five."""


class Activated(NamedTuple):
    """What runs now, and how many open leads are decided anew because of it."""

    activation: ports.Activation
    again: int


class Policed(Parts):
    """Parts that know the policy."""

    def policy_directory(self) -> Path:
        """Where the configured policy files are."""
        return content.find(self.settings.policy_dir)

    def ensure_policy(self) -> ports.Activation:
        """The active policy; an empty database gets the configured directory published and activated."""
        active = self._staged() if self.settings.environment == "staging" else None
        active = active or self.store.policies.active()
        if active is not None:
            return active
        directory = self.policy_directory()
        policy = policies.read(directory)
        digest = self.store.policies.publish(policy, by="tierwise", note="first policy", now=self.clock())
        return self.store.policies.activate(digest, by="tierwise", note="database was empty", now=self.clock())

    def _staged(self) -> ports.Activation | None:
        """What runs in staging. A staging run needs no approvals, so it must not decide where people must approve."""
        staged, runs = self.store.policies.active("staging"), self.store.policies.active()
        if staged is None or runs is None or staged.digest == runs.digest or not self.store.people.exist():
            return staged
        raise Misconfigured(
            "what is staged would decide leads without the approvals that this database's people must give",
            place="environment = staging",
            remedy="give the staging installation a database of its own, or set environment to production",
        )

    def sound(self, digest: str) -> Policy:
        """The stored bundle, loaded, compiled and tested again; Misconfigured where any of it fails."""
        from tierwise.llm import prompt

        policy = self.store.policies.get(digest)
        if policy is None:
            raise Misconfigured("no such policy was published", place=f"policy {digest[:12]}")
        wrong = [f"prompt: {sentence}" for sentence in prompt.check_template(policy.prompt)]
        failed = [result for result in policies.run_tests(policy) if not result.passed]
        wrong += [f"{result.subject}, test {result.name}: {result.message}" for result in failed]
        if not wrong:
            wrong = [str(problem) for problem in policies.faults(policy)]
        if not wrong:
            wrong = [f"{finding.subject}: {finding.message}" for finding in policies.blocking(policy)]
        if wrong:
            more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
            raise Misconfigured(
                f"{wrong[0]}{more}", place=f"policy {digest[:12]}", remedy="mend its files and publish them again"
            )
        policies.compile(policy)
        return policy

    def activate(self, digest: str, *, by: str, note: str) -> Activated:
        """Make it run, if it is sound and change control lets it. Raises Misconfigured and Refused."""
        policy = self.sound(digest)
        before = self.store.policies.active()
        made = self.store.policies.activate(digest, by=by, note=note, now=self.clock())
        return self._follow(made, before, policy)

    def rollback(self, *, by: str, note: str, to: str | None = None) -> Activated:
        """What ran before runs again. Reads nothing but the database. Raises Misconfigured and Refused."""
        before = self.store.policies.active()
        made = self.store.policies.rollback(by=by, note=note, now=self.clock(), to=to)
        return self._follow(made, before, self.store.policies.get(made.digest))

    def _follow(self, made: ports.Activation, before: ports.Activation | None, policy: Policy | None) -> Activated:
        """New numbers apply to open leads, too, from answers that are there; anything more is a replay."""
        self._active = None
        old = self._readable(before.digest) if before is not None else None
        days = self.settings.policy.redecide_days
        if old is None or policy is None or not days or not changes.only_numbers(old, policy):
            return Activated(made, 0)
        now = self.clock()
        return Activated(made, self.store.works.requeue(made.digest, since=now - timedelta(days=days), now=now))

    def _readable(self, digest: str) -> Policy | None:
        """None where it can no longer be read: that may be the very reason to leave it."""
        try:
            return self.store.policies.get(digest)
        except Misconfigured:
            return None

    def asks(self, digest: str) -> str:
        """Digest of what a published policy asks models."""
        with self._lock:
            found = self._asks.get(digest)
            if found is None:
                policy = self.store.policies.get(digest)
                found = self._asks[digest] = changes.asks(policy) if policy is not None else f"unknown {digest}"
            return found

    def runnable(self, digest: str | None = None) -> Runnable:
        """The policy of that digest, by default the active one, compiled once per process."""
        digest = digest or self._active_digest()
        with self._lock:
            found = self._runnables.get(digest)
            if found is None:
                policy = self.store.policies.get(digest)
                if policy is None:
                    raise Misconfigured(f"policy {digest[:12]} is not in the database")
                # What it is called is what it was published as, whatever this version would call it.
                found = self._runnables[digest] = policies.compile(policy)._replace(digest=digest)
            return found

    def _active_digest(self) -> str:
        now = time.monotonic()
        if self._active is None or now - self._active[0] > ACTIVE_FOR:
            self._active = (now, self.ensure_policy().digest)
        return self._active[1]
