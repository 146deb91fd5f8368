"""For whom automation is on: kill switch, gate, rules, then a share of companies, else off.

The order is the point: nothing that comes later can switch on what something earlier switched off. People raise the
flag; machines may only lower it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
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
    """Whether `after` switches nothing on that `before` did not, nor sooner: that is all a machine may do."""
    held = before or Flag()
    if after.soak_hours < held.soak_hours or after.smallest < held.smallest:
        return False
    if after.percentage == 0:
        return True
    return before is not None and after.percentage <= before.percentage and not widens(before, after)


def widens(before: Flag | None, after: Flag) -> bool:
    """Whether `after` reaches pods, connections or companies that `before` left out, whatever the percentages."""
    if before is None:
        return False
    inside = _within(after.pods, before.pods) and _within(after.connections, before.connections)
    return not inside or after.salt != before.salt


def _within(after: tuple[str, ...], before: tuple[str, ...]) -> bool:
    return not before or (bool(after) and set(after) <= set(before))


class Stage(NamedTuple):
    """A percentage as it has run for the same leads, or fewer of them."""

    since: datetime
    soak_hours: float
    """The longest and the most that was asked of it since then: what is shortened is so for the next stage."""
    smallest: int


def stage(versions: Iterable[tuple[Flag, datetime]]) -> Stage | None:
    """The stage that runs, from versions and when they came, the newest first; None where there is no version."""
    found: Stage | None = None
    later: Flag | None = None
    for flag, at in versions:
        if later is not None and (flag.percentage != later.percentage or widens(flag, later)):
            break
        before = found or Stage(at, 0.0, 0)
        found = Stage(at, max(before.soak_hours, flag.soak_hours), max(before.smallest, flag.smallest))
        later = flag
    return found


def refuses(
    before: Flag | None, after: Flag, *, ran: Stage | None, automated: int, gate: Gate, now: datetime
) -> list[str]:
    """Why a person may not set the flag so, in words; empty: they may. `ran` is the stage of `before`, `automated` how
    many leads it has automated.
    """
    why = []
    if after.percentage not in STAGES:
        return [f"{after.percentage} % is not a stage: one of {', '.join(map(str, STAGES))}"]
    if lowers(before, after):
        return []
    at = before.percentage if before else 0
    if not gate.green:
        why += [f"the gate is red: {reason}" for reason in gate.why]
    if widens(before, after):
        if after.percentage > STAGES[1]:
            why.append(f"other pods, connections or companies begin at {STAGES[1]} %, and the stages follow")
    elif STAGES.index(after.percentage) > STAGES.index(at) + 1:
        why.append(f"from {at} % the next stage is {STAGES[STAGES.index(at) + 1]} %")
    if at and after.percentage > at:
        if ran is None or now - ran.since < timedelta(hours=ran.soak_hours):
            why.append(f"{at} % has to run for {ran.soak_hours if ran else 0:g} hours first")
        if ran is not None and automated < ran.smallest:
            why.append(f"{at} % has automated {automated} leads, {ran.smallest} are needed first")
    return why
