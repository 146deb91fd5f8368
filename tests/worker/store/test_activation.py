"""May this bundle run? The rules of change control, on both databases."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tierwise_fixtures import policies as make

from tierwise import errors, store
from tierwise.domain.policy import Policy

PEOPLE = {"ada": ["admin"], "olaf": ["ops"], "sam": ["sales"], "sue": ["sales"], "ron": ["revops"],
          "bo": ["sales", "revops"]}  # fmt: skip


def version(cut: int = 75, **more: Any) -> Policy:
    return make.policy(make.rubric(tiers={**make.TIERS, "A": cut}), **more)


MAJOR = {"prompt": "Another prompt."}


@pytest.fixture
def house(desk: Any) -> Any:
    """A policy runs, and people are listed."""
    made = House(desk)
    made.start()
    return made


class House:
    """A desk with people, in few words."""

    def __init__(self, desk: Any) -> None:
        self.desk, self.policies = desk, desk.store.policies

    def start(self) -> None:
        self.first = self.publish(version(), by="tierwise")
        self.policies.activate(self.first, by="tierwise", note="first", now=self.desk.now)
        by = "local:root"
        for name, roles in PEOPLE.items():
            self.desk.store.people.add(name, roles=roles, by=by, now=self.desk.now)
            by = "ada"

    def publish(self, policy: Policy, by: str = "olaf") -> str:
        digest: str = self.policies.publish(policy, by=by, note="", now=self.desk.wait(1))
        return digest

    def approve(self, digest: str, *names: str) -> None:
        for name in names:
            self.policies.approve(digest, by=name, reason="seen", now=self.desk.wait(1))

    def stage(self, digest: str, *, passed: bool = True, beyond: tuple[str, ...] = (), by: str = "olaf") -> None:
        self.policies.note_trial(
            digest, kind="staging", passed=passed, beyond=beyond, report={}, by=by, now=self.desk.wait(1)
        )

    def activate(self, digest: str, by: str = "olaf", **more: Any) -> Any:
        return self.policies.activate(digest, by=by, note="", now=self.desk.wait(1), **more)

    @property
    def active(self) -> str:
        return str(self.policies.active().digest)


def test_a_major_change_needs_sales_and_revops(house: Any) -> None:
    digest = house.publish(version(**MAJOR))
    assert house.policies.published(digest).change == "major"
    for given in ((), ("sam",), ("sue",)):
        house.approve(digest, *given)
        with pytest.raises(errors.Refused, match="two different people"):
            house.activate(digest)
    house.approve(digest, "ron")
    assert house.activate(digest).change == "major"
    assert house.active == digest
    tried = [item for item in house.desk.store.admin_events.list() if item.action == "policy.activate"]
    assert [bool(item.refused) for item in tried] == [False, True, True, True, False]
    assert tried[1].actor == "olaf"
    assert tried[1].after["change"] == "major"
    assert tried[1].before == {"active": house.first}


def test_one_person_with_both_roles_is_one_person(house: Any) -> None:
    digest = house.publish(version(**MAJOR))
    house.approve(digest, "bo", "bo")
    with pytest.raises(errors.Refused, match="two different people"):
        house.activate(digest)
    house.approve(digest, "sam")
    assert house.activate(digest).digest == digest


def test_the_author_does_not_approve(house: Any) -> None:
    digest = house.publish(version(**MAJOR), by="ron")
    with pytest.raises(errors.Refused, match="ron wrote it"):
        house.approve(digest, "ron")
    house.approve(digest, "sam")
    with pytest.raises(errors.Refused, match="so far: sam"):
        house.activate(digest)


@pytest.mark.parametrize("name", ["olaf", "ada", "local:root", "eve", "tierwise"])
def test_who_has_no_such_role_does_not_approve(house: Any, name: str) -> None:
    digest = house.publish(version(**MAJOR))
    with pytest.raises(errors.Refused):
        house.approve(digest, name)
    assert house.policies.approvals(digest) == []
    assert house.desk.store.admin_events.list(limit=1)[0].refused


def test_an_approval_without_a_reason_is_none(house: Any) -> None:
    digest = house.publish(version(**MAJOR))
    with pytest.raises(errors.Refused, match="reason"):
        house.policies.approve(digest, by="sam", reason=" ", now=house.desk.now)


def test_an_approval_of_who_was_disabled_counts_no_more(house: Any) -> None:
    digest = house.publish(version(**MAJOR))
    house.approve(digest, "sam", "ron")
    house.desk.store.people.disable("ron", by="ada", now=house.desk.now)
    with pytest.raises(errors.Refused, match="two different people"):
        house.activate(digest)


def test_an_approval_is_for_one_step_and_used_up_by_it(house: Any) -> None:
    digest = house.publish(version(**MAJOR))
    house.approve(digest, "sam", "ron")
    house.activate(digest)
    house.policies.rollback(by="sam", note="no good", now=house.desk.wait(1))
    with pytest.raises(errors.Refused, match="so far: nobody"):
        house.activate(digest)


def test_an_approval_given_against_another_version_does_not_count(house: Any) -> None:
    digest = house.publish(version(**MAJOR))
    house.approve(digest, "sam", "ron")
    minor = house.publish(version(76))
    house.stage(minor)
    house.activate(minor)
    with pytest.raises(errors.Refused, match="so far: nobody"):
        house.activate(digest)


def test_a_minor_change_needs_an_ops_editor_and_a_green_staging_run(house: Any) -> None:
    digest = house.publish(version(76))
    assert house.policies.published(digest).change == "minor"
    with pytest.raises(errors.Refused, match="no green staging run"):
        house.activate(digest)
    house.stage(digest, passed=False)
    with pytest.raises(errors.Refused, match="no green staging run"):
        house.activate(digest)
    house.stage(digest)
    for name in ("ron", "ada"):
        with pytest.raises(errors.Refused, match="ops"):
            house.activate(digest, by=name)
    for name in ("sam", "local:root", "tierwise", "eve"):
        with pytest.raises(errors.Refused):
            house.activate(digest, by=name)
    assert house.active == house.first
    assert house.activate(digest).change == "minor"


def test_a_staging_run_that_turned_red_counts(house: Any) -> None:
    digest = house.publish(version(76))
    house.stage(digest)
    house.stage(digest, passed=False)
    with pytest.raises(errors.Refused, match="no green staging run"):
        house.activate(digest)


def test_beyond_a_limit_somebody_else_must_agree(house: Any) -> None:
    digest = house.publish(version(76))
    house.stage(digest, beyond=("30 % of leads flip",))
    with pytest.raises(errors.Refused, match="30 % of leads flip"):
        house.activate(digest)
    house.approve(digest, "sue")
    assert house.activate(digest).digest == digest


def test_many_small_steps_are_a_large_one(house: Any) -> None:
    for cut in (79, 80):
        digest = house.publish(version(cut))
        house.stage(digest)
        house.activate(digest)
    digest = house.publish(version(83))
    house.stage(digest)
    with pytest.raises(errors.Refused, match="two different people"):
        house.activate(digest)
    house.approve(digest, "sam", "ron")
    house.activate(digest)
    further = house.publish(version(88))
    house.stage(further)
    house.activate(further)
    assert house.active == further


def test_a_rollback_needs_only_somebody_who_is_known(house: Any) -> None:
    digest = house.publish(version(**MAJOR))
    house.approve(digest, "sam", "ron")
    house.activate(digest)
    for name in ("local:root", "eve"):
        with pytest.raises(errors.Refused):
            house.policies.rollback(by=name, note="", now=house.desk.wait(1))
    back = house.policies.rollback(by="sam", note="no good", now=house.desk.wait(1))
    assert (back.digest, back.kind, back.by, back.note) == (house.first, "rollback", "sam", "no good")
    assert house.active == house.first


def test_two_rollbacks_go_back_two_steps(desk: Any) -> None:
    policies = desk.store.policies
    digests = [policies.publish(version(cut), by="local:me", note="", now=desk.now) for cut in (75, 76, 77)]
    for digest in digests:
        policies.activate(digest, by="local:me", note="", now=desk.wait(1))
    gone = [policies.rollback(by="local:me", note="", now=desk.wait(1)).digest for _ in range(2)]
    assert gone == [digests[1], digests[0]]
    with pytest.raises(errors.Misconfigured, match="nothing ran before"):
        policies.rollback(by="local:me", note="", now=desk.now)
    assert policies.rollback(by="local:me", note="", now=desk.wait(1), to=digests[2]).digest == digests[2]
    assert policies.rollback(by="local:me", note="", now=desk.wait(1)).digest == digests[0]


def test_nothing_rolls_back_to_what_never_ran(house: Any) -> None:
    digest = house.publish(version(**MAJOR))
    with pytest.raises(errors.Refused, match="never ran"):
        house.policies.rollback(by="ada", note="", now=house.desk.now, to=digest)
    with pytest.raises(errors.Misconfigured, match="published"):
        house.policies.rollback(by="ada", note="", now=house.desk.now, to="0" * 64)
    assert house.active == house.first


def test_staging_is_another_environment(house: Any) -> None:
    digest = house.publish(version(**MAJOR))
    house.activate(digest, environment="staging")
    assert house.active == house.first
    assert house.policies.active("staging").digest == digest
    with pytest.raises(errors.Refused, match="never ran"):
        house.policies.rollback(by="ada", note="", now=house.desk.now, to=digest)
    with pytest.raises(errors.Refused):
        house.activate(house.first, by="sam", environment="staging")


def test_without_anybody_listed_everybody_may(desk: Any) -> None:
    policies = desk.store.policies
    for policy in (version(), version(**MAJOR), version(90)):
        digest = policies.publish(policy, by="local:me", note="", now=desk.now)
        policies.activate(digest, by="local:me", note="", now=desk.wait(1))
    assert [item.change for item in policies.history()] == ["major", "major", "first"]
    with pytest.raises(errors.Refused, match="there is none yet"):
        policies.approve(digest, by="local:me", reason="why not", now=desk.now)


def test_tierwise_itself_brings_only_the_first_policy(desk: Any) -> None:
    desk.store.people.add("ada", roles=["admin"], by="local:root", now=desk.now)
    policies = desk.store.policies
    first = policies.publish(version(), by="tierwise", note="", now=desk.now)
    policies.activate(first, by="tierwise", note="", now=desk.now)
    with pytest.raises(errors.Refused):
        policies.publish(version(76), by="tierwise", note="", now=desk.now)
    assert len(policies.versions()) == 1


def test_what_runs_is_not_activated_again(house: Any) -> None:
    before = house.policies.history()
    assert house.activate(house.first, by="olaf") == before[0]
    assert house.policies.history() == before


def test_two_activations_at_once_come_one_after_the_other(house: Any, store_url: str) -> None:
    """Both are minor against what runs; the second is another step, for which nothing was staged."""
    digests = [house.publish(version(cut)) for cut in (76, 77)]
    for digest in digests:
        house.stage(digest)
    barrier = threading.Barrier(2)

    def run(digest: str) -> bool:
        mine = store.open_store(store_url)
        try:
            barrier.wait(20)
            mine.policies.activate(digest, by="olaf", note="", now=house.desk.now)
        except errors.Refused:
            return False
        finally:
            mine.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(run, digests))
    assert sorted(done) == [False, True]
    assert house.active == digests[done.index(True)]
