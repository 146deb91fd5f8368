"""What is read: every change once it can be seen, none lost at a page's edge, formulas refused."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tierwise_fixtures import environment

from tierwise import sdk
from tierwise_salesforce import schema

PROPERTIES = ("Email", "Company", "Monthly_Volume__c")


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def changes(crm: Any, since: float, until: float, **options: Any) -> list[sdk.Page]:
    connector = crm.connector(**options)
    return list(connector.changes(at(since), at(until), properties=PROPERTIES))


def ids(pages: list[sdk.Page]) -> list[str]:
    return [record.id for page in pages for record in page.records]


def test_rows_of_one_second_are_all_read_whatever_the_page(crm: Any) -> None:
    """Fault 10: a cursor by stamp alone skips the rest of a second at a page's edge, or never gets past it."""
    loaded = crm.load(25)
    pages = changes(crm, crm.clock.now, crm.clock.now, page_size=4)
    assert ids(pages) == loaded
    assert [len(page.records) for page in pages] == [4, 4, 4, 4, 4, 4, 1]
    assert [page.position is None for page in pages] == [False] * 6 + [True]


def test_a_row_of_a_long_transaction_is_met_by_the_next_poll(crm: Any) -> None:
    """Fault 9: it is stamped when it is saved and seen when its transaction ends, behind the watermark by then."""
    (key,) = crm.load(1, stamp=crm.clock.now - 5_000)
    start = crm.clock.now
    crm.edit(key, delay=590.0, Company="Late Ltd")
    crm.clock.now += 300
    assert ids(changes(crm, start, crm.clock.now)) == [], "not committed yet"
    watermark = crm.clock.now
    crm.clock.now += 300
    assert ids(changes(crm, watermark, crm.clock.now)) == [key]
    assert ids(changes(crm, watermark, crm.clock.now, late_commit_seconds=0.0)) == [], "the naive reader loses it"


def test_rows_that_change_while_we_page_move_nobody_out(crm: Any) -> None:
    """Each page starts behind the last row, not at an offset."""
    loaded = crm.load(9)
    start = crm.clock.now
    connector = crm.connector(page_size=3)
    got: list[str] = []
    for page in connector.changes(at(start), at(start), properties=PROPERTIES):
        got += [record.id for record in page.records]
        crm.clock.now += 1
        for key in got:
            crm.edit(key, Company="Edited")
    assert got == loaded


def test_a_page_that_salesforce_cuts_short_is_not_the_last(crm: Any) -> None:
    """Wide rows make it return fewer than were asked for, and say that there is more."""
    loaded = crm.load(7)
    crm.org.switches.set({"page_rows": 2})
    pages = changes(crm, crm.clock.now, crm.clock.now)
    assert ids(pages) == loaded
    assert crm.count("/query/01g") == 0, "a cursor of theirs is never needed"


def test_reading_goes_on_from_a_position_and_not_from_a_strange_one(crm: Any) -> None:
    loaded = crm.load(5)
    now = at(crm.clock.now)
    connector = crm.connector(page_size=2)
    first = next(iter(connector.changes(now, now, properties=PROPERTIES)))
    rest = connector.changes(now, now, properties=PROPERTIES, position=first.position)
    assert ids([first, *rest]) == loaded
    whole = connector.changes(now, now, properties=PROPERTIES, position={"after": "x"})
    assert ids(list(whole)) == loaded


def test_converted_leads_are_not_leads_any_more(crm: Any) -> None:
    kept = crm.load(1)
    gone = crm.load(1, IsConverted=True)
    assert ids(changes(crm, crm.clock.now, crm.clock.now)) == kept
    assert {record.id for record in crm.connector().read([*kept, *gone], properties=PROPERTIES)} == {*kept, *gone}


def test_contacts_have_no_conversion(crm: Any) -> None:
    crm.org.records.load("Contact", {"LastName": "Roe", "Email": "roe@example.org"}, by="x")
    connector = crm.connector(object_type="Contact")
    now = at(crm.clock.now)
    (page,) = connector.changes(now, now, properties=("Email",))
    assert [record.properties for record in page.records] == [{"Email": "roe@example.org"}]


def test_a_formula_is_refused_with_what_to_do(crm: Any) -> None:
    """A change of a formula moves no stamp: scoring by it would be right once and wrong ever after."""
    crm.load(1)
    now = at(crm.clock.now)
    with pytest.raises(sdk.PauseConnection, match="Age_Days__c is a formula") as caught:
        list(crm.connector().changes(now, now, properties=("Email", "Age_Days__c")))
    assert "Age_Days__c" in caught.value.remedy
    assert crm.count("/query") == 0


