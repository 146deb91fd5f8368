from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise.domain.lead import Lead
from tierwise.llm import personal, redact, text

ANNA = Lead(first_name="Anna", last_name="Weber-Lindt", email="anna@acme.com", phone="+4930123456789")


def shown(said: str, lead: Lead = ANNA, **options: frozenset[str]) -> str:
    return redact.disguise({"message": said}, lead, **options).fields["message"]


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ("Write to anna.w+crm@mail.acme.co.uk!", "Write to [EMAIL_1]!"),
        ("Call +49 30 1234567 today", "Call [PHONE_1] today"),
        ("Thanks, Anna Weber-Lindt", "Thanks, [PERSON_1]"),
        ("ANNA here, ask for Tom Ashdown", "[PERSON_1] here, ask for [PERSON_2]"),
        ("linkedin.com/in/anna-weber", "linkedin.com/[URL_1]"),
        ("Our yard: 12 Baker Street, London NW1 6XE.", "Our yard: [ADDRESS_1]."),
    ],
)
def test_personal_data_is_replaced_by_its_kind_and_number(said: str, sent: str) -> None:
    assert shown(said) == sent


def test_one_placeholder_for_one_person_mailbox_and_number_in_all_fields() -> None:
    texts = {
        "job_title": "Assistant of anna weber-lindt",
        "message": "Anna here, a@b.example. WEBER-LINDT again: A@B.example, c@d.example, +49 30 1234567 or 030/1234567",
    }
    fields = redact.disguise(texts, ANNA).fields
    assert fields == {
        "job_title": "Assistant of [PERSON_1]",
        "message": "[PERSON_1] here, [EMAIL_1]. [PERSON_1] again: [EMAIL_1], [EMAIL_2], [PHONE_1] or [PHONE_1]",
    }


def test_the_words_shown_do_not_depend_on_who_somebody_is() -> None:
    said = "My name is {0} {1}, {2}. Ask {0}."
    other = Lead(first_name="Bruno", last_name="Kranz", email="b.kranz@kranz.example")
    assert shown(said.format("Anna", "Weber-Lindt", "anna@acme.com")) == shown(
        said.format("Bruno", "Kranz", "b.kranz@kranz.example"), other
    ), "so that the same words are the same question, for whose answer was paid already"


def test_a_quote_is_given_back_in_the_leads_own_words() -> None:
    said = "Hello, ANNA here. The budget of Weber-Lindt is  signed.\nCall anna on +49 30 1234567."
    disguise = redact.disguise({"message": said}, ANNA)
    sent = disguise.fields["message"]
    assert sent == "Hello, [PERSON_1] here. The budget of [PERSON_1] is signed. Call [PERSON_1] on [PHONE_1]."
    assert disguise.restored("message", "budget of [PERSON_1] is signed") == "budget of Weber-Lindt is signed"
    assert disguise.restored("message", "[PERSON_1] on [PHONE_1]") == "anna on +49 30 1234567"
    assert disguise.restored("message", "PERSON_1] is signed") == "Weber-Lindt is signed", "a name is never cut"
    assert disguise.restored("message", "Hello") == "Hello"
    assert disguise.restored("company", "[PERSON_1]") == "[PERSON_1]", "a field that was not shown"


def test_a_quote_over_a_sentence_that_was_left_out_is_given_back_by_its_placeholders() -> None:
    disguise = redact.disguise({"message": "Anna buys. Ignore this. Write to a@b.example."}, ANNA)
    assert disguise.restored("message", "[PERSON_1] buys. Write to [EMAIL_1].") == "Anna buys. Write to a@b.example."


def test_a_placeholder_that_somebody_typed_is_nobody() -> None:
    disguise = redact.disguise({"message": "[PERSON_1] and Anna"}, ANNA)
    assert disguise.fields["message"] == "[PERSON_1] and [PERSON_2]"
    assert disguise.restored("message", "[PERSON_1] and [PERSON_2]") == "[PERSON_1] and Anna"


def test_what_a_criterion_names_stays() -> None:
    keep = frozenset({"email", "first_name"})
    said = "Anna Weber-Lindt, anna@acme.com, +49 30 1234567"
    assert shown(said, keep=keep) == "Anna [PERSON_1], anna@acme.com, [PHONE_1]"


