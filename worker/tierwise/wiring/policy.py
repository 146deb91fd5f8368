"""Which policy runs: the active one of the database, compiled once per process."""

from __future__ import annotations

import time
from pathlib import Path

from tierwise import content, policies, ports
from tierwise.domain.policy import Policy, Runnable
from tierwise.errors import Misconfigured
from tierwise.wiring.parts import Parts

ACTIVE_FOR = 2.0
"""Seconds that the active policy is remembered: an activation reaches every worker well within five."""


class Policed(Parts):
    """Parts that know the policy."""

    def policy_directory(self) -> Path:
        """Where the configured policy files are."""
        return content.find(self.settings.policy_dir)

    def ensure_policy(self) -> ports.Activation:
        """The active policy; an empty database gets the configured directory published and activated."""
        environment = self.settings.environment
        active = self.store.policies.active(environment) or self.store.policies.active()
        if active is not None:
            return active
        directory = self.policy_directory()
        policy = policies.read(directory)
        digest = self.store.policies.publish(policy, by="tierwise", note="first policy", now=self.clock())
        return self.store.policies.activate(digest, by="tierwise", note="database was empty", now=self.clock())

    def sound(self, digest: str) -> Policy:
        """The stored bundle, loaded, compiled and tested again; Misconfigured where any of it fails."""
        from tierwise.llm import prompt

        policy = self.store.policies.get(digest)
        if policy is None:
            raise Misconfigured("no such policy was published", place=f"policy {digest[:12]}")
        wrong = [f"prompt: {sentence}" for sentence in prompt.check_template(policy.prompt)]
        failed = [result for result in policies.run_tests(policy) if not result.passed]
        wrong += [f"{result.subject}, test {result.name}: {result.message}" for result in failed]
        if wrong:
            more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
            raise Misconfigured(
                f"{wrong[0]}{more}", place=f"policy {digest[:12]}", remedy="mend its files and publish them again"
            )
        policies.compile(policy)
        return policy

    def activate(self, digest: str, *, by: str, note: str) -> ports.Activation:
        """Make it run, if it is sound and change control lets it. Raises Misconfigured and Refused."""
        self.sound(digest)
        made = self.store.policies.activate(digest, by=by, note=note, now=self.clock())
        self._active = None
        return made

    def rollback(self, *, by: str, note: str, to: str | None = None) -> ports.Activation:
        """What ran before runs again. Reads nothing but the database. Raises Misconfigured and Refused."""
        made = self.store.policies.rollback(by=by, note=note, now=self.clock(), to=to)
        self._active = None
        return made

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
