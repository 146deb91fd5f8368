"""What became of leads: status, conversion, the deal, and the first thing that sales did."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from tierwise import sdk
from tierwise_sandbox.salesforce.org import ADMIN
from tierwise_sandbox.salesforce.writing import named


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def told(crm: Any, *, since: float | None = None, **options: Any) -> dict[tuple[str, str], sdk.Outcome]:
    """Everything from `since` (or ever) until now, the last word on each subject; touches are the first ones."""
    connector = crm.connector(**options)
    begin = at(0 if since is None else since)
    found: dict[tuple[str, str], sdk.Outcome] = {}
    for page in connector.outcomes(begin, at(crm.clock.now)):
        for one in page.outcomes:
            key = (one.record_id, one.subject)
            if one.subject != "touch" or key not in found or one.at < found[key].at:
                found[key] = one
    return found


def make(crm: Any, kind: str, **held: Any) -> str:
    """A record of another kind, now."""
    stamp = int(crm.clock.now) * 1000
    return str(crm.org.records.load(kind, named({"CreatedDate": stamp, **held}, kind), by=ADMIN))


def convert(crm: Any, lead: str, **deal: Any) -> tuple[str, str]:
    """As a person does it; (contact, opportunity)."""
    contact = make(crm, "Contact", LastName="Lead")
    opportunity = make(crm, "Opportunity", **{"Name": "Deal", "StageName": "Prospecting", "Amount": None, **deal})
    day = at(crm.clock.now).date().isoformat()
    crm.edit(
        lead, IsConverted=True, ConvertedDate=day, ConvertedContactId=contact, ConvertedOpportunityId=opportunity,
        Status="Closed - Converted",
    )  # fmt: skip
    return contact, opportunity


def test_status_of_open_leads_and_conversion_with_the_deal(crm: Any) -> None:
    lead, other = crm.load(2, Status="Working - Contacted")
    crm.clock.now += 3600
    _, deal = convert(crm, lead, StageName="Qualification", Amount=12_500.0)
    found = told(crm)
    assert found[other, "status"].value == "Working - Contacted"
    assert found[lead, "status"].value == "Closed - Converted"
    assert found[lead, "stage"][2:] == ("converted", at(int(crm.clock.now)), "Converted", None, None, None)
    outcome = found[lead, f"deal:{deal}"]
    assert (outcome.value, outcome.amount, outcome.won) == ("Qualification", 12_500.0, None)
    assert (other, "stage") not in found


@pytest.mark.parametrize(("stage", "won"), [("Closed Won", True), ("Closed Lost", False)])
def test_a_deal_that_is_closed_long_after_its_lead_was_touched_last(crm: Any, stage: str, won: bool) -> None:
    """Reading leads by their own stamp alone would never show a deal that was won."""
    (lead,) = crm.load(1)
    _, deal = convert(crm, lead)
    crm.clock.now += 40 * 86_400
    began = crm.clock.now
    row = crm.org.records.get(deal)
    crm.org.records.put(row.__class__("Opportunity", deal, named({**row.values, "StageName": stage, "Amount": 900.0},
                                                                "Opportunity")), by=ADMIN)  # fmt: skip
    assert told(crm, since=began) == {
        (lead, f"deal:{deal}"): sdk.Outcome(lead, f"deal:{deal}", stage, at(int(began)), stage, 900.0, None, won)
    }


def test_a_lead_that_is_converted_into_an_old_deal(crm: Any) -> None:
    """The deal changed last before the window: only the lead's own change tells of it."""
    (lead,) = crm.load(1)
    deal = make(crm, "Opportunity", Name="Old", StageName="Qualification", Amount=50.0)
    crm.clock.now += 86_400
    crm.edit(lead, IsConverted=True, ConvertedDate="2026-11-19", ConvertedOpportunityId=deal)
    assert told(crm, since=crm.clock.now)[lead, f"deal:{deal}"].amount == 50.0


def test_the_day_of_a_conversion_is_all_that_salesforce_keeps(crm: Any) -> None:
    (lead,) = crm.load(1)
    convert(crm, lead)
    day = at(crm.clock.now).date()
    crm.clock.now += 5 * 86_400
    crm.edit(lead, Description="looked at again")
    assert told(crm)[lead, "stage"].at.date() == day


@pytest.mark.parametrize(
    ("held", "kind"),
    [
        ({"TaskSubtype": "Call"}, "call"),
        ({"TaskSubtype": "Email"}, "email"),
        ({"TaskSubtype": "Task", "Type": "Call"}, "call"),
        ({"TaskSubtype": "Task"}, "task"),
        ({}, "task"),
    ],
)
def test_what_sales_did_with_a_lead(crm: Any, held: Mapping[str, Any], kind: str) -> None:
    (lead,) = crm.load(1)
    crm.clock.now += 60
    make(crm, "Task", Subject="about jane@example.org", WhoId=lead, Status="Completed", **held)
    outcome = told(crm)[lead, "touch"]
    assert (outcome.value, outcome.at) == (kind, at(int(crm.clock.now)))
    assert "jane" not in repr(outcome)


