"""The review queue by command; an answer's effect on the CRM is an acceptance test."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tierwise_fixtures.school import School

from tierwise import cli, ports
from tierwise.cli import session

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _database(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["db", "upgrade"]) == 0
    capsys.readouterr()


def test_an_empty_queue(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["review", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_an_unknown_kind_is_told_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["review", "list", "--kind", "low"]) == 2
    assert "low_confidence" in capsys.readouterr().err


def test_an_item_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["review", "answer", "99", "--agree"]) == 1
    assert "99" in capsys.readouterr().err


@pytest.fixture
def waiting() -> list[int]:
    """Three items of one kind and reason, the leads of which say the same."""
    with session.opened() as parts:
        school = School(parts)
        return [school.decide().id for _ in range(3)]


def _listed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert cli.run(["review", "list", "--json"]) == 0
    return list(json.loads(capsys.readouterr().out))


def test_many_alike_get_one_tier_after_a_preview(waiting: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    item = _listed(capsys)[0]
    alike = ["review", "answer-all", "--kind", item["kind"], "--reason", item["reason"], "--tier", "C"]
    assert cli.run([*alike, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (sorted(told["found"]), told["answered"]) == (waiting, [])
    assert {line["answer"]["tier"] for line in told["plan"]} == {"C"}
    assert {line["tier"] for line in told["plan"]} == {"A"}
    assert len(_listed(capsys)) == 3, "a preview answers nothing"
    like = ["review", "answer-all", "--like", str(waiting[1]), "--tier", "C", "--json"]
    assert cli.run(like) == 0
    assert json.loads(capsys.readouterr().out) == told
    assert cli.run(["review", "answer-all", "--agree"]) == 2
    assert cli.run(["review", "answer-all", "--agree", "--like", "99"]) == 1
    assert cli.run([*alike[:-1], "Z"]) == 2, "what cannot be said is refused before anything is"
    assert "not a tier" in capsys.readouterr().err
    assert cli.run([*alike, "--note", "bad month", "--yes"]) == 0
    shown = capsys.readouterr()
    assert "C, nurture" in shown.out
    assert "3 answered, 0 taken by others" in shown.err
    assert _listed(capsys) == []
    with session.opened() as parts:
        labels = parts.store.labels.list(source="review")
        assert {(label.subject, label.value) for label in labels} == {("tier", "C")}
        assert {(item.answer or {}).get("note") for item in parts.store.reviews.list(state="answered")} == {"bad month"}


def test_single_criteria_are_corrected_with_the_words_that_prove_it(
    waiting: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["review", "show", str(waiting[0]), "--json"]) == 0
    criteria = {one["id"]: one for one in json.loads(capsys.readouterr().out)["criteria"]}
    assert criteria["timeline"]["level"] == "soon"
    assert criteria["timeline"]["quote"] == "must be live this quarter"
    assert "outsider" in criteria["purpose"]["levels"]
    answer = ["review", "answer", str(waiting[0]), "--tier", "D", "--criterion"]
    for wrong, why in (
        ("purpose", "is no correction"), ("nothing=x", "is not a criterion"), ("purpose=x", "is not a level"),
        ("purpose=outsider:we sell leads", "does not say"),
    ):  # fmt: skip
        assert cli.run([*answer, wrong]) == 2
        assert why in capsys.readouterr().err
    assert cli.run([*answer, "purpose=outsider:ask jo meyer", "--criterion", "timeline=none", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)["criteria"]
    assert said["purpose"] == {"level": "outsider", "field": "message", "words": "Ask Jo Meyer"}
    assert said["timeline"] == {"level": "none", "field": None, "words": None}
    assert cli.run(["review", "answer", str(waiting[1]), "--tier", "D", "--criterion", "purpose=outsider"]) == 0
    assert "purpose=outsider:WORDS" in capsys.readouterr().err

    assert cli.run(["labels", "export", "--format", "finetune"]) == 0
    shown = capsys.readouterr()
    (lesson,) = [json.loads(line) for line in shown.out.splitlines()]
    assert list(lesson) == ["messages"]
    assert "Meyer" not in shown.out
    assert "examples: 1" in shown.err
    assert "1 left out: a level stands without words of the lead that prove it" in shown.err
    assert cli.run(["labels", "export", "--format", "finetune", "--personal"]) == 0
    assert "Jo Meyer" in capsys.readouterr().out
    with session.opened() as parts:
        events = [event.action for event in parts.store.admin_events.list(subject="labels")]
    assert sorted(events) == ["labels.export_lessons", "labels.export_personal"]


def test_what_people_disagree_on_is_kept_and_told_with_what_counts(
    waiting: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    with session.opened() as parts:
        store = parts.store
        for number, (first, second) in enumerate((("A", "C"), ("B", "B"))):
            item = store.reviews.get(waiting[number])
            assert item is not None
            for by, tier in (("eva", first), ("jon", second)):
                # As a second opinion is: another item on the same decision.
                label = ports.SaidLabel("tier", tier)
                key = item.id if by == "eva" else waiting[2]
                assert store.reviews.answer(
                    key, by=by, answer={"tier": tier}, advice=None, now=NOW, labels=[label], about=item.decision_id
                ) is (by == "eva" or number == 0)
    capsys.readouterr()
    assert cli.run(["labels", "disputes", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["said"], found["counts"]) == ([["eva", "A"], ["jon", "C"]], "C")
    assert cli.run(["labels", "disputes"]) == 0
    assert "eva A, jon C" in capsys.readouterr().out
