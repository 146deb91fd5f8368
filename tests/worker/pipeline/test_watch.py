"""Ended once, with its reasons told; what was before the last end was judged then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tierwise.domain.retreat import Limits, Window
from tierwise.domain.rollout import Flag
from tierwise.pipeline import watch
from tierwise.ports.automation import Automated, FlagVersion
from tierwise.sdk import Notice, Record

NOW = datetime(2026, 11, 2, tzinfo=UTC)
WRONG = Window(labels=50, right=20, automated=50, overridden=0)


class Store:
    """Flags and automations of a store, in memory."""

    def __init__(self, *percentages: int, window: Window = WRONG) -> None:
        self.flags = self.automations = self
        self.versions = [
            FlagVersion(n, Flag(percentage=p), "ada", False, "", NOW + timedelta(days=n))
            for n, p in enumerate(percentages)
        ]
        self.given, self.opened, self.asked = window, [], []  # type: ignore[var-annotated]
        self.rows: list[Automated] = []
        self.told: list[Notice] = []
        self.finished: list[tuple[int, str]] = []

    def history(self, *, limit: int) -> list[FlagVersion]:
        return self.versions[::-1]

    def window(self, *, since: datetime, **_: Any) -> Window:
        self.asked.append(since)
        return self.given

    def alerts(self) -> list[Any]:
        return []

    def alert(self, kind: str, scope: str, detail: str, *, now: datetime) -> bool:
        self.opened.append((kind, scope))
        return True

    def put(self, flag: Flag, *, by: str, machine: bool, reason: str, now: datetime, notice: Notice) -> None:
        assert machine
        self.told.append(notice)
        self.versions.append(FlagVersion(99, flag, by, machine, reason, now))

    def list(self, **_: Any) -> list[Automated]:
        return self.rows

    def finish(self, row: int, state: str, *, was: tuple[str, ...], **_: Any) -> bool:
        assert was == ("written",)
        self.finished.append((row, state))
        return row != 3


def _notice(ended: watch.Ended) -> Notice:
    return Notice("k", "critical", f"{ended.before} %", ended.why[0].detail, NOW, event="automation_ended")


def run(store: Store) -> tuple[watch.Ended | None, list[Notice]]:
    store.told = []
    limits = Limits(precision=0.8)
    ended = watch.watch(store, limits=limits, positive_tiers=("A",), newest=200, now=NOW, notice=_notice)  # type: ignore[arg-type]
    return ended, store.told


def test_it_ends_once_and_tells() -> None:
    store = Store(1, 5)
    ended, told = run(store)
    assert ended is not None
    assert (ended.before, [reason.kind for reason in ended.why], told) == (5, ["precision"], [_notice(ended)])
    assert store.opened == [("precision", "auto_tier")]
    assert store.versions[-1].flag.percentage == 0
    assert run(store) == (None, [])


def test_what_is_off_or_right_is_let_be() -> None:
    assert run(Store()) == (None, [])
    assert run(Store(5, 0)) == (None, [])
    assert run(Store(5, window=Window(50, 50, 50, 0))) == (None, [])


def test_the_window_begins_with_the_run() -> None:
    store = Store(1, 5, 0, 1, 5)
    run(store)
    assert store.asked == [NOW + timedelta(days=3)]


def test_what_people_changed_is_kept_as_theirs() -> None:
    class Crm:
        batch_size = 2

        def read(self, ids: list[str], *, properties: list[str]) -> list[Record]:
            shown = {"1": "gold", "2": "silver", "3": None}
            return [Record(key, NOW, {"t": shown[key]}, {}) for key in ids if key in shown]

    store = Store(5)
    store.rows = [
        Automated(n, "crm", str(n), n, "t", None, "gold", "written", "", NOW, NOW) for n in (4, 3, 2, 1)
    ]  # fmt: skip
    found = watch.overrides(store, Crm(), connection="crm", newest=200, clock=lambda: NOW)  # type: ignore[arg-type]
    assert found == 1, "of the other one somebody else knew first"
    assert sorted(store.finished) == [(2, "kept"), (3, "kept")], "the one that is gone says nothing"