def test_what_is_no_touch(crm: Any) -> None:
    """Something to do is not done; a mass mailing is nobody's; what is not about a lead is not ours."""
    (lead,) = crm.load(1, Status="Working - Contacted")
    make(crm, "Task", WhoId=lead, Status="Not Started")
    make(crm, "Task", WhoId=lead, Status="Completed", TaskSubtype="ListEmail")
    make(crm, "Task", Status="Completed")
    make(crm, "Event", WhoId=make(crm, "Contact", LastName="A customer"))
    assert (lead, "touch") not in told(crm)
    assert {key for key, _ in told(crm)} == {lead}


def test_a_to_do_counts_from_when_it_was_ticked_and_a_meeting_from_when_it_was_booked(crm: Any) -> None:
    one, two, three = crm.load(3)
    began = int(crm.clock.now)
    crm.clock.now += 7200
    make(crm, "Task", WhoId=one, Status="Completed", CreatedDate=began * 1000, CompletedDateTime=(began + 3600) * 1000)
    make(crm, "Event", WhoId=two, StartDateTime=(began + 86_400) * 1000)
    make(crm, "Event", WhoId=three, StartDateTime=(began + 60) * 1000)
    found = told(crm)
    assert found[one, "touch"].at == at(began + 3600)
    assert (found[two, "touch"].value, found[two, "touch"].at) == ("meeting", at(int(crm.clock.now)))
    assert found[three, "touch"].at == at(began + 60), "entered afterwards"


def test_what_was_done_before_the_conversion_is_the_leads_still(crm: Any) -> None:
    first, second = crm.load(2)
    contact, _ = convert(crm, first)
    crm.edit(second, IsConverted=True, ConvertedDate="2026-11-19", ConvertedContactId=contact)
    make(crm, "Task", WhoId=contact, Status="Completed", TaskSubtype="Call")
    found = told(crm)
    assert found[first, "touch"].value == found[second, "touch"].value == "call"


def test_contacts_have_deals_by_their_role_and_touches_of_their_own(crm: Any) -> None:
    contact, other = make(crm, "Contact", LastName="Roe"), make(crm, "Contact", LastName="Doe")
    deal = make(crm, "Opportunity", Name="Deal", StageName="Closed Won", Amount=7.0)
    crm.clock.now += 86_400
    make(crm, "OpportunityContactRole", ContactId=contact, OpportunityId=deal)
    make(crm, "Task", WhoId=other, Status="Completed", TaskSubtype="Email")
    (lead,) = crm.load(1)
    make(crm, "Task", WhoId=lead, Status="Completed")
    found = told(crm, since=crm.clock.now, object_type="Contact")
    assert {key: one.value for key, one in found.items()} == {
        (contact, f"deal:{deal}"): "Closed Won", (other, "touch"): "email",
    }  # fmt: skip


def test_reading_goes_on_after_every_page_of_every_part(crm: Any) -> None:
    leads = crm.load(5)
    for number, lead in enumerate(leads):
        contact, _ = convert(crm, lead, Amount=float(number))
        make(crm, "Task", WhoId=contact, Status="Completed")
        make(crm, "Event", WhoId=contact)
    began, until = at(0), at(crm.clock.now)
    connector = crm.connector(page_size=2)
    pages = list(connector.outcomes(began, until))
    assert len({page.position["part"] for page in pages[:-1] if page.position}) == 4
    whole = [one for page in pages for one in page.outcomes]
    assert {one.record_id for one in whole if one.subject == "touch"} == set(leads)
    for number, page in enumerate(pages[:-1]):
        position = json.loads(json.dumps(page.position))
        rest = [one for later in connector.outcomes(began, until, position=position) for one in later.outcomes]
        assert rest == [one for later in pages[number + 1 :] for one in later.outcomes]
    assert pages[-1].position is None


@pytest.mark.parametrize("position", [{"part": "none"}, {"part": "task", "since": "?"}, {}])
def test_a_position_of_another_version_starts_the_window_again(crm: Any, position: Mapping[str, Any]) -> None:
    (lead,) = crm.load(1, Status="Working - Contacted")
    pages = crm.connector().outcomes(at(0), at(crm.clock.now), position=position)
    assert lead in {one.record_id for page in pages for one in page.outcomes}


def test_a_change_of_a_long_transaction_is_met(crm: Any) -> None:
    """As in the poll: stamped in the window before, seen only now."""
    (lead,) = crm.load(1)
    crm.clock.now += 3600
    watermark = crm.clock.now + 100
    crm.edit(lead, delay=500, Status="Working - Contacted")
    crm.clock.now += 501
    assert told(crm, since=watermark)[lead, "status"].value == "Working - Contacted"


def test_objects_that_the_user_does_not_see_are_left_out(crm: Any) -> None:
    (lead,) = crm.load(1)
    convert(crm, lead)
    make(crm, "Event", WhoId=lead)
    missing = [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]

    def unseen(method: str, path: str, body: Any) -> tuple[int, Any] | None:
        return (404, missing) if path.endswith(("/Opportunity/describe", "/Task/describe")) else None

    crm.instead = unseen
    assert {subject for _, subject in told(crm)} == {"status", "stage", "touch"}


def test_a_quiet_window_costs_a_query_for_each_part_and_describes_are_remembered(crm: Any) -> None:
    crm.load(3)
    told(crm)
    crm.clock.now += 3600
    crm.calls.clear()
    assert told(crm, since=crm.clock.now) == {}
    assert crm.count("/query") == 4
    assert crm.count("/describe") == 0
