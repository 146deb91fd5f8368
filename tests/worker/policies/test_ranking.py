"""Tiers out of order: the two that are, told once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tierwise.domain.consistency import CUT_OFFS
from tierwise.policies import checking

PROMPT = "prompts/qualify.md"
Write = Callable[..., Path]


def told(write: Write, tiers: str) -> list[tuple[str, str]]:
    directory = write()
    path = directory / PROMPT
    path.write_text(path.read_text().replace("{A: 70, B: 40, C: 0}", tiers))
    # Elsewhere the policy names tiers A, B and C, which a case may lack.
    problems = [item for item in checking.check(directory, template_check=lambda _: []) if "tiers:" in item.excerpt]
    return [(item.message, item.hint) for item in problems]


@pytest.mark.parametrize(
    ("tiers", "message", "hint"),
    [
        (
            "{A: 70, B: 40, C: 50}",
            "tier C needs 50 points and B before it only 40: C would rank above B",
            "the lowest tier needs 0 points: {A: 70, B: 40, C: 0}",
        ),
        (
            "{A: 70, B: 40, C: 90}",
            "tier C needs 90 points and B before it only 40: C would rank above B",
            "the lowest tier needs 0 points: {A: 70, B: 40, C: 0}",
        ),
        (
            "{A: 70, C: 30, B: 40, D: 0}",
            "tier B needs 40 points and C before it only 30: B would rank above C",
            "in this order if it is meant: {A: 70, B: 40, C: 30, D: 0}",
        ),
        (
            "{C: 0, B: 60, A: 50}",
            "tier A needs 50 points and B before it 60: B would rank above A",
            "in this order if it is meant: {B: 60, A: 50, C: 0}",
        ),
        (
            "{D: 50, C: 30, B: 40, A: 70}",
            "tier C needs 30 points and D before it 50: D would rank above C",
            "the lowest tier needs 0 points: {D: 0, C: 30, B: 40, A: 70}",
        ),
    ],
)
def test_the_two_that_are_out_of_order_are_named_once(write: Write, tiers: str, message: str, hint: str) -> None:
    (found,) = told(write, tiers)
    assert found[0] == message
    assert found[1].endswith(hint)


def test_two_slips_are_told_as_two(write: Write) -> None:
    messages = [message for message, _ in told(write, "{A: 40, B: 70, C: 5}")]
    assert sorted(messages) == [
        "tier B needs 70 points and A before it only 40: B would rank above A",
        CUT_OFFS,
    ]


@pytest.mark.parametrize("tiers", ["{A: 70, B: 40, C: 5}", "{A: 170, B: 40, C: 0}", "{A: 40, B: 40, C: 0}"])
def test_what_is_in_order_has_only_its_own_complaint(write: Write, tiers: str) -> None:
    assert [message for message, _ in told(write, tiers)] == [CUT_OFFS]
