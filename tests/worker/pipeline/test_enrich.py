"""Enrichers delay nothing beyond their budget, leave a reason when they fail, and change a fingerprint once at most."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierwise import errors
from tierwise.pipeline import enrich, map, poll
from tierwise.sdk.breaker import Breaker


class Firms:
    """Knows how many people work at a company, and does what a test says instead."""

    def __init__(self, act: Callable[[Mapping[str, Any]], Any] | None = None) -> None:
        self.reads: tuple[str, ...] = ("company",)
        self.gives: tuple[str, ...] = ("employee_count", "industry")
        self.asked: list[dict[str, Any]] = []
        self.act = act or (lambda known: {"employee_count": 40 + len(known["company"])})
        self.closed = False

    def enrich(self, known: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked.append(dict(known))
        answer: Mapping[str, Any] = self.act(known)
        return answer

    def close(self) -> None:
        self.closed = True


def _enrichment(*enrichers: Any, seconds: float = 20.0, total: float = 30.0, **options: Any) -> enrich.Enrichment:
    seats = [
        enrich.Seat(f"e{number}", enricher, version="1", seconds=seconds, **options)
        for number, enricher in enumerate(enrichers)
    ]
    return enrich.Enrichment(seats, seconds=total, monotonic=time.monotonic)


def _poll(line: Any, enrichment: enrich.Enrichment) -> Any:
    stored = functools.partial(line.store.leads.provenance, line.name)
    step: map.Enrich = functools.partial(enrichment.page, stored=stored)
    return poll.poll(
        line.store, line.crm, connection=line.name, field_map=line.field_map,
        properties=("email", "company", "employees", "message", "created"), policy=line.runnable.digest,
        owner="poller", clock=line.clock, monotonic=line.clock.monotonic, pace=poll.Pace(), enrich=step,
    )  # fmt: skip


def test_what_an_enricher_knows_is_part_of_the_lead(line: Any) -> None:
    firms = Firms()
    line.put("1", employees=None)
    line.put("2", employees=7)
    enrichment = _enrichment(firms)
    assert _poll(line, enrichment).new == 2
    assert firms.asked[0] == {"company": "Acme"}, "it is shown what it reads and nothing else"
    one, two = line.story("1"), line.story("2")
    assert (one.lead.employee_count, two.lead.employee_count) == (44, 7), "what the record states stays"
    assert one.provenance["employee_count"]["from"] == "enricher e0"
    assert one.provenance["industry"]["note"] == "nothing known"
    assert line.stored()["1"].fingerprint == one.lead.fingerprint()
    line.pump()
    assert line.story("1").decisions[-1].decision.fingerprint == one.lead.fingerprint()


def test_an_answer_is_asked_for_once(line: Any) -> None:
    firms = Firms()
    line.put("1", employees=None)
    enrichment = _enrichment(firms)
    _poll(line, enrichment)
    line.put("1", message="Another word.")
    assert _poll(line, enrichment).changed == 1
    assert len(firms.asked) == 1
    line.put("1", company="Globex Ltd")
    _poll(line, enrichment)
    assert len(firms.asked) == 2, "another company is another question"
    assert line.story("1").lead.employee_count == 50


def test_a_failure_is_told_and_repaired_at_the_next_reading(line: Any) -> None:
    firms = Firms()

    def fail(_: Any) -> Any:
        raise errors.RetryLater("is down, says jane@acme.com")

    works, firms.act = firms.act, fail
    line.put("1", employees=None)
    enrichment = _enrichment(firms)
    assert _poll(line, enrichment).new == 1
    story = line.story("1")
    assert story.lead.employee_count is None
    assert story.provenance["employee_count"]["note"] == "not enriched: is down, says [e-mail]"
    firms.act = works
    assert _poll(line, enrichment).changed == 1
    firms.act = fail
    assert _poll(line, enrichment).unchanged == 1
    assert line.story("1").lead.employee_count == 44


@pytest.mark.parametrize(
    ("act", "note"),
    [
        (lambda _: 5, "it answered with a int"),
        (lambda _: 1 / 0, "it broke with ZeroDivisionError"),
        (lambda _: {"employee_count": "lots"}, "answered something that cannot be read"),
        (lambda _: {"employee_count": "x" * 1_000_000}, "answered something that cannot be read"),
        (lambda _: {}, "nothing known"),
    ],
)
def test_nonsense_is_told_and_harms_nobody(line: Any, act: Any, note: str) -> None:
    line.put("1", employees=None)
    _poll(line, _enrichment(Firms(act)))
    story = line.story("1")
    assert story.lead.employee_count is None
    assert story.provenance["employee_count"]["note"].removeprefix("not enriched: ") == note


def test_where_one_fails_the_next_is_asked(line: Any) -> None:
    line.put("1", employees=None)
    _poll(line, _enrichment(Firms(lambda _: 1 / 0), Firms()))
    assert line.story("1").lead.employee_count == 44


def test_a_slow_enricher_costs_its_budget_and_a_resting_one_nothing(line: Any) -> None:
    gate = threading.Event()
    slow, quick = Firms(lambda _: gate.wait(60)), Firms()
    for number in range(30):
        line.put(str(number), employees=None)
    enrichment = _enrichment(slow, quick, seconds=0.3)
    line.crm.page_size = 100
    began = time.monotonic()
    assert _poll(line, enrichment).new == 30
    assert time.monotonic() - began < 5, "thirty leads waited for one budget, not for thirty"
    assert len(slow.asked) == enrich.IN_FLIGHT
    stories = [line.story(str(number)) for number in range(30)]
    assert {story.lead.employee_count for story in stories} == {44}, "the next enricher had its turn"
    notes = {story.provenance["industry"]["note"] for story in stories}
    assert notes == {"nothing known"}

    before = len(slow.asked)
    line.put("late", employees=None)
    began = time.monotonic()
    _poll(line, enrichment)
    assert time.monotonic() - began < 5
    assert len(slow.asked) == before, "it is left in peace"
    gate.set()
    enrichment.close()


def test_the_reason_of_a_slow_enricher_stands_in_the_provenance(line: Any) -> None:
    gate = threading.Event()
    slow = Firms(lambda _: gate.wait(60))
    for number in range(10):
        line.put(str(number), employees=None)
    line.crm.page_size = 100
    enrichment = _enrichment(slow, seconds=0.2)
    _poll(line, enrichment)
    notes = {line.story(str(number)).provenance["employee_count"]["note"] for number in range(10)}
    assert notes == {"not enriched: no answer within 0.2 s", "not enriched: its turn did not come within 0.2 s"}
    line.put("late", employees=None)
    _poll(line, enrichment)
    assert line.story("late").provenance["employee_count"]["note"] == f"not enriched: {enrich.RESTING}"
    gate.set()
    enrichment.close()


def test_threads_that_hang_for_ever_do_not_cost_every_page_a_budget(line: Any) -> None:
    """The rest ends, the trial finds no free thread: that is a failure too."""
    gate, now = threading.Event(), [0.0]
    slow = Firms(lambda _: gate.wait(60))
    breaker = Breaker(clock=lambda: now[0])
    enrichment = _enrichment(slow, seconds=0.1, breaker=breaker)
    line.crm.page_size = 100
    for number in range(enrich.IN_FLIGHT):
        line.put(str(number), employees=None)
    _poll(line, enrichment)
    assert breaker.is_open
    now[0] += 31
    _poll(line, enrichment)
    assert breaker.is_open
    gate.set()
    enrichment.close()


def test_all_together_have_a_budget_too(line: Any) -> None:
    gate = threading.Event()
    slow = [Firms(lambda _: gate.wait(60)) for _ in range(4)]
    line.put("1", employees=None)
    enrichment = _enrichment(*slow, seconds=30, total=0.3)
    began = time.monotonic()
    _poll(line, enrichment)
    assert time.monotonic() - began < 5
    gate.set()
    enrichment.close()


def test_a_later_enricher_sees_what_an_earlier_one_found(line: Any) -> None:
    first, second = Firms(lambda _: {"industry": "retail"}), Firms(lambda known: {"country": "DE"})
    second.reads, second.gives = ("industry",), ("country",)
    line.put("1")
    _poll(line, _enrichment(first, second))
    assert (second.asked, line.story("1").lead.region) == ([{"industry": "retail"}], "emea")


def test_a_record_that_does_not_conform_is_left_alone(line: Any) -> None:
    firms = Firms()
    line.put("1", email="nobody", company=None)
    assert _poll(line, _enrichment(firms)).rejected == 1
    assert firms.asked == []


def test_nothing_is_asked_of_the_database_when_nothing_is_missing() -> None:
    def stored(_: Any) -> Any:
        raise AssertionError("not needed")

    assert _enrichment(Firms()).page([], stored=stored) == []


@pytest.mark.parametrize(("reads", "gives"), [(("no_such",), ("industry",)), (("email",), ("is_duplicate",))])
def test_fields_that_do_not_exist_are_refused_when_it_opens(reads: tuple[str, ...], gives: tuple[str, ...]) -> None:
    wrong = Firms()
    wrong.reads, wrong.gives = reads, gives
    with pytest.raises(errors.Misconfigured, match=reads[0] if reads[0] == "no_such" else gives[0]):
        _enrichment(wrong)


def test_closing_closes_them(line: Any) -> None:
    firms = Firms()
    line.put("1", employees=None)
    enrichment = _enrichment(firms)
    _poll(line, enrichment)
    enrichment.close()
    deadline = time.monotonic() + 20
    while not firms.closed and time.monotonic() < deadline:
        time.sleep(0.001)
    assert firms.closed


_STEPS = st.lists(
    st.tuples(st.sampled_from(["Acme", "Globex"]), st.sampled_from(["works", "fails", "knows nothing", "nonsense"])),
    min_size=2, max_size=8,
)  # fmt: skip


@settings(max_examples=40)
@given(steps=_STEPS)
def test_a_fingerprint_never_goes_back_and_forth(fresh: Any, steps: list[tuple[str, str]]) -> None:
    """In any order of failures: while a record stays the same, its lead gains a value once at most and keeps it."""
    how = ["works"]

    def act(known: Mapping[str, Any]) -> Any:
        if how[0] == "fails":
            raise errors.RetryLater("down")
        return {"works": {"employee_count": 44}, "knows nothing": {}, "nonsense": {"employee_count": "x"}}[how[0]]

    with fresh() as line:
        enrichment = _enrichment(Firms(act), breaker=Breaker(failures=1000))
        seen: list[tuple[str, str]] = []
        for company, how[0] in steps:
            line.put("1", company=company, employees=None)
            _poll(line, enrichment)
            seen.append((company, line.stored()["1"].fingerprint))
        runs: list[list[str]] = []
        for number, (company, fingerprint) in enumerate(seen):
            if number == 0 or seen[number - 1][0] != company:
                runs.append([])
            runs[-1].append(fingerprint)
        for run in runs:
            changes = [index for index in range(1, len(run)) if run[index] != run[index - 1]]
            assert len(changes) <= 1, f"{steps}: the fingerprint changed {len(changes)} times though nothing else did"
        enrichment.close()
