from __future__ import annotations

from typing import Any

import pytest

from tierwise.pipeline import spending
from tierwise.ports import NANO, Entry
from tierwise.ports.money import LOST, UNANSWERED

PRICES = {"weak": (0.1, 0.5), "strong": (2.0, 10.0)}


def costs(model: str, tokens_in: int, tokens_out: int) -> float | None:
    price = PRICES.get(model)
    return None if price is None else (price[0] * tokens_in + price[1] * tokens_out) / 1e6


def entry(model: str, stage: str, count: int, **more: Any) -> Entry:
    """So many questions of 1,000 tokens in and 100 out."""
    usd = costs(model, 1000 * count, 100 * count)
    sums = {"questions": count, "calls": count, "tokens_in": 1000 * count, "tokens_out": 100 * count}
    unknown = {"unpriced": count} if usd is None else {"nano_usd": round(usd * NANO)}
    return Entry("crm", model, stage, **{"strong": "strong", **sums, **unknown, **more})


def test_what_the_cascade_saved_is_by_the_tokens_and_the_second_models_price() -> None:
    found = spending.report(
        [entry("weak", "primary", 100), entry("strong", "secondary", 20)], {"crm": 100}, by="stage", costs=costs
    )
    cascade = found["cascade"]
    assert (cascade["questions"], cascade["escalated"], cascade["unknown_because"]) == (100, 20, "")
    assert cascade["always_strong_usd"] == pytest.approx(100 * 0.003)
    assert cascade["usd"] == pytest.approx(100 * 0.00015 + 20 * 0.003)
    assert cascade["saved_share"] == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([entry("weak", "primary", 5, strong="")], "no chain of two models"),
        ([entry("weak", "primary", 5, strong="dear")], "the price of dear is unknown"),
        ([entry("weak", "primary", 5), entry("own", "sample", 2)], "the price of own is unknown"),
        ([], "no chain of two models"),
    ],
)
def test_it_says_when_it_cannot_know(entries: list[Entry], why: str) -> None:
    cascade = spending.report(entries, {}, by="model", costs=costs)["cascade"]
    assert why in cascade["unknown_because"]
    assert (cascade["saved_usd"], cascade["saved_share"]) == (None, None)


def test_lines_by_group_and_an_unknown_price_is_in_no_figure_a_lead() -> None:
    entries = [
        entry("weak", "primary", 100),
        entry("own", "primary", 4)._replace(connection="other"),
        entry("strong", "secondary", 10),
    ]
    found = spending.report(entries, {"crm": 50, "other": 4}, by="connection", costs=costs)
    lines = {line["name"]: line for line in found["lines"]}
    assert [line["name"] for line in found["lines"]] == ["crm", "other"], "the dearest first"
    assert lines["crm"]["usd_per_lead"] == pytest.approx((100 * 0.00015 + 10 * 0.003) / 50)
    assert (lines["other"]["usd"], lines["other"]["unpriced"], lines["other"]["usd_per_lead"]) == (0, 4, None)
    assert found["unknown_prices"] == ["own"]
    assert found["total"]["usd_per_lead"] is None
    assert found["total"]["calls"] == 114


def test_the_share_of_prompts_that_repeats() -> None:
    prompt = spending.report(
        [entry("weak", "primary", 2, characters=1000, repeated=800, tokens_cached=500)], {}, by="model", costs=costs
    )["prompt"]
    assert prompt["repeated_share"] == 0.8
    assert prompt["cached_share"] == 0.25
    assert spending.report([], {}, by="model", costs=costs)["prompt"]["repeated_share"] is None


def test_what_no_provider_told_is_told_as_estimated() -> None:
    found = [
        entry("m", "primary", 2, nano_usd=NANO),
        entry("m", UNANSWERED, 1, nano_usd=NANO // 4),
        entry("", LOST, 0, nano_usd=NANO // 4),
    ]
    told = spending.report(found, {"crm": 2}, by="stage", costs=costs)
    assert {line["name"]: line["estimated_usd"] for line in told["lines"]} == {
        "primary": 0, UNANSWERED: 0.25, LOST: 0.25,
    }  # fmt: skip
    assert (told["total"]["usd"], told["total"]["estimated_usd"]) == (1.5, 0.5)
