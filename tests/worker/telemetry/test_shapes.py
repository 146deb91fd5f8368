"""What is masked in text, and what must stay readable."""

from __future__ import annotations

import base64
import re
import string
import time
import uuid

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tierwise.telemetry import shapes

AROUND = st.sampled_from(
    [
        "{}",
        "from {} to us",
        "<{}>",
        "'{}'",
        '"{}"',
        "({})",
        "[{}]",
        "value={}",
        "value: {},",
        "{};next",
        "a\n{}\nb",
        "{}.",
    ]
)

SECRETS = [
    # text, what must be gone
    ("write to ada.lovelace+crm@mail.example.co.uk now", "ada"),
    ("mailto:ada@bücher.example", "ada"),
    ("GET /search?email=ada%40example.com&limit=1", "ada"),
    ('"ada lovelace"@example.com', "lovelace"),
    ("ada@[192.0.2.1]", "ada@"),
    ("call +49 30 1234567", "1234567"),
    ("call (030) 123-4567 today", "4567"),
    ("call 030/1234567", "1234567"),
    ("call 555.123.4567", "4567"),
    ("call 0301234567", "0301234567"),
    ("tel:+14155550132", "4155550132"),
    ("record 51234567890 failed", "51234567890"),
    ("Authorization: Bearer abc.def-ghi", "abc.def"),
    ("sent bearer abcdefgh", "abcdefgh"),
    ("header Basic QWxhZGRpbjpvcGVuc2VzYW1l", "QWxh"),
    ("token=abc123", "abc123"),
    ('{"access_token": "abc def", "x": 1}', "abc def"),
    ("{'hapikey': 'short'}", "short"),
    ("password: hunter2", "hunter2"),
    (r"body {\"client_secret\": \"a b c\"}", "a b c"),
    ("pat-na1-0a1b2c3d-1111-4222-8333-444455556666", "0a1b2c3d"),
    ("key sk-ant-api03-abcdefgh", "api03"),
    ("ghp_0123456789abcdef", "0123456789"),
    ("AKIAIOSFODNN7EXAMPLE", "IOSFODNN"),
    ("00D5g000001AbCd!AQcAQH0dMHZfz972Szmp", "AQcAQH"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "eyJ"),
    ("postgresql://tierwise:p@ss/word@db.example/tierwise", "word"),
    ("redis://:secret@broker:6379/0", "secret"),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIB\nxyz\n-----END RSA PRIVATE KEY-----", "MIIB"),
    ("input_value='Ada Lovelace', input_type=str", "Ada"),
    ("(psycopg.Error) x\nDETAIL:  Key (name)=(Ada) already exists.\nmore", "Ada"),
    ("[SQL: INSERT]\n[parameters: {'a': 'Ada'}]\n(Background", "Ada"),
    ("{'firstname': 'Ada Byron', 'company': 'x'}", "Byron"),
    ("first_name=Ada", "Ada"),
]

PLAIN = [
    "polled 250 records in 0.532 s",
    "Task tierwise.tick[3b2e1c9a-1111-4222-8333-123456789012] succeeded in 0.012345678901s: None",
    "at 2026-11-21T23:23:32.123456Z and 2026-11-21 23:23:32,123",
    "listening on 127.0.0.1:8400 and 10.255.0.1",
    "celery@worker-1 ready",
    "see @pytest.fixture",
    "token refreshed",
    "basic authentication failed",
    "max_tokens=4096, tokens: 123",
    "password=None token='' secret: ****",
    "object at 0x7f3a2b1c4d5e",
    "policy 3fa9c1d2e4b5",
    "POST /crm/objects/2026-09/0-1/search",
    'File "/usr/lib/python3.11/site-packages/tierwise/pipeline/write_back.py", line 123, in write_back',
    "test_a_missing_token_says_where_it_is_looked_for",
    "postgresql://db.example:5432/tierwise",
]


@pytest.mark.parametrize(("text", "gone"), SECRETS)
def test_personal_data_and_secrets_are_masked(text: str, gone: str) -> None:
    assert gone in text
    assert gone not in shapes.mask(text)


