"""The store as a whole: opening it, and random interleavings of pollers, workers, writers and people.

The CRM of the model cannot check our tokens; it takes every write in the order in which it arrives. Whatever happens
on the way, in the end it shows the decision on the newest input, and nothing was decided twice.
"""

from __future__ import annotations

import dataclasses
import itertools
import random
import typing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tierwise import errors, ports, store
from tierwise.domain import echo

NAMES = itertools.count()
RECORDS = ("1", "2", "3")
LEASE = 60.0


def test_the_store_is_what_the_pipeline_asks_for(opened: store.SqlStore) -> None:
    parts = {name: value.fget for name, value in vars(ports.Store).items() if isinstance(value, property)}
    assert parts
    for part, declared in parts.items():
        protocol = typing.get_type_hints(declared)["return"]
        wanted = {name for name in vars(protocol) if not name.startswith("_")}
        assert wanted <= {name for name in dir(getattr(opened, part)) if not name.startswith("_")}, part


def test_what_was_stored_is_there_when_it_is_opened_again(desk: Any, store_url: str) -> None:
    desk.decide(desk.arrival("1"))
    desk.store.close()
    again = store.open_store(store_url, migrate=True)
    assert again.leads.counts()["leads"] == 1
    assert again.decisions.verify("crm").links == 1
    again.close()


def test_a_file_that_is_not_there_is_not_made_by_opening(tmp_path: Any) -> None:
    with pytest.raises(errors.Misconfigured, match="tierwise db upgrade"):
        store.open_store(f"sqlite:///{tmp_path / 'x.db'}")
    assert list(tmp_path.iterdir()) == []


@dataclasses.dataclass
class Writing:
    """A writer with rows in its hands."""

    rows: list[ports.Outgoing]
    batch: str = ""
    plan: list[tuple[ports.Outgoing, dict[str, Any]]] = dataclasses.field(default_factory=list)
    called: bool = False


