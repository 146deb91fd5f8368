"""Answers outlive the process that paid for them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tierwise_fixtures import fakes

from tierwise.domain.lead import digest
from tierwise.domain.rubric import Assessment, Verdict
from tierwise.errors import Misconfigured
from tierwise.store import kept

VERDICT = Verdict(criterion="need", level="clear", probability=0.9, decided_by="m")


def _answer(name: str, **changes: object) -> Assessment:
    return Assessment(model="m", verdicts=(VERDICT,), content_hash=digest(name), cost_usd=0.5).model_copy(
        update=changes
    )


def test_answers_outlive_the_object(tmp_path: Path) -> None:
    file = tmp_path / "new" / "answers.db"
    first = kept.Kept(file)
    first.keep([_answer("a"), _answer("b")], now=fakes.START)
    first.close()
    second = kept.Kept(file)
    assert second.get([digest("a"), digest("c")]) == {digest("a"): _answer("a")}
    second.close()


def test_what_is_no_answer_or_was_not_paid_is_not_kept(tmp_path: Path) -> None:
    answers = kept.Kept(tmp_path / "answers.db")
    answers.keep([_answer("none", verdicts=()), _answer("old", cached=True)], now=fakes.START)
    answers.keep([], now=fakes.START)
    assert answers.get([digest("none"), digest("old")]) == {}
    answers.close()


def test_the_first_answer_stays(tmp_path: Path) -> None:
    answers = kept.Kept(tmp_path / "answers.db")
    answers.keep([_answer("a")], now=fakes.START)
    answers.keep([_answer("a", cost_usd=9.0)], now=fakes.START)
    assert answers.get([digest("a")])[digest("a")].cost_usd == 0.5
    answers.close()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    file = tmp_path / "leads.csv"
    file.write_text("id,company\n" * 500)
    with pytest.raises(Misconfigured):
        kept.Kept(file)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match="cannot be made"):
        kept.Kept(tmp_path / "file" / "answers.db")
