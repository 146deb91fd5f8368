"""Normal forms: known cases by hand, and the same form again when normalised again."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pycountry
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tierwise.domain import identity
from tierwise.domain.lead import EMAIL_KINDS, REGIONS, Lead

CODES = sorted({entry.alpha_2 for entry in pycountry.countries})
TEXT = st.text(max_size=40) | st.from_regex(r"[a-zA-ZäÖß.+_-]{1,12}@[a-zäß0-9.-]{1,20}", fullmatch=True)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("jane.doe@acme.co.uk", "jane.doe@acme.co.uk"),
        (" Jane.Doe@ACME.co.uk ", "jane.doe@acme.co.uk"),
        ("jo+sales@acme.com", "jo+sales@acme.com"),  # tags are kept
        ("Jo Doe <Jo@Acme.com>", "jo@acme.com"),
        ("mailto:jo@acme.com", "jo@acme.com"),
        ("jo@acme.com.", "jo@acme.com"),  # the end of a sentence
        ("info@BÜCHER.de", "info@xn--bcher-kva.de"),
        ("test@example.test", "test@example.test"),  # a gate's business, not a syntax error
        ("jo@localhost", None),
        ("jo@acme", None),
        ("jo at acme.com", None),
        ("jo@@acme.com", None),
        ("jo@acme..com", None),
        ("jo@[1.2.3.4]", None),
        ("a@b.co, c@d.co", None),  # two people
        ("", None),
        ("x" * 500 + "@acme.com", None),
    ],
)
def test_email(written: str, normal: str | None) -> None:
    assert identity.email(written) == normal


@given(TEXT)
def test_email_is_total_and_a_normal_form(text: str) -> None:
    found = identity.email(text)
    if found is not None:
        assert identity.email(found) == found
        assert found.count("@") == 1
        assert found == found.lower()


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("jo@acme.com", "business"),
        ("jo@mail.acme.com", "business"),
        ("jo@gmail.com", "free"),
        ("jo@yahoo.co.uk", "free"),
        ("jo@gmx.li", "free"),
        ("jo@live.acme.com", "business"),  # not live.com
        ("jo@yahoo-partner.com", "business"),
        ("jo@mailinator.com", "disposable"),
        ("jo@x.mailinator.com", "disposable"),
        ("jo@co.uk", None),  # nobody can register that
    ],
)
def test_email_kind(address: str, kind: str | None) -> None:
    assert identity.email_kind(address) == kind
    assert kind is None or kind in EMAIL_KINDS


@pytest.mark.parametrize(
    ("written", "country", "normal"),
    [
        ("+49 (30) 1234567", None, "+49301234567"),
        ("030 1234567", "DE", "+49301234567"),
        ("030 1234567", None, None),  # whose 030?
        ("0049 30 1234567", None, "+49301234567"),
        ("+52 1 33 5000 0118", None, "+523350000118"),  # as written before 2019
        ("+52 33 5000 0118", None, "+523350000118"),
        ("tel:+44 20 7946 0018", "US", "+442079460018"),  # its own country code wins
        ("(212) 555-0123", "US", "+12125550123"),
        ("1-800-FLOWERS", "US", "+18003569377"),
        ("020 7946 0018 ext. 12", "GB", "+442079460018"),
        ("１２３", "US", None),
        ("12", "DE", None),
        ("call me", "DE", None),
        ("", None, None),
        ("1" * 200, None, None),
    ],
)
def test_phone(written: str, country: str | None, normal: str | None) -> None:
    assert identity.phone(written, country) == normal


@given(st.text(max_size=30) | st.from_regex(r"\+?[0-9 ()/-]{5,18}", fullmatch=True), st.none() | st.sampled_from(CODES))
def test_phone_is_total_and_a_normal_form(text: str, country: str | None) -> None:
    found = identity.phone(text, country)
    if found is not None:
        assert found[0] == "+"
        assert found[1:].isdigit()
        assert identity.phone(found) == found
        assert identity.phone(found, country) == found


@pytest.mark.parametrize(
    ("written", "domain"),
    [
        ("acme.com", "acme.com"),
        ("https://www.Acme.co.uk:8080/about?x=1#top", "acme.co.uk"),
        ("http://user:secret@shop.acme.de/", "acme.de"),
        ("//cdn.acme.com/x", "acme.com"),
        ("jo@mail.acme.com.br", "acme.com.br"),
        ("mailto:jo@acme.com", "acme.com"),
        ("acme.com:443", "acme.com"),
        ("acme.com.", "acme.com"),
        ("bücher.de", "xn--bcher-kva.de"),
        ("xn--bcher-kva.de", "xn--bcher-kva.de"),
        ("acme.github.io", "acme.github.io"),  # a private suffix: its tenants are strangers
        ("github.io", None),
        ("co.uk", None),
        ("localhost", None),
        ("192.168.0.1", None),
        ("http://[2001:db8::1]/", None),
        ("acme", None),
        ("not a domain.com", None),
        ("", None),
    ],
)
def test_registrable_domain(written: str, domain: str | None) -> None:
    assert identity.registrable_domain(written) == domain


@given(TEXT | st.from_regex(r"(https?://)?[a-z.äß-]{1,20}\.(com|de|co\.uk)(/[a-z]*)?", fullmatch=True))
def test_registrable_domain_is_total_and_a_normal_form(text: str) -> None:
    found = identity.registrable_domain(text)
    if found is not None:
        assert identity.registrable_domain(found) == found
        assert identity.registrable_domain(f"https://www.{found}/") == found
        assert found == found.lower()
        assert found.isascii()
    company = identity.company_domain(text)
    assert company in {None, found}


@pytest.mark.parametrize(
    ("written", "domain"),
    [
        ("jo@acme.com", "acme.com"),
        ("jo@gmail.com", None),
        ("www.hotmail.fr", None),
        ("https://mailinator.com", None),
        ("https://www.linkedin.com/company/acme", None),  # somebody's page
        ("https://www.linkedin.com/", "linkedin.com"),
        ("jo@linkedin.com", "linkedin.com"),  # who works there
    ],
)
def test_company_domain(written: str, domain: str | None) -> None:
    assert identity.company_domain(written) == domain


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("DE", "DE"), ("de", "DE"), ("DEU", "DE"), ("Germany", "DE"), ("Deutschland", "DE"), ("Allemagne", "DE"),
        ("UK", "GB"), ("U.K.", "GB"), ("England", "GB"), ("Great Britain", "GB"), ("GBR", "GB"),
        ("USA", "US"), ("U.S.A.", "US"), ("U.S.", "US"), ("United States of America", "US"),
        ("the United States", "US"),
        ("Estados Unidos", "US"), ("Vereinigte Staaten", "US"), ("The Netherlands", "NL"), ("Holland", "NL"),
        ("Österreich", "AT"), ("osterreich", "AT"), ("Schweiz", "CH"), ("Suisse", "CH"), ("España", "ES"),
        ("Brasil", "BR"), ("México", "MX"), ("中国", "CN"), ("日本", "JP"), ("Россия", "RU"), ("대한민국", "KR"),
        ("Korea, Republic of", "KR"), ("Republic of Korea", "KR"), ("South Korea", "KR"), ("North Korea", "KP"),
        ("Czech Republic", "CZ"), ("Czechia", "CZ"), ("Türkiye", "TR"), ("Turkey", "TR"), ("Côte d'Ivoire", "CI"),
        ("Ivory Coast", "CI"), ("Trinidad & Tobago", "TT"), ("Viet Nam", "VN"), ("Vietnam", "VN"), ("Bolivia", "BO"),
        ("Iran", "IR"), ("Taiwan", "TW"), ("Niger", "NE"), ("Nigeria", "NG"), ("Guinea", "GN"), ("Kosovo", "XK"),
        ("BRD", "DE"), ("GER", "DE"), ("Oesterreich", "AT"), ("SUI", "CH"),
        ("Virgin Islands", None),  # British or of the United States
        ("Atlantis", None), ("XX", None), ("", None), ("Europe", None), ("Germany, France", None),
    ],
)  # fmt: skip
def test_country(written: str, code: str | None) -> None:
    assert identity.country(written) == code


@pytest.mark.parametrize("attribute", ["alpha_2", "alpha_3", "name", "common_name", "official_name"])
def test_every_country_is_known_by_its_own_names(attribute: str) -> None:
    missed = [
        entry.alpha_2
        for entry in pycountry.countries
        if (name := getattr(entry, attribute, None)) and identity.country(name) != entry.alpha_2
    ]
    assert not missed


@given(st.text(max_size=30))
def test_country_is_total_and_a_normal_form(text: str) -> None:
    found = identity.country(text)
    assert found is None or identity.country(found) == found


def test_every_country_has_a_region() -> None:
    regions = {code: identity.region(code) for code in [*CODES, "XK"]}
    assert set(regions.values()) == set(REGIONS)
    known = {
        "DE": "emea",
        "ZA": "emea",
        "AE": "emea",
        "US": "na",
        "CA": "na",
        "MX": "latam",
        "BR": "latam",
        "IN": "apac",
        "AU": "apac",
    }
    assert {code: regions[code] for code in known} == known
    with pytest.raises(ValueError, match="not an ISO"):
        identity.region("de")


def test_the_best_identity_is_used() -> None:
    full = {"email": "jo@acme.com", "phone": "+49301234567", "company_domain": "acme.com", "last_name": "Doe"}

    def key(*names: str, **more: Any) -> str | None:
        return identity.identity_key(Lead(**{**{name: full[name] for name in names}, **more}))

    assert key("email") == key("email", "phone", "company_domain", "last_name")
    assert key("phone") == key("phone", "company_domain", "last_name")
    assert len({key("email"), key("phone"), key("company_domain", "last_name"), None}) == 4
    assert key("company_domain", "last_name", first_name="Jo") != key("company_domain", "last_name", first_name="Al")
    assert key("company_domain", last_name="DÖE") == key("company_domain", last_name="Doe")
    assert key("company_domain") is None
    assert key("last_name") is None
    assert key() is None


def test_the_key_is_a_digest_and_not_the_address() -> None:
    found = identity.identity_key(Lead(email="jo@acme.com"))
    assert found is not None
    assert len(found) == 64
    assert int(found, 16) >= 0


def test_google_reads_no_dots_and_no_tags_and_others_do() -> None:
    def key(address: str) -> str | None:
        return identity.identity_key(Lead(email=address))

    assert key("jo.doe+x@gmail.com") == key("jodoe@googlemail.com")
    assert key("jo.doe@acme.com") != key("jodoe@acme.com")
    assert key("jo+x@acme.com") != key("jo@acme.com")


@given(
    st.fixed_dictionaries(
        {}, optional={"message": st.text(max_size=5), "company": st.just("Acme"), "job_title": st.just("CEO")}
    )
)
def test_what_does_not_identify_does_not_change_the_key(others: dict[str, Any]) -> None:
    assert identity.identity_key(Lead(email="jo@acme.com", **others)) == identity.identity_key(
        Lead(email="jo@acme.com")
    )


def test_importing_the_domain_loads_no_library_data() -> None:
    """Beat, console and every command import the domain: the libraries wait until a record is mapped."""
    heavy = ["phonenumbers", "pycountry", "publicsuffixlist", "email_validator", "dns"]
    code = f"import sys, tierwise.domain.mapping; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_nothing_asks_the_network() -> None:
    code = """
