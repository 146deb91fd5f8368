from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise.domain import paired
from tierwise.domain.paired import Counted, Difference

COUNTED = st.booleans().flatmap(lambda whole: st.booleans().map(lambda part: Counted(int(part and whole), int(whole))))


def of(text: str) -> list[Counted]:
    """`+` right, `-` wrong, `.` not counted."""
    return [Counted(int(sign == "+"), int(sign != ".")) for sign in text]


def test_the_difference_of_two_shares() -> None:
    found = paired.difference(of("+++-"), of("++--"))
    assert found is not None
    assert found.value == pytest.approx(0.25)
    assert found.low < 0.25 < found.high


def test_shares_of_nothing_do_not_differ() -> None:
    assert paired.difference(of("..."), of("+-+")) is None
    assert paired.difference([], []) is None


def test_errors_that_both_make_tell_nothing_and_errors_of_one_do() -> None:
    together = paired.difference(of("+" * 90 + "-" * 10), of("+" * 90 + "-" * 10))
    apart = paired.difference(of("+" * 90 + "-" * 10), of("-" * 10 + "+" * 90))
    assert together is not None
    assert apart is not None
    assert together.value == apart.value == 0
    assert together.high - together.low < (apart.high - apart.low) / 2


def test_no_difference_in_few_leads_is_no_proof_and_in_many_it_is() -> None:
    few, many = paired.difference(of("+" * 30), of("+" * 30)), paired.difference(of("+" * 300), of("+" * 300))
    assert few is not None
    assert many is not None
    assert not few.not_worse_by(0.02)
    assert many.not_worse_by(0.02)


@given(st.lists(st.tuples(COUNTED, COUNTED), min_size=1, max_size=60))
def test_turned_round_it_is_the_opposite(pairs: list[tuple[Counted, Counted]]) -> None:
    one = paired.difference([a for a, _ in pairs], [b for _, b in pairs])
    other = paired.difference([b for _, b in pairs], [a for a, _ in pairs])
    if one is None or other is None:
        assert one == other
        return
    assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low))


def test_the_bound_keeps_its_word() -> None:
    """At a true difference of exactly the margin, one in twenty samples may call it non-inferior, and hardly more."""
    rng = random.Random(5)
    called = 0
    for _ in range(400):
        strong = [rng.random() < 0.97 for _ in range(500)]
        ours = [hit and rng.random() < 0.95 / 0.97 for hit in strong]
        found = paired.difference([Counted(int(hit), 1) for hit in ours], [Counted(int(hit), 1) for hit in strong])
        assert isinstance(found, Difference)
        called += found.not_worse_by(0.02)
    assert called / 400 <= 0.08
