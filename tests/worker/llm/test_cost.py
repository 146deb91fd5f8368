from __future__ import annotations

import pytest

from tierwise.llm import cost


@pytest.mark.parametrize(
    ("model", "stated", "usd"),
    [
        ("openai/gpt-6-luna", 0.0004, 0.0004),
        ("ollama/llama3", 0.0, 0.0),  # the map says that it is free
        ("openai/unheard-of", None, None),  # unknown is not 0
        ("openai/odd", float("nan"), None),
        ("openai/odd", -1, None),
        ("openai/odd", True, None),
        ("offline/rules", None, 0.0),  # ours, and no map knows it
    ],
)
def test_the_price_of_a_call(model: str, stated: object, usd: float | None) -> None:
    assert cost.of_call(model, stated) == usd


def test_a_sum_with_an_unknown_part_is_unknown() -> None:
    assert cost.total([0.25, 0.5]) == 0.75
    assert cost.total([0.25, None]) is None
    assert cost.total([]) == 0