class World:
    """One connection, its CRM, two workers, two writers; every step is one of theirs."""

    def __init__(self, desk: Any, chance: random.Random) -> None:
        desk.name = f"crm-{next(NAMES)}"
        desk.crm = {}
        desk.enable()
        self.desk, self.chance = desk, chance
        self.input = dict.fromkeys(RECORDS, "A")
        self.claims: dict[str, list[ports.Claim]] = {"w0": [], "w1": []}
        self.writers: dict[str, Writing | None] = {"b0": None, "b1": None}
        self.tokens: list[int] = []
        self.made: dict[ports.DecisionKey, int] = {}
        self.stored: dict[ports.DecisionKey, int] = {}
        self.persons: set[tuple[str, str]] = set()
        self.sent: list[tuple[str, int, dict[str, Any]]] = []
        self.repaired = 0

    def step(self, action: tuple[str, int]) -> None:
        name, number = action
        getattr(self, name)(number)

    # The CRM and its people.

    def change(self, number: int) -> None:
        self.input[RECORDS[number % 3]] = "ABC"[number % 9 // 3]

    def person(self, number: int) -> None:
        record_id = RECORDS[number % 3]
        self.desk.apply(record_id, {"tierwise_route": f"pod {number}"})
        self.persons.add((record_id, "tierwise_route"))

    def poll(self, number: int) -> None:
        chosen = [record_id for index, record_id in enumerate(RECORDS) if number >> index & 1]
        self.desk.wait(1)
        page = [self.desk.arrival(record_id, company=self.input[record_id]) for record_id in chosen]
        self.repaired += self.desk.poll(*page).repaired

    def wait(self, number: int) -> None:
        self.desk.wait((1, 20, LEASE + 1)[number % 3])

    # Workers.

    def claim(self, number: int) -> None:
        worker = f"w{number % 2}"
        claims = self.desk.claim(limit=1 + number % 3, owner=worker, lease=LEASE, connection=self.desk.name)
        self.claims[worker] += claims
        if claims:
            self.tokens.append(claims[0].token)

    def commit(self, number: int) -> None:
        worker = f"w{number % 2}"
        finished = []
        for claim in self.claims[worker]:
            key = (claim.connection, claim.record_id, claim.fingerprint, claim.policy)
            found = self.desk.store.decisions.find([key]).get(key)
            decision = found or self.desk.decision(
                claim, score=self.chance.randrange(100), tier=self.chance.choice("ABCD")
            )
            finished.append(ports.Finished(claim, decision, self.desk.advice(decision), None))
        done = self.desk.store.decisions.commit(finished, now=self.desk.now)
        assert done.done | done.lost == {item.claim.work_id for item in finished}
        latest = {item.claim.work_id: item for item in sorted(finished, key=lambda item: item.claim.token)}
        for item in latest.values():
            key = (item.claim.connection, item.claim.record_id, item.claim.fingerprint, item.claim.policy)
            if item.claim.work_id in done.done:
                # The decision that stands is the first one, for ever.
                assert self.stored.setdefault(key, item.decision.score) == item.decision.score
        self.claims[worker] = []

    def renew(self, number: int) -> None:
        claims = self.claims[f"w{number % 2}"]
        self.desk.store.works.renew(claims, lease=LEASE, now=self.desk.now)

    def give_up(self, number: int) -> None:
        worker = f"w{number % 2}"
        if number % 4 < 2:
            self.desk.store.works.release(self.claims[worker], now=self.desk.now)
        else:
            for claim in self.claims[worker]:
                self.desk.store.works.retry(claim, run_after=self.desk.now, error="busy", now=self.desk.now)
        self.claims[worker] = []

    # Writers. Each of the four steps of a write may be the last one, or come much later.

    def grab(self, number: int) -> None:
        writer = f"b{number % 2}"
        rows = self.desk.outgoing(limit=1 + number % 3, owner=writer, lease=LEASE)
        if rows:
            self.tokens.append(rows[0].token)
        self.writers[writer] = Writing(rows) if rows else None

    def intend(self, number: int) -> None:
        writing = self.writers[f"b{number % 2}"]
        if writing is None or writing.batch:
            return
        writing.batch = f"{self.desk.name}-{self.desk.batch()}"
        plan = [(row, self.desk.changes(row)) for row in writing.rows]
        full = [item for item in plan if item[1]]
        standing = self.desk.store.outbox.intend(full, batch=writing.batch, now=self.desk.now)
        writing.plan = [item for item in plan if not item[1] or item[0].outbox_id in standing]

    def call(self, number: int) -> None:
        writing = self.writers[f"b{number % 2}"]
        if writing is None or not writing.batch or writing.called:
            return
        writing.called = True
        for row, values in writing.plan:
            if values:
                self.desk.apply(row.record_id, values)
                self.sent.append((row.record_id, row.version, values))

    def settle(self, number: int) -> None:
        writing = self.writers[f"b{number % 2}"]
        if writing is None or not writing.batch:
            return
        # A timeout tells nothing: the call may have been taken or not.
        unsure = number % 5 == 0 or not writing.called
        settled = [
            ports.Settled(row, "unchanged")
            if not values
            else ports.Settled(row, "retry" if unsure else "sent", sent=values, run_after=self.desk.now)
            for row, values in writing.plan
        ]
        self.desk.store.outbox.settle(settled, batch=writing.batch, now=self.desk.now)
        self.writers[f"b{number % 2}"] = None

    def deliver(self, number: int) -> None:
        self.call(number)
        self.settle(number)

    def die(self, number: int) -> None:
        if number % 4 < 2:
            self.claims[f"w{number % 2}"] = []
        else:
            self.writers[f"b{number % 2}"] = None

    # What holds in the end.

    def come_to_rest(self) -> None:
        """Everybody gets their turn, and the CRM's changes are polled."""
        for _ in range(40):
            self.desk.wait(LEASE + 1)
            self.poll(7)
            for number in (0, 1):
                self.claim(number + 2)
                self.commit(number)
                for action in ("grab", "intend", "call"):
                    getattr(self, action)(number + 2)
                self.settle(number + 6)
            counts = self.desk.store.leads.counts(self.desk.name)
            if counts == {"leads": 3, "undecided": 0, "undelivered": 0, "rejected": 0, "refused": 0}:
                return
        raise AssertionError(f"never came to rest: {counts}")

    def check(self) -> None:
        assert self.tokens == sorted(set(self.tokens))
        report = self.desk.store.decisions.verify(self.desk.name)
        assert (report.broken_at, report.links) == (None, len(self.stored))
        for record_id in RECORDS:
            (story,) = self.desk.store.leads.story(self.desk.name, record_id)
            assert story.lead is not None
            assert story.lead.company == self.input[record_id]
            keys = [link.decision.fingerprint for link in story.decisions]
            assert len(keys) == len(set(keys)), "decided twice"
            (decision,) = [link.decision for link in story.decisions if link.decision.fingerprint == story.fingerprint]
            shown = self.desk.crm[record_id]
            for name, value in self.desk.advice(decision).items():
                # The time alone is no reason to write again; what a person put there is theirs.
                if name != "tierwise_scored_at" and (record_id, name) not in self.persons:
                    assert echo.same(shown.get(name), value), (record_id, name)
            for key in ((record_id, "tierwise_route"),):
                if key in self.persons:
                    assert shown["tierwise_route"].startswith("pod")
        intended = {
            (record_id, attempt.version, repr(sorted(attempt.values.items())))
            for record_id in RECORDS
            for attempt in self.desk.store.leads.story(self.desk.name, record_id)[0].attempts
        }
        for record_id, version, values in self.sent:
            assert (record_id, version, repr(sorted(values.items()))) in intended, "a write without its intent"


ACTIONS = (
    "change", "person", "poll", "wait", "claim", "commit", "renew", "give_up",
    "grab", "intend", "call", "settle", "die",
)  # fmt: skip
# A writer that is late: between its intent and its call the lead changes, and another one writes the newer advice.
LATE = (
    ("grab", 2), ("intend", 0), *[("change", None)] * 3, ("poll", 7), ("claim", 2), ("commit", 0), ("wait", 2),
    ("grab", 5), ("intend", 1), ("deliver", 1), ("deliver", 2), ("poll", 7),
)  # fmt: skip


@pytest.fixture
def world_of(desk: Any) -> Any:
    return lambda seed: World(desk, random.Random(seed))


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=settings().max_examples // 3,
)
@given(
    seed=st.integers(0, 2**16),
    actions=st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 17)), min_size=10, max_size=40),
)
def test_whatever_the_order_it_comes_right_in_the_end(world_of: Any, seed: int, actions: list[tuple[str, int]]) -> None:
    world = world_of(seed)
    world.poll(7)
    for action in actions:
        world.step(action)
    world.come_to_rest()
    world.check()


@pytest.mark.parametrize("seed", range(6))
def test_the_echo_is_needed_only_where_a_writer_died_after_its_call(world_of: Any, seed: int) -> None:
    """As long as every call is settled, however late, the store itself knows what must go out again."""
    chance = random.Random(seed)
    world = world_of(seed)
    world.poll(7)
    others = [action for action in ACTIONS if action not in ("call", "settle", "die")]
    for _ in range(15):
        swapped = chance.randrange(2)
        for action, number in LATE:
            if chance.random() < 0.95:
                named = action in ("grab", "intend", "deliver")
                world.step((action, chance.randrange(18) if number is None else number ^ (swapped & named)))
            if chance.random() < 0.2:
                world.step((chance.choice(others), chance.randrange(18)))
    world.come_to_rest()
    world.check()
    assert world.repaired == 0


@pytest.mark.parametrize("seed", range(6))
def test_long_histories_come_right_too(world_of: Any, seed: int) -> None:
    chance = random.Random(seed)
    world = world_of(seed)
    world.poll(7)
    for _ in range(250):
        world.step((chance.choice(ACTIONS), chance.randrange(18)))
    world.come_to_rest()
    world.check()
