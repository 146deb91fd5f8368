"""Labels grow old: what they proved is proved by the others or not at all."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tierwise.domain import ageing, validation
from tierwise.domain.ageing import Measured
from tierwise.domain.validation import Counted, Drawn, Registration

NOW = datetime(2026, 11, 2, tzinfo=UTC)
REGISTERED = Registration(
    policy="p", chain="c", positive_tiers=("A",), precision=0.8, recall=0.3, cut_offs=(0.5, 0.8), looks=(100,),
    registered_at=NOW, by="ada",
)  # fmt: skip
ITEMS = st.builds(
    Drawn,
    tier=st.sampled_from(["A", "B", None]),
    confidence=st.sampled_from([None, 0.4, 0.6, 0.9]),
    alone=st.booleans(),
    truth=st.sampled_from([True, True, False, None]),
    rate=st.sampled_from([0.5, 0.05]),
    draw=st.floats(0, 0.04),
    said_at=st.integers(0, 200).map(lambda days: NOW - timedelta(days=days)),
    gone=st.sampled_from([False, False, True]),
)


def measured(drawn: list[Drawn]) -> Measured:
    counted: dict[Any, int] = {}
    for item in drawn:
        key = (item.tier, item.alone, validation.reach(REGISTERED, item.confidence))
        counted[key] = counted.get(key, 0) + 1
    population = [Counted(*key, 10 * n) for key, n in counted.items()]
    return Measured(REGISTERED, 100, ageing.dated(REGISTERED, drawn, population))


@given(st.lists(ITEMS, max_size=60))
def test_what_is_young_is_what_the_sample_would_be_without_the_old(drawn: list[Drawn]) -> None:
    found = measured(drawn)
    since = NOW - timedelta(days=90)
    kept = [item for item in ageing.answerable(drawn) if item.truth is None or (item.said_at and item.said_at >= since)]
    counted = [Counted(cell.tier, cell.alone, cell.reach, cell.n) for cell in found.cells]
    expected = validation.cells(REGISTERED, kept, counted)
    young = ageing.young(found.cells, since=int(since.timestamp()))
    assert sorted(young, key=str) == sorted(expected, key=str)
    assert found.verdict(NOW) == validation.judge(REGISTERED, young, look=100)


@given(st.lists(ITEMS, max_size=60), st.integers(0, 300))
def test_old_and_young_are_all_labels(drawn: list[Drawn], days: int) -> None:
    found, now = measured(drawn), NOW + timedelta(days=days)
    young = ageing.young(found.cells, since=int((now - timedelta(days=90)).timestamp()))
    assert found.old(now) + sum(cell.sampled - cell.unanswered for cell in young) == found.labels()


@given(st.lists(ITEMS, max_size=20))
def test_a_report_keeps_it(drawn: list[Drawn]) -> None:
    found = measured(drawn)
    body = {"registration": REGISTERED.model_dump(mode="json"), "look": 100, "sample": ageing.plain(found.cells)}
    assert ageing.read(json.loads(json.dumps(body))) == found
    assert ageing.read({"look": 100}) is None


def test_what_was_erased_is_left_out_by_tier_where_it_is_little() -> None:
    here = Drawn("A", 0.9, True, True, 0.5, 0.1, NOW)
    gone = here._replace(truth=None, said_at=None, gone=True)
    answered = here._replace(gone=True)
    few = [here] * 59 + [gone] * 3 + [answered]
    assert ageing.answerable(few) == [here] * 59 + [answered], "what was answered before counts as it is"
    many = [here] * 56 + [gone] * 4
    assert ageing.answerable(many) == many
    other = [gone._replace(tier="B")] * 2
    assert ageing.answerable([*few, *other]) == [here] * 59 + [answered] + other, "each tier by itself"
    assert ageing.answerable([gone]) == []
