"""Each look is taken once, from what is stored, and its words stay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tierwise.domain.validation import Counted, Drawn, Registration
from tierwise.domain.weighted import Seen
from tierwise.pipeline import validate
from tierwise.ports.automation import Labelled, Sampled, StoredReport

NOW = datetime(2026, 11, 2, tzinfo=UTC)
POLICY, CHAIN = "p" * 64, "c" * 64


class Store:
    """The gates of a store, in memory: what the pipeline asks of them."""

    def __init__(self) -> None:
        self.gates = self
        self.registered: dict[str, Registration] = {}
        self.kept: list[StoredReport] = []
        self.items: list[Sampled] = []
        self.population: list[Counted] = []

    def register(self, registration: Registration) -> str:
        key = f"{len(self.registered):064x}"
        self.registered[key] = registration
        return key

    def registration(self, policy: str, chain: str) -> tuple[str, Registration] | None:
        found = [(k, r) for k, r in self.registered.items() if (r.policy, r.chain) == (policy, chain)]
        return found[-1] if found else None

    def ask_again(self, digest: str, *, now: datetime) -> int:
        return 0

    def counted(self, digest: str) -> int:
        return sum(item.drawn.tier == "A" for item in self.items)

    def sample(self, digest: str, *, look: int) -> tuple[list[Sampled], list[Counted]]:
        return self.items, self.population

    def labelled(self, policy: str, chain: str) -> list[Labelled]:
        groups = {"tier": "A", "connection": "crm", "region": None, "model": "m"}
        return [Labelled(1, Seen(True, True, 0.5), groups), Labelled(2, Seen(True, False, 0.5), groups)]

    def keep(self, report: StoredReport) -> bool:
        self.kept.insert(0, report)
        return True

    def reports(self, *, registration: str | None = None, limit: int | None = 20) -> list[StoredReport]:
        return [report for report in self.kept if registration in (None, report.registration)][:limit]


def registration(**given: Any) -> Registration:
    values: dict[str, Any] = {
        "policy": POLICY, "chain": CHAIN, "positive_tiers": ("A",), "precision": 0.8, "recall": 0.6,
        "cut_offs": (0.5,), "looks": (100, 400), "registered_at": NOW, "by": "ada",
    }  # fmt: skip
    return Registration(**{**values, **given})


def fill(store: Store, right: int, wrong: int) -> None:
    drawn = Drawn("A", 0.9, True, True, 0.5, 0.1, said_at=NOW)
    store.items = [Sampled(n, drawn, NOW) for n in range(right)]
    store.items += [Sampled(right + n, drawn._replace(truth=False), NOW) for n in range(wrong)]
    store.population = [Counted("A", True, 1, 2 * (right + wrong))]


def run(store: Store, *, now: datetime = NOW) -> validate.Validated:
    return validate.validate(store, policy=POLICY, chain=CHAIN, now=now, by="ada")  # type: ignore[arg-type]


def test_without_a_registration_only_estimates_are_shown() -> None:
    found = run(Store())
    assert (found.passed, found.verdict, found.labels) == (False, None, 2)
    assert found.shown[0].figures.precision is not None
    assert {(item.by, item.name) for item in found.shown} == {
        ("", "all"), ("tier", "A"), ("connection", "crm"), ("region", "none"), ("pod", "none"), ("model", "m"),
    }  # fmt: skip


def test_between_looks_nothing_is_decided() -> None:
    store = Store()
    validate.register(store, registration())  # type: ignore[arg-type]
    fill(store, 99, 0)
    found = run(store)
    assert (found.passed, found.verdict, found.labels_missing, store.kept) == (False, None, 1, [])


def test_a_look_that_was_taken_stands_whatever_comes_later() -> None:
    store = Store()
    validate.register(store, registration())  # type: ignore[arg-type]
    fill(store, 60, 40)
    found = run(store)
    assert (found.passed, found.report) == (False, store.kept[0].digest)
    assert "precision is proved" in found.reasons[0]
    fill(store, 200, 1)
    again = run(store, now=NOW + timedelta(days=1))
    assert (len(store.kept), again.passed, again.report) == (1, False, found.report)
    fill(store, 399, 1)
    last = run(store)
    assert (len(store.kept), last.passed, last.verdict and last.verdict.cut_off) == (2, True, 0.5)
    assert last.verdict == validate.verdict_of(store.kept[0])
    assert last.reasons == ()


def test_no_look_is_spent_while_labels_are_missing_unless_somebody_says_so() -> None:
    store = Store()
    validate.register(store, registration(looks=(100,)))  # type: ignore[arg-type]
    fill(store, 120, 0)
    store.items[-5:] = [item._replace(drawn=item.drawn._replace(truth=None)) for item in store.items[-5:]]
    found = run(store)
    assert (found.passed, found.labels_missing, found.next_look, store.kept) == (False, 5, 100, [])
    assert found.reasons == ("the look at 100 audit items waits for 5 labels of them",)
    taken = validate.validate(store, policy=POLICY, chain=CHAIN, now=NOW, by="ada", incomplete=True)  # type: ignore[arg-type]
    assert taken.verdict is not None
    assert (taken.verdict.tested[0].precision.right, taken.verdict.tested[0].precision.n) == (115, 120)


def test_labels_that_are_too_old_do_not_count_and_block_nothing() -> None:
    store = Store()
    validate.register(store, registration(looks=(400,)))  # type: ignore[arg-type]
    fill(store, 400, 0)
    ago = NOW - timedelta(days=91)
    store.items[25:] = [item._replace(drawn=item.drawn._replace(said_at=ago)) for item in store.items[25:]]
    found = run(store)
    assert (found.passed, found.next_look) == (False, None)
    assert "25 audit labels" in found.reasons[0]
    assert found.notes == ("375 of 400 labels are older than 90 days and do not count",)


def test_a_verdict_ends_when_its_labels_have_grown_old() -> None:
    store = Store()
    validate.register(store, registration(looks=(400,)))  # type: ignore[arg-type]
    fill(store, 400, 0)
    ago = NOW - timedelta(days=60)
    store.items[25:] = [item._replace(drawn=item.drawn._replace(said_at=ago)) for item in store.items[25:]]
    assert run(store).passed
    assert run(store, now=NOW + timedelta(days=30)).passed
    later = run(store, now=NOW + timedelta(days=31))
    assert not later.passed
    assert "25 audit labels" in later.reasons[0]
    assert len(store.kept) == 1


def test_what_was_erased_blocks_no_look_and_is_told() -> None:
    store = Store()
    validate.register(store, registration(looks=(100,)))  # type: ignore[arg-type]
    fill(store, 100, 0)
    gone = store.items[0].drawn._replace(truth=None, said_at=None, gone=True)
    store.items[:4] = [item._replace(drawn=gone, labelled_at=None) for item in store.items[:4]]
    found = run(store)
    assert found.verdict is not None
    assert (found.verdict.tested[0].precision.right, found.verdict.tested[0].precision.n) == (96, 96)
    assert found.notes == ("4 of 100 audit items were erased unanswered and are left out",)


def test_what_was_erased_counts_against_us_where_it_is_much() -> None:
    store = Store()
    validate.register(store, registration(looks=(100,)))  # type: ignore[arg-type]
    fill(store, 100, 0)
    gone = store.items[0].drawn._replace(truth=None, said_at=None, gone=True)
    store.items[:6] = [item._replace(drawn=gone, labelled_at=None) for item in store.items[:6]]
    found = run(store)
    assert found.verdict is not None
    assert (found.verdict.tested[0].precision.right, found.verdict.tested[0].precision.n) == (94, 100)
    assert found.notes == ("6 audit items were erased unanswered: too many, they count against us",)
