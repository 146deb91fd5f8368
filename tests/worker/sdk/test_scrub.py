from __future__ import annotations

import re
import urllib.parse

import hypothesis.strategies as st
import pytest
from hypothesis import given

from tierwise.sdk.scrub import LIMIT, scrub


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Property tierwise_score is not a number", "Property tierwise_score is not a number"),
        ("Email address jane.doe+x@mail.example.co.uk is invalid", "Email address [e-mail] is invalid"),
        # An address in a query string is percent-encoded.
        ("GET /contacts?email=jane%40acme.com failed", "GET /contacts?email=[e-mail] failed"),
        ("call +49 (30) 123-4567 or 0301234567", "call [number] or [number]"),
        # The hyphen of a word processor, and digits of another script.
        ("tel 555‑123‑4567 or ٠٣٠١٢٣٤٥٦٧", "tel [number] or [number]"),
        ("Authorization: Bearer abc.def-ghi_jkl", "Authorization: [secret] [secret]"),
        ("The token pat-na1-0a1b2c3d-aaaa-bbbb-cccc-1234567890ab is expired", "The [secret] is expired"),
        ('{"access_token":"Ab12","x":1}', '{"access_token":"[secret]","x":1}'),
        ("client_secret=hunter2&x=1", "client_secret=[secret]&x=1"),
        ("session 00D5g000004CcyF!AQ0AQJ.xYz_1 is invalid", "session [secret] is invalid"),
        ("jwt eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln expired", "jwt [secret] expired"),
        # A line break would forge a log line, a control character a terminal.
        ("one\ntwo\r\n\x1b[31mthree\x00", "one two [31mthree"),
        ("", ""),
    ],
)
def test_hides_what_is_personal_or_secret_and_nothing_else(text: str, told: str) -> None:
    # "Authorization:" and "The token" match two patterns each; what counts is that the secret is gone.
    assert scrub(text).replace("[secret] [secret]", "[secret]") == told.replace("[secret] [secret]", "[secret]")


def test_cuts_long_text_after_hiding_so_that_no_half_address_stays() -> None:
    text = "x " * (LIMIT // 2 - 4) + "jane.doe@example.org and more"
    told = scrub(text)
    assert len(told) <= LIMIT
    assert "jane" not in told


def test_hides_a_known_secret_in_every_spelling() -> None:
    secret = "p@ss/w+rd 1"
    spellings = [secret, urllib.parse.quote(secret, safe=""), urllib.parse.quote_plus(secret)]
    told = scrub(" | ".join(spellings), [secret])
    assert not [spelling for spelling in spellings if spelling in told]
    assert "w+rd" not in told


def test_a_long_hostile_text_is_quick() -> None:
    # Without a bound these patterns are quadratic: minutes instead of milliseconds.
    for text in ("a" * 2_000_000, "1-" * 1_000_000, "pat-" * 500_000, "@" * 2_000_000, "token=" * 300_000):
        assert len(scrub(text)) <= LIMIT


_names = st.from_regex(r"[A-Za-z][A-Za-z0-9._+-]{0,20}", fullmatch=True)
_emails = st.builds(
    lambda a, b, c: f"{a}@{b}.{c}", _names, st.sampled_from(["acme", "mail-1.x"]), st.sampled_from(["de", "io"])
)
_phones = st.builds(
    lambda digits, separator, plus: plus + separator.join(digits),
    st.lists(st.sampled_from("0123456789"), min_size=7, max_size=15),
    st.sampled_from(["", " ", "-", ".", " / ", "\u00a0", "‐"]),
    st.sampled_from(["", "+", "(+"]),
)
_secrets = st.text(alphabet="abcdefXYZ0189-_.~!/+=%$", min_size=8, max_size=60).filter(lambda s: s.strip("._-") != "")
_filler = st.text(max_size=12)


@given(parts=st.lists(st.one_of(_emails, _phones, _filler), max_size=8), secret=_secrets)
def test_no_address_no_number_no_secret_survives(parts: list[str], secret: str) -> None:
    told = scrub(" ".join([*parts, secret, "end"]), [secret], limit=100_000)
    assert secret not in told
    assert not re.search(r"[^\s\"'<>()\[\]{},;:=&?/\\|@]@[^\s\"'<>()\[\]{},;:=&?/\\|@]", told)
    assert not re.search(r"\d(?:[\s.‐\-/]{0,3}\d){6}", told)


@given(st.text(max_size=500))
def test_is_one_printable_line_and_stable(text: str) -> None:
    told = scrub(text)
    assert told.isprintable()
    assert scrub(told) == told
