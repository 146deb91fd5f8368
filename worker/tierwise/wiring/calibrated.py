"""Which calibration applies: the active one of the database, where it was learnt under this rubric with this chain."""

from __future__ import annotations

import time

from tierwise import telemetry
from tierwise.domain import calibration as calibrations
from tierwise.domain.calibration import Calibration
from tierwise.domain.policy import Policy, Runnable
from tierwise.errors import Misconfigured
from tierwise.wiring.policy import ACTIVE_FOR, Policed

log = telemetry.log(__name__)


class Calibrated(Policed):
    """Parts that know how far confidence can be trusted."""

    def runnable(self, digest: str | None = None) -> Runnable:
        """The compiled policy, with the active calibration where that fits; else confidence says uncalibrated."""
        found = super().runnable(digest)
        made = self._calibration()
        if made is None:
            return found
        why = self.misfit(made, found.policy)
        if why is not None:
            if self._misfit != (made.digest(), found.digest):
                self._misfit = (made.digest(), found.digest)
                log.warning("the active calibration does not apply", calibration=made.digest()[:12], why=why)
            return found
        return found._replace(calibration=made)

    def chain(self, policy: Policy) -> tuple[str, ...]:
        """The models that would be asked under a policy, in their order."""
        models, own = self.settings.model, policy.rubric.models
        return calibrations.chain(models.primary or own.primary, models.secondary or own.secondary)

    def misfit(self, made: Calibration, policy: Policy) -> str | None:
        """Why a calibration does not apply to a policy with the chain of these settings; None where it does."""
        return made.why_not(calibrations.rubric_digest(policy.rubric, policy.prompt), self.chain(policy))

    def fitting(self, policy: Policy) -> Calibration | None:
        """The active calibration where a policy would run with it: one that is tried is tried as it would run."""
        made = self._calibration()
        return made if made is not None and self.misfit(made, policy) is None else None

    def calibration(self, named: str) -> Calibration:
        """A stored one by digest or its beginning, or the one in force by "active". Raises Misconfigured."""
        if named == "active":
            row = self.store.calibrations.active()
            named = (row.digest if row is not None else None) or ""
        found = self.store.calibrations.get(named)
        if found is None:
            raise Misconfigured(
                f"no calibration '{named}'" if named else "no calibration is active",
                place="--calibration",
                remedy="tierwise calibrate list shows those there are",
            )
        return found.calibration

    def _calibration(self) -> Calibration | None:
        now = time.monotonic()
        with self._lock:
            if self._in_force is None or now - self._in_force[0] > ACTIVE_FOR:
                row = self.store.calibrations.active()
                digest = row.digest if row is not None else None
                before = self._in_force[1] if self._in_force is not None else None
                if digest is None or (before is not None and before.digest() == digest):
                    self._in_force = (now, before if digest is not None else None)
                else:
                    fitted = self.store.calibrations.get(digest)
                    self._in_force = (now, fitted.calibration if fitted is not None else None)
            return self._in_force[1]
