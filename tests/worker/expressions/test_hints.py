from __future__ import annotations

from tierwise.expressions import hints


def test_a_message_that_is_not_known_is_passed_on() -> None:
    advised = hints.readable("something new in CEL", rest="", stage="gate")
    assert (advised.message, advised.hint) == ("something new in CEL", "")


def test_the_nearest_words_are_offered() -> None:
    assert hints.closest("fintek", ["fintech", "retail"]) == "did you mean 'fintech'?"


def test_a_short_list_is_shown_whole_and_a_long_one_not() -> None:
    assert hints.closest("xyz", ["b", "a"], all_of="its values are") == "its values are: a, b"
    assert hints.closest("xyz", [f"value{n}" for n in range(26)]) == ""


def test_the_number_that_stands_there_is_the_one_in_the_hint() -> None:
    text = "found no matching overload for '_<_' applied to '(double, int)'"
    assert hints.readable(text, rest="< 2500 && x", stage="gate").hint.endswith("write 2500.0")
