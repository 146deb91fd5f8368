"""Values of any type on their way into a line."""

from __future__ import annotations

import dataclasses
import datetime
import json
import uuid
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from tierwise.domain.lead import Lead
from tierwise.telemetry import redaction


def clean(**event: Any) -> Any:
    return redaction.redact_event(None, "info", event)


class Pair(NamedTuple):
    name: str
    token: str


@dataclasses.dataclass
class Account:
    password: str
    note: str


class Hidden(BaseModel):
    key: SecretStr
    text: str


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("no repr for ada@example.com")


VALUES: list[tuple[Any, Any]] = [
    # given, what is left
    (3, 3),
    (0.25, 0.25),
    (float("inf"), "inf"),
    (True, True),
    (None, None),
    ("fixed phrase", "fixed phrase"),
    ("ada@example.com", "[email]"),
    (4930123456789, "[redacted]"),
    (b"ada@example.com", "[email]"),
    (["a", "ada@example.com"], ["a", "[email]"]),
    ({"deep": [{"phone": 1}]}, {"deep": [{"phone": "[redacted]"}]}),
    ({"ada@example.com": 1}, {"[email]": 1}),
    ({"max": 1, "messages": "x"}, {"max": 1, "messages": "x"}),
    (Pair("a", "t"), {"name": "a", "token": "[redacted]"}),
    (ValueError("ada@example.com"), "ValueError([email])"),
    (Path("/tmp/ada@example.com"), "[email]"),
    (datetime.datetime(2026, 11, 21, 1, 2, 3, tzinfo=datetime.UTC), "2026-11-21T01:02:03+00:00"),
    (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
    (Hidden(key=SecretStr("s3cret"), text="x"), {"key": "SecretStr('**********')", "text": "x"}),
    ({"Mr": {1}}, {"Mr": [1]}),
    ("a\nb\x1b[31m\u2028c", "a b [31m c"),
    ("\uff41\uff44\uff41\uff20example.com", "[email]"),
    ("0\u200b3\u200b0\u200b1\u200b2\u200b3\u200b4\u200b5", "[phone]"),
]


@pytest.mark.parametrize(("given_", "left"), VALUES)
def test_values_of_every_type(given_: Any, left: Any) -> None:
    assert clean(value=given_) == {"value": left}


def test_objects_are_masked_in_what_they_say_of_themselves() -> None:
    text = str(clean(value=Account(password="hunter2", note="ada@example.com")))
    assert "hunter2" not in text
    assert "ada" not in text


def test_a_broken_object_is_no_crash() -> None:
    assert "Broken" in clean(value=Broken())["value"]


def test_a_lead_shows_neither_who_nor_what_they_wrote() -> None:
    lead = Lead(
        email="ada@example.com",
        phone="+4930123456",
        first_name="Ada",
        last_name="Lovelace",
        message="call me",
        country="DE",
    )
    text = json.dumps(clean(value=lead))
    for gone in ("ada", "30123456", "Ada", "Lovelace", "call me"):
        assert gone not in text
    assert '"country": "DE"' in text


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("trace", "0af7651916cd43dd8448eb211c80319c"),
        ("policy", "a" * 40 + "0" * 24),
        ("fingerprint", "0123456789" * 6 + "abcd"),
        ("task", "3b2e1c9a-1111-4222-8333-123456789012"),
        ("lead", "L123456789012"),
        ("timestamp", "2026-11-21T23:23:32.123456Z"),
    ],
)
def test_identifiers_stay_whole_under_their_own_key(key: str, value: str) -> None:
    assert clean(**{key: value}) == {key: value}


@pytest.mark.parametrize("key", ["trace", "policy", "fingerprint", "task", "timestamp", "head"])
def test_an_identifiers_key_lets_nothing_else_through(key: str) -> None:
    assert clean(**{key: "ada@example.com"}) == {key: "[email]"}
    assert clean(**{key: "+49 30 1234567"}) == {key: "[phone]"}


def test_a_raw_record_id_becomes_a_reference() -> None:
    found = clean(lead="51234567890")["lead"]
    assert len(found) == 13
    assert found != "51234567890"
    assert clean(lead=51234567890)["lead"] == found


@pytest.mark.parametrize("key", ["took_ms", "bytes", "seconds", "tokens_in", "cost_micro"])
def test_measures_may_be_large(key: str) -> None:
    assert clean(**{key: 12_345_678_901}) == {key: 12_345_678_901}


def test_secrets_of_this_process_are_masked_by_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_concealed", frozenset())
    before = "plain as prose"
    assert redaction.redact(before) == before
    redaction.conceal("plain as", "be", "")
    assert redaction.redact(before) == "[redacted] prose"
    assert redaction.redact("to be") == "to be", "a short one would be found in ordinary words"


def test_long_and_deep_values_are_cut() -> None:
    text = redaction.redact("word " * 10_000)
    assert len(text) < redaction.LONGEST + 50
    assert "[... cut ...]" in text
    nested: Any = "x"
    for _ in range(50):
        nested = [nested]
    assert "[deep]" in str(clean(value=nested))
    assert len(clean(value=list(range(1000)))["value"]) == redaction.WIDEST


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text() | st.binary() | st.integers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_whatever_goes_in_json_comes_out(value: Any) -> None:
    json.dumps(clean(value=value), allow_nan=False)


@given(st.emails(), JSON)
def test_an_address_is_found_wherever_it_hides(email: str, beside: Any) -> None:
    hidden = {"a": [beside, {"b": (email, {email: email})}], "c": f"x {email} y", "d": email.encode()}
    assert email not in json.dumps(clean(value=hidden), ensure_ascii=False)
