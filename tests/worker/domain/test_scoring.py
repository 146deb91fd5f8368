"""Scores, tiers and confidence: bounds, monotony, and a brute-force second opinion."""

from __future__ import annotations

import itertools
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tierwise_fixtures import policies as make

from tierwise.domain import rubric as rubrics
from tierwise.domain import scoring
from tierwise.domain.lead import canonical_json
from tierwise.domain.rubric import UNKNOWN, Rubric, Verdict


def verdict(criterion: str, level: str, probability: float = 1.0, **more: object) -> Verdict:
    return Verdict.model_validate(
        {"criterion": criterion, "level": level, "probability": probability, "decided_by": "test", **more}
    )


def level(id_: str, points: float) -> dict[str, object]:
    return {"id": id_, "points": points, "when": "true"}


def cap_of(rubric: Rubric, given_: tuple[Verdict, ...]) -> float:
    """What words may earn: nothing where half of the structured weight is unknown, all of the cap where none is."""
    known = {item.criterion for item in given_ if item.level != rubrics.UNKNOWN}
    facts = [criterion for criterion in rubric.criteria if not criterion.self_reported]
    weight = sum(criterion.weight for criterion in facts)
    unknown = sum(criterion.weight for criterion in facts if criterion.id not in known)
    if not weight or not rubric.free_text_needs_facts:
        return rubric.free_text_cap
    return max(0, math.floor(100 * rubric.free_text_cap * (weight - 2 * unknown) / weight)) / 100


def tier_in_world(rubric: Rubric, levels: tuple[rubrics.Level | None, ...], *, cap: float) -> str:
    """The tier if exactly these levels were true, from the rules as DESIGN states them."""
    free = structured = 0.0
    corroborated = False
    for criterion, level in zip(rubric.criteria, levels, strict=True):
        points = criterion.unknown_points if level is None else level.points
        if criterion.self_reported:
            free += criterion.weight * points
        else:
            structured += criterion.weight * points
            lowest = min(other.points for other in criterion.levels)
            corroborated = corroborated or (level is not None and level.points > lowest)
        if any(level and (out.criterion, out.level) == (criterion.id, level.id) for out in rubric.knockouts):
            return list(rubric.tiers)[-1]
    total = math.floor(round(structured + min(free, cap), 6) + 0.5)
    names = [name for name, cut in rubric.tiers.items() if total >= cut]
    best = next(iter(rubric.tiers))
    return list(rubric.tiers)[1] if names[0] == best and not corroborated and len(rubric.tiers) > 1 else names[0]


def brute_force(rubric: Rubric, given_: tuple[Verdict, ...], tier: str) -> float:
    by_criterion = {item.criterion: item for item in given_}
    total = 0.0
    for world in itertools.product(*((*criterion.levels, None) for criterion in rubric.criteria)):
        probability = 1.0
        for criterion, level in zip(rubric.criteria, world, strict=True):
            said = by_criterion.get(criterion.id)
            if level is None:
                probability *= said.probability if said and said.level == UNKNOWN else 0
            elif said is None:
                probability /= len(criterion.levels)
            elif said.level == UNKNOWN:
                probability *= (1 - said.probability) / len(criterion.levels)
            elif said.level == level.id:
                probability *= said.probability
            else:
                probability *= (1 - said.probability) / (len(criterion.levels) - 1)
        if tier_in_world(rubric, world, cap=cap_of(rubric, given_)) == tier:
            total += probability
    return total


@given(st.data())
def test_confidence_is_what_enumerating_all_worlds_gives(data: st.DataObject) -> None:
    rubric = data.draw(make.rubrics())
    given_ = data.draw(make.verdicts(rubric))
    card = scoring.score(rubric, given_)
    assert card.confidence == pytest.approx(brute_force(rubric, given_, card.tier), abs=2e-6)


def test_a_possible_knockout_lowers_confidence() -> None:
    """A model that is 70 % sure that the lead is no student is at most 70 % sure of any tier but the lowest."""
    rubric = make.rubric(
        make.criterion(weight=99),
        make.asked("student", weight=1, levels=[{"id": "no", "points": 1}, {"id": "yes", "points": 1}]),
        knockouts=[{"criterion": "student", "level": "yes"}],
    )
    card = scoring.score(rubric, (verdict("size", "high"), verdict("student", "no", 0.7)))
    assert (card.tier, card.confidence) == ("A", 0.7)


@given(st.data())
def test_score_is_a_whole_number_from_0_to_100(data: st.DataObject) -> None:
    rubric = data.draw(make.rubrics())
    card = scoring.score(rubric, data.draw(make.verdicts(rubric)))
    assert all(isinstance(value, int) and 0 <= value <= 100 for value in (card.score, card.fit, card.intent))
    assert 0 <= card.confidence <= 1
    assert card.tier in rubric.tiers


