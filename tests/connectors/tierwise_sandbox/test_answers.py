from __future__ import annotations

from typing import Any

from tierwise_sandbox import answers

TYPES = {"email": "string", "phone": "string"}
DOCUMENT = {
    "hs_object_id": "9901",
    "createdate": "2026-11-21T08:00:00.000Z",
    "lastmodifieddate": "2026-11-21T09:00:00.000Z",
    "email": "a@b.example",
}


def test_a_record_shows_what_was_asked_for_and_null_where_nothing_is() -> None:
    shown = answers.shown(DOCUMENT, ("email", "phone", "no_such_property"), TYPES)
    assert shown["properties"] == {"email": "a@b.example", "phone": None}
    assert (shown["id"], shown["updatedAt"]) == ("9901", DOCUMENT["lastmodifieddate"])


def test_asking_for_something_adds_the_system_properties_and_asking_for_nothing_gives_the_default_set() -> None:
    assert set(answers.wanted_properties(["phone"])) == {"phone", "hs_object_id", "createdate", "lastmodifieddate"}
    assert "firstname" in answers.wanted_properties([])
    assert "message" not in answers.wanted_properties([])


def test_errors_are_counted_only_where_there_are_some() -> None:
    assert "numErrors" not in answers.batch([], [], 0, 0)
    assert answers.batch([], [{"category": "X"}], 0, 0)["numErrors"] == 1


def test_bodies_that_are_no_objects_are_refused(client: Any) -> None:
    for content in (b"[]", b'{"inputs": {}}', b'{"inputs": [1]}', b"\xff"):
        answer = client.post("/crm/objects/2026-09/contacts/batch/read", content=content)
        assert answer.status_code == 400, content
        assert answer.json()["message"].startswith("Invalid input JSON")
