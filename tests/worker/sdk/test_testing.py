"""The contract passes for a connector that keeps it, and fails for one that breaks any promise."""

from __future__ import annotations

import contextlib
import inspect
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest

from tierwise import sdk
from tierwise.sdk import testing

START = datetime(2026, 11, 21, tzinfo=UTC)


class Memory:
    """A CRM in a dictionary."""

    properties: Sequence[str] = ("email",)
    secret = "memory-secret-token"
    unknown_id = "404"
    refused: Mapping[str, Any] = {"tierwise_status": "no_such_option"}
    pages_of = 3

    def __init__(self) -> None:
        self.records: dict[str, dict[str, Any]] = {}
        self.modified: dict[str, datetime] = {}
        self.fields: dict[str, set[str]] = {}
        self.count = 0
        self.says: str | None = None
        self._ticks = 0

    def stamp(self) -> datetime:
        self._ticks += 1
        return START + timedelta(milliseconds=self._ticks)

    def add(self, count: int) -> list[str]:
        made = [str(1000 + len(self.records) + number) for number in range(count)]
        stamp = self.stamp()  # one for all, as an import does it
        for record_id in made:
            self.records[record_id] = {"email": f"{record_id}@example.org"}
            self.modified[record_id] = stamp
        return made

    def touch(self, record_id: str) -> None:
        self.modified[record_id] = self.stamp()

    def writes(self) -> int:
        return self.count

    @contextlib.contextmanager
    def broken(self, text: str) -> Iterator[None]:
        self.says = text
        yield
        self.says = None


class Honest:
    """A connector to it that keeps the contract."""

    batch_size: ClassVar[int] = 100

    def __init__(self, crm: Memory) -> None:
        self.crm = crm

    def _call(self) -> None:
        if self.crm.says is not None:
            raise sdk.RetryLater("the CRM refuses", place="memory")

    def check(self, *, properties: Sequence[str], fields: Sequence[sdk.AdviceField]) -> list[sdk.Check]:
        missing = [name for name in properties if name not in self.crm.properties]
        missing += [field.name for field in fields if field.name not in self.crm.fields]
        return [sdk.Check(name, False, "missing", "create it") for name in missing] or [sdk.Check("all", True, "")]

    def now(self) -> datetime:
        return self.crm.stamp()

    def _record(self, key: str, properties: Sequence[str]) -> sdk.Record:
        held = self.crm.records[key]
        own = {name: value for name, value in held.items() if name.startswith("tierwise_")}
        return sdk.Record(key, self.crm.modified[key], {name: held.get(name) for name in properties}, own)

    def _after(self, edge: tuple[datetime, str], until: datetime) -> list[str]:
        keys = sorted(self.crm.records, key=lambda key: (self.crm.modified[key], key))
        return [key for key in keys if (self.crm.modified[key], key) > edge and self.crm.modified[key] <= until]

    def changes(
        self,
        since: datetime,
        until: datetime,
        *,
        properties: Sequence[str],
        position: Mapping[str, Any] | None = None,
    ) -> Iterator[sdk.Page]:
        self._call()
        edge = (since, "") if position is None else (datetime.fromisoformat(position["at"]), position["id"])
        while True:
            rest = self._after(edge, until)
            page, more = rest[: self.crm.pages_of], rest[self.crm.pages_of :]
            records = tuple(self._record(key, properties) for key in page)
            if not more:
                yield sdk.Page(records, None)
                return
            edge = (self.crm.modified[page[-1]], page[-1])
            yield sdk.Page(records, {"at": edge[0].isoformat(), "id": edge[1]})

    def read(self, record_ids: Sequence[str], *, properties: Sequence[str]) -> list[sdk.Record]:
        self._call()
        return [self._record(key, properties) for key in record_ids if key in self.crm.records]

    def write(self, updates: Sequence[sdk.Update]) -> list[sdk.Written]:
        if updates:
            self._call()
        return [self._write(update) for update in updates]

    def _write(self, update: sdk.Update) -> sdk.Written:
        allowed = self.crm.fields["tierwise_status"]
        if update.record_id not in self.crm.records:
            return sdk.Written(update.record_id, "refused", error="not there")
        if update.values.get("tierwise_status", "scored") not in allowed:
            return sdk.Written(update.record_id, "refused", error="no such option")
        held = self.crm.records[update.record_id]
        self.crm.count += 1
        changed = {**held, **update.values}
        self.crm.records[update.record_id] = {name: value for name, value in changed.items() if value is not None}
        self.crm.modified[update.record_id] = self.crm.stamp()
        return sdk.Written(update.record_id, "written")

    def provision(self, fields: Sequence[sdk.AdviceField], *, dry_run: bool) -> list[sdk.PlanStep]:
        steps = []
        for field in fields:
            there = self.crm.fields.get(field.name)
            options = {value for value, _ in field.options}
            action: Any = "create" if there is None else "keep" if options <= there else "update"
            steps.append(sdk.PlanStep(action, field.name))
            if not dry_run and action != "keep":
                self.crm.fields[field.name] = (there or set()) | options
                self.crm.count += 1
        return steps

    def describe(self) -> dict[str, str]:
        self._call()
        return dict.fromkeys([*self.crm.properties, *self.crm.fields], "text")

    def close(self) -> None:
        return