@given(st.data())
def test_a_better_level_never_lowers_the_score(data: st.DataObject) -> None:
    rubric = data.draw(make.rubrics())
    worse = list(data.draw(make.verdicts(rubric)))
    if not worse:
        return
    place = data.draw(st.integers(0, len(worse) - 1))
    criterion = rubric.find(worse[place].criterion)
    assert criterion is not None
    now = criterion.level(worse[place].level)
    floor = now.points if now else criterion.unknown_points
    better = data.draw(st.sampled_from([None, *(level.id for level in criterion.levels if level.points >= floor)]))
    if better is None:
        return
    best = [*worse]
    best[place] = worse[place].model_copy(update={"level": better})
    before, after = scoring.score(rubric, worse), scoring.score(rubric, best)
    assert after.score >= before.score
    assert after.fit >= before.fit
    assert after.intent >= before.intent


@given(st.data())
def test_free_text_never_earns_more_than_its_cap(data: st.DataObject) -> None:
    rubric = data.draw(make.rubrics())
    verdicts = tuple(data.draw(make.verdicts(rubric)))
    card = scoring.score(rubric, verdicts)
    cap = cap_of(rubric, verdicts)
    reported = {criterion.id for criterion in rubric.criteria if criterion.self_reported}
    structured = sum(item.points for item in card.contributions if item.criterion not in reported)
    free = sum(item.points for item in card.contributions if item.criterion in reported)
    assert card.score <= structured + rubric.free_text_cap + 0.5
    assert card.capped == (round(free, 4) > cap)
    assert card.score == math.floor(round(structured + min(free, cap), 4) + 0.5)


@given(st.data())
def test_doubted_words_earn_nothing_and_never_lift_a_tier(data: st.DataObject) -> None:
    rubric = data.draw(make.rubrics())
    verdicts = tuple(data.draw(make.verdicts(rubric)))
    doubted, trusted = scoring.score(rubric, verdicts, doubted=True), scoring.score(rubric, verdicts)
    reported = {criterion.id for criterion in rubric.criteria if criterion.self_reported}
    assert doubted.doubted
    assert (
        doubted.score == scoring.score(rubric, [v for v in verdicts if v.criterion not in reported], doubted=True).score
    )
    assert doubted.score <= trusted.score
    assert list(rubric.tiers).index(doubted.tier) >= list(rubric.tiers).index(trusted.tier)
    assert doubted.knockout == trusted.knockout
    assert all(item.points == 0 for item in doubted.contributions if item.criterion in reported)


def test_a_suspect_verdict_makes_the_words_doubted() -> None:
    rubric = make.rubric()
    given_ = Verdict(criterion="intent", level="clear", probability=0.9, decided_by="m", flags=("INJECTION_SUSPECT",))
    size = Verdict(criterion="size", level="high", probability=1, decided_by="rule")
    assert (scoring.score(rubric, [size, given_]).score, scoring.score(rubric, [size, given_]).doubted) == (50, True)


def test_words_earn_less_the_fewer_facts_are_known() -> None:
    facts = [make.criterion(name, weight=20) for name in ("a", "b", "c")]
    rubric = make.rubric(*facts, make.asked("intent", weight=40), free_text_cap=30, free_text_needs_facts=True)
    said = Verdict(criterion="intent", level="clear", probability=1, decided_by="m")
    known = [Verdict(criterion=name, level="low", probability=1, decided_by="rule") for name in ("a", "b", "c")]
    assert [scoring.score(rubric, [said, *known[:n]]).score for n in (3, 2, 1, 0)] == [30, 10, 0, 0]


@given(st.data())
def test_the_top_tier_needs_a_structured_corroborator(data: st.DataObject) -> None:
    rubric = data.draw(make.rubrics())
    card = scoring.score(rubric, data.draw(make.verdicts(rubric)))
    top = next(iter(rubric.tiers))
    supported = False
    for item in card.contributions:
        criterion = rubric.find(item.criterion)
        assert criterion is not None
        level = criterion.level(item.level)
        supported |= not criterion.self_reported and level is not None and level.points > criterion.lowest.points
    if len(rubric.tiers) > 1 and card.tier == top:
        assert supported
    if not card.corroborated:
        assert not supported
        assert card.tier == list(rubric.tiers)[1]
        assert scoring.tier_of(rubric, card.score) == top


@given(st.data())
def test_a_knockout_means_the_lowest_tier(data: st.DataObject) -> None:
    rubric = data.draw(make.rubrics())
    given_ = data.draw(make.verdicts(rubric))
    card = scoring.score(rubric, given_)
    reached = {(item.criterion, item.level) for item in given_}
    hit = [item for item in rubric.knockouts if (item.criterion, item.level) in reached]
    assert card.knockout == (f"{hit[0].criterion}/{hit[0].level}" if hit else None)
    if hit:
        assert card.tier == list(rubric.tiers)[-1]
        assert card.corroborated  # nothing was held back for want of corroboration: the knockout decided


