from __future__ import annotations

import random
import statistics

import pytest

from tierwise_sandbox.leads import english, firms, messages, people


def written(code: str, strength: int, count: int = 60) -> list[str]:
    rng = random.Random(f"{code}{strength}")
    texts = []
    for _ in range(count):
        who, firm = people.person(rng, code), firms.firm(rng, code, bands=(1, 4))
        texts.append(messages.interested(rng, who, firm, "COO", strength=strength))
    return texts


@pytest.mark.parametrize("code", sorted(people.LOCALES))
def test_no_slot_is_left_open_in_any_language(code: str) -> None:
    for strength in range(4):
        for text in written(code, strength):
            assert text
            assert "{" not in text
            assert ".." not in text


def test_stronger_messages_say_more_and_hardly_any_two_are_the_same() -> None:
    lengths = [statistics.mean(map(len, written("us", strength))) for strength in range(4)]
    assert lengths == sorted(lengths)
    strong = written("us", 3, 200)
    assert len(set(strong)) == 200


def test_plain_pieces_are_filled() -> None:
    rng = random.Random(1)
    who, firm = people.person(rng, "us"), firms.firm(rng, "us", bands=(1, 1))
    for pieces in (english.SPAM, english.STUDENTS, english.JOB_SEEKERS, english.COMPETITORS, english.CUSTOMERS):
        for _ in range(40):
            assert "{" not in messages.plain(rng, pieces, who, firm)
