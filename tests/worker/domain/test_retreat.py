"""Automation ends where something speaks against it, and nothing that a machine does raises it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tierwise.domain import retreat
from tierwise.domain.retreat import Limits, Reason, Window
from tierwise.domain.rollout import STAGES, Flag, lowers

LIMITS = Limits(precision=0.8)
FLAGS = st.none() | st.builds(
    Flag,
    percentage=st.sampled_from(STAGES),
    pods=st.sets(st.sampled_from(["n", "s"])).map(tuple),
    connections=st.sets(st.sampled_from(["a", "b"])).map(tuple),
)


def kinds(window: Window, *alerts: str) -> list[str]:
    return [reason.kind for reason in retreat.reasons(window, alerts=alerts, limits=LIMITS)]


def test_what_speaks_against_it() -> None:
    assert kinds(Window(0, 0, 0, 0)) == []
    assert kinds(Window(50, 40, 100, 20)) == [], "at the target, and at the limit"
    assert kinds(Window(50, 34, 100, 0)) == ["precision"]
    assert kinds(Window(50, 36, 100, 0)) == [], "below, and may well be above"
    assert kinds(Window(0, 0, 100, 21)) == ["overrides"]
    assert kinds(Window(0, 0, 19, 19)) == [], "too few to say"
    assert kinds(Window(4, 0, 100, 50), "drift (x): y") == ["alert", "precision", "overrides"]


@given(flag=FLAGS, why=st.lists(st.builds(Reason, st.just("drift"), st.text())))
def test_it_never_raises(flag: Flag | None, why: list[Reason]) -> None:
    found = retreat.lowered(flag, why)
    if found is None:
        assert not why or flag is None or flag.percentage == 0
    else:
        assert found.percentage == 0
        assert lowers(flag, found)


@given(n=st.integers(1, 60), data=st.data())
def test_more_wrong_never_speaks_for_it(n: int, data: st.DataObject) -> None:
    right, over = data.draw(st.integers(1, n)), data.draw(st.integers(0, n - 1))
    fewer = set(kinds(Window(n, right, n, over)))
    assert fewer <= set(kinds(Window(n, right - 1, n, over + 1)))
