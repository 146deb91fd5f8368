"""What stands around generated contacts in a portal: their companies, and a Lead (the object) for each.

Companies are what a data provider filled in: complete, one for each domain, tied to all their contacts.
"""

from __future__ import annotations

from collections.abc import Sequence

from tierwise_sandbox import kinds
from tierwise_sandbox.leads.firms import Firm
from tierwise_sandbox.leads.generator import Lead
from tierwise_sandbox.portal import Portal

_INDUSTRIES = {
    "apparel": "APPAREL_FASHION", "cosmetics": "COSMETICS", "food and beverage": "FOOD_BEVERAGES",
    "furniture": "FURNITURE", "consumer electronics": "CONSUMER_ELECTRONICS", "sporting goods": "SPORTING_GOODS",
    "books and media": "PUBLISHING", "health": "HEALTH_WELLNESS_AND_FITNESS", "automotive parts": "AUTOMOTIVE",
    "wholesale": "WHOLESALE", "logistics": "LOGISTICS_AND_SUPPLY_CHAIN", "jewellery": "LUXURY_GOODS_JEWELRY",
    "software": "COMPUTER_SOFTWARE", "consulting": "MANAGEMENT_CONSULTING",
}  # fmt: skip
_SECOND = 12
"""Every such contact belongs to a second company too, which is not its primary one."""


def populate(portal: Portal, leads: Sequence[Lead], ids: Sequence[int]) -> None:
    """Companies and Leads around contacts that are loaded already; `ids` are theirs."""
    first: dict[str, Lead] = {}
    for lead in leads:
        if lead.firm is not None:
            first.setdefault(lead.firm.domain, lead)
    made = portal.shelf(kinds.COMPANIES).store.load(
        (_company(lead.firm), lead.created_ms, lead.created_ms, None) for lead in first.values() if lead.firm
    )
    companies = dict(zip(first, made, strict=True))
    cards = portal.shelf(kinds.LEADS).store.load(
        (_card(lead), lead.created_ms, lead.modified_ms, None) for lead in leads
    )
    for place, (lead, contact, card) in enumerate(zip(leads, ids, cards, strict=True)):
        portal.associations.link((kinds.LEADS, card), (kinds.CONTACTS, contact), primary=True)
        if lead.firm is None:
            continue
        own = companies[lead.firm.domain]
        portal.associations.link((kinds.CONTACTS, contact), (kinds.COMPANIES, own), primary=True)
        portal.associations.link((kinds.LEADS, card), (kinds.COMPANIES, own))
        if place % _SECOND == 0:
            portal.associations.link((kinds.CONTACTS, contact), (kinds.COMPANIES, made[place % len(made)]))


def _company(firm: Firm) -> dict[str, str]:
    values = {
        "name": firm.name,
        "domain": firm.domain,
        "website": f"https://www.{firm.domain}",
        "numberofemployees": str(firm.employees),
        "annualrevenue": str(firm.employees * 140_000),
        "industry": _INDUSTRIES.get(firm.trade, ""),
    }
    return {name: value for name, value in values.items() if value}


def _card(lead: Lead) -> dict[str, str]:
    held = lead.properties
    who = f"{held.get('firstname', '')} {held.get('lastname', '')}".strip() or held.get("email", "Unknown")
    named = f"{who}, {held['company']}" if held.get("company") else who
    return {"hs_lead_name": named, "hs_lead_type": "NEW_BUSINESS"}
