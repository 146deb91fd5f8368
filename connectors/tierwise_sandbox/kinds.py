"""The portal's object types: how paths, scopes and time stamps name them.

Only contacts keep their last change under a name without a prefix; sales activities come under the scope of contacts.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One object type. `scope` is its word in scope names, `first_id` where its record ids begin."""

    name: str
    singular: str
    type_id: str
    title: str
    scope: str
    first_id: int
    modified: str = "hs_lastmodifieddate"
    created: str = "createdate"
    shown: tuple[str, ...] = ()
    """Properties of an answer to a request that names none, besides the system's."""

    @property
    def system(self) -> frozenset[str]:
        """Properties that the portal keeps itself and shows always."""
        return frozenset({"hs_object_id", self.created, self.modified})


CONTACTS = Kind(
    "contacts", "contact", "0-1", "Contacts", "contacts", 9_901, modified="lastmodifieddate",
    shown=("email", "firstname", "lastname"),
)  # fmt: skip
COMPANIES = Kind("companies", "company", "0-2", "Companies", "companies", 70_001, shown=("domain", "name"))
DEALS = Kind("deals", "deal", "0-3", "Deals", "deals", 500_001, shown=("amount", "dealname", "dealstage", "pipeline"))
LEADS = Kind("leads", "lead", "0-136", "Leads", "leads", 310_001, created="hs_createdate", shown=("hs_lead_name",))
CALLS = Kind("calls", "call", "0-48", "Calls", "contacts", 810_001, created="hs_createdate")
EMAILS = Kind("emails", "email", "0-49", "E-mails", "contacts", 820_001, created="hs_createdate")
MEETINGS = Kind("meetings", "meeting", "0-47", "Meetings", "contacts", 830_001, created="hs_createdate")
TASKS = Kind("tasks", "task", "0-27", "Tasks", "contacts", 840_001, created="hs_createdate")

ACTIVITIES = (CALLS, EMAILS, MEETINGS, TASKS)
KINDS = {kind.name: kind for kind in (CONTACTS, COMPANIES, DEALS, LEADS, *ACTIVITIES)}
PAGES = (CONTACTS, COMPANIES, LEADS)
"""Those with pages for people."""
_SPELLINGS = {spelling: kind for kind in KINDS.values() for spelling in (kind.name, kind.singular, kind.type_id)}


def find(spelling: str) -> Kind | None:
    """By plural, singular or type id; None for what this portal does not have."""
    return _SPELLINGS.get(spelling.lower())
