"""Transforms: total, idempotent on their own results, and silent about the values they refuse."""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise.domain import transforms
from tierwise.domain.lead import LIFECYCLES, SOURCES, Lead
from tierwise.domain.transforms import TRANSFORMS, Options, Result

ODD = st.characters(categories=["Cc", "Cf", "Cs", "Co", "Mn", "Zs", "Lo", "No"])
ANY: st.SearchStrategy[Any] = (
    st.text(max_size=40)
    | st.text(ODD, max_size=20)
    | st.text("0123456789.,-+:TZ eE", max_size=25)
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.booleans()
    | st.none()
    | st.datetimes()
    | st.dates()
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.text(max_size=2), st.integers(), max_size=2)
    | st.binary(max_size=5)
)
OPTIONS = st.builds(
    Options,
    take=st.sampled_from(["low", "middle", "high"]),
    values=st.dictionaries(st.text(max_size=5), st.sampled_from(LIFECYCLES), max_size=2),
    otherwise=st.none() | st.just("other"),
    default_region=st.none() | st.sampled_from(["DE", "US"]),
    currency=st.none() | st.just("EUR"),
    into=st.none() | st.just("USD"),
    rates=st.just({}) | st.just({"EUR": 1.1}),
    decimal_mark=st.none() | st.sampled_from([".", ","]),
    per=st.none() | st.just("month"),
)


PLAIN = Options()


def attempt(name: str, value: Any, options: Options = PLAIN) -> tuple[Result | None, str]:
    try:
        return TRANSFORMS[name].run(value, options), ""
    except ValueError as refused:
        return None, str(refused)


@given(st.sampled_from(sorted(TRANSFORMS)), ANY, OPTIONS)
def test_a_transform_gives_a_json_value_or_a_reason(name: str, value: Any, options: Options) -> None:
    found, message = attempt(name, value, options)
    if found is None:
        assert message
        return
    for kind in TRANSFORMS[name].gives:
        fitted = transforms.fit(found, kind).value
        assert isinstance(
            fitted, {"integer": int, "decimal": float | int, "timestamp": datetime, "boolean": bool}.get(kind, str)
        )
    json.dumps(transforms.fit(found, "decimal").value, default=datetime.isoformat).encode()
    assert isinstance(transforms.is_empty(value), bool)


@given(
    st.sampled_from(sorted(TRANSFORMS)),
    st.text(max_size=20),
    st.sampled_from(["xq{}", "12 xq{}", "{}@xq.q", "+49xq{}"]),
)
def test_a_reason_never_repeats_the_value(name: str, text: str, form: str) -> None:
    _, message = attempt(name, form.format(text))
    assert "xq" not in message


@given(st.sampled_from(sorted(set(TRANSFORMS) - {"picklist"})), ANY)
def test_a_normal_form_stays_what_it_is(name: str, value: Any) -> None:
    found, _ = attempt(name, value)
    if found is None:
        return
    value = transforms.fit(found, "decimal").value
    again, message = attempt(name, value)
    assert again is not None, message
    assert transforms.fit(again, "decimal").value == value


@given(st.text() | st.text(ODD))
def test_text_holds_nothing_invisible_and_keeps_the_words(text: str) -> None:
    cleaned = transforms.clean(text)
    assert cleaned == transforms.clean(cleaned)
    assert not {unicodedata.category(character) for character in cleaned} & {"Cc", "Cf", "Cs", "Co"}
    assert cleaned == " ".join(cleaned.split())
    assert unicodedata.is_normalized("NFKC", cleaned)
    cleaned.encode()


@given(
    st.lists(st.from_regex(r"[a-zA-Z0-9äöüß]+", fullmatch=True)),
    st.sampled_from([" ", "  ", "\n", "\t", "\r\n", "\u00a0"]),
)
def test_only_the_space_between_words_changes(words: list[str], between: str) -> None:
    composed = [unicodedata.normalize("NFKC", word) for word in words]
    assert transforms.clean(between.join(words)).split() == composed


