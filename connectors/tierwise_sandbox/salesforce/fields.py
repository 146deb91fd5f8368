"""The objects and fields an org starts with, and what Salesforce says about a field in a describe call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_SOAP = {
    "boolean": "xsd:boolean", "int": "xsd:int", "double": "xsd:double", "percent": "xsd:double",
    "currency": "xsd:double", "datetime": "xsd:dateTime", "date": "xsd:date", "id": "tns:ID", "reference": "tns:ID",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an object. `options` are picklist values; `formula` makes it calculated."""

    name: str
    label: str
    type: str = "string"
    length: int = 0
    writable: bool = True
    required: bool = False
    options: tuple[tuple[str, str], ...] = ()
    restricted: bool = False
    formula: str = ""
    to: str = ""
    relationship: str = ""
    scale: int = 0
    digits: int = 0

    @property
    def custom(self) -> bool:
        return self.name.endswith("__c")

    @property
    def long(self) -> bool:
        """A long text area: it can be read, but not filtered or sorted by."""
        return self.type == "textarea" and self.length > 255

    def describe(self, *, writable: bool) -> dict[str, Any]:
        """The entry of `fields` in a describe answer."""
        return {
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "length": self.length,
            "precision": self.digits,
            "scale": self.scale,
            "updateable": writable,
            "createable": writable,
            "nillable": not self.required and self.type != "boolean",
            "calculated": bool(self.formula),
            "calculatedFormula": self.formula or None,
            "custom": self.custom,
            "filterable": not self.long,
            "sortable": not self.long,
            "groupable": not self.long and self.type not in {"double", "currency", "percent", "datetime"},
            "defaultedOnCreate": self.type == "boolean" or not self.writable,
            "restrictedPicklist": self.restricted,
            "picklistValues": [
                {"active": True, "defaultValue": False, "label": label, "validFor": None, "value": value}
                for value, label in self.options
            ],
            "referenceTo": [self.to] if self.to else [],
            "relationshipName": self.relationship or None,
            "nameField": self.name == "Name",
            "unique": False,
            "externalId": False,
            "inlineHelpText": None,
            "soapType": _SOAP.get(self.type, "xsd:string"),
        }


def _same(values: str) -> tuple[tuple[str, str], ...]:
    return tuple((value, value) for value in values.split("|"))


def _texts(pairs: str) -> Iterable[Field]:
    """`Name:Label:length` for each, separated by |."""
    for entry in pairs.split("|"):
        name, label, length = entry.split(":")
        yield Field(name, label, length=int(length))


def _system() -> tuple[Field, ...]:
    def own(name: str, label: str, kind: str, **more: Any) -> Field:
        return Field(name, label, kind, writable=False, **more)

    return (
        own("Id", "Record ID", "id", length=18),
        own("IsDeleted", "Deleted", "boolean"),
        own("CreatedDate", "Created Date", "datetime"),
        own("CreatedById", "Created By ID", "reference", length=18, to="User", relationship="CreatedBy"),
        own("LastModifiedDate", "Last Modified Date", "datetime"),
        own(
            "LastModifiedById", "Last Modified By ID", "reference", length=18, to="User", relationship="LastModifiedBy"
        ),
        own("SystemModstamp", "System Modstamp", "datetime"),
    )


def _reference(name: str, label: str, to: str, relationship: str, *, writable: bool = True) -> Field:
    return Field(name, label, "reference", length=18, to=to, relationship=relationship, writable=writable)


