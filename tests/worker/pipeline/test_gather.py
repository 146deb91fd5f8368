"""What goes in a batch, what is not worth one, and what never may."""

from __future__ import annotations

from tierwise_fixtures.batches import NAME, PRICES, PRIMARY, SECONDARY, Office

from tierwise import ports
from tierwise.llm import batching, cost
from tierwise.pipeline import gather
from tierwise.ports.money import Budget, Budgets


def test_leads_of_a_backfill_go_in_a_batch(office: Office) -> None:
    office.backfill(1, 2, 3)
    assert office.gather() == gather.Gathered(batches=1, questions=3, waiting=3)
    assert (office.batch().model, office.batch().stage, office.batch().strong) == (PRIMARY, "primary", SECONDARY)
    assert office.gather() == gather.Gathered()
    assert office.decide() == {}


def test_an_inbound_lead_never_does(office: Office) -> None:
    office.arrive(1, old=False)
    assert office.gather() == gather.Gathered()
    assert len(office.decide()) == 1
    assert office.live_calls > 0


def test_they_wait_for_company_but_not_long(office: Office) -> None:
    office.worth = gather.Pace(fewest=2, most=5, linger=60)
    office.backfill(1, 2, 3)
    assert office.gather() == gather.Gathered()
    office.wait(60)
    assert office.gather().questions == 3
    office.backfill(*range(10, 15))
    assert office.gather().questions == 5, "enough for a whole one: nobody is waited for"


def test_too_few_are_asked_live(office: Office) -> None:
    office.worth = gather.Pace(fewest=4, linger=0)
    office.backfill(1, 2, 3)
    assert office.gather() == gather.Gathered(released=3)
    assert len(office.decide()) == 3


def test_many_make_several_batches(office: Office) -> None:
    office.worth = gather.Pace(fewest=1, most=4, linger=0)
    office.backfill(*range(10))
    assert office.gather() == gather.Gathered(batches=3, questions=10, waiting=10)


def test_what_needs_no_answer_is_decided_at_once(office: Office) -> None:
    spam = {"email": "x@mailinator.com", "message": "Buy casino backlinks, SEO services, rank first on Google."}
    office.backfill(1)
    office.backfill(2, message=None, job_title=None)
    report = office.gather()
    assert (report.released, report.questions) == (1, 1), "nothing would be shown"
    office.backfill(3, **spam)
    assert office.gather().released == 1, "a gate stops it"


def test_what_was_answered_before_is_not_asked_again(office: Office) -> None:
    office.backfill(1)
    office.wait(3600)
    office.decide()
    calls = office.live_calls
    office.store.works.requeue(office.policy, since=office.now, now=office.now, batch=True, open_only=False)
    assert office.gather().released == 1
    office.decide()
    assert office.live_calls == calls


def test_a_replay_waits_where_it_may_and_only_there(office: Office) -> None:
    office.arrive(1, 2, old=False)
    office.decide()
    again = office.policy[::-1]  # no decision was made under it
    given = {"since": office.now, "now": office.now, "open_only": False}
    assert office.store.works.requeue(again, **given) == 2
    assert (office.waiting(), office.store.works.due(now=office.now)) == (0, 2)
    office.decide()
    assert office.store.works.requeue(again, batch=True, **given) == 2
    assert (office.waiting(), office.store.works.due(now=office.now)) == (2, 0)


def test_who_was_decided_under_this_policy_is_not_asked_about_though_another_model_is_set(office: Office) -> None:
    office.arrive(1, 2, old=False)
    office.decide()
    office.seeker.close()
    office.seeker = batching.Seeker(office.store.assessments.get, primary="openai/gpt-5-mini", secondary=None)
    office.offers = {"openai/gpt-5-mini"}
    given = {"since": office.now, "now": office.now, "open_only": False}
    assert office.store.works.requeue(office.policy, batch=True, **given) == 2
    assert office.gather() == gather.Gathered(released=2)


def test_a_model_without_batches_is_asked_live(office: Office) -> None:
    office.offers = {SECONDARY}
    office.backfill(1, 2)
    assert office.gather() == gather.Gathered(released=2)


def test_a_budget_without_room_holds_and_shows(office: Office) -> None:
    office.budgets = Budgets(total=Budget(day=20_000_000))
    office.backfill(*range(20))
    report = office.gather()
    assert report.questions > 0
    assert report.held > 0
    assert report.questions + report.held == 20
    assert office.store.works.held() == {NAME: report.held}
    assert office.decide() == {}, "they wait for money, not for a batch"
    office.advance()
    office.advance(60)
    office.wait(86_400)
    assert office.gather().questions > 0


def test_a_price_that_nobody_knows_is_no_batch_under_a_budget(office: Office) -> None:
    office.prices = cost.Prices({})
    office.backfill(1, 2)
    office.budgets = Budgets(total=Budget(day=ports.NANO))
    assert office.gather() == gather.Gathered(released=2)
    office.budgets = ports.UNLIMITED
    office.backfill(3, 4)
    assert office.gather().questions == 2


def test_what_waits_is_let_go_where_batches_are_turned_off(office: Office) -> None:
    office.backfill(1, 2, 3)
    tools = gather.Tools(
        store=office.store, seeker=office.seeker, offers=lambda _: False, runnable=lambda: office.runnable,
        prices=cost.Prices(PRICES), budgets=ports.UNLIMITED, clock=lambda: office.now,
    )  # fmt: skip
    assert gather.release_all(tools) == 3
    assert len(office.decide()) == 3


def test_only_figures_that_are_something_are_told() -> None:
    assert gather.told(gather.Gathered(batches=1, questions=3)) == {"batches": 1, "questions": 3}
