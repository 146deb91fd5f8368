from __future__ import annotations

import pytest

from tierwise_sandbox import listing
from tierwise_sandbox.listing import Entry

ENTRIES = [
    Entry(
        f"/leads/{n}",
        {
            "hs_object_id": str(n),
            "lastmodifieddate": "0",
            "lastname": f"No {n:03}",
            "tierwise_tier": "A" if n % 2 else "",
        },
    )
    for n in range(120)
]


@pytest.mark.parametrize(
    ("query", "first", "rows", "page"),
    [
        ({}, "No 000", 50, "Page 1 of 3"),
        ({"page": "3"}, "No 100", 20, "Page 3 of 3"),
        ({"page": "99999"}, "No 100", 20, "Page 3 of 3"),
        ({"page": "-1"}, "No 000", 50, "Page 1 of 3"),
        ({"tier": "A", "page": "2"}, "No 101", 10, "Page 2 of 2"),
        ({"tier": "<b>"}, "No 000", 50, "Page 1 of 3"),
    ],
)
def test_a_page_of_the_list(query: dict[str, str], first: str, rows: int, page: str) -> None:
    body = listing.render("Leads", "/leads", ENTRIES, query)
    assert body.count("<tr>") == rows + 1
    assert body.index(first) < (body.index(f"No {int(first[3:]) + 2:03}"))
    assert page in body
    assert "<b>" not in body
    assert "/contacts" not in body


def test_an_empty_list_and_names() -> None:
    assert "No leads here." in listing.render("Leads", "/leads", [], {})
    assert listing.name({"hs_object_id": "7"}) == "Record 7"
    assert listing.name({"hs_object_id": "7", "email": "a@b.example"}) == "a@b.example"
    assert (listing.initials("Ada Byron"), listing.initials("–")) == ("AB", "?")
