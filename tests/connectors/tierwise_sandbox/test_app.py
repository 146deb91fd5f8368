from __future__ import annotations

from typing import Any


def test_the_root_leads_to_the_contacts(stranger: Any) -> None:
    answer = stranger.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/contacts")


def test_unknown_paths_and_methods_are_refused_in_hubspots_shape(client: Any) -> None:
    answer = client.get("/crm/nothing")
    assert answer.status_code == 404
    assert answer.json()["category"] == "OBJECT_NOT_FOUND"
    assert client.delete("/crm/objects/2026-09/contacts/search").status_code in {404, 405}
    assert client.request("PUT", "/crm/objects/2026-09/contacts").status_code == 405


def test_every_refusal_has_its_own_correlation_id(client: Any) -> None:
    ids = {client.get("/crm/nothing").json()["correlationId"] for _ in range(3)}
    assert len(ids) == 3
