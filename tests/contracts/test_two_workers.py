"""The passes behind the poll under two workers at once, on both engines: each window is read once, nothing is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent import futures
from datetime import datetime, timedelta
from typing import Any

import pytest
from tierwise_fixtures import fakes

from tierwise import errors, store
from tierwise.domain import mapping
from tierwise.pipeline import outcomes, poll, reconcile
from tierwise.sdk import Outcome, OutcomePage

FIELD_MAP = mapping.FieldMap.model_validate(
    {"connector": "fake", "owner": "ops", "version": "1", "require": ["email"], "fields": {"email": "email"}}
)
LEADS = 7


class Slow(fakes.Crm):
    """Stands still in its first page until the test lets it go on; also tells a stage of each lead."""

    def __init__(self, clock: fakes.Clock) -> None:
        super().__init__(clock)
        self.inside, self.go_on = threading.Event(), threading.Event()
        self.before_page = lambda _: self._stand()

    def _stand(self) -> None:
        self.inside.set()
        assert self.go_on.wait(20)

    def outcomes(
        self, since: datetime, until: datetime, *, position: Mapping[str, Any] | None = None
    ) -> Iterator[OutcomePage]:
        self._stand()
        found = tuple(Outcome(key, "stage", "customer", at) for key, at in self.modified.items())
        yield OutcomePage(found, None)


class Worker:
    """One process: its own connection to the database."""

    def __init__(self, url: str, name: str, clock: fakes.Clock) -> None:
        self.store, self.name, self.clock = store.open_store(url), name, clock
        self.crm = Slow(clock)

    def common(self) -> dict[str, Any]:
        return {"connection": "crm", "owner": self.name, "clock": self.clock, "monotonic": self.clock.monotonic,
                "pace": poll.Pace(), "trail": reconcile.Trail()}  # fmt: skip

    def reconcile(self) -> poll.Polled | None:
        return reconcile.reconcile(
            self.store, self.crm, field_map=FIELD_MAP, properties=("email",), policy="p" * 64, **self.common()
        )

    def outcomes(self) -> outcomes.Told | None:
        return outcomes.outcomes(self.store, self.crm, **self.common())

    def poll(self) -> poll.Polled | None:
        given = {key: value for key, value in self.common().items() if key != "trail"}
        return poll.poll(self.store, self.crm, field_map=FIELD_MAP, properties=("email",), policy="p" * 64, **given)


@pytest.fixture
def workers(migrated_url: str) -> Iterator[Sequence[Worker]]:
    clock = fakes.Clock()
    made = [Worker(migrated_url, name, clock) for name in ("one", "two")]
    made[0].store.connections.ensure("crm", "fake", now=clock.now)
    made[0].store.connections.enable("crm", watermark=clock.now, now=clock.now)
    clock.wait(10)
    for number in range(LEADS):
        for worker in made:
            worker.crm.put(f"lead{number}", email=f"lead{number}@firm.example")
    clock.wait(5000)
    yield made
    for worker in made:
        worker.crm.go_on.set()
        worker.store.close()


def _both(first: Worker, second: Worker, step: Callable[[Worker], Any]) -> tuple[Any, Any]:
    """The first is in the middle of it when the second begins."""
    with futures.ThreadPoolExecutor(2) as pool:
        begun = pool.submit(step, first)
        assert first.crm.inside.wait(20)
        second.crm.go_on.set()
        late = pool.submit(step, second).result(timeout=30)
        first.crm.go_on.set()
        return begun.result(timeout=30), late


def test_a_late_record_is_found_by_one_of_two(workers: Sequence[Worker]) -> None:
    found, none = _both(*workers, Worker.reconcile)
    assert (found.new, none) == (LEADS, None)
    assert workers[1].store.works.due(now=workers[1].clock.now) == LEADS
    assert workers[1].reconcile().new == 0


def test_outcomes_are_kept_once_by_one_of_two(workers: Sequence[Worker]) -> None:
    for worker in workers:
        worker.crm.go_on.set()
    assert workers[0].poll().new == LEADS
    for worker in workers:
        worker.crm.go_on.clear()
        worker.crm.inside.clear()
    told, none = _both(*workers, Worker.outcomes)
    assert (told.labels > 0, none) == (True, None)
    assert len(workers[1].store.labels.list(source="crm_outcome")) == LEADS
    workers[1].clock.wait(5000)
    workers[1].outcomes()
    assert len(workers[1].store.labels.list(source="crm_outcome")) == LEADS, "a repeat does no harm"


@pytest.mark.parametrize("step", [Worker.reconcile, Worker.outcomes])
def test_who_slept_past_its_lease_stores_nothing(workers: Sequence[Worker], step: Callable[[Worker], Any]) -> None:
    first, second = workers
    with futures.ThreadPoolExecutor(2) as pool:
        asleep = pool.submit(step, first)
        assert first.crm.inside.wait(20)
        first.clock.wait(timedelta(minutes=10).total_seconds())
        second.crm.go_on.set()
        assert pool.submit(step, second).result(timeout=30) is not None
        first.crm.go_on.set()
        with pytest.raises(errors.LeaseLost):
            asleep.result(timeout=30)
    if step is Worker.reconcile:
        assert set(second.store.leads.known("crm", [f"lead{n}" for n in range(LEADS)])) == set(second.crm.properties)
