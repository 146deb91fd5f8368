"""One batch, from its plan to its end: uploaded, submitted, looked at, read. One step at a time, each committed.

The intent to submit is stored before the call; where it is not known whether a submission arrived, the provider's list
is asked, never the call repeated blindly. Whatever ends without an answer is decided live.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from tierwise import ports, telemetry
from tierwise.domain.policy import Runnable
from tierwise.errors import LeaseLost, Misconfigured, PauseConnection, RejectRecord, RetryLater, TierwiseError
from tierwise.llm import batch_door, batch_lines, batching, cost
from tierwise.llm.asking import Question
from tierwise.pipeline import backoff
from tierwise.ports.batches import Batch, Ending
from tierwise.ports.money import Entry

GONE = "unknown_model"
"""The fault of a 404: of a batch, that its provider knows it no more."""
SURE = 2
"""Looks in vain at the provider's list before a submission counts as never arrived."""
AGAIN = 60.0
"""Seconds between two of them: lists lag behind."""
LONGEST_PAUSE = 900.0
WIND_DOWN = timedelta(minutes=10)
"""For which a cancelled batch is waited for."""
log = telemetry.log(__name__)


class Pace(NamedTuple):
    """How a batch is looked after; seconds."""

    look: float = 60.0
    hours: float = 25.0
    lease: float = 300.0
    tries: int = 5
    """Calls in a row that may fail before it was submitted."""
    longest: float = 40.0
    """After which the next step is left for the next time."""


class Door(Protocol):
    """A model's batches at its provider; see `llm.batch_door`."""

    @property
    def longest(self) -> float: ...
    def upload(self, lines: Sequence[str]) -> str: ...
    def submit(self, file_id: str, *, tag: str) -> str: ...
    def find(self, tag: str, *, since: datetime) -> str | None: ...
    def look(self, key: str) -> batch_door.Looked: ...
    def read(self, file_id: str) -> bytes: ...
    def cancel(self, key: str) -> None: ...
    def delete(self, file_id: str) -> None: ...


class Tools(NamedTuple):
    """What a batch is looked after with."""

    store: ports.Store
    seeker: batching.Seeker
    door: Callable[[str], Door]
    """By model."""
    runnable: Callable[[str], Runnable]
    """By digest."""
    prices: cost.Prices
    clock: ports.Clock
    monotonic: Callable[[], float]
    rng: random.Random
    told: Callable[[TierwiseError], None] = lambda _: None


class _Over(Exception):
    """Nothing is left to do for now."""


def advance(tools: Tools, batch_id: int, pace: Pace) -> Batch | None:
    """Take the batch as far as it goes now; None where somebody else does, or it ended before."""
    began = tools.monotonic()
    batch = tools.store.batches.claim(batch_id, lease=pace.lease, now=tools.clock())
    if batch is None:
        return None
    keeper = _Keeper(tools, batch, pace, began)
    try:
        keeper.work()
    except LeaseLost as error:
        log.info("lease lost", error=str(error))
    finally:
        tools.store.batches.free(keeper.batch)
    return keeper.batch


def tidy(tools: Tools) -> int:
    """Delete at the provider what ended batches left there; how many files."""
    deleted = 0
    for batch in tools.store.batches.untidy(now=tools.clock()):
        left, door = list(batch.files), tools.door(batch.model)
        try:
            while left:
                door.delete(left[0])
                left.pop(0)
                deleted += 1
        except TierwiseError as error:
            tools.told(error)
        again = tools.clock() + timedelta(seconds=LONGEST_PAUSE)
        tools.store.batches.tidied(batch.id, files=left, look_at=again)
    return deleted


