"""Scores on the spot: in the order of the rows, whoever answers first, and in the shape that scripts rely on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from tierwise_fixtures import fakes

from tierwise import errors
from tierwise.llm.loop import LoopThread
from tierwise.pipeline import preview

KEYS = ["id", "status", "score", "fit", "intent", "tier", "confidence", "calibrated", "outcome", "route",
        "reason_codes", "policy"]  # fmt: skip


def _row(name: str, **properties: Any) -> preview.Row:
    good = {"email": f"{name}@acme.example", "company": "Acme", "employees": 120, "message": "We need it."}
    return preview.Row(name, {**good, **properties})


def _preview(line: Any, rows: Any, *, submit: Any = None) -> Iterator[Any]:
    return preview.preview(
        rows,
        runnable=line.runnable,
        field_map=line.field_map,
        judge=line.judge,
        submit=submit or line.hands.submit,
        clock=line.clock,
    )


def test_a_row_is_decided_as_a_lead_is_and_nothing_is_stored(line: Any) -> None:
    (item,) = _preview(line, [_row("ada")])
    assert (item.id, item.rejected, item.problems) == ("ada", None, ())
    assert (item.decision.score, item.decision.tier, item.decision.outcome) == (90, "A", "accept")
    assert (item.decision.connection, item.decision.decided_at) == ("preview", line.clock.now)
    assert line.store.leads.counts()["leads"] == 0


def test_the_order_is_that_of_the_rows_whoever_answers_first(line: Any) -> None:
    """The first lead's answer comes only after the last lead was asked: all of them are under way together."""
    names = [f"lead{number}" for number in range(20)]

    async def last_of_all() -> Any:
        while ("lead19@acme.example", line.runnable.digest) not in line.judge.asked:
            await asyncio.sleep(0.001)
        return fakes.judged("lead0", level="none")

    line.judge.says["lead0@acme.example"] = [last_of_all]
    thread = LoopThread()
    try:
        items = list(_preview(line, [_row(name) for name in names], submit=thread.submit))
    finally:
        thread.stop()
    assert [item.id for item in items] == names
    assert [item.decision.intent for item in items] == [0] + [100] * 19


def test_a_long_file_is_not_read_at_once(line: Any) -> None:
    read: list[str] = []

    def endless() -> Iterator[preview.Row]:
        while True:
            read.append(f"lead{len(read)}")
            yield _row(read[-1])

    items = _preview(line, endless())
    assert next(items).id == "lead0"
    assert len(read) == preview.WINDOW
    assert next(items).id == "lead1"
    assert len(read) == preview.WINDOW + 1


def test_a_duplicate_is_a_later_row_with_the_same_identity(line: Any) -> None:
    rows = [_row("1", email="ada@acme.example"), _row("2"), _row("3", email=" ADA@acme.example"), _row("4")]
    items = list(_preview(line, rows))
    assert [item.decision.fields["is_duplicate"] for item in items] == [False, False, True, False]
    assert [item.decision.fields["is_duplicate"] for item in _preview(line, rows[2:])] == [False, False]


def test_a_gate_decides_without_a_model(line: Any) -> None:
    (item,) = _preview(line, [_row("ada", message="Best casino in town")])
    assert (item.decision.status, item.decision.outcome, item.decision.score) == ("rejected", "reject", None)
    assert line.judge.asked == []


def test_a_row_that_does_not_conform_keeps_its_place(line: Any) -> None:
    items = list(_preview(line, [_row("1"), _row("2", email="nonsense"), _row("3", employees="plenty")]))
    assert [item.id for item in items] == ["1", "2", "3"]
    assert (items[1].decision, bool(items[1].rejected)) == (None, True)
    assert "nonsense" not in items[1].rejected
    assert (items[2].decision.score, len(items[2].problems)) == (40, 1), "one unreadable field is no reason to refuse"


def test_a_judge_that_must_not_decide_ends_the_preview(line: Any) -> None:
    line.judge.says["2@acme.example"] = [errors.RetryLater("the budget is spent")]
    items = _preview(line, [_row("1"), _row("2"), _row("3")])
    assert next(items).id == "1"
    with pytest.raises(errors.RetryLater, match="budget"):
        next(items)


def test_the_shape_that_scripts_rely_on(line: Any) -> None:
    scored, refused = map(preview.as_json, _preview(line, [_row("1"), _row("2", email="")]))
    assert list(scored) == KEYS
    assert list(refused) == [*KEYS, "error"]
    assert scored == {
        "id": "1", "status": "scored", "score": 90, "fit": 100, "intent": 100, "tier": "A",
        "confidence": scored["confidence"], "calibrated": False, "outcome": "accept", "route": "sales",
        "reason_codes": ["INTENT_CLEAR", "SIZE_HIGH", "ROUTED"], "policy": line.runnable.digest,
    }  # fmt: skip
    assert 0.5 < scored["confidence"] <= 1, "0 to 1; percent is for the CRM"
    assert (refused["status"], refused["outcome"], refused["reason_codes"]) == (
        "not_scorable", "review", ["NOT_SCORABLE"],
    )  # fmt: skip
    assert {refused[key] for key in ("score", "fit", "intent", "tier", "confidence")} == {None}
    assert json.loads(json.dumps([scored, refused])) == [scored, refused]


@pytest.mark.parametrize(
    ("given", "shown"),
    [("L-7", "L-7"), (17, "17"), (0, "0"), ("0", "0"), (None, "3"), ("", "3"), ("  ", "3")],
)
def test_an_id_is_that_of_its_column_or_the_rows_number(given: Any, shown: str) -> None:
    records = [{"id": "a"}, {"email": "x@acme.example"}, {"id": given, "email": "y@acme.example"}]
    made = preview.rows(records)
    assert [row.id for row in made] == ["a", "2", shown]
    assert made[2].properties == records[2]


def test_enrichers_see_pages_in_order_and_what_they_find_counts(line: Any) -> None:
    pages: list[int] = []

    def enrich(arrived: Any) -> Any:
        pages.append(len(arrived))
        found = [one.lead and one.lead.model_copy(update={"company": "Found"}) for one in arrived]
        return [one._replace(lead=lead) for one, lead in zip(arrived, found, strict=True)]

    rows = [_row(str(number), **({"email": ""} if number == 3 else {})) for number in range(preview.PAGE + 5)]
    items = list(
        preview.preview(
            rows, runnable=line.runnable, field_map=line.field_map, judge=line.judge, submit=line.hands.submit,
            clock=line.clock, enrich=enrich,
        )
    )  # fmt: skip
    assert pages == [preview.PAGE, 5]
    assert [item.id for item in items] == [row.id for row in rows]
    assert [item.decision is None for item in items].index(True) == 3
    assert {item.decision.fields["company"] for item in items if item.decision} == {"Found"}
