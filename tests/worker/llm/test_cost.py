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


LISTED = {
    "gpt-6-luna": {
        "litellm_provider": "openai",
        "input_cost_per_token": 1e-7,
        "output_cost_per_token": 5e-7,
        "cache_read_input_token_cost": 1e-8,
        "input_cost_per_token_decisions": 2e-7,
        "output_cost_per_token_decisions": 0.0,
    },
    "ollama/llama3": {"litellm_provider": "ollama", "input_cost_per_token": 0.0, "output_cost_per_token": 0.0},
    "no-price": {"litellm_provider": "openai"},
}


def _prices(**own: cost.Price) -> cost.Prices:
    return cost.Prices({name.replace("__", "/"): price for name, price in own.items()}, listed=lambda: LISTED)


def test_prices_by_door() -> None:
    prices = _prices()
    assert prices.of("openai/gpt-6-luna") == pytest.approx((0.1, 0.5, 0.01))
    assert prices.of("openai/gpt-6-luna", "decisions") == pytest.approx((0.2, 0.0, 0.01))
    assert prices.of("ollama/llama3") == (0, 0, None)
    assert prices.of(cost.OFFLINE_PREFIX + "rules") == cost.FREE


@pytest.mark.parametrize("model", ["openai/unheard-of", "azure/gpt-6-luna", "no-price", "openai/no-price"])
def test_a_price_that_nobody_told_is_unknown(model: str) -> None:
    assert _prices().of(model) is None


def test_a_persons_price_wins() -> None:
    prices = _prices(openai__ours=cost.Price(2, 4, 1))
    assert prices.of("openai/ours") == (2, 4, 1)
    usd = prices.of_call("openai/ours", 99.0, tokens_in=1_000_000, tokens_out=500_000, tokens_cached=400_000)
    assert usd == pytest.approx(0.6 * 2 + 0.4 * 1 + 0.5 * 4)
    assert prices.of_call("openai/other", 0.25, tokens_in=1, tokens_out=1) == 0.25
    assert prices.of_call("openai/other", None, tokens_in=1, tokens_out=1) is None


def test_an_estimate_is_on_the_safe_side() -> None:
    assert cost.estimated_tokens(0) == 0
    assert cost.estimated_tokens(len(("Bestellungen " * 100).encode())) >= 1300 / 4
    assert cost.estimated_tokens(len("注文".encode())) >= 2, "a character of these is a token"
