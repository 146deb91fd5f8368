"""What is stored is put back into the queue under another policy, once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tierwise.domain.lead import digest
from tierwise.store import requeue

OTHER = digest("another policy")


def again(desk: Any, *, days: float = 30, policy: str = OTHER, **more: Any) -> int:
    made: int = desk.store.works.requeue(policy, since=desk.now - timedelta(days=days), now=desk.now, **more)
    return made


def test_decided_leads_wait_again_behind_new_ones(desk: Any) -> None:
    desk.decide(*(desk.arrival(name) for name in "abc"))
    assert again(desk) == 3
    assert again(desk) == 0, "they wait already"
    desk.poll(desk.arrival("new", email="n@acme.example"))
    claims = desk.claim()
    assert claims[0].record_id == "new"
    assert sorted((claim.record_id, claim.policy) for claim in claims[1:]) == [(name, OTHER) for name in "abc"]
    assert again(desk) == 0, "somebody decides them just now"
    desk.commit(claims)
    assert again(desk) == 4, "who asks again gets it again"


def test_only_what_was_decided_lately_and_is_open(desk: Any) -> None:
    desk.decide(desk.arrival("old"))
    desk.wait(20 * 86_400)
    desk.decide(
        desk.arrival("open", lifecycle="marketing_qualified"),
        desk.arrival("plain"),
        *(desk.arrival(stage, lifecycle=stage) for stage in requeue.CLOSED),
    )
    desk.poll(desk.misfit("misfit"), desk.arrival("waits"))
    assert again(desk, days=10) == 2
    assert {claim.record_id for claim in desk.claim() if claim.policy == OTHER} == {"open", "plain"}
    assert again(desk, policy=digest("third"), open_only=False, days=10) == 2 + len(requeue.CLOSED)
    assert again(desk, policy=digest("fourth"), days=40, until=desk.now - timedelta(days=10)) == 1


def test_of_one_connection(desk: Any) -> None:
    desk.enable("other")
    desk.decide(desk.arrival("a"))
    assert again(desk, connection="other") == 0
    assert again(desk, connection="crm") == 1


@pytest.mark.parametrize("size", [1, 2])
def test_in_slices_of_any_size(desk: Any, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(requeue, "SLICE", size)
    desk.decide(*(desk.arrival(name) for name in "abcde"))
    assert again(desk) == 5


def test_candidates_are_what_nobody_decided_under_the_policy(desk: Any) -> None:
    desk.decide(desk.arrival("a", company="A"), desk.arrival("b", company="B", lifecycle="customer"))

    def found(policy: str = OTHER, **more: Any) -> list[tuple[str, str]]:
        since = desk.now - timedelta(days=30)
        return [(name, lead.company) for name, lead in desk.store.works.candidates(policy, since=since, **more)]

    assert found() == [("crm", "A")]
    assert found(open_only=False) == [("crm", "A"), ("crm", "B")]
    assert found(connection="other") == []
    assert again(desk) == 1
    desk.commit(desk.claim())
    assert found() == []
