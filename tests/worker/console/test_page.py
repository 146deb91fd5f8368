"""The page of status, read as a browser reads it."""

from __future__ import annotations

from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from tierwise import errors, ports
from tierwise.console import health, page

VOID = {"meta", "br", "link"}


class Reader(HTMLParser):
    """Tables as rows of cell texts; fails on tags that do not close."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.ids: set[str] = set()
        self.labels: list[str] = []
        self.rows: list[list[str]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.add(tag)
        self.ids |= {given["id"]} if "id" in given else set()
        self.labels += [given["aria-labelledby"]] if "aria-labelledby" in given else []
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"td", "th"}:
            self.rows[-1][-1] += data
        if "style" not in self.open:
            self.text += data


def _read(store: ports.Store, now: datetime, *, broker: bool = True) -> Reader:
    found = health.look(store, broker=lambda: broker, schema=None, now=now)
    reader = Reader()
    reader.feed(page.render(store, found, now=now))
    reader.close()
    assert reader.open == []
    return reader


def test_the_page_tells_how_things_stand(busy: Any, store: ports.Store, now: datetime) -> None:
    found = _read(store, now)
    assert "Everything works" in found.text
    assert ["hubspot-emea", "hubspot", "enabled", "1,200", "30", "12", "3 min ago"] in found.rows
    assert ["hubspot-apac", "hubspot", "paused: scope <x>", "0", "0", "0", "3 min ago"] in found.rows
    assert ["low confidence", "7"] in found.rows
    assert ["2026-11 <first>", "abababababab", "2 d ago"] in found.rows


def test_no_person_is_shown(busy: Any, store: ports.Store, now: datetime) -> None:
    """There is no sign-in: who activated a policy is for those who have one."""
    found = _read(store, now)
    assert "ada" not in found.text
    assert "note of a person" not in found.text


def test_what_is_missing_comes_with_its_remedy(busy: Any, store: ports.Store, now: datetime) -> None:
    found = _read(store, now, broker=False)
    assert "Something is missing" in found.text
    assert ["Missing", "broker", "does not answer", "start it, or correct TIERWISE_BROKER_URL"] in found.rows


def test_an_empty_installation_says_what_to_do_first(store: ports.Store, now: datetime) -> None:
    assert "tierwise connections add" in _read(store, now).text


def test_without_the_database_the_page_still_comes(busy: Any, store: ports.Store, now: datetime) -> None:
    busy.down = errors.Unreachable("the database <db> does not answer")
    found = _read(store, now)
    assert "the database <db> does not answer" in found.text
    assert "Something is missing" in found.text


def test_it_can_be_read_by_everybody(busy: Any, store: ports.Store, now: datetime) -> None:
    found = _read(store, now)
    assert "script" not in found.tags
    assert {"h1", "main", "title"} <= found.tags
    assert found.labels
    assert set(found.labels) <= found.ids, "each table is named by its heading"
    assert all(cell for row in found.rows[:1] for cell in row), "no column without a name"
    assert {row[0] for row in found.rows[1:5]} == {"OK"}, "state is said in words, not in colour alone"


@pytest.mark.parametrize(
    ("ago", "text"), [(0.4, "0 s ago"), (59, "59 s ago"), (60, "1 min ago"), (7200, "2 h ago"), (200_000, "2 d ago")]
)
def test_times_are_told_as_people_say_them(busy: Any, store: ports.Store, now: datetime, ago: float, text: str) -> None:
    busy.activation = busy.activation._replace(at=now - timedelta(seconds=ago))
    assert ["2026-11 <first>", "abababababab", text] in _read(store, now).rows


def test_a_spent_budget_is_told_with_when_it_resumes(fake: Any, store: ports.Store, now: datetime) -> None:
    resumes = now + timedelta(hours=12)
    fake.money_levels = [ports.Level(ports.ALL, "day", 5 * ports.NANO, 5 * ports.NANO, 0, resumes)]
    fake.waiting, fake.batched = {"crm": 1200}, {"crm": 40}
    budgets = ports.Budgets(total=ports.Budget(day=5 * ports.NANO))
    shown = page.render(store, [], now=now, budgets=budgets)
    assert f"spent; resumes {resumes:%Y-%m-%d %H:%M} UTC" in shown
    assert "1,200 leads wait for money" in shown
    assert "40 leads of a backfill or replay wait for a batch" in shown
    assert "Budgets" not in page.render(store, [], now=now), "nothing where none is set"
