from __future__ import annotations

from collections.abc import Callable

import pytest

from tierwise import errors, settings

Read = Callable[..., settings.Settings]


def test_batches_are_on_where_nothing_is_said() -> None:
    found = settings.Settings().batch
    assert (found.mode, found.fewest, found.hours) == ("auto", 50, 25)


def test_batches_are_set_in_file_and_environment(read: Read) -> None:
    found = read('[batch]\nmode = "never"\nfewest = 5', TIERWISE_BATCH__HOURS="3")
    assert (found.batch.mode, found.batch.fewest, found.batch.hours) == ("never", 5, 3)


def test_a_persons_price_has_its_share_for_batches(read: Read) -> None:
    found = read('[prices."openai/x"]\ninput = 1\noutput = 2\nbatch = 0.25')
    assert found.prices["openai/x"].batch == 0.25


@pytest.mark.parametrize("line", ['mode = "always"', "fewest = 0", "hours = 200", "gather_seconds = 5000"])
def test_a_word_or_number_out_of_bounds_is_named(read: Read, line: str) -> None:
    with pytest.raises(errors.Misconfigured, match=line.partition(" ")[0]):
        read(f"[batch]\n{line}")
