"""The properties that companies, deals, Leads and sales activities start with, as in a real portal.

Contacts are in `catalogue`. Every definition passes the checks that the portal makes when one is created.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tierwise_sandbox import catalogue, kinds
from tierwise_sandbox.kinds import Kind

# Stages of the one pipeline of each object: value, label, closed, won.
DEAL_STAGES = (
    ("appointmentscheduled", "Appointment scheduled", False, False),
    ("qualifiedtobuy", "Qualified to buy", False, False),
    ("contractsent", "Contract sent", False, False),
    ("closedwon", "Closed won", True, True),
    ("closedlost", "Closed lost", True, False),
)
LEAD_STAGES = (
    ("new-stage-id", "New", False, False),
    ("attempting-stage-id", "Attempting", False, False),
    ("connected-stage-id", "Connected", False, False),
    ("qualified-stage-id", "Qualified", True, True),
    ("unqualified-stage-id", "Disqualified", True, False),
)
PIPELINES = {
    "deals": ("default", "Sales pipeline", DEAL_STAGES),
    "leads": ("lead-pipeline-id", "Lead pipeline", LEAD_STAGES),
}
_INDUSTRIES = (
    "ACCOUNTING", "APPAREL_FASHION", "AUTOMOTIVE", "COMPUTER_SOFTWARE", "CONSUMER_ELECTRONICS", "COSMETICS",
    "FINANCIAL_SERVICES", "FOOD_BEVERAGES", "FURNITURE", "HEALTH_WELLNESS_AND_FITNESS", "LOGISTICS_AND_SUPPLY_CHAIN",
    "LUXURY_GOODS_JEWELRY", "MANAGEMENT_CONSULTING", "PUBLISHING", "RETAIL", "SPORTING_GOODS", "WHOLESALE",
)  # fmt: skip

Values = dict[str, str]
_Row = tuple[str, str, str, str]
"""Name, label, type, field type."""
_COMPANY: tuple[_Row, ...] = (
    ("name", "Company name", "string", "text"),
    ("domain", "Company domain name", "string", "text"),
    ("website", "Website URL", "string", "text"),
    ("phone", "Phone number", "string", "phonenumber"),
    ("city", "City", "string", "text"),
    ("country", "Country/region", "string", "text"),
    ("description", "Description", "string", "textarea"),
    ("numberofemployees", "Number of employees", "number", "number"),
    ("annualrevenue", "Annual revenue", "number", "number"),
)
_DEAL: tuple[_Row, ...] = (
    ("dealname", "Deal name", "string", "text"),
    ("amount", "Amount", "number", "number"),
    ("closedate", "Close date", "datetime", "date"),
)
_LEAD: tuple[_Row, ...] = (("hs_lead_name", "Lead name", "string", "text"),)
_ACTIVITIES: dict[str, tuple[_Row, ...]] = {
    "calls": (("hs_call_title", "Call title", "string", "text"),),
    "emails": (("hs_email_subject", "E-mail subject", "string", "text"),),
    "meetings": (
        ("hs_meeting_title", "Meeting name", "string", "text"),
        ("hs_meeting_start_time", "Start time", "datetime", "date"),
    ),
    "tasks": (
        ("hs_task_subject", "Task title", "string", "text"),
        ("hs_task_completion_date", "Completed at", "datetime", "date"),
    ),
}
_CHOICES: dict[str, dict[str, tuple[str, tuple[str, ...]]]] = {
    "companies": {"industry": ("Industry", _INDUSTRIES)},
    "deals": {"deal_currency_code": ("Currency", ("EUR", "USD", "GBP"))},
    "leads": {
        "hs_lead_label": ("Lead label", ("HOT", "WARM", "COLD")),
        "hs_lead_type": ("Lead type", ("NEW_BUSINESS", "RE_ATTEMPTING", "UPSELL")),
    },
    "calls": {
        "hs_call_direction": ("Call direction", ("INBOUND", "OUTBOUND")),
        "hs_call_status": ("Call status", ("COMPLETED", "NO_ANSWER", "BUSY", "FAILED", "CANCELED", "MISSED", "QUEUED")),
    },
    "emails": {
        "hs_email_direction": ("E-mail direction", ("EMAIL", "INCOMING_EMAIL", "FORWARDED_EMAIL")),
        "hs_email_status": ("E-mail status", ("SENT", "SCHEDULED", "FAILED", "BOUNCED", "SENDING")),
    },
    "meetings": {
        "hs_meeting_outcome": ("Meeting outcome", ("SCHEDULED", "COMPLETED", "RESCHEDULED", "NO_SHOW", "CANCELED")),
    },
    "tasks": {"hs_task_status": ("Task status", ("NOT_STARTED", "IN_PROGRESS", "WAITING", "COMPLETED", "DEFERRED"))},
}  # fmt: skip


def groups(kind: Kind) -> dict[str, str]:
    """Group name -> label."""
    return (
        catalogue.GROUPS if kind is kinds.CONTACTS else {f"{kind.singular}information": f"About this {kind.singular}"}
    )


def definitions(kind: Kind) -> list[dict[str, Any]]:
    """Fresh definitions of everything a record of this kind starts with."""
    if kind is kinds.CONTACTS:
        return catalogue.contact_definitions()
    (group,) = groups(kind)

    def own(name: str, label: str, type_: str, control: str, **more: Any) -> dict[str, Any]:
        return catalogue.definition(
            name, label, kind=type_, field_type=control, group=group, defined_by_hubspot=True, **more
        )

    return [
        *(own(*row) for row in _rows(kind)),
        *(own(name, label, "enumeration", "select", options=_options(zip(values, values, strict=True)))
          for name, (label, values) in _CHOICES.get(kind.name, {}).items()),
        *_staged(kind, own),
        own("hubspot_owner_id", "Owner", "enumeration", "select"),
        own("hs_object_id", "Record ID", "number", "number", read_only=True),
        own("hs_merged_object_ids", "Merged record IDs", "string", "text", read_only=True),
        own(kind.created, "Create date", "datetime", "date", read_only=True),
        own(kind.modified, "Last modified date", "datetime", "date", read_only=True),
    ]  # fmt: skip


def _rows(kind: Kind) -> tuple[_Row, ...]:
    named = {"companies": _COMPANY, "deals": _DEAL, "leads": _LEAD}
    if kind.name in named:
        return named[kind.name]
    return (*_ACTIVITIES[kind.name], ("hs_timestamp", "Activity date", "datetime", "date"))


def _staged(kind: Kind, own: Any) -> list[dict[str, Any]]:
    if kind is kinds.COMPANIES:
        known = {held["name"]: held for held in catalogue.contact_definitions()}
        return [
            own(name, known[name]["label"], "enumeration", "radio", options=known[name]["options"])
            for name in ("lifecyclestage", "hs_lead_status")
        ]
    if kind.name not in PIPELINES:
        return []
    pipeline, label, stages = PIPELINES[kind.name]
    prefix = "" if kind is kinds.DEALS else "hs_"
    stage = "dealstage" if kind is kinds.DEALS else "hs_pipeline_stage"
    found = [
        own(f"{prefix}pipeline", "Pipeline", "enumeration", "select", options=_options([(pipeline, label)])),
        own(stage, "Stage", "enumeration", "radio", options=_options((value, text) for value, text, *_ in stages)),
    ]
    if kind is kinds.DEALS:
        found += [
            own("hs_is_closed", "Is closed", "bool", "calculation_equation", read_only=True),
            own("hs_is_closed_won", "Is closed won", "bool", "calculation_equation", read_only=True),
        ]
    names = [entered(value) for value, *_ in stages]
    return found + [own(name, name, "datetime", "date", read_only=True) for name in names]


def _options(pairs: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    return [
        {"label": label, "value": value, "displayOrder": place, "hidden": False}
        for place, (value, label) in enumerate(pairs)
    ]


def computing(kind: Kind) -> Callable[[Values, Values, str], Values]:
    """What the portal itself sets when a record is written: the first stage, since when, whether a deal is closed."""
    if kind.name not in PIPELINES:
        return lambda values, _held, _stamp: values
    stage_name, pipeline_name = (
        ("dealstage", "pipeline") if kind is kinds.DEALS else ("hs_pipeline_stage", "hs_pipeline")
    )
    pipeline, _, stages = PIPELINES[kind.name]
    known = {value: (closed, won) for value, _, closed, won in stages}

    def computed(values: Values, held: Values, stamp: str) -> Values:
        stage = values.get(stage_name) or ("" if held else stages[0][0])
        if stage not in known:
            return values
        closed, won = known[stage]
        made = {pipeline_name: pipeline, **values, stage_name: stage}
        if stage != held.get(stage_name):
            made[entered(stage)] = stamp
        if kind is kinds.DEALS:
            made |= {"hs_is_closed": str(closed).lower(), "hs_is_closed_won": str(won).lower()}
        return made

    return computed


def entered(stage: str) -> str:
    """The property that tells since when a record is in a stage."""
    return f"hs_v2_date_entered_{stage.replace('-', '_')}"
