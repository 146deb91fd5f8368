from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise_sandbox.salesforce import soql
from tierwise_sandbox.salesforce.refusals import Refusal


def test_a_readers_query_is_understood() -> None:
    query = soql.parse(
        "SELECT Id, Owner.Name FROM Lead WHERE (SystemModstamp > 2026-11-21T08:00:00Z OR (SystemModstamp = "
        "2026-11-21T08:00:00.000+0000 AND Id > '00QSb0000000001AAA')) AND IsConverted = false "
        "ORDER BY SystemModstamp ASC NULLS LAST, Id DESC LIMIT 10 OFFSET 5"
    )
    assert [name.text for name in query.fields] == ["Id", "Owner.Name"]
    assert (query.entity, query.limit, query.offset) == ("Lead", 10, 5)
    assert isinstance(query.where, soql.Junction)
    assert query.where.word == "AND"
    assert [(one.descending, one.nulls_last) for one in query.order] == [(False, True), (True, False)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SELECT FROM Lead",
        "SELECT Id",
        "SELECT Id FROM",
        "SELECT Id FROM Lead WHERE",
        "SELECT Id FROM Lead WHERE Id",
        "SELECT Id FROM Lead WHERE Id = ",
        "SELECT Id FROM Lead WHERE Name = 'a' AND Name = 'b' OR Name = 'c'",
        "SELECT Id FROM Lead WHERE (Name = 'a'",
        "SELECT Id FROM Lead WHERE Name = 'a",
        'SELECT Id FROM Lead WHERE Name = "a"',
        "SELECT Id FROM Lead WHERE Name IN ()",
        "SELECT Id FROM Lead WHERE Name IN (SELECT Id FROM Contact)",
        "SELECT Id FROM Lead WHERE CreatedDate > 2026-11-21T08:00:00",
        "SELECT Id FROM Lead WHERE CreatedDate > 2026-13-21",
        "SELECT Id FROM Lead ORDER Name",
        "SELECT Id FROM Lead LIMIT many",
        "SELECT Id FROM Lead GROUP BY Name",
        "SELECT Id FROM Lead; DROP",
        "SELECT * FROM Lead",
        "SELECT FIELDS(ALL) FROM Lead",
        "SELECT Id FROM Lead WHERE Name = 'a\\x'",
    ],
)
def test_what_salesforce_would_not_take_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        soql.parse(text)
    assert refused.value.code == "MALFORMED_QUERY"


def test_a_field_may_be_selected_once_and_an_offset_has_a_limit() -> None:
    with pytest.raises(Refusal, match="duplicate field selected: Id"):
        soql.parse("SELECT Id, id FROM Lead")
    with pytest.raises(Refusal, match="offset"):
        soql.parse("SELECT Id FROM Lead OFFSET 2001")
    with pytest.raises(Refusal, match="longer"):
        soql.parse("SELECT Id FROM Lead WHERE Name = '" + "a" * 100_000 + "'")
    assert soql.parse("SELECT COUNT() FROM Lead").fields == ()


@given(st.text(max_size=40))
def test_a_quoted_text_reads_back_as_it_was(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    query = soql.parse(f"SELECT Id FROM Lead WHERE Name = '{quoted}'")
    assert isinstance(query.where, soql.Comparison)
    assert query.where.literal == soql.Literal_("text", text)


@given(st.text(max_size=60))
def test_no_text_breaks_the_parser(text: str) -> None:
    with contextlib.suppress(Refusal):
        soql.parse(f"SELECT Id FROM Lead WHERE {text}")
