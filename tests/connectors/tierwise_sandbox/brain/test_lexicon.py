from __future__ import annotations

import pytest

from tierwise_sandbox.brain.lexicon import DENIAL, IDEAS

SHOWN = {idea.name: idea.shown for idea in IDEAS}
ASKED = {idea.name: idea.asked for idea in IDEAS}


@pytest.mark.parametrize(
    ("idea", "text"),
    [
        ("budget", "a budget of 40k has been approved"),
        ("budget", "ein budget von 40.000 € ist freigegeben"),
        ("budget", "予算は4万円で承認済みです"),
        ("timeline", "we need to be live before january"),
        ("timeline", "le contrat se termine dans 6 semaines"),
        ("authority", "als coo kann ich selbst unterschreiben"),
        ("authority", "la decisión la tomo yo"),
        ("volume", "enviamos unos 3000 pedidos al mes"),
        ("volume", "毎月約3000件の注文"),
        ("pain", "labels are printed by hand"),
        ("request", "können wir eine vorführung bekommen"),
        ("doubt", "no budget yet"),
        ("outsider", "for my bachelor's thesis"),
    ],
)
def test_what_people_write_shows_its_idea(idea: str, text: str) -> None:
    assert SHOWN[idea].search(text)


@pytest.mark.parametrize("idea", ["budget", "timeline", "authority", "volume"])
def test_a_plain_greeting_shows_nothing(idea: str) -> None:
    assert not SHOWN[idea].search("hello, nice to meet you all. kind regards, ann")


def test_questions_are_matched_by_their_words() -> None:
    assert ASKED["budget"].search("Is there money for this?")
    assert not ASKED["budget"].search("Which country is it in?")
    assert DENIAL.search("no timeframe mentioned")
    assert not DENIAL.search("within a quarter")
