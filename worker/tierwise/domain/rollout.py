"""For whom automation is on: kill switch, gate, rules, then a share of companies, else off.

The order is the point: nothing that comes later can switch on what something earlier switched off. People raise the
flag; machines may only lower it.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from pydantic import Field

from tierwise.domain.gate import Gate
from tierwise.domain.rubric import Frozen

STAGES = (0, 1, 5, 25, 50, 100)
"""Percent of companies."""
FLAG = "auto_tier"
Why = Literal["killed", "gate", "rule", "share", "off", "stale", "decision"]


class Flag(Frozen):
    """One version of the flag; versions are only ever added."""

    percentage: int = 0
    """A stage: percent of companies."""
    pods: tuple[str, ...] = ()
    """Only leads routed to these; empty: to any."""
    connections: tuple[str, ...] = ()
    """Only these connections; empty: any."""
    salt: str = FLAG
    soak_hours: float = Field(default=24, ge=0)
    """How long a stage has to run before the next one."""
    smallest: int = Field(default=20, ge=0)
    """Automated leads that a stage has to have seen before the next one."""


class Kill(NamedTuple):
    """Why everything is off."""

    by: str
    reason: str


class Target(NamedTuple):
    """Whom the question is about."""

    connection: str
    route: str | None
    company: str
    """Stable name of the company, so that its leads are treated alike; the record where there is none."""


class Answer(NamedTuple):
    """On or off, and which step said so."""

    on: bool
    why: Why
    detail: str = ""


def evaluate(flag: Flag | None, target: Target, *, kill: Kill | None, gate: Gate) -> Answer:
    """Whether the tier of that lead may be written. No flag at all is off."""
    if kill is not None:
        return Answer(False, "killed", f"by {kill.by}: {kill.reason}")
    if not gate.green:
        return Answer(False, "gate", "; ".join(gate.why))
    return targeted(flag, target)


def targeted(flag: Flag | None, target: Target) -> Answer:
    """The part that a flag service may answer in our place: rules and share, nothing before them."""
    if flag is None or flag.percentage == 0:
        return Answer(False, "off")
    if flag.connections and target.connection not in flag.connections:
        return Answer(False, "rule", "not on this connection")
    if flag.pods and target.route not in flag.pods:
        return Answer(False, "rule", "not for this pod")
    inside = bucket(target.company, salt=flag.salt) < flag.percentage * 100
    return Answer(inside, "share", f"{flag.percentage} % of companies")


def bucket(company: str, *, salt: str) -> int:
    """Which of 10,000 buckets a company is in, for good: a larger share only ever adds companies."""
    text = f"{FLAG}\0{salt}\0{company}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") % 10_000


def lowers(before: Flag | None, after: Flag) -> bool:
    """Whether `after` switches nothing on that `before` did not: that is all a machine may do."""
    if after.percentage == 0:
        return True
    if before is None or before.salt != after.salt or after.percentage > before.percentage:
        return False
    return _within(after.pods, before.pods) and _within(after.connections, before.connections)


def _within(after: tuple[str, ...], before: tuple[str, ...]) -> bool:
    return not before or (bool(after) and set(after) <= set(before))


def refuses(
    before: Flag | None, after: Flag, *, since: datetime | None, automated: int, gate: Gate, now: datetime
) -> list[str]:
    """Why a person may not raise the flag so, in words; empty: they may. `since` is when the stage of `before` began,
    `automated` how many leads it has automated.
    """
    why = []
    if after.percentage not in STAGES:
        return [f"{after.percentage} % is not a stage: one of {', '.join(map(str, STAGES))}"]
    if lowers(before, after):
        return []
    at = before.percentage if before else 0
    if STAGES.index(after.percentage) > STAGES.index(at) + 1:
        why.append(f"from {at} % the next stage is {STAGES[STAGES.index(at) + 1]} %")
    if not gate.green:
        why += [f"the gate is red: {reason}" for reason in gate.why]
    if before is not None and at and after.percentage > at:
        if since is None or now - since < timedelta(hours=before.soak_hours):
            why.append(f"{at} % has to run for {before.soak_hours:g} hours first")
        if automated < before.smallest:
            why.append(f"{at} % has automated {automated} leads, {before.smallest} are needed first")
    return why