import socket
def refuse(*args, **kwargs): raise AssertionError("the network was asked")
socket.getaddrinfo = socket.create_connection = socket.socket.connect = refuse
from tierwise.domain import identity
assert identity.email("jo@acme.com") == "jo@acme.com"
assert identity.registrable_domain("https://www.acme.co.uk") == "acme.co.uk"
assert identity.phone("+49301234567") == "+49301234567"
assert identity.country("Frankreich") == "FR"
"""
    subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=True)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Acme GmbH & Co. KG", "acme"),
        ("ACME, Inc.", "acme"),
        ("The Acme Company", "acme"),
        ("Société Générale S.A.", "societe generale"),
        ("Foo Sp. z o.o.", "foo"),
        ("Marks and Spencer plc", "marks and spencer"),
        ("AG", "ag"),  # a legal form alone is a name
        ("株式会社 トヨタ", "株式会社 トヨタ"),
        ("  ", None),
    ],
)
def test_company_key(name: str, key: str | None) -> None:
    assert identity.company_key(name) == key


@given(st.text(max_size=40))
@example("ᴬ")
@example("Ⅻ ™")
def test_a_normal_form_of_a_company_stays_one(name: str) -> None:
    key = identity.company_key(name)
    assert key is None or identity.company_key(key) == key


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("+493012345678", "DE"),
        ("+12125551234", "US"),
        ("+14165551234", "CA"),  # one code, two countries
        ("+442079460018", "GB"),
        ("+80012345678", None),  # a number of no country
        ("nonsense", None),
    ],
)
def test_phone_country(number: str, country: str | None) -> None:
    assert identity.phone_country(number) == country
