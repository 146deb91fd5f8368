"""Numbers as people write them: a table of real spellings, and properties over all that we could write ourselves."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise.domain import numbers

OPEN = None


def attempt(read: Callable[[str], numbers.Range], text: str) -> tuple[numbers.Range | None, str]:
    try:
        return read(text), ""
    except ValueError as refused:
        return None, str(refused)


@pytest.mark.parametrize(
    ("written", "low", "high"),
    [
        ("12", 12, 12),
        (12, 12, 12),
        (12.5, 12.5, 12.5),
        ("  12 ", 12, 12),
        ("0", 0, 0),
        ("1.000", 1_000, 1_000),
        ("1,000", 1_000, 1_000),
        ("1 000", 1_000, 1_000),
        ("1\u00a0000", 1_000, 1_000),  # a hard space, as spreadsheets write it
        ("1\u202f000,5", 1_000.5, 1_000.5),  # French
        ("1'000'000", 1_000_000, 1_000_000),  # Swiss
        ("1,00,000", 100_000, 100_000),  # Indian
        ("1.000.000,50", 1_000_000.5, 1_000_000.5),
        ("1,000,000.50", 1_000_000.5, 1_000_000.5),
        ("12.5", 12.5, 12.5),
        ("0.125", 0.125, 0.125),  # nothing groups a lone zero
        ("0,5", 0.5, 0.5),
        ("１２０", 120, 120),  # full width
        ("٣٠", 30, 30),  # Arabic-Indic
        ("10k", 10_000, 10_000),
        ("1,5k", 1_500, 1_500),
        ("1.5 k", 1_500, 1_500),
        ("3 Mio.", 3_000_000, 3_000_000),
        ("5 Tsd", 5_000, 5_000),
        ("2 lakh", 200_000, 200_000),
        ("1.2bn", 1_200_000_000, 1_200_000_000),
        ("51-200", 51, 200),
        ("51 – 200", 51, 200),
        ("51..200", 51, 200),
        ("5 to 10", 5, 10),
        ("between 5 and 10", 5, 10),
        ("10 bis 20", 10, 20),
        ("de 10 a 20", 10, 20),
        ("10.000-20.000", 10_000, 20_000),
        ("1-5k", 1_000, 5_000),  # the suffix is meant for both
        ("500-1k", 500, 1_000),  # and here it cannot be
        ("1k-5k orders per month", 1_000, 5_000),
        ("51-200 employees (est.)", 51, 200),
        ("200+", 200, OPEN),
        ("200 +", 200, OPEN),
        ("10,000+ employees", 10_000, OPEN),
        (">10k", 10_000, OPEN),
        ("over 10k", 10_000, OPEN),
        ("mehr als 500", 500, OPEN),
        ("1000 or more", 1_000, OPEN),
        ("<10", 0, 10),
        ("≤ 10", 0, 10),
        ("up to 50", 0, 50),
        ("bis zu 50", 0, 50),
        ("~50", 50, 50),
        ("ca. 300", 300, 300),
        ("about 3000 orders", 3_000, 3_000),
        ("approx. 1.5M", 1_500_000, 1_500_000),
        ("3000 orders a month", 3_000, 3_000),
    ],
)
def test_quantity(written: Any, low: float, high: float | None) -> None:
    found = numbers.quantity(written)
    assert (float(found.low), None if found.high is None else float(found.high)) == (low, high)


@pytest.mark.parametrize(
    "written",
    [
        "", "  ", "abc", "ten", "-5", "- 5", "1.2.3", "12 34", "1,23,4", "2026-11-21", "21.11.2026", "24/7",
        "1e5", "½", "10²",
        "50%", "50 percent", "Oct-50", "10-Nov",  # what a spreadsheet makes of 10-50
        "5 mil", "10kusd", "5 dozen",  # a multiplier we do not know must not be dropped
        "200-51", "5-1k-2", "2 shops, 500 orders", "$5", "+", "k", "-", "1 to", "0x10", "1_000_00",
        "9" * 40, "1" * 200, True, None, [1], {}, math.nan, math.inf, -1, -0.5, 10**16,
    ],
)  # fmt: skip
def test_what_is_no_single_quantity_is_refused_without_repeating_it(written: Any) -> None:
    with pytest.raises(ValueError, match=r"^(is|has|holds) ") as refused:
        numbers.quantity(written)
    assert len(str(written)) < 4 or str(written) not in str(refused.value)


@pytest.mark.parametrize(
    ("written", "mark", "value"),
    [
        ("1.234", ".", 1.234),  # a machine's dot is a decimal mark
        ("1.234", ",", 1234),
        ("1.234", None, 1234),
        ("1,234", ".", 1234),
        ("1,234", ",", 1.234),
        ("12500000", ".", 12_500_000),
        ("1,234.5", ".", 1234.5),
    ],
)
def test_a_fixed_decimal_mark_settles_what_is_ambiguous(written: str, mark: Any, value: float) -> None:
    assert float(numbers.quantity(written, mark=mark).low) == value


@given(st.integers(0, 10**12), st.sampled_from([",", ".", " ", "'", "\u00a0", "\u202f", "’"]))
def test_grouped_whole_numbers_are_read_back(number: int, separator: str) -> None:
    written = f"{number:,}".replace(",", separator)
    assert numbers.quantity(written).low == number
    assert numbers.quantity(str(number)).low == number


@given(st.integers(1_000, 10**9), st.integers(0, 99), st.sampled_from([(",", "."), (".", ","), (" ", ","), ("'", ".")]))
def test_decimals_of_any_locale_are_read_back(whole: int, cents: int, locale: tuple[str, str]) -> None:
    group, point = locale
    written = f"{whole:,}".replace(",", group) + f"{point}{cents:02}"
    assert numbers.quantity(written).low == Decimal(f"{whole}.{cents:02}")


@given(
    st.integers(0, 10**6), st.integers(0, 10**6), st.sampled_from(["-", " - ", "–", " to ", "..", " bis "]),
    st.sampled_from(["", "about ", "~", "ca. "]), st.sampled_from(["", " orders", " people (est.)", " / month"]),
)  # fmt: skip
def test_ranges_are_read_back(one: int, other: int, between: str, before: str, after: str) -> None:
    low, high = sorted((one, other))
    found = numbers.quantity(f"{before}{low}{between}{high}{after}")
    assert (found.low, found.high) == (low, high)


@given(st.floats(0, 1e14, allow_nan=False))
def test_plain_numbers_are_themselves(number: float) -> None:
    assert float(numbers.quantity(number).low) == number


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_what_is_picked_lies_in_the_range(one: int, other: int) -> None:
    low, high = sorted((one, other))
    found = numbers.quantity(f"{low}-{high}")
    picked = [found.pick(take) for take in ("low", "middle", "high")]
    assert picked == sorted(picked)
    assert (picked[0], picked[1] * 2, picked[2]) == (low, low + high, high)
    for take in ("low", "middle", "high"):
        assert numbers.quantity(f"{low}+").pick(take) == low


@given(st.text(max_size=130) | st.text("0123456789.,- kKmM+<>~$€%/toabcbis", max_size=25))
def test_quantity_and_money_are_total(text: str) -> None:
    for read in (numbers.quantity, lambda written: numbers.money(written).amount):
        amount, message = attempt(read, text)
        assert amount is not None or message
        if amount is not None:
            assert 0 <= amount.low <= (amount.low if amount.high is None else amount.high) <= numbers.LARGEST


@given(st.text(max_size=20), st.sampled_from(["xq{}", "12 xq {}", "{}-xq", "$xq{}", "€5 £5 xq {}"]))
def test_a_refusal_never_repeats_the_text(text: str, form: str) -> None:
    for read in (numbers.quantity, lambda written: numbers.money(written).amount):
        assert "xq" not in attempt(read, form.format(text))[1]


@pytest.mark.parametrize(
    ("written", "monthly"),
    [
        ("120", 120),
        ("120 per month", 120),
        ("120/month", 120),
        ("1200 per year", 100),
        ("1,200 p.a.", 100),
        ("1200 annually", 100),
        ("300 a quarter", 100),
        ("12 per week", 52),
        ("12 weekly", 52),
        ("12/day", 365),
        ("12-24 orders / day", 547.5),
        ("120 daily active users", 3650),
        ("120 day trips", 120),  # no period
    ],
)
def test_a_stated_period_becomes_a_month_where_the_map_asks(written: str, monthly: float) -> None:
    found = numbers.quantity(written, per_month=True)
    assert float(found.pick("middle")) == pytest.approx(monthly)
    assert (found.note != "") == (monthly not in {120})
    assert numbers.quantity(written).note == ""


@pytest.mark.parametrize(
    ("written", "low", "high", "currency"),
    [
        ("$1.2M", 1_200_000, 1_200_000, "USD"),
        ("€1.200,50", 1200.5, 1200.5, "EUR"),
        ("10k USD", 10_000, 10_000, "USD"),
        ("USD10k", 10_000, 10_000, "USD"),
        ("US$ 5 million", 5_000_000, 5_000_000, "USD"),
        ("5 million US dollars", 5_000_000, 5_000_000, "USD"),
        ("$1M-$5M", 1_000_000, 5_000_000, "USD"),
        ("$10M+", 10_000_000, OPEN, "USD"),
        ("1.000 €", 1_000, 1_000, "EUR"),
        ("CHF 1'000", 1_000, 1_000, "CHF"),
        ("A$ 20", 20, 20, "AUD"),
        ("R$ 1.000,00", 1_000, 1_000, "BRL"),
        ("100 zł", 100, 100, "PLN"),
        ("under £1m", 0, 1_000_000, "GBP"),
        ("1200000", 1_200_000, 1_200_000, None),
        (1200000.5, 1200000.5, 1200000.5, None),
    ],
)
def test_money(written: Any, low: float, high: float | None, currency: str | None) -> None:
    found = numbers.money(written)
    assert float(found.amount.low) == low
    assert (None if found.amount.high is None else float(found.amount.high)) == high
    assert found.currency == currency


def test_two_currencies_are_refused() -> None:
    with pytest.raises(ValueError, match="more than one currency"):
        numbers.money("$5 - €6")


def test_money_is_converted_only_by_a_rate_of_the_map() -> None:
    euros = numbers.money("€1M-€2M")
    found = numbers.convert(euros, "USD", rates={"EUR": 1.1})
    assert (found.low, found.high, found.note) == (1_100_000, 2_200_000, "converted from EUR at 1.1")
    assert numbers.convert(euros, None, rates={}) == euros.amount
    assert numbers.convert(euros, "EUR", rates={}) == euros.amount
    assert numbers.convert(numbers.money("5"), "USD", rates={}).low == 5
    with pytest.raises(ValueError, match="is in EUR, and the map gives no rate to USD"):
        numbers.convert(euros, "USD", rates={"GBP": 1.3})
    with pytest.raises(ValueError, match="no rate"):
        numbers.convert(numbers.money("100 kr"), "USD", rates={})
