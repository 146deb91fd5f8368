"""Maps: the first readable property wins, everything is accounted for, and nothing personal leaks into a message."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tierwise.domain import mapping
from tierwise.domain.lead import CATALOGUE, MAX_TEXT, Lead, canonical_json
from tierwise.domain.mapping import FieldMap
from tierwise.errors import RejectRecord

FIELDS: dict[str, Any] = {
    "email": "email",
    "phone": "phone",
    "last_name": "lastname",
    "company": "company",
    "company_domain": "website",
    "employee_count": ["numemployees", "company_size"],
    "annual_revenue": {"from": "annualrevenue", "decimal_mark": "."},
    "monthly_volume": {"from": "monthly_volume", "per": "month"},
    "industry": "industry",
    "source": "touchpoint",
    "country": "country",
    "region": {"from": "territory", "values": {"DACH": "emea", "-": "apac"}},
    "message": "message",
    "submitted_at": ["converted", "createdate"],
    "lifecycle": {"from": "stage", "values": {"MQL": "marketing_qualified"}, "otherwise": "other"},
}


def field_map(fields: dict[str, Any] | None = None, **changes: Any) -> FieldMap:
    return FieldMap.model_validate(
        {"connector": "crm", "owner": "ops", "version": "1", "fields": fields or FIELDS, **changes}
    )


MAP = field_map(require=["email", "phone", "company_domain", "company"])
PROPERTIES = mapping.properties(MAP)
VALUES = (
    st.none() | st.text(max_size=20) | st.integers() | st.floats() | st.booleans() | st.lists(st.integers(), max_size=1)
    | st.sampled_from(["jo@acme.com", "51-200", "DE", "030 1234567", "2026-03-01", "a\x00b", "\ud800", "n/a"])
)  # fmt: skip


def test_a_record_becomes_a_lead_with_provenance() -> None:
    record = {"email": "Jo@Acme.com", "numemployees": "51-200", "country": "Deutschland", "stage": "mql", "unmapped": 1}
    found = mapping.apply(MAP, record)
    assert found.lead == Lead(
        email="jo@acme.com", email_kind="business", company_domain="acme.com", employee_count=126, country="DE",
        region="emea", lifecycle="marketing_qualified",
    )  # fmt: skip
    assert found.problems == ()
    assert found.provenance["email"] == {"from": "email", "raw": "Jo@Acme.com", "transform": "email", "note": ""}
    assert found.provenance["employee_count"] == {
        "from": "numemployees", "raw": "51-200", "transform": "range", "note": "middle of a range",
    }  # fmt: skip
    assert found.provenance["company_domain"] == {
        "from": "email", "raw": "Jo@Acme.com", "transform": "derived", "note": "from email",
    }  # fmt: skip
    assert found.provenance["region"]["note"] == "from country"
    assert found.lead.is_duplicate is None


def test_the_first_readable_property_wins_and_the_others_tried_are_told() -> None:
    record = {"email": "jo@acme.com", "numemployees": "some", "company_size": "40"}
    found = mapping.apply(MAP, record)
    assert found.lead.employee_count == 40
    assert found.provenance["employee_count"] == {
        "from": "company_size", "raw": "40", "transform": "range", "note": "numemployees is not a number or a range",
    }  # fmt: skip
    assert found.problems == ()
    assert mapping.apply(MAP, {**record, "numemployees": "7"}).lead.employee_count == 7
    assert mapping.apply(MAP, {**record, "numemployees": " "}).provenance["employee_count"]["note"] == ""


def test_what_cannot_be_read_is_absent_and_a_problem_without_the_value() -> None:
    found = mapping.apply(
        MAP, {"email": "jo@acme.com", "numemployees": "lots", "company_size": "huge", "country": "Atlantis"}
    )
    assert found.lead.employee_count is None
    assert found.lead.country is None
    assert found.problems == (
        "employee_count: numemployees is not a number or a range; company_size is not a number or a range",
        "country: country is not a country",
    )
    assert found.provenance["employee_count"]["raw"] == "lots"
    assert found.provenance["employee_count"]["note"].startswith("not read: numemployees is not a number")


def test_nothing_is_derived_over_what_the_record_states() -> None:
    found = mapping.apply(MAP, {"email": "jo@acme.com", "website": "acme.de", "country": "US", "territory": "dach"})
    assert (found.lead.company_domain, found.lead.region) == ("acme.de", "emea")
    assert found.provenance["company_domain"]["from"] == "website"


def test_an_unreadable_site_is_a_problem_even_where_the_address_tells_the_company() -> None:
    found = mapping.apply(MAP, {"email": "jo@acme.com", "website": "none yet"})
    assert found.lead.company_domain == "acme.com"
    assert found.problems == ("company_domain: website is not the domain of a company",)
    assert found.provenance["company_domain"]["note"] == (
        "from email; not read: website is not the domain of a company"
    )


def test_free_mail_gives_no_company() -> None:
    found = mapping.apply(MAP, {"email": "jo@gmail.com"})
    assert (found.lead.email_kind, found.lead.company_domain) == ("free", None)


def test_phones_are_dialled_in_the_country_of_the_record_then_of_the_map() -> None:
    chosen = field_map({"phone": {"from": "p", "default_region": "US"}, "country": "c"})
    assert mapping.apply(chosen, {"p": "030 1234567", "c": "Germany"}).lead.phone == "+49301234567"
    assert mapping.apply(chosen, {"p": "(212) 555-0123"}).lead.phone == "+12125550123"


def test_a_placeholder_is_nothing_unless_the_map_gives_it_a_meaning() -> None:
    found = mapping.apply(MAP, {"email": "jo@acme.com", "company": "N/A", "territory": "-"})
    assert found.lead.company is None
    assert found.lead.region == "apac"
    assert found.problems == ()


@pytest.mark.parametrize(
    "record", [{}, {"lastname": "Doe", "message": "hi"}, {"email": "jo at acme", "phone": "12"}, {"company": "n/a"}]
)
def test_a_record_that_identifies_nobody_is_rejected_without_repeating_it(record: dict[str, str]) -> None:
    with pytest.raises(RejectRecord, match="none of email, phone, company_domain, company") as refused:
        mapping.apply(MAP, record)
    assert not any(value in str(refused.value) for value in record.values())
    if "email" in record:
        assert "email: email is not an e-mail address" in str(refused.value)


def test_a_required_field_must_be_readable() -> None:
    chosen = field_map({"email": "email", "country": {"from": ["land", "country"], "required": True}})
    with pytest.raises(RejectRecord, match="country is required: nothing stands in land, country"):
        mapping.apply(chosen, {"email": "jo@acme.com"})
    with pytest.raises(RejectRecord, match="country is required: land is not a country") as refused:
        mapping.apply(chosen, {"email": "jo@acme.com", "land": "Atlantis"})
    assert "Atlantis" not in str(refused.value)
    assert mapping.apply(chosen, {"land": "Atlantis", "country": "FR"}).lead.country == "FR"


def test_raw_values_are_kept_as_every_database_takes_them() -> None:
    record = {
        "email": "jo@acme.com",
        "message": "nul\x00 and \ud800 half",
        "industry": ["a", {"b": 1}],
        "phone": float("nan"),
    }
    found = mapping.apply(MAP, record)
    assert found.provenance["message"]["raw"] == "nul\ufffd and ? half"
    assert found.provenance["industry"]["raw"] == "['a', {'b': 1}]"
    assert found.provenance["phone"]["raw"] == "nan"


def test_long_text_is_cut_and_says_so() -> None:
    found = mapping.apply(MAP, {"email": "jo@acme.com", "message": "word " * 5_000})
    assert found.lead.message is not None
    assert len(found.lead.message) <= MAX_TEXT
    assert found.lead.message.endswith("word")
    assert found.provenance["message"]["note"] == f"cut to {MAX_TEXT} characters"
    assert len(found.provenance["message"]["raw"]) <= MAX_TEXT
    assert mapping.apply(MAP, {"email": "jo@acme.com", "message": "x" * 10**6}).lead.message == "x" * MAX_TEXT


@given(st.dictionaries(st.sampled_from(PROPERTIES), VALUES))
def test_any_record_is_mapped_or_rejected_and_can_be_stored(record: dict[str, Any]) -> None:
    try:
        found = mapping.apply(MAP, record)
    except RejectRecord:
        pass
    else:
        dumped = found.lead.model_dump(mode="json")
        present = {name for name, value in dumped.items() if value is not None}
        unread = {problem.partition(":")[0] for problem in found.problems}
        assert set(found.provenance) == present | unread
        assert all(found.provenance[name]["transform"] == "derived" for name in present & unread)
        assert all("not read" in found.provenance[name]["note"] for name in unread)
        assert list(found.provenance) == [name for name in CATALOGUE if name in found.provenance]
        stored = canonical_json([dumped, found.provenance, found.problems]).encode()
        assert b"\\u0000" not in stored
        assert Lead.model_validate(dumped).fingerprint() == found.lead.fingerprint()
    assert len(mapping.raw_fingerprint(MAP, record)) == 64


@given(st.dictionaries(st.sampled_from(PROPERTIES), VALUES), VALUES)
def test_unmapped_properties_change_nothing(record: dict[str, Any], extra: Any) -> None:
    record = {**record, "email": "jo@acme.com"}
    first = mapping.apply(MAP, record)
    second = mapping.apply(MAP, {**record, "tierwise_score": extra, "hs_other": extra})
    assert repr(first) == repr(second)
    assert mapping.raw_fingerprint(MAP, record) == mapping.raw_fingerprint(MAP, {**record, "hs_other": extra})


SECRETS = st.text(max_size=20).flatmap(
    lambda text: st.sampled_from([f"xq{text}qx", f"xq7{text} 12", f"12 xq{text}", f"xq@{text}.com", f"+49 xq{text}"])
)


@given(st.dictionaries(st.sampled_from(PROPERTIES), SECRETS))
def test_messages_hold_no_values(record: dict[str, Any]) -> None:
    try:
        messages = " ".join(mapping.apply(MAP, record).problems)
    except RejectRecord as refused:
        messages = str(refused)
    assert "xq" not in messages


def test_a_changed_raw_value_is_another_raw_fingerprint() -> None:
    assert mapping.raw_fingerprint(MAP, {"message": "a"}) != mapping.raw_fingerprint(MAP, {"message": "b"})


def test_properties_are_sorted_and_each_once() -> None:
    assert mapping.properties(field_map({"company": ["b", "a"], "message": "b"})) == ("a", "b")


def test_a_map_survives_storage_and_short_forms_mean_the_same() -> None:
    tests = [{"name": "t", "record": {"email": "jo@acme.com"}, "expect": {"email": "jo@acme.com"}}]
    chosen = field_map(tests=tests)
    dumped = chosen.model_dump(mode="json")
    again = FieldMap.model_validate(json.loads(canonical_json(dumped)))
    assert again == chosen
    assert canonical_json(again.model_dump(mode="json")) == canonical_json(dumped)
    assert field_map({"email": "e"}) == field_map({"email": ["e"]}) == field_map({"email": {"from": ["e"]}})
    assert dumped["fields"]["email"]["from"] == ["email"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fields": {"employes": "x"}}, "'employes' is not a lead field; did you mean 'employee_count'"),
        ({"fields": {"zzz": "x"}}, "'zzz' is not a lead field"),
        ({"fields": {"email_kind": "x"}}, "derived by Tierwise"),
        (
            {"fields": {"email": {"from": "x", "transform": "emial"}}},
            "no such transform: 'emial'; did you mean 'email'",
        ),
        ({"fields": {"email": {"from": "x", "transform": "range"}}}, "'range' does not make a text"),
        ({"fields": {"employee_count": {"from": "x", "transform": "money"}}}, "these do: integer, range"),
        (
            {"fields": {"email": {"from": "x", "take": "low", "per": "month"}}},
            "'email' does not take per; fields.email: 'email' does not take take",
        ),
        (
            {"fields": {"region": {"from": "x", "values": {"a": "emae"}}}},
            "'emae' is not one of .*; did you mean 'emea'",
        ),
        ({"fields": {"source": {"from": "x", "otherwise": "web"}}}, "'web' is not one of"),
        ({"fields": {"company": {"from": "x", "transform": "picklist"}}}, "a picklist needs `values`"),
        ({"fields": {"email": {"from": []}}}, "at least 1"),
        ({"fields": {"email": {"form": "x"}}}, "from"),
        ({"fields": {"phone": {"from": "x", "default_region": "germany"}}}, "default_region"),
        ({"fields": {"annual_revenue": {"from": "x", "rates": {"EUR": 0}}}}, "greater than 0"),
        ({"fields": {}}, "fields"),
        ({"fields": {"email": 5}}, "email"),
        ({"require": ["e-mail"]}, "require: 'e-mail' is not a lead field; did you mean 'email'"),
        ({"tests": [{"name": "t", "record": {}}]}, "either `expect` or `reject: true`"),
        ({"tests": [{"name": "t", "record": {}, "reject": True, "expect": {"email": "x"}}]}, "either"),
        ({"tests": [{"name": "t", "record": {}, "expect": {"mail": "x"}}]}, "'mail' is not a lead field"),
        ({"tests": [{"name": "t", "record": {}, "reject": True}] * 2}, "same name"),
        ({"colour": "red"}, "colour"),
        ({"owner": None}, "owner"),
    ],
)
def test_a_wrong_map_says_what_and_what_was_meant(change: dict[str, Any], message: str) -> None:
    given_ = {"connector": "crm", "owner": "ops", "version": "1", "fields": FIELDS, **change}
    with pytest.raises(ValidationError, match=message):
        FieldMap.model_validate(given_)


def test_a_maps_own_tests_are_run() -> None:
    def run(record: dict[str, Any], **wanted: Any) -> list[str]:
        return mapping.run_tests(field_map(require=["email"], tests=[{"name": "t", "record": record, **wanted}]))

    record = {"email": "jo@acme.com", "numemployees": "51-200", "createdate": "2026-03-01T09:30:00+02:00"}
    assert run(record, expect={"employee_count": 126, "message": None, "submitted_at": "2026-03-01T07:30:00Z"}) == []
    assert run(record, expect={"submitted_at": datetime(2026, 3, 1, 7, 30, tzinfo=UTC)}) == []
    assert run(record, expect={"employee_count": 125}) == ["test 't': employee_count is 126, expected 125"]
    assert run(record, expect={"message": "x"}) == ["test 't': message is None, expected 'x'"]
    assert run(record, expect={"submitted_at": "soon"}) == [
        "test 't': submitted_at: 'soon' is not a time in ISO 8601 form"
    ]
    assert run(record, reject=True) == ["test 't': the record was to be rejected and was not"]
    assert run({}, reject=True) == []
    assert run({}, expect={"email": "jo@acme.com"}) == [
        "test 't': the record was rejected: the record has none of email"
    ]


def test_every_settable_field_has_a_transform_of_its_own_kind() -> None:
    settable = [name for name, info in CATALOGUE.items() if not info.derived]
    assert mapping.properties(field_map({name: name for name in settable})) == tuple(sorted(settable))


@pytest.mark.parametrize("written", [-5, "-5", "−5", "-1.5k", "– 20"])
def test_a_number_below_0_is_told_and_costs_neither_the_record_nor_the_field_behind_it(written: Any) -> None:
    rule = {"from": ["numemployees", "company_size"], "transform": "range"}
    made = FieldMap.model_validate(
        {"connector": "x", "owner": "o", "version": "1", "fields": {"employee_count": rule, "company": "company"}}
    )
    alone = mapping.apply(made, {"numemployees": written, "company": "Acme"})
    assert (alone.lead.signals(), alone.problems) == (
        {"company": "Acme"}, ("employee_count: numemployees is negative",),
    )  # fmt: skip
    assert alone.provenance["employee_count"]["raw"] == written
    assert mapping.apply(made, {"numemployees": written, "company_size": "51-200"}).lead.employee_count == 126