@pytest.mark.parametrize("name", ["No_Such__c", "Email FROM Lead WHERE Id != ''"])
def test_a_field_that_is_not_there_or_hidden_is_named(crm: Any, name: str) -> None:
    now = at(crm.clock.now)
    with pytest.raises(sdk.PauseConnection, match="has no field") as caught:
        list(crm.connector().changes(now, now, properties=("Email", name)))
    assert "field-level security" in caught.value.remedy
    assert crm.count("/query") == 0


def test_a_field_that_is_hidden_while_we_remember_it_is_looked_up_again(crm: Any) -> None:
    crm.load(1)
    assert len(ids(changes(crm, crm.clock.now, crm.clock.now))) == 1
    crm.org.schema.secure(hidden=["Lead.Company"])
    with pytest.raises(sdk.RetryLater, match="gone or hidden"):
        changes(crm, crm.clock.now, crm.clock.now)
    with pytest.raises(sdk.PauseConnection, match="has no field Company"):
        changes(crm, crm.clock.now, crm.clock.now)


def test_our_fields_are_read_where_they_are_and_not_asked_for_before(crm: Any) -> None:
    (key,) = crm.load(1)
    (before,) = crm.connector().read([key], properties=PROPERTIES)
    assert before.own == {}
    crm.deploy()
    schema.forget()
    crm.edit(key, Tierwise_Score__c=82.0, Tierwise_Tier__c="A", Tierwise_Request_Review__c=False)
    (after,) = crm.connector().read([key], properties=PROPERTIES)
    assert after.own == {"tierwise_score": 82, "tierwise_tier": "A"}
    assert after.properties.keys() == set(PROPERTIES)


def test_describe_is_asked_once_for_many_connections(crm: Any) -> None:
    for _ in range(3):
        changes(crm, crm.clock.now, crm.clock.now)
    assert crm.count("/describe") == 1


def test_ids_that_are_none_ask_nothing(crm: Any) -> None:
    assert crm.connector().read(["'; DROP", "", "123"], properties=PROPERTIES) == []
    assert crm.calls == []


def test_more_ids_than_an_address_holds_are_read_in_parts(crm: Any) -> None:
    loaded = crm.load(450)
    found = crm.connector().read(loaded, properties=PROPERTIES)
    assert {record.id for record in found} == set(loaded)
    assert crm.count("/query") == 3


def test_a_query_that_takes_too_long_is_asked_in_smaller_pages(crm: Any) -> None:
    loaded = crm.load(500)
    limits: list[int] = []

    def slow(method: str, path: str, body: Any) -> tuple[int, Any] | None:
        if "/query" not in path:
            return None
        limits.append(int(path.rpartition("LIMIT+")[2]))
        timeout = [{"errorCode": "QUERY_TIMEOUT", "message": "Your query request was running for too long."}]
        return (400, timeout) if limits[-1] > 500 else None

    crm.instead = slow
    assert ids(changes(crm, crm.clock.now, crm.clock.now)) == loaded
    assert limits == [2000, 1000, 500, 500]


def test_a_query_that_always_takes_too_long_ends(crm: Any) -> None:
    timeout = [{"errorCode": "QUERY_TIMEOUT", "message": "Your query request was running for too long."}]
    crm.instead = lambda method, path, body: (400, timeout) if "/query" in path else None
    with pytest.raises(sdk.RetryLater, match="too long"):
        changes(crm, crm.clock.now, crm.clock.now)
    assert crm.count("/query") == 5


def test_an_answer_that_does_not_move_on_is_not_asked_for_ever(crm: Any) -> None:
    crm.load(3)
    stamp = at(crm.clock.now).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    same = {"done": False, "records": [{"Id": "00QSb000000000BIAQ", "SystemModstamp": stamp}]}
    crm.instead = lambda method, path, body: (200, same) if "/query" in path else None
    with pytest.raises(sdk.RetryLater, match="not behind"):
        changes(crm, crm.clock.now, crm.clock.now)
    assert crm.count("/query") == 2


def test_stamps_have_their_zone(crm: Any) -> None:
    crm.load(1)
    (page,) = changes(crm, crm.clock.now, crm.clock.now)
    assert page.records[0].modified_at == at(int(crm.clock.now))
    assert page.records[0].modified_at.utcoffset() == timedelta(0)


