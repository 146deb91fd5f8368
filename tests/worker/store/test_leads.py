"""What is known of records, and how many stand where."""

from __future__ import annotations

from typing import Any

from tierwise.domain.lead import digest


def test_known_tells_order_fingerprint_and_identity(desk: Any) -> None:
    one, two = desk.arrival("1"), desk.arrival("2", email="bob@acme.example")
    desk.poll(two)
    desk.poll(one, desk.misfit("3"))
    known = desk.store.leads.known("crm", ["1", "2", "3", "4", "1"])
    assert set(known) == {"1", "2", "3"}
    assert known["2"].sequence < known["1"].sequence
    assert (known["1"].fingerprint, known["1"].identity) == (one.fingerprint, one.identity)
    assert known["3"].identity is None
    assert desk.store.leads.known("other", ["1"]) == {}
    assert desk.store.leads.known("crm", []) == {}


def test_the_first_record_of_an_identity(desk: Any) -> None:
    desk.poll(desk.arrival("9"), desk.arrival("5", email="bob@acme.example"))
    desk.poll(desk.arrival("1"), desk.arrival("2", email="bob@acme.example"))
    ada, bob = digest("ada@acme.example"), digest("bob@acme.example")
    assert desk.store.leads.first_seen("crm", [ada, bob, digest("nobody")]) == {ada: "9", bob: "5"}
    assert desk.store.leads.first_seen("other", [ada]) == {}


def test_counts_follow_a_lead_on_its_way(desk: Any) -> None:
    def counts() -> tuple[int, ...]:
        return tuple(desk.store.leads.counts("crm").values())[:4]

    assert list(desk.store.leads.counts()) == ["leads", "undecided", "undelivered", "rejected", "refused"]
    desk.poll(desk.arrival("1"), desk.misfit("2"))
    assert counts() == (2, 1, 1, 1)
    claims = desk.claim()
    assert counts() == (2, 1, 1, 1)
    desk.commit(claims)
    assert counts() == (2, 0, 2, 1)
    desk.send()
    assert counts() == (2, 0, 2, 1)  # sent is not delivered: nobody has seen it there
    desk.wait(1)
    assert desk.poll(desk.arrival("1"), desk.misfit("2")).delivered == 2
    assert counts() == (2, 0, 0, 1)


def test_counts_of_one_connection_or_all(desk: Any) -> None:
    desk.enable("other")
    desk.poll(desk.arrival("1"))
    desk.poll(desk.arrival("1"), desk.arrival("2"), connection="other")
    assert desk.store.leads.counts("crm")["leads"] == 1
    assert desk.store.leads.counts("other")["undecided"] == 2
    assert desk.store.leads.counts()["leads"] == 3
