"""A pilot from its first shadow lead to the kill switch: real wiring and connector against a portal on a socket."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from tierwise_fixtures.stage import Stage, playing

from tierwise import policies
from tierwise.cli import desk
from tierwise.domain import rollout
from tierwise.domain.decision import Judged
from tierwise.domain.lead import Lead, digest
from tierwise.domain.policy import Runnable
from tierwise.domain.rollout import Flag
from tierwise.domain.rubric import Assessment, Verdict
from tierwise.errors import Refused
from tierwise.llm.loop import LoopThread
from tierwise.pipeline import review
from tierwise.settings import model
from tierwise_sandbox.store import Write

FIELD, GOLD = "their_tier", "gold"
POD = "midmarket_emea"
GOOD = {
    "jobtitle": "Head of Operations", "numemployees": "400", "monthly_volume": "8000", "industry": "RETAIL",
    "country": "Germany", "lead_touchpoint": "Demo request", "message": "We need a carrier integration this month.",
}  # fmt: skip
POOR = {**GOOD, "numemployees": "3", "monthly_volume": "20", "jobtitle": "Intern", "lead_touchpoint": "Newsletter"}
REVIEWERS = {"eva": 0.03, "jon": 0.0, "mia": 0.02}
"""How often each of them errs."""


class Judge:
    """A model that is sure of itself: the best level of every criterion for good leads, the worst for the others."""

    async def judge(self, runnable: Runnable, lead: Lead, *, connection: str = "") -> Judged:
        best = lead.employee_count is not None and lead.employee_count > 100
        verdicts = tuple(
            Verdict(
                criterion=one.id, probability=0.98, decided_by="openai/gpt-x",
                level=(max if best else min)(one.levels, key=lambda level: level.points).id,
            )
            for one in runnable.policy.rubric.criteria
            if one.decide == "model"
        )  # fmt: skip
        key = digest([lead.fingerprint(), runnable.digest])
        said = Assessment(model="openai/gpt-x", verdicts=verdicts, content_hash=key, cost_usd=0.001)
        return Judged(assessments=(said,), verdicts=verdicts, used="openai/gpt-x")

    async def close(self) -> None:
        """Nothing is open."""


class Pilot:
    """What its people and its CRM do."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.parts, self.portal = stage, stage.parts, stage.crm.portal  # type: ignore[union-attr]
        self.chance = random.Random(4)
        self.number = 0
        self.portal.definitions.create_property(
            {"name": FIELD, "label": "Their tier", "type": "string", "fieldType": "text",
             "groupName": "contactinformation"}
        )  # fmt: skip
        self.stage.connect("crm", tier_field=FIELD, tier_values={"A": GOLD})
        self.truth: dict[str, bool] = {}

    def leads(
        self, good: int, poor: int = 0, *, wrong: int = 0, inside: int = 0, country: str = GOOD["country"]
    ) -> list[str]:
        """Leads come in and are decided; `wrong` of the good ones are none in truth, `inside` of them are of companies
        among the first 5 %. The country decides the pod."""
        made = []
        for index in range(good + poor):
            self.number += 1
            domain = self._domain(under=500 if index < inside else 10_000)
            values = GOOD if index < good else POOR
            made.append(
                {**values, "email": f"ada@{domain}", "company": f"Firm {self.number}", "firstname": "Ada",
                 "country": country}
            )  # fmt: skip
        records = self.portal.store.create([(one, None) for one in made], by="person")
        ids = [str(record.id) for record in records]
        self.truth.update({key: good - wrong > index for index, key in enumerate(ids)})
        self.tick()
        return ids

    def _domain(self, *, under: int) -> str:
        while True:
            domain = f"firm{self.chance.randrange(10**9)}.com"
            if rollout.bucket(domain, salt=rollout.FLAG) < under:
                return domain

    def tick(self) -> None:
        """The tasks of a few minutes."""
        self.stage.wait(60)
        self.stage.settle("crm")
        self.stage.run("crm", "automate")

    def review(self, share: float = 1.0) -> int:
        """Three people answer what was drawn for them, blind, as `tierwise review` does; how many answers."""
        store, rubric, given = self.parts.store, self.parts.runnable().policy.rubric, 0
        waiting = sorted((item for item in store.reviews.list(limit=10_000) if item.blind), key=lambda item: item.id)
        while waiting:
            for item in waiting[: max(1, int(len(waiting) * share))]:
                name = next(one for one in self._turn(given) if one != item.not_for)
                shown = review.masked(item)
                assert (shown.tier, shown.score, shown.confidence) == (None, None, None), "nobody knows what we think"
                right = self.truth[item.record_id] is not (self.chance.random() < REVIEWERS[name])
                review.answer(
                    store, item, rubric=rubric, desired=desk.desired(self.parts, item), by=name, agree=False,
                    tier="A" if right else "D", outcome=None, reason=None, note=None, clock=self.stage.now,
                    wait=timedelta(),
                )  # fmt: skip
                given += 1
            # Some of them a second person looks at, too.
            waiting = [] if share < 1 else [item for item in store.reviews.list(limit=10_000) if item.blind]
        self.tick()
        return given

    def _turn(self, number: int) -> list[str]:
        names = sorted(REVIEWERS)
        return names[number % 3 :] + names[: number % 3]

    def register(self, *looks: int) -> None:
        self.parts.register(cut_offs=(0.5,), looks=looks, anytime=False, by="ada", now=self.stage.now())

    def raise_to(self, percentage: int, **more: Any) -> list[str]:
        flag = Flag(percentage=percentage, pods=(POD,), soak_hours=24, smallest=1, **more)
        return self.parts.raise_flag(flag, by="tierwise", reason="pilot")

    def gold(self) -> set[str]:
        """Records on which the organisation's field says so."""
        return {key for key in self.truth if self.stage.crm.shown(key, FIELD) == GOLD}


