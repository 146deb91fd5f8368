"""The corpus is what its README says: complete, varied, labelled by its guide, and its figures are fresh."""

from __future__ import annotations

import itertools
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tierwise_fixtures import corpus

from tierwise import policies
from tierwise.domain import canonical, mapping
from tierwise.domain.policy import Policy

README = (corpus.FOLDER / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def leads() -> list[dict[str, Any]]:
    return corpus.leads()


@pytest.fixture(scope="module")
def policy() -> Policy:
    return policies.read(Path(__file__).resolve().parents[2])


def test_it_is_as_large_and_varied_as_promised(leads: list[dict[str, Any]]) -> None:
    assert len(leads) >= 300
    languages, qualities = Counter(lead["language"] for lead in leads), Counter(lead["quality"] for lead in leads)
    assert {"en", "de", "fr", "es", "pt", "it", "nl", "ja"} <= {
        name for name, count in languages.items() if count >= 15
    }
    assert f"{len(leads)} B2B leads" in README
    assert f"in {len(languages)} languages" in README
    for quality in ("excellent", "vague", "spam", "student", "job_seeker", "vendor", "customer", "contradictory"):
        assert qualities[quality] >= 10, quality
    assert qualities["instruction_like"] >= 10
    for part, count in Counter(lead["part"] for lead in leads).items():
        assert f"{count} " in README, part
        assert part in corpus.PARTS


def test_every_lead_is_labelled_once_on_every_criterion(leads: list[dict[str, Any]], policy: Policy) -> None:
    labels = corpus.labels()
    assert [lead["id"] for lead in leads] == list(labels)
    levels = {item.id: {level.id for level in item.levels} | {"unknown"} for item in policy.rubric.criteria}
    for label in labels.values():
        assert label.keys() == {"id", "tier", *levels}
        assert label["tier"] in policy.rubric.tiers
        assert all(label[name] in allowed for name, allowed in levels.items()), label
    assert set(levels) == {*corpus.BY_BAND, *corpus.JUDGED}


def test_every_field_can_be_read(leads: list[dict[str, Any]]) -> None:
    for lead in leads:
        mapped = mapping.apply(canonical.canonical_map(), lead)
        assert not mapped.problems, (lead["id"], mapped.problems)
        # A lone "?" is read as nothing, as it should be.
        assert mapped.lead.message == unicodedata.normalize("NFKC", lead["message"]) or lead["message"] == "?"
        assert mapped.lead.source == lead["source"]


def test_labels_keep_to_the_mechanical_part_of_the_guide(leads: list[dict[str, Any]], policy: Policy) -> None:
    labels = corpus.labels()
    doors = {
        **dict.fromkeys(("demo_request", "contact_sales"), "asked_for_sales"),
        **dict.fromkeys(("pricing_page", "trial", "chat", "referral", "partner"), "evaluating"),
        **dict.fromkeys(("webinar", "event", "content"), "learning"),
    }
    for lead in leads:
        label = labels[lead["id"]]
        assert label["company_size"] == corpus.band("company_size", lead)
        assert label["order_volume"] == corpus.band("order_volume", lead)
        assert label["touchpoint"] == doors.get(lead["source"], "passive")
        assert (label["market"] == "unknown") == ("industry" not in lead), lead["id"]
        company = lead["email"].endswith(".example")
        assert (label["contact"] in {"decision_maker", "colleague"}) == company, lead["id"]
        if label["purpose"] == "outsider":
            assert label["tier"] == "D", lead["id"]


def test_no_two_messages_are_variations_of_one(leads: list[dict[str, Any]]) -> None:
    spoken = [(lead["id"], corpus.shingles(lead["message"])) for lead in leads]
    near = [
        (one, two, round(likeness, 2))
        for (one, a), (two, b) in itertools.combinations(spoken, 2)
        if (likeness := corpus.similarity(a, b)) > 0.3
    ]
    assert not near


def test_a_variation_would_be_noticed() -> None:
    one = corpus.shingles("We print 1,400 labels a day from three carrier tools and want to stop that in May.")
    two = corpus.shingles("We print 900 labels a day from two carrier tools and want to stop that in June.")
    assert corpus.similarity(one, two) > 0.3
    assert corpus.similarity(one, one) == 1
    assert (
        corpus.similarity(corpus.shingles("資料を送付してください"), corpus.shingles("請求書を送付してください")) > 0.3
    )
    assert corpus.similarity(corpus.shingles("?"), corpus.shingles("?")) == 0


def test_the_second_pass_is_a_fifth(leads: list[dict[str, Any]]) -> None:
    second = corpus.labels("labels_second.jsonl")
    assert len(second) >= 0.2 * len(leads)
    assert second.keys() <= corpus.labels().keys()
    assert all(label.keys() == {"id", "tier", *corpus.JUDGED} for label in second.values())
    assert {label["tier"] for label in second.values()} == set(corpus.TIERS)


def test_the_agreement_in_the_readme_is_fresh() -> None:
    assert corpus.replaced(README, "agreement", corpus.agreement_table()) == README
    found = {item.question: item for item in corpus.agreement()}
    assert all(item.kappa is not None and item.kappa > 0.6 for item in found.values())


def test_a_block_that_is_missing_is_noticed() -> None:
    assert corpus.replaced("a\n<!-- x -->\nold\n<!-- end of x -->\nb", "x", "new") == (
        "a\n<!-- x -->\nnew\n<!-- end of x -->\nb"
    )
    with pytest.raises(ValueError, match="no block"):
        corpus.replaced("nothing", "x", "new")


def test_parts_are_joined_with_their_labels(tmp_path: Path) -> None:
    corpus.join("held_back", tmp_path / "x.jsonl")
    ids = [corpus.joined(part) for part in corpus.PARTS]
    assert sum(map(len, ids)) == len(corpus.leads())
    assert len((tmp_path / "x.jsonl").read_text().splitlines()) == len(ids[1])
    assert all(item[corpus.LABEL] in corpus.TIERS for part in ids for item in part)
