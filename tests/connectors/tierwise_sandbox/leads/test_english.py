from __future__ import annotations

from tierwise_sandbox.leads import english

LISTS = {name: value for name, value in vars(english).items() if isinstance(value, tuple)}


def test_there_is_enough_of_everything_to_combine() -> None:
    combinations = 1
    for name in ("WHO", "VOLUMES", "PAINS", "TIMELINES", "BUDGETS", "AUTHORITY", "ASKS"):
        combinations *= len(LISTS[name])
    assert combinations > 100_000


def test_no_piece_is_listed_twice_unless_it_is_empty() -> None:
    for name, pieces in LISTS.items():
        said = [piece for piece in pieces if piece]
        assert len(set(said)) == len(said), name
