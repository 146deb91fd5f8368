"""No question is in two batches, nothing is imported twice, and whoever lost the lease changes nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tierwise import errors, ports, store
from tierwise.domain.lead import digest
from tierwise.domain.rubric import Assessment
from tierwise.ports.batches import Batch, Ending, Plan, Planned, Wanted
from tierwise.ports.money import NANO, Ask, Budget, Budgets, Entry
from tierwise.store import assessments, batch_waits, batches, engine, schema
from tierwise.store.batches import SLACK

DEADLINE = timedelta(hours=2)
ONE_DOLLAR = Budgets(total=Budget(day=NANO))


class Files:
    """Leads that wait, under the desk's clock."""

    def __init__(self, desk: Any) -> None:
        self.desk, self.batches = desk, desk.store.batches

    def wait(self, *records: str) -> dict[str, int]:
        """They are read by a backfill; work ids by record."""
        now = self.desk.now
        self.batches.backfill("crm", since=now - timedelta(days=400), until=now - timedelta(days=2), now=now)
        old = now - timedelta(days=30)
        self.desk.poll(
            *(self.desk.arrival(record, modified_at=old, email=f"{record}@acme.example") for record in records)
        )
        # One window has read all of it; the next leads are a backfill's again.
        return {item.lead.email.partition("@")[0]: item.work_id for item in self.batches.waiters(limit=100, now=now)}

    def plan(self, works: dict[str, int], *, keys: dict[str, str] | None = None, **more: Any) -> Planned:
        keys, nano = keys or {}, more.pop("nano", 1000)
        wanted = tuple(
            Wanted(work_id, digest(keys.get(name, name)), "crm", nano) for name, work_id in sorted(works.items())
        )
        plan = Plan("m", "primary", "strong", "p" * 64, wanted)
        now = self.desk.now
        return self.batches.plan(plan, budgets=more.pop("budgets", ports.UNLIMITED), deadline=now + DEADLINE, now=now)

    def claim(self, batch_id: int | None, *, lease: float = 60) -> Batch:
        assert batch_id is not None
        found = self.batches.claim(batch_id, lease=lease, now=self.desk.now)
        assert found is not None
        return found

    def answer(self, name: str) -> Assessment:
        return Assessment(model="m", verdicts=(), content_hash=digest(name), cost_usd=0.5)

    def entry(self) -> Entry:
        return Entry("crm", "m", "primary", "strong", nano_usd=400, nano_saved=400, batched=1)


@pytest.fixture
def files(desk: Any) -> Files:
    return Files(desk)


def test_leads_of_a_backfill_wait_and_nobody_else_does(files: Files, opened: store.SqlStore) -> None:
    desk = files.desk
    assert set(files.wait("a", "b")) == {"a", "b"}
    assert files.batches.waiting() == {"crm": 2}
    assert files.batches.gathering(now=desk.now).leads == 2
    assert desk.claim() == [], "they are not due"
    # Without a backfill an old record is as inbound as any: it only waits behind newer ones.
    desk.poll(desk.arrival("old", modified_at=desk.now - timedelta(days=30)))
    assert [claim.record_id for claim in desk.claim()] == ["old"]
    assert files.batches.backfills() == [], "the window was read to its end"


def test_what_changed_today_is_decided_live_though_a_backfill_reads_it(files: Files) -> None:
    desk = files.desk
    desk.wait(86_400 * 5)
    files.batches.backfill("crm", since=desk.now - timedelta(days=9), until=desk.now, now=desk.now)
    desk.poll(desk.arrival("today", modified_at=desk.now - timedelta(hours=3)))
    assert [claim.record_id for claim in desk.claim()] == ["today"]


def test_a_lead_that_changes_while_it_waits_is_decided_at_once(files: Files) -> None:
    desk = files.desk
    works = files.wait("a", "b")
    made = files.plan(works)
    desk.poll(desk.arrival("a", company="Other"))
    (claim,) = desk.claim()
    assert (claim.record_id, claim.lead.company) == ("a", "Other")
    assert files.batches.waiting() == {"crm": 1}, "the old one is nobody's any more"
    put = {item.key: item.lead for item in files.batches.asked(files.claim(made.batch))}
    assert put[digest("a")] is None
    assert put[digest("b")] is not None