_OWNER = _reference("OwnerId", "Owner ID", "User", "Owner")
_LEAD_STATUS = _same("Open - Not Contacted|Working - Contacted|Closed - Converted|Closed - Not Converted")
_INDUSTRIES = _same(
    "Agriculture|Apparel|Banking|Chemicals|Construction|Consulting|Education|Electronics|Engineering|Finance|"
    "Food & Beverage|Healthcare|Manufacturing|Media|Retail|Shipping|Technology|Transportation|Other"
)
_PERSON = (
    *_texts("FirstName:First Name:40|Title:Title:128|Phone:Phone:40|MobilePhone:Mobile Phone:40"),
    Field("LastName", "Last Name", length=80, required=True),
    Field("Name", "Full Name", length=121, writable=False),
    Field("Email", "Email", "email", length=80),
    Field("Description", "Description", "textarea", length=32_000),
    _OWNER,
    Field("LeadSource", "Lead Source", "picklist", length=255, options=_same("Web|Phone Inquiry|Partner|Other")),
)
_LEAD = (
    *_PERSON,
    *_texts("Street:Street:255|City:City:40|State:State/Province:80|PostalCode:Zip/Postal Code:20|Country:Country:80"),
    Field("Company", "Company", length=255, required=True),
    Field("Website", "Website", "url", length=255),
    Field("Status", "Lead Status", "picklist", length=255, required=True, options=_LEAD_STATUS),
    Field("Industry", "Industry", "picklist", length=255, options=_INDUSTRIES),
    Field("Rating", "Rating", "picklist", length=255, options=_same("Hot|Warm|Cold")),
    Field("AnnualRevenue", "Annual Revenue", "currency", digits=18),
    Field("NumberOfEmployees", "Employees", "int", digits=8),
    Field("IsConverted", "Converted", "boolean", writable=False),
    Field("ConvertedDate", "Converted Date", "date", writable=False),
    _reference("ConvertedAccountId", "Converted Account ID", "Account", "ConvertedAccount", writable=False),
    _reference("ConvertedContactId", "Converted Contact ID", "Contact", "ConvertedContact", writable=False),
    _reference(
        "ConvertedOpportunityId", "Converted Opportunity ID", "Opportunity", "ConvertedOpportunity", writable=False
    ),
    _reference("MasterRecordId", "Master Record ID", "Lead", "MasterRecord", writable=False),
    Field("LastActivityDate", "Last Activity", "date", writable=False),
    Field("Company_Size__c", "Company Size", length=255),
    Field("Monthly_Volume__c", "Monthly Volume", length=255),
    Field(
        "Age_Days__c", "Age in Days", "double", digits=18, writable=False, formula="TODAY() - DATEVALUE(CreatedDate)"
    ),
)
_CONTACT = (
    *_PERSON,
    _reference("AccountId", "Account ID", "Account", "Account"),
    _reference("MasterRecordId", "Master Record ID", "Contact", "MasterRecord", writable=False),
    *_texts("MailingCity:Mailing City:40|MailingCountry:Mailing Country:80"),
)
_ACTIVITY = (
    Field("Subject", "Subject", "combobox", length=255),
    _reference("WhoId", "Name ID", "Lead", "Who"),
    _reference("WhatId", "Related To ID", "Opportunity", "What"),
    _OWNER,
    Field("ActivityDate", "Due Date Only", "date"),
    Field("Description", "Description", "textarea", length=32_000),
    Field("Type", "Type", "picklist", length=40, options=_same("Call|Email|Meeting|Other")),
)
_TASK = (
    *_ACTIVITY,
    Field("Status", "Status", "picklist", length=255, options=_same("Not Started|In Progress|Completed")),
    Field("Priority", "Priority", "picklist", length=255, options=_same("High|Normal|Low")),
    Field("IsClosed", "Closed", "boolean", writable=False),
    Field("TaskSubtype", "Task Subtype", "picklist", length=40, options=_same("Task|Email|Call|ListEmail")),
    Field("CallType", "Call Type", "picklist", length=40, options=_same("Internal|Inbound|Outbound")),
    Field("CallDurationInSeconds", "Call Duration", "int", digits=8),
    Field("CompletedDateTime", "Completed Date", "datetime", writable=False),
)
_EVENT = (
    *_ACTIVITY,
    Field("StartDateTime", "Start Date Time", "datetime"),
    Field("EndDateTime", "End Date Time", "datetime"),
    Field("ActivityDateTime", "Due Date Time", "datetime"),
    Field("IsAllDayEvent", "All-Day Event", "boolean"),
)
_OPPORTUNITY = (
    Field("Name", "Name", length=120, required=True),
    Field("StageName", "Stage", "picklist", length=255, required=True,
          options=_same("Prospecting|Qualification|Negotiation/Review|Closed Won|Closed Lost")),
    Field("Amount", "Amount", "currency", digits=18, scale=2),
    Field("CloseDate", "Close Date", "date", required=True),
    Field("IsClosed", "Closed", "boolean", writable=False),
    Field("IsWon", "Won", "boolean", writable=False),
    Field("Probability", "Probability (%)", "percent", digits=3),
    _reference("AccountId", "Account ID", "Account", "Account"),
    _OWNER,
)  # fmt: skip
_ROLE = (
    _reference("OpportunityId", "Opportunity ID", "Opportunity", "Opportunity"),
    _reference("ContactId", "Contact ID", "Contact", "Contact"),
    Field("Role", "Role", "picklist", length=40, options=_same("Decision Maker|Influencer|Other")),
    Field("IsPrimary", "Primary", "boolean"),
)
_USER = (
    Field("Name", "Full Name", length=121, writable=False),
    Field("Username", "Username", length=80),
    Field("Email", "Email", "email", length=128),
    Field("IsActive", "Active", "boolean"),
)
PREFIXES = {
    "Lead": "00Q", "Contact": "003", "Task": "00T", "Event": "00U", "Opportunity": "006", "Account": "001",
    "User": "005", "OpportunityContactRole": "00K",
}  # fmt: skip
PLAIN_FIELDS = {
    "Lead": _LEAD,
    "Contact": _CONTACT,
    "Task": _TASK,
    "Event": _EVENT,
    "Opportunity": _OPPORTUNITY,
    "Account": (Field("Name", "Account Name", length=255, required=True), _OWNER),
    "User": _USER,
    "OpportunityContactRole": _ROLE,
}


def standard() -> dict[str, dict[str, Field]]:
    """Object -> field name -> field, as a new org has them."""
    return {kind: {field.name: field for field in (*_system(), *own)} for kind, own in PLAIN_FIELDS.items()}
