"""The whole line over a real store on SQLite: a CRM, a judge, a clock and an event loop that do what a test says."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tierwise_fixtures import batches, fakes, policies

from tierwise import ports, store
from tierwise.domain import mapping
from tierwise.domain.mapping import FieldMap
from tierwise.domain.policy import Policy, Runnable
from tierwise.domain.rules import Answer, Facts, Predicate, Rule
from tierwise.pipeline import clocks, decide, poll, write_back
from tierwise.store import migrations

FIELD_MAP = FieldMap.model_validate(
    {
        "connector": "fake", "owner": "ops", "version": "1", "require": ["email"],
        "fields": {
            "email": "email", "company": "company", "employee_count": "employees", "message": "message",
            "submitted_at": "created",
        },
    }
)  # fmt: skip


@pytest.fixture(scope="session")
def _migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "tierwise.db"
    migrations.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], contextlib.AbstractContextManager[Line]]:
    """`with fresh() as line`: a line with an empty store of its own, for every example of a property."""
    folder = tmp_path_factory.mktemp("lines")
    migrated = folder / "migrated.db"
    migrations.upgrade(f"sqlite:///{migrated}")
    numbers = itertools.count()

    @contextlib.contextmanager
    def make() -> Iterator[Line]:
        path = shutil.copy(migrated, folder / f"{next(numbers)}.db")
        line = Line(store.open_store(f"sqlite:///{path}"))
        try:
            yield line
        finally:
            line.hands.close()
            line.store.close()
            for file in folder.glob(f"{Path(path).name}*"):
                file.unlink()

    return make


@pytest.fixture
def office(_migrated: Path, tmp_path: Path) -> Iterator[batches.Office]:
    """Leads that wait for batches, and the sandbox's batches as the provider."""
    opened = store.open_store(f"sqlite:///{shutil.copy(_migrated, tmp_path / 'office.db')}")
    made = batches.Office(opened)
    yield made
    made.close()
    opened.close()


@pytest.fixture
def line(fresh: Callable[[], contextlib.AbstractContextManager[Line]]) -> Iterator[Line]:
    """One line, with connection `crm` enabled."""
    with fresh() as made:
        yield made


def _large(facts: Facts) -> Answer:
    count = facts["lead"].get("employee_count")
    if count is None:
        return Answer("unknown", ("lead.employee_count",))
    return Answer("match" if count >= 50 else "no_match")


def _small(facts: Facts) -> Answer:
    truth = _large(facts).truth
    return Answer("match" if truth == "no_match" else "no_match")


def _spam(facts: Facts) -> Answer:
    return Answer("match" if "casino" in facts["lead"].get("message", "") else "no_match")


def _runnable(version: str = "1", **rules: Predicate) -> Runnable:
    spam = Rule(id="spam", stage="gate", when="spam", reason="SPAM", outcome="reject", owner="ops", why="It is spam.")
    everybody = Rule(
        id="everybody", stage="route", when="true", reason="ROUTED", outcome="accept", route="sales", owner="ops",
        why="Tier {result.tier}.",
    )  # fmt: skip
    policy: Policy = policies.policy(version=version, rules=(spam, everybody), maps={"fake": FIELD_MAP})
    return Runnable(
        policy=policy,
        digest=policy.digest(),
        rules={"spam": _spam, "everybody": policies.says("match"), **rules},
        levels={("size", "high"): _large, ("size", "low"): _small},
    )


