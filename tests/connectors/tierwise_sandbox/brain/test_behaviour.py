from __future__ import annotations

from typing import Any

import pytest

from tierwise_sandbox.brain.behaviour import Behaviours, dice, parse


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"acuracy": 1}, "unknown key 'acuracy'"),
        ({"accuracy": 1.2}, "models.x.accuracy: a share"),
        ({"accuracy": {"need": "high"}}, "models.x.accuracy.need: a share"),
        ({"errors": {"418": 0.1}}, "models.x.errors: a share, or an object of 429"),
        ({"stated": [0.9, 0.8]}, "low must not exceed high"),
        ({"wrong": "often"}, "any or adjacent"),
        ({"script": [{"say": "no"}]}, r"script\[0\]"),
        ({"script": [{"ending": "bang"}]}, r"script\[0\].ending: one of malformed"),
        ({"latency_lognormal": "5,1"}, "models.x: "),
        ([], "models.x: an object"),
    ],
)
def test_a_behaviour_that_cannot_be_is_named(given: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse(given, "models.x")


def test_the_longest_name_counts_and_a_star_is_everybody_else() -> None:
    behaviours = Behaviours()
    behaviours.replace({"luna": {"accuracy": 0.5}, "luna-pro": {"accuracy": 0.9}, "*": {"accuracy": 0.1}})
    found = {name: behaviours.of(name) for name in ("gpt-luna", "gpt-luna-pro", "claude")}
    assert [item.accuracy for item in found.values() if item] == [0.5, 0.9, 0.1]
    behaviours.replace({})
    assert behaviours.of("claude") is None


def test_shares_by_criterion_and_errors_as_one_number() -> None:
    found = parse({"accuracy": {"need": 0.7, "*": 0.9}, "errors": 0.02, "latency_ms": 20}, "m")
    assert (found.share("accuracy", "need"), found.share("accuracy", "timeline")) == (0.7, 0.9)
    assert found.errors == {"429": 0.01, "500": 0.01}
    assert found.latency is not None
    assert found.latency.draw() == 0.02


def test_dice_fall_the_same_for_the_same_parts() -> None:
    assert dice(1, "m", "lead").random() == dice(1, "m", "lead").random()
    assert dice(1, "m", "lead").random() != dice(2, "m", "lead").random()