@pytest.mark.parametrize(
    ("written", "cleaned"),
    [
        ("  two \n\n words ", "two words"),
        ("ig\u200bnore\u200d this\ufeff", "ignore this"),  # zero width
        ("abc\u202edef\u2066", "abcdef"),  # direction
        ("\U000e0041\U000e0042seen", "seen"),  # tag characters: text that only a model reads
        ("hid\ufe0fden\U000e0101", "hidden"),  # variation selectors carry bytes
        ("\u3164\u2800x\u115f", "x"),  # letters that show nothing
        ("ｆｕｌｌ ｗｉｄｔｈ", "full width"),
        ("ﬁne", "fine"),
        ("nul\x00byte", "nul byte"),
        ("cafe\u0301", "café"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("日本語 テキスト", "日本語 テキスト"),
        ("Ünïcode — “quotes” stay", "Ünïcode — “quotes” stay"),
    ],
)
def test_clean(written: str, cleaned: str) -> None:
    assert transforms.clean(written) == cleaned


@pytest.mark.parametrize(
    ("value", "text"), [("x", "x"), (12, "12"), (12.0, "12"), (12.5, "12.5"), (True, "true"), (Decimal("1.50"), "1.50")]
)
def test_text_of_plain_values(value: Any, text: str) -> None:
    assert transforms.text(value) == text


@pytest.mark.parametrize("value", [None, "", "  \u200b", [], {}, b"x", ["a"], 10**100])
def test_what_is_no_text(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^is "):
        transforms.text(value)


@pytest.mark.parametrize(
    "value", [None, "", " ", "\u200b", "-", "N/A", "null", "None", " unknown ", "(not set)", [], {}]
)
def test_empty(value: Any) -> None:
    assert transforms.is_empty(value)


@pytest.mark.parametrize("value", [0, False, "0", "no", "NA", "false", 0.0])
def test_not_empty(value: Any) -> None:
    assert not transforms.is_empty(value)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-03-01T09:30:00Z", datetime(2026, 3, 1, 9, 30, tzinfo=UTC)),
        ("2026-03-01T09:30:00.250+02:00", datetime(2026, 3, 1, 7, 30, 0, 250_000, tzinfo=UTC)),
        ("2026-03-01 09:30", datetime(2026, 3, 1, 9, 30, tzinfo=UTC)),  # no zone: UTC
        ("2026-03-01 09:30:00 UTC", datetime(2026, 3, 1, 9, 30, tzinfo=UTC)),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("20260301", datetime(2026, 3, 1, tzinfo=UTC)),
        ("1767225600000", datetime(2026, 1, 1, tzinfo=UTC)),  # milliseconds
        ("1767225600", datetime(2026, 1, 1, tzinfo=UTC)),  # seconds
        (1767225600000, datetime(2026, 1, 1, tzinfo=UTC)),
        (1767225600.5, datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)),
        (datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)),
        (date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_timestamp(value: Any, moment: datetime) -> None:
    assert transforms.timestamp(value) == moment


@pytest.mark.parametrize(
    "value",
    [
        "yesterday", "03/01/2026", "1.3.2026", "", 0, 5, "2026", True, "0001-01-01", "9999-12-31T23:59:59-12:00",
        "2026-13-01", "2026-02-30", 1e300, 10**400, "1e12", None, [2026],
    ],
)  # fmt: skip
def test_what_is_no_time(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^is "):
        transforms.timestamp(value)


@given(st.datetimes(datetime(1991, 1, 1), datetime(2199, 1, 1)), st.integers(-14 * 60, 14 * 60))
def test_a_moment_is_read_back_in_every_form(naive: datetime, minutes: int) -> None:
    moment = naive.replace(tzinfo=UTC)
    whole = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    there = (moment + timedelta(minutes=minutes)).replace(tzinfo=None).isoformat()
    sign = "+" if minutes >= 0 else "-"
    assert transforms.timestamp(moment.isoformat()) == moment
    assert transforms.timestamp(naive.isoformat()) == moment
    assert transforms.timestamp(f"{there}{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}") == moment
    assert transforms.timestamp(str((whole - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1))) == whole
    assert Lead(submitted_at=transforms.timestamp(naive)).submitted_at == moment


@pytest.mark.parametrize(
    ("written", "source"),
    [
        ("Demo request", "demo_request"), ("demo_request", "demo_request"), ("Book a Demo!", "demo_request"),
        ("Book a call", "demo_request"), ("Contact sales", "contact_sales"), ("Kontaktformular", "contact_sales"),
        ("Pricing page", "pricing_page"), ("Free trial", "trial"), ("Sign-up", "trial"), ("Webinar", "webinar"),
        ("Trade show", "event"), ("Messe Hannover", "event"), ("Customer referral", "referral"),
        ("Partner portal", "partner"),
        ("Whitepaper download", "content"), ("eBook", "content"), ("Newsletter", "newsletter"), ("Live chat", "chat"),
        ("Google Ads", "advertisement"), ("Paid social", "advertisement"), ("List import", "list_import"),
        ("Skywriting", "other"), ("Adele", "other"),  # no "ad"
    ],
)  # fmt: skip
def test_touchpoint(written: str, source: str) -> None:
    assert transforms.touchpoint(written) == source
    assert source in SOURCES


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_is_its_own_touchpoint(source: str) -> None:
    assert transforms.touchpoint(source) == source
    assert transforms.touchpoint(source.replace("_", " ").title()) == source


@pytest.mark.parametrize(
    ("written", "industry"),
    [
        ("FINANCIAL_SERVICES", "financial_services"),
        ("Health, Wellness & Fitness", "health_wellness_and_fitness"),
        ("Santé publique", "sante_publique"),
        ("Straßenbau", "strassenbau"),
        ("金融", "金融"),
        ("B2B SaaS", "b2b_saas"),
    ],
)
def test_industry(written: str, industry: str) -> None:
    assert transforms.industry(written) == industry


def test_a_map_may_say_more_about_industries_and_touchpoints_than_we_know() -> None:
    options = Options(values={"Fin Tech": "financial_services", "skywriting": "advertisement"}, otherwise="event")
    assert TRANSFORMS["industry"].run("fin tech", options).value == "financial_services"
    assert TRANSFORMS["industry"].run("Mining", options).value == "mining"
    assert TRANSFORMS["touchpoint"].run("SKYWRITING", options).value == "advertisement"
    assert TRANSFORMS["touchpoint"].run("Webinar", options).value == "webinar"
    assert TRANSFORMS["touchpoint"].run("smoke signals", options).value == "event"


def test_picklist_ignores_case_and_says_when_it_guessed() -> None:
    options = Options(values={"Marketing Qualified": "marketing_qualified"}, otherwise="other")
    assert TRANSFORMS["picklist"].run(" MARKETING  qualified ", options) == ("marketing_qualified", "")
    assert TRANSFORMS["picklist"].run("new", options) == ("other", "not listed: taken as otherwise")
    with pytest.raises(ValueError, match="not among the values"):
        TRANSFORMS["picklist"].run("new", options._replace(otherwise=None))


@pytest.mark.parametrize(
    ("value", "truth"),
    [(True, True), ("Yes", True), ("1", True), (1, True), ("ja", True), ("OFF", False), (0, False), ("não", False)],
)
def test_boolean(value: Any, truth: bool) -> None:
    assert transforms.boolean(value) is truth


def test_booleans_are_not_guessed() -> None:
    with pytest.raises(ValueError, match="neither yes nor no"):
        transforms.boolean("maybe")


@pytest.mark.parametrize(("value", "number"), [("1,200", 1200), (5.0, 5), ("1.2k", 1200)])
def test_integer(value: Any, number: int) -> None:
    assert transforms.integer(value) == number


@pytest.mark.parametrize("value", ["1.5", "1-5", "5+", 2.5, "x"])
def test_no_integer(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^is "):
        transforms.integer(value)


@pytest.mark.parametrize(("take", "number"), [("low", 51), ("middle", 126), ("high", 200)])
def test_a_range_gives_the_end_that_the_map_takes(take: Any, number: int) -> None:
    found = transforms.fit(TRANSFORMS["range"].run("51-200", Options(take=take)), "integer")
    assert found == (number, f"{take} of a range")


def test_halves_of_people_are_rounded_up() -> None:
    for written, people in (("1-2", 2), ("2-3", 3), ("3-4", 4)):
        assert transforms.fit(TRANSFORMS["range"].run(written, Options()), "integer").value == people


def test_money_takes_the_currency_of_the_map_where_none_is_named() -> None:
    options = Options(currency="EUR", into="USD", rates={"EUR": 1.5})
    assert TRANSFORMS["money"].run("1000", options).value == 1500
    assert TRANSFORMS["money"].run("$1000", options).value == 1000
    assert TRANSFORMS["money"].run("1000", options._replace(currency=None)).value == 1000


def test_the_registry_tells_what_each_accepts() -> None:
    assert all(transform.accepts and transform.gives for transform in TRANSFORMS.values())
    assert all(transform.options <= set(Options._fields) for transform in TRANSFORMS.values())
