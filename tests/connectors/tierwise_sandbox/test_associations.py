from __future__ import annotations

import pytest

from tierwise_sandbox import kinds
from tierwise_sandbox.associations import TYPES
from tierwise_sandbox.portal import Portal


def _firms(portal: Portal, number: int) -> list[int]:
    made = portal.shelf(kinds.COMPANIES).store.create(
        [({"name": f"Firm {n}"}, None) for n in range(number)], by="person"
    )
    return [record.id for record in made]


def _ties(portal: Portal, contact: int) -> dict[str, list[int]]:
    record = portal.store.get(str(contact))
    assert record is not None
    found = portal.associations.of(kinds.CONTACTS, record, kinds.COMPANIES)
    return {one["toObjectId"]: [kind["typeId"] for kind in one["associationTypes"]] for one in found}


def test_a_tie_is_seen_from_both_sides(portal: Portal) -> None:
    contact, (firm,) = portal.store.page(0, 1)[0], _firms(portal, 1)
    portal.associations.link((kinds.CONTACTS, contact.id), (kinds.COMPANIES, firm), primary=True)
    company = portal.shelf(kinds.COMPANIES).store.get(str(firm))
    assert company is not None
    assert _ties(portal, contact.id) == {str(firm): [1, 279]}
    (back,) = portal.associations.of(kinds.COMPANIES, company, kinds.CONTACTS)
    assert (back["toObjectId"], [kind["typeId"] for kind in back["associationTypes"]]) == (str(contact.id), [2, 280])


def test_there_is_one_primary_company(portal: Portal) -> None:
    contact, (one, two) = portal.store.page(0, 1)[0], _firms(portal, 2)
    for firm in (one, two):
        portal.associations.link((kinds.CONTACTS, contact.id), (kinds.COMPANIES, firm), primary=True)
    assert _ties(portal, contact.id) == {str(one): [279], str(two): [1, 279]}


def test_a_merged_record_has_the_ties_of_both_and_a_deleted_one_none(portal: Portal) -> None:
    first, second, *_ = portal.store.page(0, 2)
    one, two = _firms(portal, 2)
    portal.associations.link((kinds.CONTACTS, first.id), (kinds.COMPANIES, one), primary=True)
    portal.associations.link((kinds.CONTACTS, second.id), (kinds.COMPANIES, two))
    merged = portal.store.merge(str(first.id), str(second.id))
    assert merged is not None
    assert set(_ties(portal, merged.id)) == {str(one), str(two)}
    companies = portal.shelf(kinds.COMPANIES).store
    joined = companies.merge(str(one), str(two))
    assert joined is not None
    assert _ties(portal, merged.id) == {str(joined.id): [1, 279]}
    companies.archive(joined)
    assert _ties(portal, merged.id) == {}


def test_what_cannot_be_tied_is_refused(portal: Portal) -> None:
    with pytest.raises(ValueError, match="cannot be associated"):
        portal.associations.link((kinds.DEALS, 1), (kinds.TASKS, 2))


def test_every_tie_has_its_way_back() -> None:
    assert {(other, one) for one, other in TYPES} == set(TYPES)
