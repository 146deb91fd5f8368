"""A reviewer's shift: the most urgent lead, one key, the next one. The same functions as the single commands."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Annotated

import typer

from tierwise import wiring
from tierwise.cli import desk, output, session
from tierwise.domain.rubric import Rubric
from tierwise.errors import RejectRecord, TierwiseError
from tierwise.pipeline import queue
from tierwise.pipeline import review as reviewing
from tierwise.wiring import Wiring

SLEEP = timedelta(hours=4)
LEFT = "left: nothing is answered; it is reserved for you until its time is over"


def register(app: typer.Typer) -> None:
    """Add the command to `tierwise review`."""
    app.command()(work)


def work(
    kind: desk.Kind = None,
    most: Annotated[int, typer.Option(min=1, help="Stop after so many.")] = 1000,
) -> None:
    """Take one item after the other and answer each with one key; `u` takes the last answer back."""
    desk.check_kind(kind)
    with session.opened() as parts:
        done = _Shift(parts, by=session.actor(parts)).run(kind, most=most)
    output.say(f"answered: {done}")


def keys(rubric: Rubric, *, blind: bool) -> dict[str, str]:
    """Key -> what it does: a tier's place, or a word."""
    agree = {} if blind else {"a": "agree"}
    tiers = {str(number): tier for number, tier in enumerate(rubric.tiers, start=1) if number < 10}
    return {**agree, **tiers, "s": "snooze 4 h", "u": "undo the last answer", "q": "quit"}


class _Shift:
    def __init__(self, parts: Wiring, *, by: str) -> None:
        self._parts, self._by = parts, by
        self._rubric = parts.runnable().policy.rubric
        self._last: int | None = None

    def run(self, kind: str | None, *, most: int) -> int:
        """How many were answered."""
        parts, done = self._parts, 0
        while done < most:
            found = queue.take(parts.store, desk.house(parts), by=self._by, clock=wiring.clock, kind=kind)
            if found is None:
                output.say("nothing waits for you")
                break
            desk.tell(parts, found)
            step = self._answered(found)
            if step is None:
                break
            done += step
        return max(0, done)

    def _answered(self, found: queue.Waiting) -> int | None:
        """1 for an answer, -1 for one that was taken back, 0 for a snooze; None: enough."""
        known = keys(self._rubric, blind=found.item.blind)
        output.say("   ".join(f"[{key}] {what}" for key, what in known.items()))
        while True:
            key = _key()
            if key in ("q", ""):
                output.say(LEFT)
                return None
            if key not in known:
                output.say(f"'{key}' is none of {', '.join(known)}")
                continue
            try:
                return self._act(found, key, known)
            except TierwiseError as error:
                output.complain(error)
                if isinstance(error, RejectRecord):
                    return 0

    def _act(self, found: queue.Waiting, key: str, known: dict[str, str]) -> int:
        parts, item = self._parts, found.item
        if key == "u":
            if self._last is None:
                raise RejectRecord("nothing was answered yet")
            last, self._last = self._last, None
            reviewing.undo(parts.store, last, by=self._by, clock=wiring.clock)
            output.say(f"item {last} is open again")
            return -1
        if key == "s":
            queue.snooze(parts.store, item.id, until=wiring.clock() + SLEEP, by=self._by, clock=wiring.clock)
            return 0
        whole = parts.store.reviews.get(item.id) or item
        given = reviewing.answer(
            parts.store, whole, rubric=self._rubric, desired=desk.desired(parts, whole), by=self._by,
            agree=key == "a", tier=None if key == "a" else known[key], outcome=None, reason=None, note=None,
            clock=wiring.clock, wait=timedelta(seconds=parts.settings.review.undo_seconds),
        )  # fmt: skip
        self._last = item.id
        output.say(f"item {item.id} answered: tier {given['tier'] or 'none'}, outcome {given['outcome']}")
        return 1


def _key() -> str:
    """One key of the terminal, or one character of what is piped in; at its end, enough."""
    if sys.stdin.isatty():
        return typer.getchar()
    found = sys.stdin.read(1)
    return found if found == "" or not found.isspace() else _key()
