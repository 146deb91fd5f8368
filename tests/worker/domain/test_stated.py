from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise.domain import stated
from tierwise.domain.lead import Lead

SMALL = Lead(employee_count=40, monthly_volume=900, job_title="Warehouse Clerk")


@pytest.mark.parametrize(
    ("said", "claims"),
    [
        ("We have 5,000 employees.", {"employee_count": 5000}),
        ("5.000 Mitarbeiter", {"employee_count": 5000}),
        ("5 000 employés", {"employee_count": 5000}),
        ("従業員5000名", {"employee_count": 5000}),
        ("5000名员工", {"employee_count": 5000}),
        ("직원 5000명", {"employee_count": 5000}),
        ("We ship 80,000 orders per month", {"monthly_volume": 80_000}),
        ("80k parcels a month", {"monthly_volume": 80_000}),
        ("80 mil pedidos por mês", {"monthly_volume": 80_000}),
        ("90.000 Pakete im Monat", {"monthly_volume": 90_000}),
        ("60 000 colis par mois", {"monthly_volume": 60_000}),
        ("2.5k shipments monthly", {"monthly_volume": 2500}),
        ("A Fortune 500 company", {"employee_count": 5000}),
        ("500 çalışan", {"employee_count": 500}),
        ("500 ÇALIŞAN", {"employee_count": 500}),
        ("40 \u1c83отрудников", {"employee_count": 40}),
        ("1,400 labels a day", {}),
        ("80,000 orders a year", {}),
        ("call 5000 for employees", {}),
        ("", {}),
    ],
)
def test_numbers_count_beside_their_unit(said: str, claims: dict[str, float]) -> None:
    assert stated.stated(said) == claims


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        ("We are 5,000 employees and ship 80,000 orders per month", ["employee_count", "monthly_volume"]),
        ("We are 100 employees", []),
        ("We are 120 employees", ["employee_count"]),
        ("about 2,600 parcels a month", []),
        ("2,700 parcels a month", ["monthly_volume"]),
        ("3 employees", []),
        ("I am the CEO", ["job_title"]),
        ("Ich bin Geschäftsführerin", ["job_title"]),
        ("soy el dueño", ["job_title"]),
        ("я \u1c80ладелец", ["job_title"]),
        ("I am asking for the CEO", []),
    ],
)
def test_a_claim_far_above_the_field_is_told(said: str, fields: list[str]) -> None:
    found = stated.mismatches(SMALL.model_copy(update={"message": said}))
    assert [item.field for item in found] == fields


def test_no_letter_that_the_patterns_take_is_missed_by_the_words_looked_for_first() -> None:
    words = {*stated._RANK_WORDS, *(word for listed in stated._NEEDED.values() for word in listed)}
    letters = sorted(set("".join(words)))
    everything = "".join(chr(point) for point in range(0x110000) if not 0xD800 <= point < 0xE000)
    taken = re.findall(f"[{re.escape(''.join(letters))}]", everything, re.IGNORECASE)
    assert len(taken) > len(letters)
    for other in taken:
        meant = [letter for letter in letters if re.fullmatch(re.escape(letter), other, re.IGNORECASE)]
        # One letter that `lower` tells from another that `re` takes for the same, as with a dot, is the same here.
        assert {stated._small(letter) for letter in meant} == {stated._small(other)}, f"{other!r} {meant}"


def test_without_the_field_there_is_nothing_to_contradict() -> None:
    assert stated.mismatches(Lead(message="5,000 employees, 80,000 orders per month, I am the CEO")) == ()
    assert stated.mismatches(SMALL) == ()


@pytest.mark.parametrize(
    "title", ["Founder", "Managing Director", "Geschäftsführer", "Inhaberin", "代表取締役", "Head of Ops"]
)
def test_a_title_that_holds_a_rank_denies_no_claim(title: str) -> None:
    assert stated.mismatches(Lead(message="I am the CEO", job_title=title)) == ()


@pytest.mark.timeout(5)
@pytest.mark.parametrize("part", ["1,000 ", "1 000 000 ", "5000 orders ", "i am the ", "orders a ", "9"])
def test_the_longest_text_is_read_quickly(part: str) -> None:
    for _ in range(5):
        stated.stated((part * 10_000)[:10_000])


WORDS = [
    "1200", "3,000", "12k", "employees", "STAFF", "\u017ftaff", "orders a month", "Pakete pro Monat", "d\u0130pendenti",
    "colis par mois", "名の従業員", "员工", "300 посылок в месяц", "fortune 500", "Global 2000", "we are", "\n",
]  # fmt: skip


@given(st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join))
def test_what_is_passed_over_could_not_have_matched(text: str) -> None:
    told = stated.stated(text)
    for field, pattern in stated._PATTERNS.items():
        numbers = [stated._value(match) for match in pattern.finditer(text)]
        if numbers:
            assert told[field] >= max(numbers)
    if stated._LISTED.search(text):
        assert told["employee_count"] >= 5000


_PIECES = st.sampled_from(
    [
        "80",
        "5.000",
        "1,",
        "12k",
        "٣",
        " ",
        " ",
        "orders a month",
        "parcels per month",
        "people",
        ".",
        "x",
        "9999999",
        "tys",
    ]
)


@given(st.lists(_PIECES, max_size=14).map("".join))
def test_looking_only_where_digits_are_finds_the_same(text: str) -> None:
    pattern = stated._PATTERNS["monthly_volume"]
    found = [match.span() for match in stated._from_digits(pattern, text)]
    assert found == [match.span() for match in pattern.finditer(text)]