@dataclasses.dataclass
class Line:
    """Poll, pump and write back as the worker does, in few words."""

    store: store.SqlStore
    name: str = "crm"

    def __post_init__(self) -> None:
        self.clock = fakes.Clock()
        self.crm = fakes.Crm(self.clock)
        self.judge = fakes.Judge()
        self.hands = fakes.Hands()
        self.field_map = FIELD_MAP
        self.runnable = _runnable()
        self.jitter = 0.5
        self.traces = 0
        self.batches = 0
        self.store.connections.ensure(self.name, "fake", now=self.clock.now)
        self.store.connections.enable(self.name, watermark=self.clock.now, now=self.clock.now)
        self.clock.wait(1)

    def put(self, record_id: str, **properties: Any) -> None:
        """A good lead, with changes, a second after the last one."""
        self.clock.wait(1)
        given = {
            "email": f"{record_id}@acme.example",
            "company": "Acme",
            "employees": 120,
            "message": "We need it now.",
        }
        self.crm.put(record_id, **{**(given if record_id not in self.crm.properties else {}), **properties})

    def other_policy(self, version: str, **rules: Predicate) -> Runnable:
        """Another version of the policy; rules by id may be replaced."""
        return _runnable(version, **rules)

    def poll(
        self, *, owner: str = "poller", stop: Callable[[], bool] = lambda: False, **pace: float
    ) -> poll.Polled | None:
        return poll.poll(
            self.store,
            self.crm,
            connection=self.name,
            field_map=self.field_map,
            properties=mapping.properties(self.field_map),
            policy=self.runnable.digest,
            owner=owner,
            clock=self.clock,
            monotonic=self.clock.monotonic,
            pace=poll.Pace(**pace),
            stop=stop,
        )

    def tools(self, **changes: Any) -> decide.Tools:
        return decide.Tools(
            **{
                "store": self.store,
                "judge": self.judge,
                "submit": self.hands.submit,
                "runnable": lambda: self.runnable,
                "clock": self.clock,
                "monotonic": self.clock.monotonic,
                "random": lambda: self.jitter,
                "new_trace": self._trace,
                # No two policies ask the same, unless a test says so.
                "asks": lambda digest: digest,
                **changes,
            }
        )

    def pump(
        self,
        *,
        stop: Callable[[], bool] = lambda: False,
        owner: str = "pump",
        connection: str | None = None,
        tools: decide.Tools | None = None,
        **pace: Any,
    ) -> decide.Pumped:
        """One run. The queue of what landed is looked at for a millisecond only: nothing here takes real time."""
        chosen = decide.Pace(**{"flush": 0.001, **pace})
        return decide.Pump(tools or self.tools(), owner=owner, pace=chosen, connection=connection).run(stop=stop)

    def write_back(
        self,
        *,
        owner: str = "writer",
        new_id: Callable[[], str] | None = None,
        full_only: bool = False,
        stop: Callable[[], bool] = lambda: False,
        **pace: Any,
    ) -> write_back.WroteBack:
        return write_back.write_back(
            self.store,
            self.crm,
            connection=self.name,
            owner=owner,
            clock=self.clock,
            monotonic=self.clock.monotonic,
            random=lambda: self.jitter,
            new_id=new_id or self.batch,
            pace=write_back.Pace(**pace),
            servers=clocks.Clocks(monotonic=self.clock.monotonic),
            full_only=full_only,
            stop=stop,
        )

    def batch(self) -> str:
        self.batches += 1
        return f"batch-{self.batches}"

    def cursor(self) -> ports.ConnectionState:
        (state,) = self.store.connections.list()
        return state

    def story(self, record_id: str) -> ports.LeadStory:
        (story,) = self.store.leads.story(self.name, record_id)
        return story

    def decided(self) -> dict[str, list[ports.StoredDecision]]:
        """Decisions by record, of records that have any."""
        found = {record_id: list(self.story(record_id).decisions) for record_id in self.stored()}
        return {record_id: decisions for record_id, decisions in found.items() if decisions}

    def stored(self) -> Mapping[str, ports.Known]:
        return self.store.leads.known(self.name, list(self.crm.properties))

    def work(self) -> dict[str, int]:
        """Work by state, states without any left out."""
        return {state: count for state, count in self.store.works.counts().items() if count}

    def at(self, seconds: float) -> datetime:
        return fakes.START + timedelta(seconds=seconds)

    def _trace(self) -> str:
        self.traces += 1
        return f"{self.traces:032x}"
