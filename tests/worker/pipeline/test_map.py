"""Records of a page: who came first, what does not conform, and fingerprints that only inputs can move."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tierwise_fixtures import fakes

from tierwise.domain.mapping import FieldMap
from tierwise.pipeline import map as mapping
from tierwise.sdk import Record

FIELD_MAP = FieldMap.model_validate(
    {
        "connector": "fake", "owner": "ops", "version": "1", "require": ["email"],
        "fields": {"email": "email", "company": "company", "submitted_at": "created", "employee_count": "staff"},
    }
)  # fmt: skip


class Leads:
    """The one question that a page asks of the store."""

    def __init__(self, **first: str) -> None:
        self.first = first
        self.asked: list[tuple[str, set[str]]] = []

    def first_seen(self, connection: str, identities: Collection[str]) -> dict[str, str]:
        self.asked.append((connection, set(identities)))
        return {key: owner for key, owner in self.first.items() if key in identities}


def _record(record_id: str, *, at: float = 0, own: Any = None, **properties: Any) -> Record:
    good = {"email": f"{record_id}@acme.example", "company": "Acme"}
    return Record(record_id, fakes.START + timedelta(seconds=at), {**good, **properties}, own or {})


def _arrivals(*records: Record, leads: Any = None) -> Any:
    store: Any = leads or Leads()
    return mapping.arrivals(records, connection="crm", field_map=FIELD_MAP, leads=store)


def test_a_record_becomes_a_lead_with_where_it_came_from() -> None:
    (arrival,) = _arrivals(_record("1", staff="51-200", own={"tierwise_tier": "A"}, at=5))
    assert (arrival.record_id, arrival.modified_at) == ("1", fakes.START + timedelta(seconds=5))
    assert (arrival.lead.email, arrival.lead.employee_count) == ("1@acme.example", 126)
    assert arrival.fingerprint == arrival.lead.fingerprint()
    assert arrival.provenance["employee_count"]["from"] == "staff"
    assert (arrival.rejected, arrival.problems, arrival.own) == (None, (), {"tierwise_tier": "A"})


def test_what_cannot_be_read_is_told_and_the_rest_goes_on() -> None:
    (arrival,) = _arrivals(_record("1", staff="plenty"))
    assert arrival.lead.employee_count is None
    assert len(arrival.problems) == 1
    assert "plenty" not in arrival.problems[0]


def test_first_submitted_first_and_the_time_of_change_where_nothing_is_said() -> None:
    page = [
        _record("b", at=30),
        _record("c", at=1, created="2026-11-02T09:00:40Z"),
        _record("d", at=2, created="2026-11-02T09:00:20Z"),
        _record("a", at=30),
        _record("e", at=35, email=""),
    ]
    assert [item.record_id for item in _arrivals(*page)] == ["d", "a", "b", "e", "c"]


def test_of_two_readings_of_a_record_the_later_counts() -> None:
    (arrival,) = _arrivals(_record("1", company="Old"), _record("1", company="New"))
    assert arrival.lead.company == "New"


def test_the_first_submitted_owns_the_identity() -> None:
    first, second, other = _arrivals(
        _record("9", email="ada@acme.example", at=1),
        _record("1", email="ADA@acme.example ", at=2),
        _record("5", email="bob@acme.example", at=3),
    )
    assert [item.record_id for item in (first, second, other)] == ["9", "1", "5"]
    assert [item.lead.is_duplicate for item in (first, second, other)] == [False, True, False]
    assert first.identity == second.identity != other.identity
    assert second.fingerprint == second.lead.fingerprint(), "being a duplicate is a signal: decided on, so hashed"


def test_who_is_stored_stays_first() -> None:
    (again,) = _arrivals(_record("1", email="ada@acme.example", at=50))
    leads = Leads(**{again.identity: "1"})
    first, second = _arrivals(
        _record("2", email="ada@acme.example", at=1), _record("1", email="ada@acme.example", at=50), leads=leads
    )
    assert (first.record_id, first.lead.is_duplicate) == ("2", True)
    assert (second.record_id, second.lead.is_duplicate) == ("1", False)
    assert second.fingerprint == again.fingerprint, "reading it again, in whatever company, changes nothing"


def test_the_store_is_asked_once_a_page() -> None:
    leads = Leads()
    arrivals = _arrivals(*(_record(str(number)) for number in range(50)), _record("x", email=""), leads=leads)
    assert leads.asked == [("crm", {item.identity for item in arrivals if item.identity})]
    assert len(leads.asked[0][1]) == 50


def test_what_does_not_conform_arrives_without_a_lead() -> None:
    (arrival,) = _arrivals(_record("1", email="not an address", own={"tierwise_status": "scored"}))
    assert (arrival.lead, arrival.identity, arrival.provenance) == (None, None, {})
    assert arrival.rejected
    assert "not an address" not in arrival.rejected
    assert arrival.own == {"tierwise_status": "scored"}


def test_its_fingerprint_moves_with_the_mapped_properties_only() -> None:
    def fingerprint(**properties: Any) -> str:
        (arrival,) = _arrivals(_record("1", **{"email": "", **properties}))
        assert arrival.lead is None
        return str(arrival.fingerprint)

    stable = fingerprint()
    assert fingerprint() == fingerprint(note="not mapped") == stable
    assert fingerprint(company="Globex") != stable
    assert fingerprint(email="broken@") != stable


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 50)),  # record, mailbox, when
        max_size=12,
    )
)
def test_every_identity_has_one_owner_whatever_the_page(drawn: list[tuple[int, int, int]]) -> None:
    page = [_record(str(record), email=f"{mailbox}@acme.example", at=at) for record, mailbox, at in drawn]
    arrivals = _arrivals(*page)
    assert sorted(item.record_id for item in arrivals) == sorted({record.id for record in page})
    owners = [item.identity for item in arrivals if not item.lead.is_duplicate]
    assert sorted(owners) == sorted({item.identity for item in arrivals})
    for item in arrivals:
        if item.lead.is_duplicate:
            earlier = arrivals[: arrivals.index(item)]
            assert any(other.identity == item.identity for other in earlier), "an owner comes before its duplicates"
