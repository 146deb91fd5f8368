from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest

from tierwise_sandbox.portal import Portal

EVIL = "<script>alert(1)</script>\"'&"
VOID = {"meta", "input", "br"}


class Shape(HTMLParser):
    """The elements of a page, checked for being closed in the order in which they were opened."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def provision(client: Any) -> None:
    root = "/crm/properties/2026-09/contacts"
    client.post(f"{root}/groups", json={"name": "tierwise", "label": "Tierwise"})
    options = [{"label": word, "value": word} for word in ("scored", "right", "A", "true")]
    for name, kind, field_type in (
        ("tierwise_status", "enumeration", "select"),
        ("tierwise_tier", "enumeration", "select"),
        ("tierwise_feedback", "enumeration", "select"),
        ("tierwise_request_review", "enumeration", "booleancheckbox"),
        ("tierwise_reasons", "string", "textarea"),
    ):
        given_ = {"name": name, "label": name, "type": kind, "fieldType": field_type, "groupName": "tierwise"}
        answer = client.post(root, json={**given_, "options": options if kind == "enumeration" else []})
        assert answer.status_code == 201, answer.text


def test_a_record_shows_its_properties_and_its_advice(client: Any, stranger: Any) -> None:
    provision(client)
    values = {
        "tierwise_status": "scored",
        "tierwise_tier": "A",
        "tierwise_reasons": "One\nTwo",
        "message": "We need it.",
    }
    client.patch("/crm/objects/2026-09/contacts/9901", json={"properties": values})
    answer = stranger.get("/contacts/9901")
    page = Shape(answer.text)
    assert answer.status_code == 200
    assert "script-src" not in answer.headers["content-security-policy"]
    assert page.elements.count("h1") == 1
    for text in ("Person 0", "p0@acme-0.example", "We need it.", "One", "Two", "scored"):
        assert text in page.text
    assert page.text.index("Two") < page.text.index("p0@acme-0.example")  # the card comes first


@pytest.mark.parametrize(
    "name", ["firstname", "jobtitle", "company", "message", "website", "tierwise_reasons", "unknown_one"]
)
def test_no_value_can_become_markup(client: Any, stranger: Any, portal: Portal, name: str) -> None:
    provision(client)
    portal.definitions.ensure_text("unknown_one", EVIL)
    plain = {"tierwise_status": "scored", "tierwise_tier": "A"}
    (key,) = portal.store.load([({**plain, name: EVIL}, 1_000, 1_000, None)])
    for path in ("/contacts", f"/contacts/{key}"):
        page = Shape(stranger.get(path).text)
        assert "script" not in page.elements
    assert EVIL in page.text


def test_the_form_writes_the_reps_fields_as_a_person(client: Any, stranger: Any, portal: Portal) -> None:
    provision(client)
    body = "tierwise_request_review=on&tierwise_feedback=right&firstname=Mallory"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = stranger.post("/contacts/9901", content=body, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, "/contacts/9901?saved=1")
    record = portal.store.get("9901")
    assert record is not None
    assert record.properties["tierwise_request_review"] == "true"
    assert record.properties["tierwise_feedback"] == "right"
    assert record.properties["firstname"] == "Person 0"
    assert portal.store.journal()[-1]["by"] == "person"
    assert "Saved." in Shape(stranger.get("/contacts/9901?saved=1").text).text


def test_a_wrong_form_is_refused_on_the_page(client: Any, stranger: Any, portal: Portal) -> None:
    provision(client)
    answer = stranger.post("/contacts/9901", content="tierwise_feedback=wrong")
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    answer = stranger.post("/contacts/9901", content="", headers={"Origin": "http://elsewhere.example"})
    assert answer.status_code == 403
    assert portal.store.tally.edits == 0


def test_the_list_pages_and_filters(client: Any, stranger: Any, portal: Portal) -> None:
    provision(client)
    portal.store.load(({"email": f"x{n}@y.example"}, 1_000 + n, 1_000 + n, None) for n in range(60))
    client.patch("/crm/objects/2026-09/contacts/9905", json={"properties": {"tierwise_tier": "A"}})
    first = Shape(stranger.get("/contacts").text)
    assert first.elements.count("tr") == 51
    assert "Page 1 of 2" in first.text
    assert first.text.index("Person 4") < first.text.index("Person 11")  # newest change first
    last = Shape(stranger.get("/contacts?page=999").text)
    assert "Page 2 of 2" in last.text
    only = Shape(stranger.get("/contacts?tier=A&page=x").text)
    assert only.elements.count("tr") == 2
    assert "Person 4" in only.text


def test_a_contact_that_is_not_there(stranger: Any) -> None:
    for path in ("/contacts/1", "/contacts/x"):
        assert stranger.get(path).status_code == 404
        assert stranger.post(path, content="").status_code == 404
