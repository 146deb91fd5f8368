"""The properties a contact has before anybody provisions more: HubSpot's own and this portal's custom ones.

Types, field types and options are those of a real portal; the three custom ones are what capture forms fill.
"""

from __future__ import annotations

from typing import Any

GROUPS = {
    "contactinformation": "Contact information",
    "sales_properties": "Sales properties",
    "capture_form": "Capture form",
}
SYSTEM = frozenset({"hs_object_id", "createdate", "lastmodifieddate"})

_TEXTS = (
    ("email", "Email", "text"),
    ("firstname", "First name", "text"),
    ("lastname", "Last name", "text"),
    ("phone", "Phone number", "phonenumber"),
    ("company", "Company name", "text"),
    ("website", "Website URL", "text"),
    ("jobtitle", "Job title", "text"),
    ("industry", "Industry", "text"),
    ("numemployees", "Number of employees", "text"),
    ("country", "Country/region", "text"),
    ("city", "City", "text"),
    ("message", "Message", "textarea"),
)
_CUSTOM = (
    ("company_size", "Company size", "text", "As the visitor typed or picked it."),
    ("monthly_volume", "Monthly volume", "text", "Orders per month, as the visitor typed it."),
    ("lead_touchpoint", "Lead touchpoint", "text", "Where the lead came in."),
)
_STAGES = (
    ("subscriber", "Subscriber"),
    ("lead", "Lead"),
    ("marketingqualifiedlead", "Marketing qualified lead"),
    ("salesqualifiedlead", "Sales qualified lead"),
    ("opportunity", "Opportunity"),
    ("customer", "Customer"),
    ("evangelist", "Evangelist"),
    ("other", "Other"),
)
_STATUSES = (
    ("NEW", "New"),
    ("OPEN", "Open"),
    ("IN_PROGRESS", "In progress"),
    ("OPEN_DEAL", "Open deal"),
    ("UNQUALIFIED", "Unqualified"),
    ("ATTEMPTED_TO_CONTACT", "Attempted to contact"),
    ("CONNECTED", "Connected"),
    ("BAD_TIMING", "Bad timing"),
)


def _options(pairs: tuple[tuple[str, str], ...]) -> list[dict[str, Any]]:
    return [
        {"label": label, "value": value, "displayOrder": place, "hidden": False}
        for place, (value, label) in enumerate(pairs)
    ]


def definition(  # the keys of HubSpot's Property object
    name: str,
    label: str,
    *,
    kind: str,
    field_type: str,
    group: str,
    options: list[dict[str, Any]] | None = None,
    description: str = "",
    defined_by_hubspot: bool = False,
    read_only: bool = False,
) -> dict[str, Any]:
    """A property definition as the properties API returns it, without its dates."""
    return {
        "name": name,
        "label": label,
        "type": kind,
        "fieldType": field_type,
        "groupName": group,
        "description": description,
        "options": options or [],
        "displayOrder": -1,
        "calculated": False,
        "externalOptions": name == "hubspot_owner_id",
        "hasUniqueValue": False,
        "hidden": False,
        "hubspotDefined": defined_by_hubspot,
        "formField": not read_only,
        "archived": False,
        "modificationMetadata": {
            "archivable": not defined_by_hubspot,
            "readOnlyDefinition": defined_by_hubspot,
            "readOnlyValue": read_only,
        },
    }


def contact_definitions() -> list[dict[str, Any]]:
    """Fresh definitions of everything a contact of this portal starts with."""
    info, sales = "contactinformation", "sales_properties"

    def own(name: str, label: str, kind: str, field_type: str, **more: Any) -> dict[str, Any]:
        group = more.pop("group", info)
        return definition(name, label, kind=kind, field_type=field_type, group=group, defined_by_hubspot=True, **more)

    return [
        *(own(name, label, "string", field_type) for name, label, field_type in _TEXTS),
        own("annualrevenue", "Annual revenue", "number", "number"),
        own("lifecyclestage", "Lifecycle stage", "enumeration", "radio", options=_options(_STAGES)),
        own("hs_lead_status", "Lead status", "enumeration", "radio", group=sales, options=_options(_STATUSES)),
        own("hubspot_owner_id", "Contact owner", "enumeration", "select", group=sales),
        own("recent_conversion_date", "Recent conversion date", "datetime", "date", read_only=True),
        own("hs_object_id", "Record ID", "number", "number", read_only=True),
        own("hs_merged_object_ids", "Merged record IDs", "string", "text", read_only=True),
        own("createdate", "Create date", "datetime", "date", read_only=True),
        own("lastmodifieddate", "Last modified date", "datetime", "date", read_only=True),
        *(
            definition(
                name,
                label,
                kind="string",
                field_type=field_type,
                group="capture_form",
                description=description,
            )
            for name, label, field_type, description in _CUSTOM
        ),
    ]
