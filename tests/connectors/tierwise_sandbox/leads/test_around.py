from __future__ import annotations

from tierwise_sandbox import kinds
from tierwise_sandbox.leads import around, generator
from tierwise_sandbox.other_objects import definitions
from tierwise_sandbox.portal import Portal

NOW = 1_795_000_000_000


def _populated(number: int) -> tuple[Portal, list[generator.Lead]]:
    portal, made = Portal(), generator.generate(number, seed=4, now_ms=NOW)
    ids = portal.store.load((lead.properties, lead.created_ms, lead.modified_ms, None) for lead in made)
    around.populate(portal, made, ids)
    return portal, made


def test_business_addresses_have_a_company_and_private_ones_none() -> None:
    portal, made = _populated(200)
    companies = portal.shelf(kinds.COMPANIES).store
    tied = {}
    for contact in portal.store.page(0, 200):
        ties = portal.associations.of(kinds.CONTACTS, contact, kinds.COMPANIES)
        main = [one["toObjectId"] for one in ties if one["associationTypes"][0]["label"] == "Primary"]
        assert len(main) == (1 if ties else 0)
        tied[contact.id] = main[0] if main else None
        if main:
            company = companies.get(main[0])
            assert company is not None
            assert contact.properties["email"].lower().endswith(f"@{company.properties['domain']}")
    assert sum(key is not None for key in tied.values()) == sum(lead.firm is not None for lead in made) > 60
    assert any(
        len(portal.associations.of(kinds.CONTACTS, one, kinds.COMPANIES)) > 1 for one in portal.store.page(0, 200)
    )


def test_every_value_is_one_that_the_portal_takes() -> None:
    portal, made = _populated(80)
    for kind in (kinds.COMPANIES, kinds.LEADS):
        shelf = portal.shelf(kind)
        known = {held["name"] for held in definitions(kind)}
        for record in shelf.store.page(0, 500):
            given = {name: value for name, value in record.properties.items() if name not in kind.system}
            assert set(given) <= known
            shelf.definitions.accept(given, by_person=True)
    assert len(portal.shelf(kinds.LEADS).store) == len(made)