class _Keeper:
    """Looks after one batch under its lease."""

    def __init__(self, tools: Tools, batch: Batch, pace: Pace, began: float) -> None:
        self._tools, self.batch, self._pace, self._began = tools, batch, pace, began
        self._door = tools.door(batch.model)

    def work(self) -> None:
        steps: Mapping[str, Callable[[], None]] = {
            "planned": self._upload,
            "uploaded": self._submit,
            "submitting": self._seek,
            "submitted": self._look,
        }
        # A step that ends well changes the state; one that has to wait says so.
        while self.batch.state in steps and self._tools.monotonic() - self._began < self._pace.longest:
            try:
                steps[self.batch.state]()
            except _Over:
                return
            except RetryLater as error:
                self._later(error)
                return
            except (RejectRecord, PauseConnection, Misconfigured) as error:
                self._refused(error)
                return
        if self.batch.state in steps:
            self._save(look_at=self._tools.clock())

    # -- before it is submitted

    def _upload(self) -> None:
        self._unless_over()
        questions = self._questions(ready=True)
        gone = [key for key, question in questions.items() if question is None]
        if gone:
            self._tools.store.batches.drop(self.batch, gone, now=self._tools.clock())
            self.batch = self.batch._replace(questions=self.batch.questions - len(gone))
        lines = [
            batch_lines.line(question, rng=self._tools.rng) for question in questions.values() if question is not None
        ]
        if not lines:
            self._end(Ending("empty"))
            return
        name = self._door.upload(lines)
        self._save(state="uploaded", input_file=name, files=(*self.batch.files, name))

    def _submit(self) -> None:
        self._unless_over()
        # The intent comes first: from here on only the provider knows whether there is a batch.
        self._save(state="submitting", sought=0)
        # The lease must outlast the call: a process that slept in between must not send what another sent.
        if self._tools.monotonic() - self._began > self._pace.lease - self._door.longest:
            raise _Over
        self._submitted(self._door.submit(self.batch.input_file, tag=self.batch.tag))

    def _seek(self) -> None:
        try:
            found = self._door.find(self.batch.tag, since=self.batch.created_at)
        except (RejectRecord, PauseConnection, Misconfigured) as error:
            # Refused is the question, not the batch, of which nothing is known yet.
            raise RetryLater(error.message, place=error.place, remedy=error.remedy) from error
        if found is not None:
            self._submitted(found)
            return
        sought, now = self.batch.sought + 1, self._tools.clock()
        if sought < SURE:
            self._save(sought=sought, look_at=now + timedelta(seconds=AGAIN))
            raise _Over
        self._unless_over()
        self._save(state="uploaded", sought=0)

    def _submitted(self, key: str) -> None:
        now = self._tools.clock()
        deadline = now + timedelta(hours=self._pace.hours)
        changes = {"state": "submitted", "provider_id": key, "submitted_at": now, "deadline": deadline, "sought": 0}
        self._save(**changes, look_at=now + timedelta(seconds=self._pace.look), wait=True)
        log.info("batch submitted", batch=self.batch.id, model=self.batch.model, questions=self.batch.questions)
        if not self.batch.cancelled:
            raise _Over

    def _unless_over(self) -> None:
        """Before it is submitted it can still be left."""
        if self.batch.cancelled or self._tools.clock() >= self.batch.deadline:
            self._end(Ending("cancelled" if self.batch.cancelled else "overdue"))
            raise _Over

    # -- after that

    def _look(self) -> None:
        now = self._tools.clock()
        late = now >= self.batch.deadline + WIND_DOWN
        if late and self.batch.sought >= SURE:
            self._end(Ending("overdue", billed=False, fault="timeout"))
            return
        if late:
            # Counted before the look: one that breaks off every time, whatever by, is not repeated for ever.
            self._save(sought=self.batch.sought + 1)
        batch = self.batch
        looked = self._door.look(batch.provider_id)
        if looked.state != "working":
            self._read(looked)
            return
        unwanted = batch.cancelled or now >= batch.deadline
        if late:
            self._end(Ending("overdue", billed=False, fault="timeout"))
            return
        if unwanted:
            self._cancel()
        age = (now - (batch.submitted_at or now)).total_seconds()
        pause = self._pace.look if unwanted else min(LONGEST_PAUSE, max(self._pace.look, age / 20))
        # Not past the moment at which it is to be cancelled, and its leads are decided live.
        again = now + timedelta(seconds=pause)
        again = again if unwanted else min(again, max(batch.deadline, now))
        self._save(done=looked.done, look_at=again, files=_files(batch.files, looked.files))
        raise _Over

    def _cancel(self) -> None:
        try:
            self._door.cancel(self.batch.provider_id)
        except RejectRecord:
            return  # it is being cancelled, or ended just now: the next look tells
        log.warning("batch cancelled", batch=self.batch.id, model=self.batch.model, overdue=not self.batch.cancelled)

    def _read(self, looked: batch_door.Looked) -> None:
        batch, tools = self.batch, self._tools
        self.batch = batch._replace(files=_files(batch.files, looked.files), done=looked.done)
        said: dict[str, batch_lines.Said] = {}
        for name in looked.files:
            for item in batch_lines.answers(self._door.read(name), model=batch.model, prices=tools.prices):
                said.setdefault(item.key, item)
        puts = {put.key: put for put in tools.store.batches.asked(batch)}
        questions = self._questions()
        entries, answers, faults = [], [], dict[str, int]()
        for key, put in puts.items():
            found = said.get(key)
            if found is None or found.completion is None:
                fault = found.fault if found is not None else "partial"
                faults[fault] = faults.get(fault, 0) + 1
                continue
            blank = Entry(put.connection, batch.model, batch.stage, batch.strong)
            made = batching.result(questions[key], found.completion, blank, prices=tools.prices)
            entries.append(made.entry)
            if made.assessment is not None:
                answers.append(made.assessment)
            else:
                faults[made.fault] = faults.get(made.fault, 0) + 1
        worst = max(faults, key=lambda name: faults[name]) if faults else ""
        fault = looked.fault or worst
        words = ", ".join(f"{count} {name}" for name, count in sorted(faults.items()))
        self._end(
            Ending(
                looked.state, tuple(entries), tuple(answers), unusable=sum(faults.values()), fault=fault, error=words
            ),
            faults=faults,
        )

    def _questions(self, *, ready: bool = False) -> dict[str, Question | None]:
        """By key; None where its lead is not what it was, or nobody waits for it any more."""
        batch, tools = self.batch, self._tools
        runnable = tools.runnable(batch.policy)
        found: dict[str, Question | None] = {}
        for put in tools.store.batches.asked(batch, ready=ready):
            question = None
            if put.lead is not None:
                asked = batching.Asked(put.lead, put.connection)
                question = tools.seeker.question(runnable, asked, model=batch.model, stage=batch.stage)
            found[put.key] = question if question is not None and question.key == put.key else None
        return found

    # -- how a step ends

    def _save(self, *, wait: bool = False, **changes: object) -> None:
        fresh = {"tries": 0, "error": "", "fault": "", **changes}
        self.batch = self.batch._replace(**fresh)  # type: ignore[arg-type]  # by name
        self._tools.store.batches.save(self.batch, now=self._tools.clock(), wait=wait)

    def _later(self, error: RetryLater) -> None:
        self._tools.told(error)
        self._again(error)

    def _again(self, error: TierwiseError) -> None:
        now, tries = self._tools.clock(), self.batch.tries + 1
        overdue = now >= self.batch.deadline + WIND_DOWN
        if overdue or (tries >= self._pace.tries and self.batch.state in ("planned", "uploaded")):
            unsure = self.batch.state in ("submitting", "submitted")
            self._end(Ending("unreachable", fault=error.fault, error=str(error), billed=not unsure))
            return
        pause = max(
            backoff.delay(tries, jitter=self._tools.rng.random(), wish=getattr(error, "after", None)),
            self._pace.look / 4,
        )
        again = now + timedelta(seconds=min(pause, LONGEST_PAUSE))
        self._save(tries=tries, error=str(error), fault=error.fault, look_at=again)

    def _refused(self, error: TierwiseError) -> None:
        self._tools.told(error)
        if self.batch.state == "submitted" and error.fault != GONE:
            # It works on over there; a person may give the key back before its time is over.
            self._again(error)
            return
        outcome = "lost" if self.batch.state == "submitted" else "refused"
        self._end(Ending(outcome, fault=error.fault, error=str(error), billed=outcome != "lost"))

    def _end(self, ending: Ending, *, faults: Mapping[str, int] | None = None) -> None:
        batch = self.batch
        self._tools.store.batches.end(batch, ending, now=self._tools.clock())
        self.batch = batch._replace(
            state="ended", outcome=ending.outcome, answered=len(ending.answers), unusable=ending.unusable,
            fault=ending.fault, error=ending.error,
        )  # fmt: skip
        telemetry.count("tierwise_batches_total", model=batch.model, result=ending.outcome)
        counted = {"answered": len(ending.answers), **(faults or {})}
        for result, number in counted.items():
            if number:
                telemetry.count("tierwise_batch_questions_total", number, model=batch.model, result=result)
        well = ending.outcome == "completed" and not ending.unusable
        (log.info if well else log.warning)(
            "batch ended", batch=batch.id, model=batch.model, outcome=ending.outcome, questions=batch.questions,
            answered=len(ending.answers), unusable=ending.unusable, error=ending.error,
        )  # fmt: skip


def _files(held: Collection[str], more: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*held, *more)))
