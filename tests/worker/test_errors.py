"""Every error says what happens next, and tells a person what, where and what to do."""

from __future__ import annotations

import inspect

import pytest

from tierwise import errors
from tierwise.errors import (
    Held,
    LeaseLost,
    Misconfigured,
    PauseConnection,
    Refused,
    RejectRecord,
    RetryLater,
    TierwiseError,
    Unreachable,
)

FAMILIES = [
    # error, is a, exit code: 1 found something wrong, 2 called wrongly, 3 could not reach something
    (TierwiseError, Exception, 1),
    (RetryLater, TierwiseError, 3),
    (Unreachable, RetryLater, 3),
    (Held, RetryLater, 3),
    (RejectRecord, TierwiseError, 1),
    (PauseConnection, TierwiseError, 3),
    (Misconfigured, TierwiseError, 2),
    (Refused, TierwiseError, 1),
    (LeaseLost, TierwiseError, 1),
]


@pytest.mark.parametrize(("error", "parent", "exit_code"), FAMILIES)
def test_families_by_what_happens_next(error: type[TierwiseError], parent: type[Exception], exit_code: int) -> None:
    assert error.__bases__ == (parent,)
    assert error.exit_code == error().exit_code == exit_code


def test_there_is_no_other_family() -> None:
    declared = {item for item in vars(errors).values() if inspect.isclass(item) and issubclass(item, Exception)}
    assert declared == {error for error, _, _ in FAMILIES}


def test_the_tree_in_the_file_is_the_tree() -> None:
    tree = inspect.getdoc(errors) or ""
    for error, _, exit_code in FAMILIES[1:]:
        (line,) = [line for line in tree.splitlines() if f"── {error.__name__} " in line]
        assert line.endswith(f"exit {exit_code}")


@pytest.mark.parametrize(("error", "parent", "exit_code"), FAMILIES)
def test_an_error_without_words_says_what_it_is(
    error: type[TierwiseError], parent: type[Exception], exit_code: int
) -> None:
    made = error()
    assert made.message
    assert made.message == str(made) == (error.__doc__ or "").splitlines()[0]


@pytest.mark.parametrize(
    ("place", "remedy", "text"),
    [
        ("", "", "no such tier"),
        ("qualify.md:7", "", "qualify.md:7: no such tier"),
        ("", "use A to D", "no such tier (use A to D)"),
        ("qualify.md:7", "use A to D", "qualify.md:7: no such tier (use A to D)"),
    ],
)
def test_what_where_and_what_to_do(place: str, remedy: str, text: str) -> None:
    made = Misconfigured("no such tier", place=place, remedy=remedy)
    assert str(made) == text
    assert (made.message, made.place, made.remedy, made.args) == ("no such tier", place, remedy, ("no such tier",))


def test_the_other_sides_own_wish() -> None:
    assert RetryLater("429", after=7.5, place="crm").after == 7.5
    assert RetryLater("503").after is None
    assert str(Unreachable("nobody answers", after=3, place="crm", remedy="is it up?")) == (
        "crm: nobody answers (is it up?)"
    )