@given(st.data())
def test_unknown_spreads_over_all_levels_and_probabilities_add_up(data: st.DataObject) -> None:
    criterion = data.draw(make.rubrics()).criteria[0]
    level = data.draw(st.sampled_from([*(level.id for level in criterion.levels), UNKNOWN, "no_such_level"]))
    probability = data.draw(st.floats(0, 1))
    spread = scoring.level_probabilities(criterion, verdict(criterion.id, level, probability))
    assert sum(spread.values()) == pytest.approx(1)
    if criterion.level(level) is None:
        assert spread.pop(UNKNOWN, 0) == probability
        assert set(spread.values()) == {(1 - probability) / len(criterion.levels)}
    else:
        assert spread[level] == probability


def test_the_order_of_verdicts_does_not_matter() -> None:
    given_ = (verdict("size", "high"), verdict("intent", "vague", 0.8))
    assert scoring.score(make.rubric(), given_) == scoring.score(make.rubric(), given_[::-1])


def test_score_by_hand() -> None:
    """50 for size, 0.4 x 50 = 20 for a vague intent: 70, tier B; A would need intent to be clear, capped at 40."""
    card = scoring.score(make.rubric(), (verdict("size", "high"), verdict("intent", "vague", 0.8)))
    assert (card.score, card.fit, card.intent, card.tier) == (70, 100, 40, "B")
    # none (0.1) gives 50 = C, clear (0.1) gives 50 + min(50, 40) = 90 = A
    assert card.confidence == pytest.approx(0.8)
    assert not card.capped


def test_unknown_earns_what_the_criterion_says() -> None:
    rubric = make.rubric(make.criterion(unknown_points=0.5), make.asked())
    card = scoring.score(rubric, ())
    assert (card.score, card.fit) == (25, 50)
    assert [item.level for item in card.contributions] == [UNKNOWN, UNKNOWN]


def test_flags_of_all_verdicts_are_collected() -> None:
    card = scoring.score(
        make.rubric(), (verdict("size", "high"), verdict("intent", UNKNOWN, 0, flags=["INJECTION_SUSPECT"]))
    )
    assert card.flags == ("INJECTION_SUSPECT",)


def test_tiers_keep_their_order_through_storage() -> None:
    """Names whose alphabet is not their rank: canonical JSON sorts keys, the rubric puts the best first again."""
    names = {"Hot": 80, "Warm": 50, "Cold": 0}
    rubric = make.rubric(tiers=names, targets={"positive_tiers": ["Hot"]})
    stored = json.loads(canonical_json(rubric.model_dump(mode="json")))
    assert list(stored["tiers"]) == ["Cold", "Hot", "Warm"]
    again = Rubric.model_validate(stored)
    assert list(again.tiers) == ["Hot", "Warm", "Cold"]
    assert scoring.tier_of(again, 60) == "Warm"
    assert again == rubric


def test_a_verdict_without_a_quote_supports_no_top_tier_and_its_spread_counts() -> None:
    """A decision model's: it carries the field's name and nothing that could be checked."""
    rubric = rubrics.Rubric.model_validate(
        {
            "name": "r", "version": "1", "owner": "o", "tiers": {"A": 60, "B": 0}, "free_text_cap": 0,
            "criteria": [
                {"id": "role", "dimension": "fit", "question": "?", "weight": 100, "decide": "model",
                 "fields": ["industry"], "levels": [{"id": "yes", "points": 1}, {"id": "no", "points": 0}]},
            ],
        }
    )  # fmt: skip
    proven = rubrics.Verdict(
        criterion="role", level="yes", probability=0.9, decided_by="m", field="industry", quote="retail"
    )
    claimed = proven.model_copy(update={"quote": None, "spread": {"yes": 0.7, "no": 0.3}})
    assert scoring.score(rubric, [proven]).tier == "A"
    card = scoring.score(rubric, [claimed])
    assert (card.score, card.tier, card.corroborated) == (100, "B", False)
    assert scoring.level_probabilities(rubric.criteria[0], claimed) == {"yes": 0.7, "no": 0.3}


def test_a_changed_copy_of_a_rubric_is_scored_by_its_own_weights() -> None:
    rubric = make.rubric()
    size = verdict("size", "high")
    assert scoring.score(rubric, [size]).score == 50
    lighter = rubric.criteria[0].model_copy(update={"weight": 1})
    copy = rubric.model_copy(update={"criteria": (lighter, *rubric.criteria[1:])})
    card = scoring.score(copy, [size])
    assert (card.score, card.tier) == (1, "D")
    assert scoring.tier_probabilities(copy, card.contributions)["D"] > 0.3, "its probabilities, too"
