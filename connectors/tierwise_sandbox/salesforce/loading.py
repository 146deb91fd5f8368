"""The sandbox's leads as Salesforce leads: the same people under Salesforce's field names and limits.

What a field cannot hold is cut or left out, as an import tool does it; a lead without a last name gets a stand-in,
because an org cannot be without one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tierwise_sandbox.salesforce import values
from tierwise_sandbox.salesforce.fields import Field
from tierwise_sandbox.salesforce.org import ADMIN, REPS, Org
from tierwise_sandbox.salesforce.refusals import Refusal
from tierwise_sandbox.salesforce.writing import named

NAMES = {
    "firstname": "FirstName",
    "lastname": "LastName",
    "company": "Company",
    "email": "Email",
    "phone": "Phone",
    "jobtitle": "Title",
    "industry": "Industry",
    "numemployees": "NumberOfEmployees",
    "annualrevenue": "AnnualRevenue",
    "country": "Country",
    "city": "City",
    "website": "Website",
    "lead_touchpoint": "LeadSource",
    "message": "Description",
    "company_size": "Company_Size__c",
    "monthly_volume": "Monthly_Volume__c",
}
_STATUSES = {
    "NEW": "Open - Not Contacted",
    "OPEN": "Working - Contacted",
    "UNQUALIFIED": "Closed - Not Converted",
}

Loaded = tuple[Mapping[str, str], int | None, int | None]


def load(org: Org, rows: Iterable[Loaded], kinds: Sequence[str] = ()) -> list[str]:
    """Leads from (HubSpot-named properties, created ms, modified ms); `kinds` in the same order."""
    ids = []
    for properties, created, modified in rows:
        held = lead(org, properties)
        if created is not None:
            held["CreatedDate"] = created
        if modified is not None:
            held["SystemModstamp"] = modified
        ids.append(org.records.load("Lead", held, by=ADMIN))
    org.kinds.update(zip(ids, kinds, strict=False))
    return ids


def burst(org: Org, number: int) -> list[str]:
    """`number` new leads with one stamp, as a mass import makes them."""
    stamp = int(org.time() * 1000)
    first = org.records.count("Lead")
    rows = (
        {"lastname": f"Burst {n}", "company": f"Burst {n} Ltd", "email": f"burst{n}@b{n}.example"}
        for n in range(first, first + number)
    )
    return load(org, ((row, stamp, stamp) for row in rows))


def lead(org: Org, properties: Mapping[str, str]) -> dict[str, Any]:
    """The values of one lead, in the org's form."""
    known = org.schema.every("Lead")
    held: dict[str, Any] = {"IsConverted": False}
    for name, text in properties.items():
        field = known.get(NAMES.get(name, name))
        if field is not None and field.writable and (value := _fitting(field, text)) is not None:
            held[field.name] = value
    size = properties.get("numemployees", "")
    if "NumberOfEmployees" not in held and size:  # "51-200" is no number: a form keeps it as text
        held.setdefault("Company_Size__c", size)
    held.setdefault("LastName", "[not provided]")
    held.setdefault("Company", "[not provided]")
    held["Status"] = _STATUSES.get(properties.get("hs_lead_status", ""), "Open - Not Contacted")
    owner = properties.get("hubspot_owner_id", "")
    held["OwnerId"] = REPS[int(owner) % len(REPS)] if owner.isdecimal() else ADMIN
    return named(held, "Lead")


def _fitting(field: Field, text: str) -> Any:
    value: Any = values.from_text(field, text)
    if isinstance(value, str) and field.type not in values.NUMBERS and field.length:
        value = value[: field.length]
    try:
        return values.check(field, value)
    except Refusal:
        return None
