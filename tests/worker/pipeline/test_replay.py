from __future__ import annotations

from pathlib import Path

import pytest

from tierwise import policies
from tierwise.domain.lead import Lead
from tierwise.domain.policy import Runnable
from tierwise.llm import asking, cost
from tierwise.pipeline import replay

PRICES = cost.Prices({"test/one": cost.Price(1, 5), "test/two": cost.Price(10, 50)})
CHAIN = replay.Chain("test/one", "test/two")


@pytest.fixture(scope="module")
def runnable() -> Runnable:
    return policies.compile(policies.read(Path(__file__).parents[3]))


def lead(number: int, **more: object) -> Lead:
    text = f"We ship {number} orders a month by hand and need a system this quarter."
    return Lead.model_validate({"email": f"a{number}@firm.example", "employee_count": 90, "message": text, **more})


def test_calls_are_those_that_no_answer_is_there_for(runnable: Runnable) -> None:
    leads = [lead(number) for number in range(4)]
    asked = asking.Asked(runnable.policy)
    known = {asked.key(asked.shown(leads[0]), model="test/one"): object()}
    found = replay.estimate(
        [*leads, leads[3], Lead(email="x@firm.example")],
        runnable,
        chain=CHAIN,
        known=lambda keys: {key: known[key] for key in keys if key in known},
        prices=PRICES,
    )
    assert (found.leads, found.stopped, found.answered, found.calls) == (6, 1, 2, 3)
    assert found.usd_at_least is not None
    assert found.usd_at_most is not None
    each = asked.size(asked.shown(leads[1])) / 3 * 1e-6 + asked.criteria * cost.OUT_PER_CRITERION * 5e-6
    assert found.usd_at_least == pytest.approx(3 * each, rel=0.01)
    assert found.usd_at_most == pytest.approx(11 * found.usd_at_least)


def test_an_unknown_price_is_no_figure(runnable: Runnable) -> None:
    def told(*chain: str | None) -> replay.Estimate:
        return replay.estimate(
            [lead(1)],
            runnable,
            chain=replay.Chain(*chain),
            known=lambda _: {},
            prices=PRICES,  # type: ignore[arg-type]
        )

    assert told("test/own", None).usd_at_least is None
    assert told("test/one", "test/own").usd_at_least is not None
    assert told("test/one", "test/own").usd_at_most is None
    assert told("offline/rules", None) == replay.Estimate(1, calls=1)


def test_a_decision_model_is_another_question(runnable: Runnable) -> None:
    asked = asking.Asked(runnable.policy)
    fields = asked.shown(lead(1))
    assert asked.key(fields, model="m") != asked.key(fields, model="m", decisions=True)


def test_a_gate_costs_nothing(runnable: Runnable) -> None:
    spam = lead(1, message="Buy cheap backlinks and SEO services, casino and crypto, guest post on our site now!")
    found = replay.estimate([spam], runnable, chain=CHAIN, known=lambda _: {}, prices=PRICES)
    assert found.leads == 1
    assert found.calls + found.stopped == 1
