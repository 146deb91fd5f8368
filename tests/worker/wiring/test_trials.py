"""Backtests and staging runs over a database of decided leads."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tierwise_fixtures import answers, decided

from tierwise import policies, wiring
from tierwise import settings as configuration
from tierwise.cli import setup
from tierwise.domain import calibration as calibrations
from tierwise.domain import decision as decisions
from tierwise.domain import fitting, rules
from tierwise.domain.policy import Policy
from tierwise.domain.rubric import Rubric
from tierwise.errors import Refused
from tierwise.wiring import trials

COUNT = 60


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with decisions: to be copied."""
    settings = configuration.Settings(home=tmp_path_factory.mktemp("filled"))
    setup.prepare(settings)
    made = wiring.Wiring(settings)
    decided.fill(made, COUNT)
    made.close()
    return settings.home / "tierwise.db"


@pytest.fixture
def full(home: Path, filled: Path) -> Iterator[wiring.Wiring]:
    shutil.copy(filled, home / "tierwise.db")
    made = wiring.Wiring(configuration.Settings(home=home))
    yield made
    made.close()


def changed(policy: Policy, **rubric: Any) -> Policy:
    whole = Rubric.model_validate({**policy.rubric.model_dump(mode="json"), **rubric})
    return policy.model_copy(update={"rubric": whole, "version": "2.0"})


def _flips(parts: wiring.Wiring, policy: Policy) -> int:
    """How many leads get another tier or outcome, from the very leads and verdicts that were put in."""
    found = []
    for runnable in (parts.runnable(), policies.compile(policy)):
        sides = []
        for number in range(COUNT):
            lead = decided.lead(number)
            gates = decisions.gate(runnable, lead)
            judged = None if rules.first(gates) is not None else decided.judged(runnable, number)
            made = decisions.decide(
                runnable, lead, connection="c", record_id="1", gates=gates, judged=judged, now=wiring.clock()
            )
            sides.append((made.tier, made.outcome))
        found.append(sides)
    return sum(one != other for one, other in zip(*found, strict=True))


def publish(parts: wiring.Wiring, policy: Policy) -> str:
    return parts.store.policies.publish(policy, by="me", note="", now=wiring.clock())


def shifted(parts: wiring.Wiring, by: int) -> Policy:
    policy = parts.runnable().policy
    tiers = {name: max(cut + by, 0) if cut else 0 for name, cut in policy.rubric.tiers.items()}
    return changed(policy, tiers=tiers)


def test_the_same_policy_changes_nothing(full: wiring.Wiring) -> None:
    runnable = full.runnable()
    told = full.backtest(runnable.policy, digest=runnable.digest, last=1000)
    assert (told["leads"], told["replayed"], told["flips"], told["would_need_model"]) == (COUNT, COUNT, 0, 0)
    assert told["beyond"] == [] or "go to people" in told["beyond"][0]
    assert all(list(row) == [name] for name, row in told["outcomes"].items())


def test_another_version_of_the_same_is_recomputed_to_what_is_stored(full: wiring.Wiring) -> None:
    """Stored decisions, recomputed from what models said under a policy that says the same, are the same."""
    same = full.runnable().policy.model_copy(update={"version": "1.1"})
    told = full.backtest(same, digest=same.digest(), last=1000)
    assert (told["replayed"], told["flips"]) == (COUNT, 0)
    assert told["review"]["before"] == told["review"]["after"]


def test_confidence_is_what_the_calibration_in_force_makes_of_it(full: wiring.Wiring) -> None:
    """As the pump would: who would go to people then, goes to people here."""
    policy = full.runnable().policy
    learnt = fitting.fit(answers.policy(), answers.CHAIN, answers.labelled(55), source="test")
    used = decided.judged(full.runnable(), 0).used
    assert used is not None
    full.settings = full.settings.model_copy(
        update={"model": full.settings.model.model_copy(update={"primary": used, "secondary": None})}
    )
    fits = learnt.model_copy(
        update={"rubric": calibrations.rubric_digest(policy.rubric, policy.prompt), "models": full.chain(policy)}
    )
    kept = full.store.calibrations
    kept.activate(kept.keep(fits, by="me", note="", now=wiring.clock()), by="me", note="", now=wiring.clock())
    full._in_force = None
    told = {}
    for calibrated in (True, False):
        runnable = full.runnable()
        assert (runnable.calibration is not None) is calibrated
        same = policy.model_copy(update={"version": "1.1"})
        reviewed = 0
        for number in range(COUNT):
            lead = decided.lead(number)
            gates = decisions.gate(runnable, lead)
            judged = None if rules.first(gates) is not None else decided.judged(runnable, number)
            made = decisions.decide(
                runnable, lead, connection="c", record_id="1", gates=gates, judged=judged, now=wiring.clock()
            )
            reviewed += made.review is not None
        told[calibrated] = full.backtest(same, digest=same.digest(), last=1000)["review"]["after"]
        assert told[calibrated] == reviewed
        kept.activate(None, by="me", note="", now=wiring.clock())
        full._in_force = None
    assert told[True] != told[False], "the calibration makes no difference here, so this tells nothing"


def test_a_cut_off_flips_exactly_the_leads_that_it_crosses(full: wiring.Wiring) -> None:
    policy = shifted(full, 15)
    told = full.backtest(policy, digest=policy.digest(), last=1000)
    assert told["flips"] == _flips(full, policy) > 0
    for flip in told["flipped"]:
        assert flip["before"]["score"] == flip["after"]["score"], "a cut-off moves no score"
        assert (flip["before"]["tier"], flip["before"]["outcome"]) != (flip["after"]["tier"], flip["after"]["outcome"])
    assert sum(item["leads"] for item in told["segments"] if item["segment"] == "region") == COUNT
    assert sum(item["flips"] for item in told["segments"] if item["segment"] == "source") == told["flips"]
    assert any("another tier" in sentence for sentence in told["beyond"])


