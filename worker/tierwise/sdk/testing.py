"""The connector contract as tests, and a pytest plugin (entry point `tierwise`) that explains their failures.

Inherit `ConnectorContract`, give it two fixtures, and the promises of `sdk.connector` are tested against your system.
Imported by every pytest run of an installation: nothing heavy at the top.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from tierwise.sdk.connector import Connector, Limiter, Page, Record, Update, Written

LONG = timedelta(days=36_500)
FINGERPRINT = "tierwise_fingerprint"


class Crm(Protocol):
    """The system behind the connector, as a test can handle it past the connector."""

    properties: Sequence[str]
    """Properties to read; they exist."""
    secret: str
    """The token: must never be seen in an error."""
    unknown_id: str
    """Well-formed id of a record that does not exist."""
    refused: Mapping[str, Any]
    """Advice that the system refuses for any record, although the connector can express it."""
    pages_of: int
    """Records to a page, as the connection is set; small, so that a few records make several pages."""

    def add(self, count: int) -> list[str]:
        """Create records as a person would; their ids."""

    def touch(self, record_id: str) -> None:
        """Change something of a record as a person would."""

    def writes(self) -> int:
        """Accepted writes so far through the API, of records and of definitions."""

    def broken(self, text: str) -> AbstractContextManager[None]:
        """Meanwhile every call is refused with an error that quotes `text`."""


class ConnectorContract:
    """What Tierwise relies on. Override the two fixtures; `connector` is open and its fields not yet provisioned."""

    @pytest.fixture
    def crm(self) -> Crm:
        raise NotImplementedError("give the test class a fixture `crm`")

    @pytest.fixture
    def connector(self, crm: Crm) -> Iterator[Connector]:
        raise NotImplementedError("give the test class a fixture `connector`")

    @pytest.fixture
    def ready(self, connector: Connector) -> Connector:
        """The connector with its fields provisioned."""
        connector.provision(fields(), dry_run=False)
        return connector

    def test_every_change_comes_and_none_without_an_id(self, ready: Connector, crm: Crm) -> None:
        ids = crm.add(crm.pages_of * 3 + 1)
        since, until = window(ready)
        pages = list(ready.changes(since, until, properties=crm.properties))
        records = [record for page in pages for record in page.records]
        assert all(record.id for record in records)
        assert {record.id for record in records} >= set(ids)
        assert pages[-1].position is None, "the last page says that it is the last"
        assert all(page.position is not None for page in pages[:-1]), "only the last page says that it is the last"
        assert max(len(page.records) for page in pages) <= crm.pages_of

    def test_changes_come_oldest_first(self, ready: Connector, crm: Crm) -> None:
        ids = crm.add(crm.pages_of + 2)
        for record_id in (ids[1], ids[0]):
            crm.touch(record_id)
        moments = [record.modified_at for record in self._all(ready, crm)]
        assert moments == sorted(moments)
        assert all(moment.utcoffset() == timedelta(0) for moment in moments)
        order = [record.id for record in self._all(ready, crm) if record.id in ids]
        assert order[-2:] == [ids[1], ids[0]]

    def test_reading_goes_on_from_every_position(self, ready: Connector, crm: Crm) -> None:
        ids = set(crm.add(crm.pages_of * 3 + 1))
        since, until = window(ready)
        pages = list(ready.changes(since, until, properties=crm.properties))
        for number, page in enumerate(pages[:-1]):
            rest = ready.changes(since, until, properties=crm.properties, position=through_json(page.position))
            got = {record.id for each in (*pages[: number + 1], *rest) for record in each.records}
            assert ids <= got, f"records are lost when reading goes on after page {number}"

    def test_nothing_is_lost_when_records_are_written_while_we_page(self, ready: Connector, crm: Crm) -> None:
        ids = set(crm.add(crm.pages_of * 3))
        since, _ = window(ready)
        # The end is fixed before the first write, as a poll fixes it.
        until = max(record.modified_at for record in self._all(ready, crm))
        got: set[str] = set()
        for page in ready.changes(since, until, properties=crm.properties):
            got |= {record.id for record in page.records}
            ready.write([update(record.id, {FINGERPRINT: "seen"}) for record in page.records])
        assert ids <= got, "a write moves records out of the window, and others are skipped"

    def test_the_window_ends_where_it_ends(self, ready: Connector, crm: Crm) -> None:
        crm.add(2)
        first = max(record.modified_at for record in self._all(ready, crm))
        late = crm.add(1)[0]
        since, _ = window(ready)
        within = [record for page in ready.changes(since, first, properties=crm.properties) for record in page.records]
        assert late not in {record.id for record in within}
        assert max(record.modified_at for record in within) <= first

    def test_what_was_written_is_read_back(self, ready: Connector, crm: Crm) -> None:
        record_id = crm.add(1)[0]
        (written,) = ready.write([update(record_id, EXAMPLE)])
        assert (written.record_id, written.outcome) == (record_id, "written")
        assert self._own(ready, record_id, crm) == EXAMPLE
        found = next(record for record in self._all(ready, crm) if record.id == record_id)
        assert dict(found.own) == EXAMPLE, "changes shows our fields as read does"
        assert not set(found.properties) & set(EXAMPLE), "our own fields are not among the properties"

    def test_none_empties_a_field_and_leaves_the_others(self, ready: Connector, crm: Crm) -> None:
        record_id = crm.add(1)[0]
        ready.write([update(record_id, EXAMPLE)])
        ready.write([update(record_id, {"tierwise_reason_codes": None, "tierwise_score": None})])
        left = {k: v for k, v in EXAMPLE.items() if k not in {"tierwise_reason_codes", "tierwise_score"}}
        assert self._own(ready, record_id, crm) == left

    def test_writing_twice_is_writing_once(self, ready: Connector, crm: Crm) -> None:
        record_id = crm.add(1)[0]
        for _ in range(2):
            assert [one.outcome for one in ready.write([update(record_id, EXAMPLE)])] == ["written"]
        assert self._own(ready, record_id, crm) == EXAMPLE

    def test_results_come_in_the_order_of_the_updates(self, ready: Connector, crm: Crm) -> None:
        ids = crm.add(4)[::-1]
        results = ready.write([update(record_id, {FINGERPRINT: record_id}) for record_id in ids])
        assert [one.record_id for one in results] == ids
        assert {self._own(ready, one, crm)[FINGERPRINT] for one in ids} == set(ids)

    def test_an_unknown_record_is_refused_and_the_rest_delivered(self, ready: Connector, crm: Crm) -> None:
        first, last = crm.add(2)
        results = ready.write([update(one, {FINGERPRINT: "x"}) for one in (first, crm.unknown_id, last)])
        assert [one.outcome for one in results] == ["written", "refused", "written"]
        assert results[1].error
        assert crm.unknown_id not in {record.id for record in ready.read([crm.unknown_id], properties=crm.properties)}

    def test_one_bad_record_does_not_hold_up_the_rest(self, ready: Connector, crm: Crm) -> None:
        ids = crm.add(9)
        batch = [update(one, {FINGERPRINT: "x"}) for one in ids]
        batch[5] = update(ids[5], {FINGERPRINT: "x", **crm.refused})
        results = ready.write(batch)
        assert [one.outcome for one in results] == ["written"] * 5 + ["refused"] + ["written"] * 3
        assert results[5].error
        delivered = {one for one in ids if self._own(ready, one, crm).get(FINGERPRINT) == "x"}
        assert delivered == set(ids) - {ids[5]}

    def test_an_empty_batch_is_no_call(self, ready: Connector, crm: Crm) -> None:
        before = crm.writes()
        assert list(ready.write([])) == []
        assert crm.writes() == before

    def test_a_plan_writes_nothing(self, connector: Connector, crm: Crm) -> None:
        before = crm.writes()
        plan = connector.provision(fields(), dry_run=True)
        assert {step.action for step in plan} == {"create"}
        assert crm.writes() == before
        assert [step.action for step in connector.provision(fields(), dry_run=True)] == [s.action for s in plan]

    def test_provisioning_twice_keeps_everything(self, ready: Connector) -> None:
        assert {step.action for step in ready.provision(fields(), dry_run=False)} == {"keep"}
        described = ready.describe()
        assert {field.name for field in fields()} <= set(described)

    def test_a_new_option_is_added_to_those_that_are_there(self, ready: Connector, crm: Crm) -> None:
        more = tuple(
            field._replace(options=(*field.options[1:], ("E", "E"))) if field.name == "tierwise_tier" else field
            for field in fields()
        )
        plan = {step.name: step.action for step in ready.provision(more, dry_run=False)}
        assert plan["tierwise_tier"] == "update"
        first, second = crm.add(2)
        results = ready.write([update(first, {"tierwise_tier": "A"}), update(second, {"tierwise_tier": "E"})])
        assert [one.outcome for one in results] == ["written", "written"]

    def test_check_is_green_once_all_is_there(self, ready: Connector, crm: Crm) -> None:
        lines = ready.check(properties=crm.properties, fields=fields())
        assert lines
        assert [line for line in lines if not line.ok] == []

    def test_check_names_what_is_missing_and_the_remedy(self, connector: Connector, crm: Crm) -> None:
        lines = connector.check(properties=[*crm.properties, "no_such_property_x"], fields=fields())
        failing = [line for line in lines if not line.ok]
        assert any("no_such_property_x" in line.name + line.detail for line in failing)
        assert any("tierwise_score" in line.name + line.detail for line in failing)
        assert all(line.remedy for line in failing)

    def test_errors_tell_no_secret(self, ready: Connector, crm: Crm) -> None:
        from tierwise import errors

        person, phone = "jane.doe@example.org", "+49 30 1234567"
        record_id = crm.add(1)[0]
        since, until = window(ready)
        calls = (
            lambda: list(ready.changes(since, until, properties=crm.properties)),
            lambda: ready.read([record_id], properties=crm.properties),
            lambda: ready.write([update(record_id, EXAMPLE)]),
            ready.describe,
        )
        with crm.broken(f"token {crm.secret} of {person}, {phone}"):
            for call in calls:
                try:
                    text = repr(call())
                except errors.TierwiseError as error:
                    text = f"{error} {error!r} {error.args} {error.place} {error.remedy}"
                assert not [told for told in (crm.secret, person, phone) if told in text]

    def _all(self, connector: Connector, crm: Crm) -> list[Record]:
        since, until = window(connector)
        return [
            record for page in connector.changes(since, until, properties=crm.properties) for record in page.records
        ]

    def _own(self, connector: Connector, record_id: str, crm: Crm) -> dict[str, Any]:
        (record,) = connector.read([record_id], properties=crm.properties)
        return dict(record.own)


EXAMPLE: dict[str, Any] = {
    "tierwise_score": 82,
    "tierwise_tier": "A",
    "tierwise_status": "scored",
    "tierwise_confidence": 91,
    "tierwise_route": "pod-emea",
    "tierwise_reason_codes": ("BIG_COMPANY", "DEMO_REQUEST"),
    "tierwise_reasons": "• Wants a demo “soon; really”\n• 200 people",
    "tierwise_scored_at": "2026-11-21T08:15:30.000Z",
    FINGERPRINT: "0f" * 32,
    "tierwise_request_review": True,
}


def fields() -> tuple[Any, ...]:
    """Our fields with the options of a small policy."""
    from tierwise.domain.advice import FIELDS

    options = {
        "tierwise_tier": tuple((tier, tier) for tier in "ABCD"),
        "tierwise_reason_codes": (("BIG_COMPANY", "Big company"), ("DEMO_REQUEST", "Asked for a demo")),
    }
    return tuple(field._replace(options=options.get(field.name, field.options)) for field in FIELDS)


def update(record_id: str, values: Mapping[str, Any]) -> Update:
    """One update with a trace id of its own."""
    import uuid

    from tierwise.sdk.connector import Update

    return Update(record_id, dict(values), uuid.uuid4().hex)


def window(connector: Connector) -> tuple[datetime, datetime]:
    """All of the past. The end is ahead of the system's clock, which may show whole seconds only."""
    now = connector.now()
    return now - LONG, now + timedelta(days=1)


def through_json(position: Any) -> Any:
    """A position as it comes back from the database."""
    import json

    return json.loads(json.dumps(position))


class FreeLimiter:
    """A limiter that lets everything through and remembers what was asked of it."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.blocked: list[tuple[str, float]] = []

    def acquire(self, bucket: str, *, rate: float, burst: float, timeout: float = 30.0) -> None:
        """Noted, never waited for."""
        del rate, burst, timeout
        self.taken.append(bucket)

    def block(self, bucket: str, *, seconds: float) -> None:
        """Noted, without effect."""
        self.blocked.append((bucket, seconds))


if TYPE_CHECKING:
    _limiter: Limiter = FreeLimiter()
    _unused: tuple[type[Page], type[Written]]