def test_a_lead_that_comes_back_to_what_it_was_is_decided_at_once(files: Files) -> None:
    desk = files.desk
    files.wait("a")
    desk.poll(desk.arrival("a", email="a@acme.example", company="Other"))
    desk.poll(desk.arrival("a", email="a@acme.example"))
    assert {claim.lead.company for claim in desk.claim()} == {"Acme"}
    assert files.batches.gathering(now=desk.now).leads == 0


def test_a_planned_batch_holds_its_leads_until_its_deadline_and_not_for_ever(files: Files) -> None:
    desk = files.desk
    made = files.plan(files.wait("a", "b"))
    assert (made.questions, made.leads) == (2, 2)
    assert files.batches.gathering(now=desk.now).leads == 0
    desk.wait((DEADLINE + SLACK).total_seconds() - 1)
    assert desk.claim() == []
    desk.wait(1)
    assert len(desk.claim()) == 2, "whatever happened to the batch"


def test_no_question_is_in_two_batches(files: Files, opened: store.SqlStore) -> None:
    first = files.plan(files.wait("a", "b"))
    # Another lead with the same signals: it waits for the batch that asks already.
    works = files.wait("c", "d")
    second = files.plan(works, keys={"c": "a"})
    assert (second.questions, second.leads) == (1, 2)
    assert second.batch != first.batch
    assert {item.key for item in files.batches.asked(files.claim(first.batch))} == {digest("a"), digest("b")}
    third = files.plan(files.wait("e"), keys={"e": "d"})
    assert (third.batch, third.leads) == (None, 1)


def test_what_is_answered_or_being_paid_for_is_not_asked_again(files: Files, opened: store.SqlStore) -> None:
    desk = files.desk
    works = files.wait("a", "b", "c")
    opened.assessments.keep([files.answer("a")], now=desk.now)
    opened.money.open([Ask(digest("b"), "crm", 1)], owner="live", lease=30, budgets=ports.UNLIMITED, now=desk.now)
    made = files.plan(works)
    assert made.questions == 1
    assert files.batches.gathering(now=desk.now).leads == 2, "looked at again"
    desk.wait(30)
    assert files.plan(works).questions == 1, "who paid is gone"


def test_a_lead_that_was_claimed_meanwhile_is_in_no_batch(files: Files) -> None:
    desk = files.desk
    works = files.wait("a", "b")
    desk.wait(batch_waits.HORIZON.total_seconds())
    (claim,) = desk.claim(limit=1)
    made = files.plan(works)
    assert made.questions == 1
    desk.commit([claim])
    files.batches.waiters(limit=10, now=desk.now)
    assert sum(files.batches.waiting().values()) == 1