class TestMemory(testing.ConnectorContract):
    """One line and two fixtures, as an author of a connector writes it."""

    @pytest.fixture
    def crm(self) -> Memory:
        return Memory()

    @pytest.fixture
    def connector(self, crm: Memory) -> sdk.Connector:  # type: ignore[override]  # nothing to close
        return Honest(crm)


class SkipsTies(Honest):
    """Goes on by time alone, one step too far."""

    def _after(self, edge: tuple[datetime, str], until: datetime) -> list[str]:
        return super()._after((edge[0] + timedelta(milliseconds=1 if edge[1] else 0), edge[1]), until)


class ByOffset(Honest):
    """Pages by number, as most clients do."""

    def changes(
        self,
        since: datetime,
        until: datetime,
        *,
        properties: Sequence[str],
        position: Mapping[str, Any] | None = None,
    ) -> Iterator[sdk.Page]:
        start = position["start"] if position else 0
        while True:
            rest = self._after((since, ""), until)[start:]
            records = tuple(self._record(key, properties) for key in rest[: self.crm.pages_of])
            start += len(records)
            yield sdk.Page(records, {"start": start} if len(rest) > len(records) else None)
            if len(rest) <= len(records):
                return


class IgnoresPosition(Honest):
    def changes(self, since: datetime, until: datetime, **options: Any) -> Iterator[sdk.Page]:
        if options.pop("position", None):
            yield sdk.Page((), None)
        else:
            yield from super().changes(since, until, **options)


class ReadsTooFar(Honest):
    def _after(self, edge: tuple[datetime, str], until: datetime) -> list[str]:
        return super()._after(edge, until + timedelta(days=1))


class Reverses(Honest):
    def write(self, updates: Sequence[sdk.Update]) -> list[sdk.Written]:
        return super().write(updates)[::-1]


class AllOrNothing(Honest):
    def write(self, updates: Sequence[sdk.Update]) -> list[sdk.Written]:
        before = {key: dict(value) for key, value in self.crm.records.items()}
        results = super().write(updates)
        if any(one.outcome == "refused" for one in results):
            self.crm.records = before
            return [one._replace(outcome="refused", error="a neighbour is bad") for one in results]
        return results


class SaysWrittenAlways(Honest):
    def _write(self, update: sdk.Update) -> sdk.Written:
        return super()._write(update)._replace(outcome="written")


class IgnoresNone(Honest):
    def _write(self, update: sdk.Update) -> sdk.Written:
        return super()._write(update._replace(values={k: v for k, v in update.values.items() if v is not None}))


class PlansForReal(Honest):
    def provision(self, fields: Sequence[sdk.AdviceField], *, dry_run: bool) -> list[sdk.PlanStep]:
        return super().provision(fields, dry_run=False)


class NoRemedy(Honest):
    def check(self, *, properties: Sequence[str], fields: Sequence[sdk.AdviceField]) -> list[sdk.Check]:
        return [line._replace(remedy="") for line in super().check(properties=properties, fields=fields)]


class Chatty(Honest):
    def _call(self) -> None:
        if self.crm.says is not None:
            raise sdk.RetryLater(self.crm.says, place="memory")


class ShowsOwnAmongProperties(Honest):
    def _record(self, key: str, properties: Sequence[str]) -> sdk.Record:
        record = super()._record(key, properties)
        return record._replace(properties={**record.properties, **record.own})


@pytest.mark.parametrize(
    ("broken", "found_by"),
    [
        (SkipsTies, "test_every_change_comes_and_none_without_an_id"),
        (ByOffset, "test_nothing_is_lost_when_records_are_written_while_we_page"),
        (IgnoresPosition, "test_reading_goes_on_from_every_position"),
        (ReadsTooFar, "test_the_window_ends_where_it_ends"),
        (Reverses, "test_results_come_in_the_order_of_the_updates"),
        (AllOrNothing, "test_one_bad_record_does_not_hold_up_the_rest"),
        (SaysWrittenAlways, "test_an_unknown_record_is_refused_and_the_rest_delivered"),
        (IgnoresNone, "test_none_empties_a_field_and_leaves_the_others"),
        (PlansForReal, "test_a_plan_writes_nothing"),
        (NoRemedy, "test_check_names_what_is_missing_and_the_remedy"),
        (Chatty, "test_errors_tell_no_secret"),
        (ShowsOwnAmongProperties, "test_what_was_written_is_read_back"),
    ],
)
def test_a_broken_promise_is_found(broken: type[Honest], found_by: str) -> None:
    assert _run(found_by, Honest) is None
    assert _run(found_by, broken) is not None


def _run(name: str, kind: type[Honest]) -> AssertionError | None:
    crm = Memory()
    connector = kind(crm)
    if name not in {"test_a_plan_writes_nothing", "test_check_names_what_is_missing_and_the_remedy"}:
        connector.provision(testing.fields(), dry_run=False)
    test = getattr(testing.ConnectorContract(), name)
    fixtures = {"crm": crm, "ready": connector, "connector": connector}
    try:
        test(**{argument: fixtures[argument] for argument in inspect.signature(test).parameters})
    except AssertionError as error:
        return error
    return None


def test_the_plugin_costs_a_pytest_run_next_to_nothing() -> None:
    """It is loaded in every project that has this package installed."""
    code = (
        "import pytest, sys; before = set(sys.modules); import tierwise.sdk.testing;"
        "print(sorted({'requests', 'litellm', 'sqlalchemy', 'celery', 'redis', 'opentelemetry'}"
        " & (set(sys.modules) - before)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.strip() == "[]"
