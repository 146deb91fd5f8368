"""Links follow each other, give the decision back, and verify without what is personal."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise.domain import chain
from tierwise.domain.decision import Decision, ReasonGiven
from tierwise.domain.lead import canonical_json
from tierwise.domain.rubric import Assessment, Contribution, Scorecard, Verdict
from tierwise.domain.rules import Hit

TEXT = st.text(max_size=20)


def decision(*, text: str = "we are many", fields: Any = None) -> Decision:
    verdict = Verdict(criterion="size", level="big", probability=0.9, decided_by="m", field="message", quote=text)
    contribution = Contribution(
        criterion="size", dimension="fit", weight=100, level="big", points=100, reason="BIG", verdict=verdict
    )
    return Decision(
        connection="crm",
        record_id="1",
        fingerprint="f",
        policy="p",
        policy_version="1",
        status="scored",
        outcome="accept",
        route=None,
        score=80,
        reasons=(ReasonGiven(code="BIG", sentence=f"They say: {text}", source="criterion:size", quote=text),),
        hits=(Hit(rule="r", stage="route", truth="match", reason="BIG", why=f"because {text}"),),
        scorecard=Scorecard(score=80, fit=80, intent=80, tier="A", confidence=0.9, contributions=(contribution,)),
        assessments=(Assessment(model="m", verdicts=(verdict,), content_hash="h", cost_usd=0.1),),
        fields={"message": text, "annual_revenue": 1e16} if fields is None else fields,
        decided_at=datetime(2026, 11, 2, tzinfo=UTC),
    )


@given(text=TEXT, fields=st.dictionaries(TEXT, st.none() | st.booleans() | st.integers() | TEXT, max_size=4))
def test_a_link_gives_the_decision_back(text: str, fields: dict[str, Any]) -> None:
    made = decision(text=text, fields=fields)
    link = chain.link(made, previous="0", salt="s")
    assert chain.restore(json.loads(link.body), json.loads(link.personal)) == made


def test_the_body_holds_nothing_personal() -> None:
    link = chain.link(decision(text="Grace Hopper, grace@navy.example"), previous="0", salt="s")
    assert "Grace" not in link.body
    assert "navy" not in link.body
    assert "Grace" in link.personal


def test_the_quotes_that_count_can_be_put_back_alone() -> None:
    made = decision()
    link = chain.link(made, previous="0", salt="s")
    body = json.loads(link.body)
    chain.requote(body, json.loads(link.personal))
    assert made.scorecard is not None
    quotes = [item.verdict.quote for item in made.scorecard.contributions]
    assert any(quotes)
    assert [item["verdict"]["quote"] for item in body["scorecard"]["contributions"]] == quotes
    assert all(not reason["sentence"] for reason in body["reasons"])


def test_an_erased_decision_keeps_what_is_not_personal() -> None:
    made = decision(text="Grace")
    link = chain.link(made, previous="0", salt="s")
    left = chain.restore(json.loads(link.body), None)
    assert (left.score, left.status, left.reason_codes) == (made.score, made.status, made.reason_codes)
    assert left.fields == {}
    assert "Grace" not in left.model_dump_json()
    assert chain.hashed("0", link.body) == link.hash


def test_equal_words_are_not_recognised_by_their_digest() -> None:
    one = chain.link(decision(), previous="0", salt="a")
    two = chain.link(decision(), previous="0", salt="b")
    assert one.personal == two.personal
    assert json.loads(one.body)[chain.DIGEST] != json.loads(two.body)[chain.DIGEST]


@pytest.mark.parametrize(
    ("previous", "salt", "change"),
    [
        ("1", "s", {}),  # another place in the chain
        ("0", "t", {}),  # another salt
        ("0", "s", {"score": 81}),  # another result
        ("0", "s", {"fields": {"message": "other"}}),  # other input
    ],
)
def test_the_hash_covers_everything(previous: str, salt: str, change: dict[str, Any]) -> None:
    made = chain.link(decision(), previous="0", salt="s")
    other = chain.link(decision().model_copy(update=change), previous=previous, salt=salt)
    assert other.hash != made.hash


@given(text=TEXT, sentence=TEXT, spread=st.booleans())
def test_a_link_says_what_the_whole_decision_does(text: str, sentence: str, spread: bool) -> None:
    """Put together of texts that are held, the body is that of the decision written at once and searched whole."""
    bare = Verdict(criterion="size", level="big", probability=1, decided_by="m", quote="")
    told = bare.model_copy(update={"quote": text, "spread": {"big": 0.5, "small": 0.5} if spread else None})
    made = decision(text=text)
    assert made.scorecard is not None
    card = made.scorecard.contributions[0]
    cards = tuple(card.model_copy(update={"verdict": verdict}) for verdict in (bare, told, bare))
    made = made.model_copy(
        update={
            "scorecard": made.scorecard.model_copy(update={"contributions": (*cards, card)}),
            "assessments": (made.assessments[0].model_copy(update={"verdicts": (told, bare), "kept": True}),) * 2,
            "reasons": tuple(
                ReasonGiven(code="BIG", source="s", sentence=said, quote=quote)
                for said, quote in ((sentence, text), (sentence, None), ("", ""))
            ),
            "errors": ('"hits":null', '"scorecard":null'),
        }
    )
    body = made.model_dump(mode="json")
    personal = {chain.FIELDS: body[chain.FIELDS]}
    body[chain.FIELDS] = {}
    for path, holder, key in chain._places(body, ""):
        if holder[key]:
            personal[path], holder[key] = holder[key], chain.PERSONAL_TEXTS[key]
    kept = canonical_json(personal)
    expected = canonical_json({**body, chain.DIGEST: chain.sealed(kept, "s")})
    for _ in range(2):
        link = chain.link(made, previous="0", salt="s")
        assert (link.body, link.personal) == (expected, kept)
        assert link.hash == chain.hashed("0", expected)


def test_a_decision_without_any_part_is_a_link_too() -> None:
    made = decision().model_copy(update={"scorecard": None, "hits": (), "reasons": (), "assessments": ()})
    link = chain.link(made, previous="0", salt="s")
    assert canonical_json(json.loads(link.body)) == link.body
    assert chain.restore(json.loads(link.body), json.loads(link.personal)) == made


@given(st.text(), st.booleans())
def test_a_brief_body_is_the_body_without_its_hits(text: str, many: bool) -> None:
    odd = f'],"intent":{text},"hits":['
    hit = Hit(rule="r", stage="gate", truth="unknown", reason=odd, missing=(odd,))
    made = decision().model_copy(
        update={"hits": (hit,) if many else (), "used": odd, "errors": (odd,), "record_id": odd}
    )
    body = chain.link(made, previous="0", salt="s").body
    whole = json.loads(body)
    del whole["hits"]
    assert chain.brief(body) == whole


@given(text=TEXT, why=TEXT)
def test_a_link_is_the_canonical_text_of_the_whole_body(text: str, why: str) -> None:
    """However it is put together: what verifies a chain makes the text from the body that was stored."""
    hits = tuple(
        Hit(rule=name, stage="gate", truth=truth, reason="R", why=said, missing=missing)
        for name, truth, said, missing in (
            ("a", "no_match", "", ()), ("b", "unknown", "", ("lead.message",)), ("c", "match", why, ()),
        )
    )  # fmt: skip
    made = decision(text=text).model_copy(update={"hits": hits, "errors": ('"hits":[]',)})
    for _ in range(2):
        link = chain.link(made, previous="0", salt="s")
        body = json.loads(link.body)
        assert canonical_json(body) == link.body
        assert [hit["rule"] for hit in body["hits"]] == ["a", "b", "c"]
        assert not any(hit["why"] for hit in body["hits"])
        assert chain.restore(body, json.loads(link.personal)) == made