def test_new_questions_would_need_a_model_and_cost_what_a_lead_cost(full: wiring.Wiring) -> None:
    policy = changed(full.runnable().policy.model_copy(update={"prompt": "Judge {{ rubric }}."}),
                     models={"primary": "openai/other"})  # fmt: skip
    told = full.backtest(policy, digest=policy.digest(), last=1000)
    stopped = sum(item.body["scorecard"] is None for item in full.store.decisions.recent(limit=1000))
    assert told["would_need_model"] == COUNT - stopped
    assert told["replayed"] == stopped
    assert told["cost"]["estimate_usd"] == pytest.approx(0.001 * told["would_need_model"])
    assert len(told["needing_model"]) == told["would_need_model"]


def test_the_lexicon_needs_nobody(full: wiring.Wiring) -> None:
    policy = full.runnable().policy
    assert policy.rubric.models.primary == "offline/rules"
    other = policy.model_copy(update={"prompt": "Judge {{ rubric }} well."})
    told = full.backtest(other, digest=other.digest(), last=20)
    assert (told["would_need_model"], told["replayed"]) == (0, 20)


def test_shares_of_several_processes_are_the_whole(full: wiring.Wiring, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = shifted(full, 10)
    alone = full.backtest(policy, digest=policy.digest(), last=COUNT)
    monkeypatch.setattr("tierwise.wiring.trials.WORTH_SHARING", 1)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    shared = full.backtest(policy, digest=policy.digest(), last=COUNT)
    for told in (alone, shared):
        told["flipped"].sort(key=lambda item: item["lead"])
    assert shared == alone


def test_a_quick_replay_is_deciding_lead_by_lead(full: wiring.Wiring) -> None:
    """Every lead under two versions that differ in weights, cut-offs and a rule, against the slow way: `decide`."""
    policy = full.runnable().policy
    heavier = [
        {**item.model_dump(mode="json"), "weight": item.weight + by}
        for item, by in zip(policy.rubric.criteria, (5, -5, *[0] * 20), strict=False)
    ]
    rule = next(item for item in policy.rules if item.stage == "route")
    new = rule.model_copy(update={"id": "planted", "when": "lead.region == 'na' && result.score >= 20",
                                  "outcome": "nurture", "priority": 0})  # fmt: skip
    versions = (
        shifted(full, 4),
        changed(policy, criteria=heavier, tiers={"A": 70, "B": 52, "C": 33, "D": 0}).model_copy(
            update={"rules": (*policy.rules, new), "version": "3.0"}
        ),
    )
    runnables = [policies.compile(version) for version in versions]
    slow: dict[str, list[Any]] = {}
    for number in range(COUNT):
        lead = decided.lead(number)
        for runnable in runnables:
            gates = decisions.gate(runnable, lead)
            judged = None if rules.first(gates) is not None else decided.judged(full.runnable(), number)
            made = decisions.decide(
                runnable, lead, connection="c", record_id=str(number), gates=gates, judged=judged, now=wiring.clock()
            )
            slow.setdefault(str(number), []).append(
                (made.outcome, made.tier, made.score, made.route, made.review is not None, made.reason_codes)
            )
    found = trials._replay(
        trials._Share(
            full.settings.database_url, versions[0], runnables[0].digest, versions[1], runnables[1].digest,
            last=1000, part=0, parts=1, primary=None, secondary=None, samples=0,
                decisions=frozenset(),
        )
    )  # fmt: skip
    quick = {item.record_id: [tuple(item.before), tuple(item.after or ())] for item in found if item is not None}
    assert quick == slow
    assert any(one != other for one, other in slow.values())
    assert "planted" in {hit.rule for hit in made.hits}


def test_a_green_staging_run_is_kept_and_runs_in_staging(full: wiring.Wiring) -> None:
    digest = publish(full, shifted(full, 2))
    staged = full.stage(digest, by="me", note="try")
    assert staged.problem == ""
    assert staged.tests > 100
    (trial,) = full.store.policies.trials(digest)
    assert trial.passed
    assert trial.report["replayed"] == COUNT
    assert "flipped" not in trial.report
    staging = full.store.policies.active("staging")
    assert staging is not None
    assert staging.digest == digest
    assert full.runnable().digest != digest


def test_a_red_one_is_kept_and_runs_nowhere(full: wiring.Wiring) -> None:
    policy = full.runnable().policy
    rule = policy.rules[0].model_copy(update={"when": "lead.employee_count < 1", "tests": policy.rules[0].tests})
    digest = publish(full, policy.model_copy(update={"rules": (rule, *policy.rules[1:])}))
    staged = full.stage(digest, by="me", note="")
    assert staged.problem
    (trial,) = full.store.policies.trials(digest)
    assert not trial.passed
    assert full.store.policies.active("staging") is None


def test_only_editors_stage(full: wiring.Wiring) -> None:
    digest = publish(full, shifted(full, 2))
    full.store.people.add("ada", roles=["admin"], by="me", now=wiring.clock())
    full.store.people.add("sam", roles=["sales"], by="ada", now=wiring.clock())
    with pytest.raises(Refused):
        full.stage(digest, by="sam", note="")
    assert full.store.policies.active("staging") is None


def test_before_anything_ran_there_is_nothing_to_replay(parts: wiring.Wiring) -> None:
    digest = publish(parts, policies.read(parts.policy_directory()))
    assert parts.stage(digest, by="me", note="").problem == ""
