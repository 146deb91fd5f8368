"""The report as one file that needs nothing else."""

from __future__ import annotations

from typing import Any

from tierwise.cli import backtest_page

TOLD: dict[str, Any] = {
    "before": {"digest": "a" * 64, "version": "1"}, "after": {"digest": "b" * 64, "version": "<2>"},
    "leads": 3, "replayed": 2, "unreadable": 0, "would_need_model": 1, "failed": 0, "flips": 1,
    "outcomes": {"accept": {"accept": 1, "nurture": 1}}, "tiers": {"A": {"A": 1, "B": 1}},
    "segments": [{"segment": "region", "value": "<emea>", "leads": 2, "flips": 1, "score_shift": -2.5,
                  "accepted_before": 2, "accepted_after": 1}],
    "review": {"before": 0, "after": 1},
    "cost": {"per_lead_usd": None, "would_need_model": 1, "estimate_usd": None},
    "reasons": [{"code": "SMALL", "new": 1, "gone": 0}],
    "flipped": [{"lead": "crm:<1>", "before": {"tier": "A", "outcome": "accept", "score": 80},
                 "after": {"tier": None, "outcome": "reject", "score": None},
                 "new_reasons": ["SMALL"], "gone_reasons": []}],
    "needing_model": ["crm:3"], "beyond": ["50.0% of leads get another tier or outcome, the limit is 20.0%"],
    "failures": [{"lead": "crm:9", "error": "cannot be evaluated <on this lead>"}],
}  # fmt: skip


def test_it_says_what_flips_and_why_and_escapes_what_it_was_given() -> None:
    shown = backtest_page.page(TOLD)
    for words in ("crm:&lt;1&gt;", "&lt;emea&gt;", "SMALL", "A accept 80", "– reject", "the limit is 20.0%", "unknown"):
        assert words in shown
    assert "&lt;on this lead&gt;" in shown
    assert '<td class="n moved">1</td>' in shown
    assert '<td class="n">1</td>' in shown, "what stayed where it was is not marked"
    assert "<1>" not in shown
    assert "<2>" not in shown
    assert "http" not in shown
    assert "<script" not in shown


def test_what_there_is_none_of_is_said() -> None:
    shown = backtest_page.page({**TOLD, "failures": [], "reasons": [], "flipped": [], "flips": 0, "needing_model": []})
    assert shown.count("<p>none</p>") == 4