def test_money_is_reserved_for_as_long_as_a_batch_may_take(files: Files, opened: store.SqlStore) -> None:
    desk = files.desk
    works = files.wait("a", "b", "c")
    made = files.plan(works, nano=NANO // 2 - 1, budgets=ONE_DOLLAR)
    assert (made.questions, made.leads) == (2, 2)
    assert made.spent is not None
    assert opened.works.held() == {"crm": 1}
    (level,) = opened.money.levels(ONE_DOLLAR, now=desk.now)
    assert (level.reserved, level.spent) == (NANO - 2, 0)
    live = opened.money.open([Ask("x", "crm", 10)], owner="live", lease=30, budgets=ONE_DOLLAR, now=desk.now)
    assert live[0].state == "spent"
    batch = files.claim(made.batch)
    files.batches.end(batch, Ending("completed", (files.entry(),), (files.answer("a"),), unusable=1), now=desk.now)
    (level,) = opened.money.levels(ONE_DOLLAR, now=desk.now)
    assert (level.reserved, level.spent) == (0, 400)


def test_what_nobody_can_tell_the_cost_of_counts_as_spent(files: Files, opened: store.SqlStore) -> None:
    made = files.plan(files.wait("a"), nano=700, budgets=ONE_DOLLAR)
    files.batches.end(files.claim(made.batch), Ending("lost", billed=False), now=files.desk.now)
    (level,) = opened.money.levels(ONE_DOLLAR, now=files.desk.now)
    assert (level.reserved, level.spent) == (0, 700)


def test_an_end_brings_everything_once(files: Files, opened: store.SqlStore) -> None:
    desk = files.desk
    made = files.plan(files.wait("a", "b"))
    batch = files.claim(made.batch)
    ending = Ending("completed", (files.entry(),), (files.answer("a"),), unusable=1, fault="refusal")
    files.batches.end(batch, ending, now=desk.now)
    with pytest.raises(errors.LeaseLost):
        files.batches.end(batch, ending, now=desk.now)
    assert files.batches.claim(batch.id, lease=60, now=desk.wait(100)) is None
    (entry,) = opened.money.entries(since=desk.now.date())
    assert (entry.nano_usd, entry.nano_saved, entry.batched) == (400, 400, 1)
    assert list(opened.assessments.get([digest("a")])) == [digest("a")]
    assert [claim.lead.email for claim in desk.claim()] == ["b@acme.example"], "unanswered: live, now"
    gathering = files.batches.gathering(now=desk.now)
    assert gathering.leads == 1, "answered: a second model may be asked in a batch, too"
    (ended,) = files.batches.list(ended_since=desk.now - timedelta(days=1))
    assert (ended.answered, ended.unusable, ended.nano_usd, ended.nano_saved) == (1, 1, 400, 400)


def test_a_lease_is_one_owners_and_a_late_one_changes_nothing(files: Files) -> None:
    desk = files.desk
    made = files.plan(files.wait("a"))
    first = files.claim(made.batch)
    assert files.batches.claim(first.id, lease=60, now=desk.now) is None
    assert files.batches.due(now=desk.now) == []
    desk.wait(60)
    assert files.batches.due(now=desk.now) == [first.id]
    second = files.claim(made.batch)
    for stale in (
        lambda: files.batches.save(first._replace(state="uploaded"), now=desk.now),
        lambda: files.batches.drop(first, [digest("a")], now=desk.now),
        lambda: files.batches.end(first, Ending("completed"), now=desk.now),
    ):
        with pytest.raises(errors.LeaseLost):
            stale()
    files.batches.free(first)
    assert files.batches.claim(first.id, lease=60, now=desk.now) is None, "only its owner lets go"
    saved = second._replace(
        state="submitted", provider_id="batch_1", files=("f1", "f2"), deadline=desk.now + timedelta(hours=25)
    )
    files.batches.save(saved, now=desk.now, wait=True)
    files.batches.free(second)
    found = files.claim(made.batch)
    assert (found.state, found.provider_id, found.files) == ("submitted", "batch_1", ("f1", "f2"))
    desk.wait(24 * 3600)
    assert desk.claim() == [], "they wait as long as the batch may take"


def test_a_dropped_question_is_asked_live(files: Files) -> None:
    desk = files.desk
    made = files.plan(files.wait("a", "b"))
    batch = files.claim(made.batch)
    files.batches.drop(batch, [digest("a")], now=desk.now)
    files.batches.drop(batch, [], now=desk.now)
    assert [claim.lead.email for claim in desk.claim()] == ["a@acme.example"]
    assert [item.key for item in files.batches.asked(batch)] == [digest("b")]


def test_a_cancelled_batch_frees_its_leads_at_once(files: Files) -> None:
    desk = files.desk
    made = files.plan(files.wait("a", "b"))
    assert made.batch is not None
    assert files.batches.cancel(made.batch, now=desk.now)
    assert len(desk.claim()) == 2
    assert files.claim(made.batch).cancelled
    desk.wait(60)
    files.batches.end(files.claim(made.batch), Ending("cancelled"), now=desk.now)
    assert not files.batches.cancel(made.batch, now=desk.now)
    assert not files.batches.cancel(99, now=desk.now)


def test_files_at_the_provider_are_remembered_until_they_are_gone(files: Files) -> None:
    desk = files.desk
    made = files.plan(files.wait("a"))
    batch = files.claim(made.batch)._replace(files=("f1", "f2"))
    files.batches.end(batch, Ending("completed"), now=desk.now)
    (left,) = files.batches.untidy(now=desk.now)
    assert left.files == ("f1", "f2")
    files.batches.tidied(batch.id, files=["f2"], look_at=desk.now + timedelta(hours=1))
    assert files.batches.untidy(now=desk.now) == []
    assert files.batches.untidy(now=desk.wait(3600))[0].files == ("f2",)
    files.batches.tidied(batch.id, files=[], look_at=desk.now)
    assert files.batches.untidy(now=desk.wait(3600)) == []


def test_leads_overdue_after_an_outage_are_asked_in_the_batch_and_not_live_as_well(files: Files) -> None:
    desk = files.desk
    works = files.wait("a", "b")
    desk.wait(2 * batch_waits.HORIZON.total_seconds())
    assert files.plan(works).leads == 2
    assert desk.claim() == []
    desk.wait((DEADLINE + SLACK).total_seconds())
    assert len(desk.claim()) == 2, "and not for ever"


def test_a_lead_that_is_decided_live_before_the_upload_is_not_asked_about(files: Files) -> None:
    desk = files.desk
    made = files.plan(files.wait("a", "b"))
    desk.wait((DEADLINE + SLACK).total_seconds())
    (claim,) = desk.claim(limit=1)
    mine = digest(claim.lead.email.partition("@")[0])
    batch = files.claim(made.batch)
    put = {item.key: item.lead for item in files.batches.asked(batch, ready=True)}
    assert put.pop(mine) is None
    assert all(put.values()), "the other waits"
    assert all(item.lead for item in files.batches.asked(batch)), "an answer can still be read"


def test_an_answer_that_cannot_be_read_is_replaced_and_not_paid_again_and_again(
    files: Files, opened: store.SqlStore, store_url: str
) -> None:
    desk = files.desk
    opened.assessments.keep([files.answer("a")], now=desk.now)
    database = engine.Database(store_url)
    older = sa.update(schema.assessment).values(body={"model": "m", "score": 80})
    database.write(lambda connection: connection.execute(older))
    database.close()
    works = files.wait("a")
    made = files.plan(works)
    assert made.questions == 1, "nobody can read it"
    files.batches.end(files.claim(made.batch), Ending("completed", (), (files.answer("a"),)), now=desk.now)
    assert list(opened.assessments.get([digest("a")])) == [digest("a")]
    assert files.plan(works).questions == 0


def test_what_is_not_there_to_be_read_counts_as_unanswered(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = files.desk
    made = files.plan(files.wait("a"))
    monkeypatch.setattr(assessments, "read", lambda *_: {})
    files.batches.end(files.claim(made.batch), Ending("completed", (), (files.answer("a"),)), now=desk.now)
    assert files.batches.gathering(now=desk.now).leads == 0
    assert len(desk.claim()) == 1, "decided live"


def test_a_claim_that_breaks_off_is_not_repeated_at_once(files: Files) -> None:
    desk = files.desk
    made = files.plan(files.wait("a"))
    files.batches.free(files.claim(made.batch, lease=60))
    assert files.batches.due(now=desk.now) == []
    assert files.batches.due(now=desk.wait(60)) == [made.batch]


def test_a_batch_that_ends_while_leads_would_join_it_is_not_waited_for(
    files: Files, opened: store.SqlStore, monkeypatch: pytest.MonkeyPatch, store_url: str
) -> None:
    """It ends right after its question was found: on PostgreSQL, since SQLite lets nobody else write meanwhile."""
    if not store_url.startswith("postgresql"):
        pytest.skip("one writer at a time")
    desk = files.desk
    first = files.plan(files.wait("a"))
    batch, works = files.claim(first.batch), files.wait("b")
    found = batches._asking
    left = [Ending("completed", (), (files.answer("a"),))]

    def asking(*given: Any) -> dict[str, int]:
        asked = found(*given)
        if left:
            opened.batches.end(batch, left.pop(), now=desk.now)
        return asked

    monkeypatch.setattr(batches, "_asking", asking)
    made = files.plan(works, keys={"b": "a"})
    assert (made.batch, made.questions, made.leads) == (None, 0, 0), "it is answered"
    assert works["b"] in {item.work_id for item in files.batches.waiters(limit=9, now=desk.now)}
