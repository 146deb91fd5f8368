"""Draws: even, repeatable, nested."""

from __future__ import annotations

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise.domain import sampling

LEADS = [("crm", str(number), f"{number:064x}") for number in range(20_000)]


@pytest.mark.parametrize("rate", [0.05, 0.5, 0.9])
def test_the_share_drawn_is_the_rate(rate: float) -> None:
    drawn = sum(sampling.draw(*lead) < rate for lead in LEADS)
    assert abs(drawn / len(LEADS) - rate) < 4 * (rate * (1 - rate) / len(LEADS)) ** 0.5


def test_who_is_labelled_twice_is_drawn_apart() -> None:
    rates = sampling.Rates(double=0.2)
    audited = [lead for lead in LEADS if sampling.draw(*lead) < 0.3]
    share = sum(sampling.twice(*lead, rates=rates) for lead in audited) / len(audited)
    assert abs(share - 0.2) < 0.03


@given(st.text(), st.text(), st.text())
def test_a_replay_draws_the_same(connection: str, record_id: str, fingerprint: str) -> None:
    first = sampling.draw(connection, record_id, fingerprint)
    assert first == sampling.draw(connection, record_id, fingerprint)
    assert 0 <= first < 1


def test_the_rate_of_a_tier() -> None:
    rates = sampling.Rates(top=0.5, others=0.05)
    assert rates.of("A", positive=("A",), counted=False) == 0.5
    assert rates.of("A", positive=("A",), counted=True) == 0.05
    assert rates.of("C", positive=("A",), counted=False) == 0.05
    assert rates.of(None, positive=("A",), counted=False) == 0.05


def test_a_tier_that_is_never_drawn_would_hide_what_is_missed() -> None:
    with pytest.raises(pydantic.ValidationError, match="others"):
        sampling.Rates(others=0)
