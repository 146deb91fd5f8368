"""Which policy runs: the active one of the database, compiled once per process."""

from __future__ import annotations

import time
from pathlib import Path

from tierwise import content, policies, ports
from tierwise.domain.policy import Runnable
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
        active = self.store.policies.active()
        if active is not None:
            return active
        directory = self.policy_directory()
        policy = policies.read(directory)
        digest = self.store.policies.publish(policy, by="tierwise", note="first policy", now=self.clock())
        return self.store.policies.activate(digest, by="tierwise", note="database was empty", now=self.clock())

    def runnable(self, digest: str | None = None) -> Runnable:
        """The policy of that digest, by default the active one, compiled once per process."""
        digest = digest or self._active_digest()
        with self._lock:
            found = self._runnables.get(digest)
            if found is None:
                policy = self.store.policies.get(digest)
                if policy is None:
                    raise Misconfigured(f"policy {digest[:12]} is not in the database")
                found = self._runnables[digest] = policies.compile(policy)
            return found

    def _active_digest(self) -> str:
        now = time.monotonic()
        if self._active is None or now - self._active[0] > ACTIVE_FOR:
            self._active = (now, self.ensure_policy().digest)
        return self._active[1]