def test_short_fields_lose_the_leads_own_name_alone_and_others_nothing() -> None:
    texts = {"job_title": "VP Supply Chain", "company": "Weber-Lindt Foods", "company_domain": "weber-lindt.example"}
    assert redact.disguise(texts, ANNA).fields == {
        "job_title": "VP Supply Chain",
        "company": "[PERSON_1] Foods",
        "company_domain": "weber-lindt.example",  # what a company is found by
    }


NAMES = st.text(st.sampled_from(string.ascii_letters + "äöüßéèñçłøÅ'- "), min_size=1, max_size=14)
LEADS = st.builds(
    Lead,
    first_name=st.none() | NAMES.map(str.strip).filter(bool),
    last_name=st.none() | NAMES.map(str.strip).filter(bool),
    email=st.sampled_from([None, "anna@acme.com", "o'brien+x@mail.acme.co.uk", "j_d.99@sub.example", "a#b@c.example"]),
    phone=st.sampled_from([None, "+4930123456789", "+12025550199", "+33612345678"]),
)
AROUND = st.sampled_from(
    ["We need it.", "Best regards,\n", "Hi ", ", ", ". ", "\n", " (", ") ", "café ½ ﬁne ", "[PERSON_1] ",
     "12 Baker Street ", "call ", "ask for Tom Ashdown", "https://linkedin.com/in/", "\u200b",
     "ß ", "a@b.example ", "Mr ", "der ", "今日は"]
)  # fmt: skip


@st.composite
def texts_of(draw: st.DrawFn) -> tuple[str, Lead]:
    lead = draw(LEADS)
    own = [part for part in (lead.first_name, lead.last_name, lead.email, lead.phone) if part]
    spelt = st.sampled_from(own or ["x"]).flatmap(lambda part: st.sampled_from([part, part.upper(), part.title()]))
    return "".join(draw(st.lists(AROUND | spelt | st.just(" "), max_size=12))), lead


@given(texts_of())
def test_taking_out_and_putting_back_is_the_identity(case: tuple[str, Lead]) -> None:
    said, lead = case
    disguise = redact.disguise({"message": said}, lead)
    for sent in disguise.fields.values():
        assert disguise.restored("message", sent) == text.canonical(said)
    assert disguise.fields == redact.disguise({"message": said}, lead).fields


@given(texts_of(), st.data())
def test_every_passage_given_back_is_a_passage_of_what_was_written(case: tuple[str, Lead], data: st.DataObject) -> None:
    said, lead = case
    disguise = redact.disguise({"message": said}, lead)
    for sent in disguise.fields.values():
        start = data.draw(st.integers(0, len(sent) - 1))
        end = data.draw(st.integers(start + 1, len(sent)))
        assert disguise.restored("message", sent[start:end]) in text.canonical(said)


@given(texts_of())
def test_nothing_of_the_leads_own_is_left(case: tuple[str, Lead]) -> None:
    said, lead = case
    sent = re.sub(r"\[[A-Z]+_\d+\]", "\0", redact.disguise({"message": said}, lead).fields.get("message", ""))
    if lead.email:
        assert lead.email.casefold() not in sent.casefold()
    if lead.phone:
        assert lead.phone[-7:] not in re.sub(r"[\s().-]", "", sent)
    left = {word for word in re.findall(r"\w+", sent) if not word.islower()}
    for name in filter(None, (lead.first_name, lead.last_name)):
        assert personal.words(name).isdisjoint(map(str.casefold, left - {"Best", "We", "Hi", "Mr", "Baker", "Street"}))


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("We need it", "We need it"),
        ("Ask Anna Weber, she decides", "Ask [PERSON_1], she decides"),
        ("Weber, she", "[PERSON_1], she"),
        ("Ask Anna", "Ask [PERSON_1]"),
        ("anna@acme.com", "[EMAIL_1]"),
        ("Write to anna@acme.com today", "Write to [EMAIL_1] today"),
        ("nobody said this", None),
    ],
)
def test_own_words_are_found_in_what_is_shown_and_back(words: str, shown: str | None) -> None:
    lead = Lead(first_name="Anna", last_name="Weber", email="anna@acme.com")
    text = "We need it. Ask Anna Weber, she decides. Write to anna@acme.com today."
    made = redact.disguise({"message": text}, lead)
    assert made.disguised("message", words) == shown
    assert made.disguised("company", words) is None
    if shown is not None:
        assert words in made.restored("message", shown)
    assert made.originals == {"message": text}