@pytest.fixture
def pilot(tmp_path: Any) -> Iterator[Pilot]:
    with playing("hubspot", f"sqlite:///{tmp_path / 'x.db'}", tmp_path) as stage:
        given = stage.parts.settings
        stage.parts.settings = given.model_copy(
            update={
                "model": model.ModelSettings(primary="openai/gpt-x"),
                "audit": model.AuditSettings(top=1, others=1),
            }
        )
        stage.parts._judges, stage.parts._loop = {"hold": Judge()}, LoopThread()
        yield Pilot(stage)


def test_from_shadow_to_automation_and_back(pilot: Pilot) -> None:
    parts = pilot.parts
    pilot.register(30, 60)
    first = pilot.leads(20, 30, wrong=3)
    assert {parts.store.leads.story("crm", key)[0].decisions[-1].decision.tier for key in first[:20]} == {"A"}
    found = parts.validate(by="ada")
    assert (found.passed, found.items, found.next_look, found.labels_missing) == (False, 20, 30, 10)
    assert any("no validation report" in why for why in pilot.raise_to(1)), "the gate is red"

    pilot.leads(15)
    pilot.review(0.5)
    found = parts.validate(by="ada")
    assert found.report is None, "no look is spent while its items have no label"
    assert found.labels_missing
    assert "waits for" in found.reasons[0]
    pilot.review()
    found = parts.validate(by="ada")
    assert (found.passed, found.verdict is not None and found.verdict.look) == (False, 30)
    assert found.labels_missing, "how many more would do"
    assert "the gate is red" in pilot.raise_to(1)[0]

    pilot.leads(40, inside=12)
    abroad = pilot.leads(4, inside=4, country="United States")
    pilot.review()
    labels = parts.store.labels.list(source="review", limit=1000)
    assert {label.by for label in labels} == set(REVIEWERS)
    assert {label.sampling for label in labels} == {1.0}, "each came by a draw whose chance is known"
    assert review.agreement(parts.store), "some were labelled by two"
    found = parts.validate(by="ada")
    assert found.passed, found.reasons
    assert parts.standing().gate.green
    pilot.tick()
    assert pilot.gold() == set(), "nothing by itself: a person raises it"
    assert pilot.raise_to(5) == ["from 0 % the next stage is 1 %"]
    assert pilot.raise_to(1) == []
    pilot.tick()
    pilot.stage.wait(86_400)
    assert pilot.raise_to(5) == []
    pilot.tick()
    written = pilot.gold()
    assert len(written) >= 12
    for key in written:
        decision = parts.store.leads.story("crm", key)[0].decisions[-1].decision
        assert (decision.route, decision.tier) == (POD, "A")
        assert rollout.bucket(str(decision.fields["company_domain"]), salt=rollout.FLAG) < 500
    assert len(written) < 30, "5 % of companies, and those that were made to be among them"
    routes = {parts.store.leads.story("crm", key)[0].decisions[-1].decision.route for key in abroad}
    assert POD not in routes
    assert not written & set(abroad), "of another pod, though they are among the first 5 %"
    touched = sorted(written)[0]
    pilot.portal.store.update([Write(int(touched), {FIELD: "platinum"})], by="person")

    assert parts.overrides("crm") == 1
    assert parts.watch() is None, "one of a few is no reason"

    # Another policy: nobody measured it.
    policy = policies.read(parts.policy_directory()).model_copy(update={"version": "1.1"})
    parts.store.policies.publish(policy, by="tierwise", note="", now=pilot.stage.now())
    parts.activate(policy.digest(), by="tierwise", note="")
    before = len(parts.store.automations.list())
    later = pilot.leads(10, inside=10)
    assert not parts.standing().gate.green
    assert all(pilot.stage.crm.shown(key, "tierwise_tier") == "A" for key in later), "advice goes on"
    assert len(parts.store.automations.list()) == before
    assert pilot.gold() == written - {touched}

    pilot.register(30)
    pilot.leads(40, 40)
    pilot.review()
    assert parts.validate(by="ada").passed
    pilot.tick()
    again = pilot.gold()
    assert set(later) <= again, "on again at the percentage that a person had given, without a word"
    assert touched not in again, "a person's value stays"

    disputed = [key for key in sorted(again) if key not in later]
    pilot.portal.store.update([Write(int(key), {"tierwise_feedback": "too_high"}) for key in disputed], by="person")
    pilot.tick()
    ended = parts.watch()
    assert ended is not None
    assert ([reason.kind for reason in ended.why], ended.before) == (["overrides"], 5)
    assert not parts.standing().gate.green, "an alert stands until a person has seen to it"
    assert parts.watch() is None
    for alert in parts.store.flags.alerts():
        parts.store.flags.close_alert(alert.id, by="ada", now=pilot.stage.now())
    assert parts.standing().gate.green
    assert pilot.raise_to(1) == []

    parts.store.flags.kill(on=True, by="ada", reason="enough", now=pilot.stage.now())
    pilot.leads(10, inside=10)
    assert pilot.gold() == again
    changed = sorted(again)[1]
    pilot.portal.store.update([Write(int(changed), {FIELD: "bronze"})], by="person")
    done = parts.revert("crm", since=pilot.stage.now() - timedelta(days=30))
    assert (done.written, done.kept) == (len(again) - 1, 1)
    assert pilot.gold() == set()
    assert pilot.stage.crm.shown(changed, FIELD) == "bronze"
    assert pilot.stage.crm.shown(touched, FIELD) == "platinum"
    assert parts.store.decisions.verify("crm").broken_at is None
    with pytest.raises(Refused):
        parts.store.flags.put(Flag(percentage=25), by="auto-off", machine=True, reason="x", now=pilot.stage.now())
