from __future__ import annotations

import re
from collections import Counter

import pytest

from tierwise_sandbox import moments
from tierwise_sandbox.definitions import Definitions
from tierwise_sandbox.leads.generator import KINDS, Lead, generate

NOW = 1_795_000_000_000
HOUR = 3_600_000


@pytest.fixture(scope="module")
def leads() -> list[Lead]:
    return generate(3_000, seed=5, now_ms=NOW)


def of(leads: list[Lead], kind: str) -> list[Lead]:
    return [lead for lead in leads if lead.kind == kind]


def test_the_same_seed_makes_the_same_leads() -> None:
    assert generate(300, seed=1, now_ms=NOW) == generate(300, seed=1, now_ms=NOW)
    assert generate(300, seed=1, now_ms=NOW) != generate(300, seed=2, now_ms=NOW)


def test_sixty_leads_have_every_kind_and_any_number_can_be_asked_for() -> None:
    assert {lead.kind for lead in generate(60, seed=9, now_ms=NOW)} == {*KINDS, "duplicate"}
    assert [len(generate(count, seed=1, now_ms=NOW)) for count in (0, 1, 7)] == [0, 1, 7]


def test_every_property_is_one_of_the_portals(leads: list[Lead]) -> None:
    types = Definitions(1).types()
    for lead in leads:
        assert set(lead.properties) <= set(types)
        assert all(lead.properties.values())


def test_times_lie_in_the_last_hours_and_before_the_start(leads: list[Lead]) -> None:
    for lead in leads:
        submitted = moments.parse(lead.properties["recent_conversion_date"])
        assert submitted is not None
        assert lead.created_ms <= submitted <= lead.modified_ms < NOW
        assert submitted > NOW - 9 * HOUR
    assert leads == sorted(leads, key=lambda lead: lead.created_ms)


def test_two_hundred_leads_do_not_look_cloned() -> None:
    few = generate(200, seed=7, now_ms=NOW)
    messages = Counter(message for lead in few if len(message := lead.properties.get("message", "")) > 60)
    assert len(messages) > 130
    assert max(messages.values()) <= 2
    assert len({lead.properties.get("company") for lead in few}) > 130


def test_duplicates_repeat_an_earlier_address_in_some_case(leads: list[Lead]) -> None:
    seen: dict[str, int] = {}
    repeated = other_case = 0
    for lead in leads:
        email = lead.properties.get("email", "")
        if lead.kind == "duplicate" and email:
            repeated += email.lower() in seen
            other_case += email != email.lower()
        seen.setdefault(email.lower(), 0)
    assert repeated >= 0.9 * sum(1 for lead in of(leads, "duplicate") if lead.properties.get("email"))
    assert other_case > 20


def test_kinds_are_what_they_say(leads: list[Lead]) -> None:
    for lead in of(leads, "unreachable"):
        assert not {"email", "phone", "company"} & set(lead.properties)
    assert {lead.properties["lifecyclestage"] for lead in of(leads, "customer")} == {"customer"}
    for lead in of(leads, "free_mail_giant"):
        assert not lead.properties["email"].endswith(".example")
    for lead in of(leads, "contradiction"):
        assert re.search(r"\b(1|2|just me|1-10)", lead.properties["company_size"])
        assert re.search(r"\d{3}k|[05]00[.,]?000|500000", lead.properties["monthly_volume"])
    attacks = "|".join(("instruction", "SYSTEM", "reviewer", "admin mode", "assistant", "disregard"))
    assert all(re.search(attacks, lead.properties["message"]) for lead in of(leads, "injection"))
    assert all(
        len(lead.properties["message"]) > 150 for lead in of(leads, "strong") if lead.properties["message"].isascii()
    )


def test_the_mess_is_there(leads: list[Lead]) -> None:
    def share(name: str) -> float:
        return sum(1 for lead in leads if name in lead.properties) / len(leads)

    assert 0.4 < share("monthly_volume") < 0.9
    assert 0.4 < share("country") < 0.9
    assert 0.02 < share("numemployees") < 0.5
    countries = {lead.properties.get("country") for lead in leads}
    assert {"Deutschland", "UK", "U.S.A.", "日本"} <= countries
    text = " ".join(lead.properties.get("message", "") for lead in leads)
    for word in ("Budget", "Pakete", "colis", "pedidos", "encomendas", "ordini", "注文"):
        assert word in text


def test_twenty_thousand_take_seconds() -> None:
    assert len({lead.properties.get("email") for lead in generate(20_000, seed=1, now_ms=NOW)}) > 15_000