class World:
    """People at work in an org, and a poller that reads it as the pipeline does: windows, overlap, interruptions."""

    def __init__(self, crm: Any, seed: int, **options: Any) -> None:
        self.crm = crm
        self.options = options
        self.quiet = False
        self.chance = random.Random(seed)
        self.number = 0
        self.keys: list[str] = []
        self.seen: dict[str, tuple[datetime, Any]] = {}
        self.watermark = crm.clock.now
        self.window: tuple[float, float, Any] | None = None
        self.page_size = self.chance.randint(1, 6)

    def work(self) -> None:
        """Some edits, at once or in transactions that end up to ten minutes later; new leads, deletes, conversions."""
        if self.quiet:
            return
        for _ in range(self.chance.randint(0, 6)):
            self.number += 1
            delay = self.chance.choice([0.0, 0.0, self.chance.uniform(1, 590)])
            action = self.chance.random()
            if action < 0.3 or not self.keys:
                self.keys += self.crm.load(self.chance.choice([1, 1, 9]), Company=f"new {self.number}")
                continue
            key = self.chance.choice(self.keys)
            changed: dict[str, Any] = {"Company": f"edit {self.number}"}
            if action > 0.97:
                changed |= {"IsConverted": True}
            if not self.crm.org.records.latest(key).deleted:
                self.crm.edit(key, delay=delay, deleted=0.93 < action <= 0.97, **changed)

    def poll(self) -> None:
        if self.window is None:
            self.window = (self.watermark, self.crm.connector().now().timestamp(), None)
        since, until, position = self.window
        connector = self.crm.connector(page_size=self.page_size, **self.options)
        given = None if position is None else json.loads(json.dumps(position))
        for page in connector.changes(at(since), at(until), properties=PROPERTIES, position=given):
            for record in page.records:
                known = self.seen.get(record.id)
                if known is None or known[0] <= record.modified_at:
                    self.seen[record.id] = (record.modified_at, record.properties["Company"])
            self.window = (since, until, page.position)
            if page.position is None:
                self.watermark, self.window = until, None
                return
            if self.chance.random() < 0.5:
                self.crm.clock.now += self.chance.choice([0, 0, 1, 30])
                self.work()
            if not self.quiet and self.chance.random() < 0.1:
                return  # killed: the next one goes on from the position

    def missed(self) -> dict[str, Any]:
        """Leads whose last state nobody has read."""
        rows = [self.crm.org.records.get(key) for key in self.keys]
        live = {row.id: row.values["Company"] for row in rows if not row.deleted and not row.values.get("IsConverted")}
        return {key: value for key, value in live.items() if self.seen.get(key, (None, None))[1] != value}


def simulated(crm: Any, seed: int, **options: Any) -> World:
    world = World(crm, seed, **options)
    world.keys += crm.load(world.chance.randint(1, 30), Company="first")
    for _ in range(12):
        crm.clock.now += world.chance.choice([1, 5, 60, 300, 590])
        world.work()
        world.poll()
    world.quiet = True
    for _ in range(4):  # everybody goes home; the first poll may only end a window that was interrupted
        crm.clock.now += 605
        world.poll()
    return world


@pytest.mark.parametrize("seed", range(500 if environment.DEEP else 20))
def test_every_lead_is_read_at_its_last_state_whatever_people_do(crm: Any, seed: int) -> None:
    assert simulated(crm, seed).missed() == {}


def test_without_the_overlap_leads_are_missed(crm: Any) -> None:
    """The simulation is hard enough: it catches the reader that everybody writes first."""
    missed = [seed for seed in range(12) if simulated(crm, seed, late_commit_seconds=0.0).missed()]
    assert missed


def test_25_000_rows_of_one_second_are_all_read_while_people_edit_them(crm: Any) -> None:
    """Fault 10: a reader that goes on behind the last stamp loses what its page did not hold; by offset it slips."""
    loaded = crm.load(25_000)
    chance = random.Random(7)
    now = at(crm.clock.now)
    found: set[str] = set()
    edited: set[str] = set()
    pages = 0
    for page in crm.connector().changes(now, now, properties=("Email",)):
        pages += 1
        found |= {record.id for record in page.records}
        crm.clock.now += 1
        for key in chance.sample(loaded, 20):
            edited.add(key)
            crm.edit(key, Company=f"edit {pages}")
    missed = set(loaded) - found
    # Who was edited left the window for the next one, which meets all of them.
    assert missed <= edited
    rest = changes(crm, now.timestamp() + 1, crm.clock.now, late_commit_seconds=0)
    assert missed <= set(ids(rest)) == edited
    assert pages == 13, "no page is read for nothing"
