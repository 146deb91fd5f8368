"""A connector behind the wall: what keeps the contract goes through, what does not is told."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from tierwise_fixtures import fakes

from tierwise import errors
from tierwise.pipeline.guard import Guarded
from tierwise.sdk import Page, Record, Update, Written

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)


def _guarded(crm: Any, *, seconds: float = 20.0) -> Guarded:
    return Guarded(lambda: crm, name="odd", seconds=seconds)


def test_what_keeps_the_contract_goes_through() -> None:
    crm = fakes.Crm(fakes.Clock())
    for number in range(5):
        crm.put(str(number), email="a@acme.com")
    guarded = _guarded(crm)
    pages = list(guarded.changes(AT, crm.now(), properties=["email"]))
    assert [len(page.records) for page in pages] == [3, 2]
    assert (guarded.batch_size, guarded.now()) == (crm.batch_size, crm.now())
    update = Update("1", {"tierwise_score": 5}, "t")
    assert guarded.write([update]) == [Written("1", "written")]
    (record,) = guarded.read(["1"], properties=["email"])
    assert record.own == {"tierwise_score": 5}
    guarded.close()


def test_all_calls_are_on_one_thread_which_is_not_the_callers() -> None:
    """A client library may be bound to the thread that opened it."""
    threads: list[str] = []

    class Crm(fakes.Crm):
        def now(self) -> datetime:
            threads.append(threading.current_thread().name)
            return super().now()

    def make() -> Crm:
        threads.append(threading.current_thread().name)
        return Crm(fakes.Clock())

    guarded = Guarded(make, name="odd")
    guarded.now()
    guarded.now()
    assert set(threads) == {"connector-odd-1"}
    guarded.close()


def test_what_hangs_is_given_up_and_not_asked_again() -> None:
    gate = threading.Event()
    crm = fakes.Crm(fakes.Clock())
    crm.now = lambda: gate.wait(60)  # type: ignore[method-assign,assignment,return-value]
    guarded = _guarded(crm, seconds=0.5)
    with pytest.raises(errors.RetryLater, match="did not come back from now"):
        guarded.now()
    with pytest.raises(errors.RetryLater, match="hangs in an earlier call"):
        guarded.describe()
    guarded.close()
    gate.set()


def test_an_error_of_ours_gets_its_place_and_any_other_loses_its_text() -> None:
    crm = fakes.Crm(fakes.Clock())

    def fail(error: BaseException) -> Any:
        raise error

    guarded = _guarded(crm)
    crm.now = lambda: fail(errors.PauseConnection("no"))  # type: ignore[method-assign]
    with pytest.raises(errors.PauseConnection) as pause:
        guarded.now()
    assert pause.value.place == "odd"
    crm.now = lambda: fail(ValueError("token s3cret"))  # type: ignore[method-assign]
    with pytest.raises(errors.RetryLater, match="ValueError") as retry:
        guarded.now()
    assert "s3cret" not in str(retry.value)
    guarded.close()


@pytest.mark.parametrize(
    "page",
    [
        [], Page((), {"x": object()}), Page(("no",), None), Page((Record("", AT, {}, {}),), None),  # type: ignore[arg-type]
        Page((Record("x" * 201, AT, {}, {}),), None), Page((Record("a\x00", AT, {}, {}),), None),
        Page((Record("1", AT.replace(tzinfo=None), {}, {}),), None), Page((Record("1", AT, [], {}),), None),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_a_page_that_breaks_the_contract_pauses_before_anything_is_stored(page: Any) -> None:
    crm = fakes.Crm(fakes.Clock())
    crm.changes = lambda *_, **__: iter([page])  # type: ignore[method-assign]
    guarded = _guarded(crm)
    with pytest.raises(errors.PauseConnection, match="breaks its contract"):
        list(guarded.changes(AT, AT, properties=[]))
    guarded.close()


@pytest.mark.parametrize("answer", [None, [], [Written("2", "written")], ["written"], 5])
def test_an_answer_that_fits_no_update_is_none(answer: Any) -> None:
    crm = fakes.Crm(fakes.Clock())
    crm.write = lambda _: answer  # type: ignore[method-assign]
    guarded = _guarded(crm)
    (written,) = guarded.write([Update("1", {"tierwise_score": 5}, "t")])
    assert (written.record_id, written.outcome) == ("1", "retry")
    guarded.close()


def test_a_flush_goes_through_step_by_step_without_what_fits_no_update() -> None:
    def flush(updates: Any) -> Any:
        good = Written("1", "written")
        yield {}
        yield {0: good, 1: Written("another", "written"), 7: good, "0": good}
        yield {True: Written("2", "written")}
        yield "nonsense"
        yield {0: Written("1", "refused"), 1: Written("2", "written")}

    crm = fakes.Crm(fakes.Clock())
    crm.flush_size, crm.flush = 10, flush  # type: ignore[attr-defined]
    guarded = _guarded(crm)
    assert (guarded.batch_size, guarded.flush_size) == (3, 10)
    updates = [Update("1", {"tierwise_score": 5}, "t"), Update("2", {"tierwise_score": 5}, "u")]
    steps = list(guarded.flush(updates))
    assert steps == [{}, {0: Written("1", "written")}, {}, {}, {1: Written("2", "written")}]
    guarded.close()


def test_a_connector_that_flushes_nothing_is_asked_batch_by_batch() -> None:
    crm = fakes.Crm(fakes.Clock())
    for number in range(5):
        crm.put(str(number), email="a@acme.com")
    guarded = _guarded(crm)
    assert guarded.flush_size == guarded.batch_size == 3
    steps = list(guarded.flush([Update(str(number), {"tierwise_score": 5}, str(number)) for number in range(5)]))
    assert [sorted(step) for step in steps] == [[0, 1, 2], [3, 4]]
    guarded.close()


def test_a_flush_that_is_left_is_closed_on_the_connectors_thread() -> None:
    threads: list[str] = []

    def flush(updates: Any) -> Any:
        try:
            while True:
                yield {}
        finally:
            threads.append(threading.current_thread().name)

    crm = fakes.Crm(fakes.Clock())
    crm.flush_size, crm.flush = 10, flush  # type: ignore[attr-defined]
    guarded = _guarded(crm)
    steps = guarded.flush([Update("1", {"tierwise_score": 5}, "t")])
    next(iter(steps))
    steps.close()  # type: ignore[attr-defined]
    assert threads == ["connector-odd-1"]
    guarded.close()