@pytest.mark.parametrize("text", PLAIN)
def test_what_says_nothing_about_a_person_stays(text: str) -> None:
    assert shapes.mask(text) == text


def test_masking_again_changes_nothing() -> None:
    for text, _ in SECRETS:
        once = shapes.mask(text)
        assert shapes.mask(once) == once


@given(st.emails(), AROUND)
def test_any_address_is_masked(email: str, around: str) -> None:
    masked = shapes.mask(around.format(email))
    assert "@" not in masked
    assert email.rpartition("@")[2].lower() not in masked.lower() or "." not in email.rpartition("@")[2]


@st.composite
def phones(draw: st.DrawFn) -> str:
    """8 to 15 digits in groups, as people write them."""
    separator = draw(st.sampled_from(["", " ", "-", " - ", "\u2011", "/"]))
    groups = draw(st.lists(st.text(string.digits, min_size=2, max_size=4), min_size=3, max_size=4))
    first = draw(st.sampled_from(["+49", "+1 ", "0049", "0", "(0", "(555) "]))
    return first + separator.join(["12", *groups]) if first != "(0" else f"(0{groups[0]}) {separator.join(groups)}"


@given(phones(), AROUND)
def test_any_phone_number_is_masked(phone: str, around: str) -> None:
    masked = shapes.mask(around.format(phone))
    left = re.sub(r"\D", "", masked)
    assert len(left) < 5, masked


def _mixed(text: str) -> bool:
    return any(c.isdigit() for c in text) and any(c.islower() for c in text)


TOKENS = st.one_of(
    st.binary(min_size=18, max_size=64)
    .map(lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("="))
    .filter(lambda text: _mixed(text) and any(c.isupper() for c in text)),
    st.binary(min_size=16, max_size=32).map(bytes.hex).filter(_mixed),
    st.uuids(version=4).map(lambda found: f"pat-eu1-{found}"),
    st.text(string.ascii_letters + string.digits + "_-", min_size=10, max_size=60).map(lambda text: f"sk-{text}"),
)


@given(TOKENS, AROUND)
def test_any_token_is_masked(token: str, around: str) -> None:
    assert token not in shapes.mask(around.format(token))


@given(
    st.text(min_size=1).filter(lambda text: not re.search(r"[\s\"'\\,;&}\])>]", text)),
    st.sampled_from(["token", "api_key"]),
)
def test_whatever_is_assigned_to_a_secret_is_masked(value: str, key: str) -> None:
    assume("DETAIL:" not in value and "input_value=" not in value)  # masked as what a library adds
    masked = shapes.mask(f"{key}={value}")
    assert (
        masked == f"{key}={shapes.MASK}" or value.lower() in {"none", "null", "true", "false"} or not value.strip("*")
    )


@given(st.uuids())
def test_ids_of_tasks_stay(found: uuid.UUID) -> None:
    assert shapes.mask(f"task {found} ended") == f"task {found} ended"


@given(st.text())
def test_any_text_can_be_masked(text: str) -> None:
    assert isinstance(shapes.mask(text), str)


@pytest.mark.parametrize(
    "piece",
    ["a", "1", " ", "@", "a@", "1 ", "-", "://", "token=", "\\", '"', "0.", "a1", "eyJ", "[parameters: ", "(", "1("],
)
def test_masking_takes_time_in_proportion_to_the_text(piece: str) -> None:
    """A stranger's text must not stop a worker: ten times the text, far less than a hundred times the time."""

    def taken(size: int) -> float:
        text = piece * (size // len(piece)) + " @ ://"
        begin = time.process_time()
        shapes.mask(text)
        return time.process_time() - begin

    taken(2_000)
    assert taken(200_000) < max(30 * taken(20_000), 0.5)


def test_keys_that_are_masked_whatever_their_value() -> None:
    telling = [
        "token",
        "access_token",
        "Authorization",
        "first_name",
        "lastname",
        "email",
        "phone",
        "message",
        "properties",
    ]
    assert [key for key in telling if not shapes.telling(key)] == []
    plain = ["event", "level", "records", "connection", "reason", "author", "email_kind", "tier", "company_domain"]
    assert [key for key in plain if shapes.telling(key)] == []
