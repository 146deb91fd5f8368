"""Whether automation may be at all: a state computed from what was measured, never a box that somebody ticks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from tierwise.domain.ageing import Measured
from tierwise.domain.lead import digest


class Report(NamedTuple):
    """What the gate needs of a stored validation report."""

    digest: str
    policy: str
    chain: str
    passed: bool
    cut_off: float | None
    """Confidence (0-1) from which on leads may be automated; None where it did not pass."""
    positive_tiers: tuple[str, ...]
    newest_label_at: datetime | None
    most_age_days: int
    why: tuple[str, ...]
    """What did not hold, in words."""
    measured: Measured | None = None
    """Its sample, so that labels which have grown old meanwhile are left out."""


def chain(models: str, calibration: str | None) -> str:
    """One hash of what decides beside the policy: the models that are asked, and the calibration in force."""
    return digest([models, calibration])


class Gate(NamedTuple):
    """Green where nothing speaks against it."""

    why: tuple[str, ...]
    """Each condition that does not hold, in words; empty: green."""
    cut_off: float = 1.0
    positive_tiers: tuple[str, ...] = ()
    report: str | None = None
    """Digest of the report it stands on."""

    @property
    def green(self) -> bool:
        """Whether automation is permitted."""
        return not self.why


def gate(
    report: Report | None,
    *,
    policy: str | None,
    chain: str | None,
    offline: bool,
    staging: bool = False,
    alerts: Sequence[str],
    now: datetime,
) -> Gate:
    """The state for what runs now. `report` is the newest one; `policy` the digest of the active policy, `chain` the
    hash of its models and calibration, `alerts` the open ones of drift and calibration.
    """
    why = []
    if staging:
        why.append("this is a staging installation, and only production automates")
    if offline:
        why.append("`offline/rules` decides, and what it decides is never automated")
    why += [f"an alert is open: {alert}" for alert in alerts]
    if report is None:
        return Gate((*why, "there is no validation report: `tierwise validate`"))
    if not report.passed or report.cut_off is None:
        why.append(f"the newest validation report did not pass: {'; '.join(report.why) or 'no look was due'}")
    if report.policy != policy:
        why.append(f"the report is of policy {report.policy[:12]}, active is {policy[:12] if policy else 'none'}")
    if report.chain != chain:
        why.append("the report is of other models, parameters or another calibration")
    age = None if report.newest_label_at is None else now - report.newest_label_at
    if age is None or age > timedelta(days=report.most_age_days):
        told = "there are none" if age is None else f"the newest is {age.days} days old"
        why.append(f"labels may be {report.most_age_days} days old at most: {told}")
    elif age < -timedelta(minutes=10):
        why.append("labels are from the future: a clock is wrong")
    cut_off = report.cut_off if report.cut_off is not None else 1.0
    if not why and report.measured is not None and (old := report.measured.old(now)):
        still = report.measured.verdict(now)
        if still.cut_off is None:
            told = f"{old} of the report's {report.measured.labels()} labels are older than {report.most_age_days} days"
            failed = [reason for tested in still.tested for reason in tested.why]
            why.append(f"{told} and no longer count; without them {'; '.join(failed) or 'nothing is proved'}")
        else:
            cut_off = max(cut_off, still.cut_off)
    return Gate(tuple(why), cut_off, report.positive_tiers, report.digest)
