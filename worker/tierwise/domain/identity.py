"""Normal forms of e-mail, phone, company domain and country; one identity key.

Reads the data that its libraries ship and never the network. The libraries are imported on first use, so that
importing the domain stays cheap. What cannot be read is None here; `transforms` says why.
"""

from __future__ import annotations

import functools
import gettext
import ipaddress
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

from tierwise.domain.lead import EmailKind, Lead, Region, digest

_LONGEST_EMAIL = 400  # characters with a display name; the address itself has 254 at most
_LONGEST_PHONE = 60
_SHORTEST_PHONE = 8  # with the plus; some plans allow less, and no company is reached there
_LONGEST_HOST = 253


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Mailboxes that anybody can open: such a domain says nothing about a company.
_FREE_MAIL = _words(
    """
    126.com 139.com 163.com 188.com abv.bg aim.com alice.it aliyun.com arcor.de bellsouth.net bigpond.com bk.ru
    bluewin.ch btinternet.com centrum.cz charter.net comcast.net cox.net daum.net duck.com earthlink.net email.com
    email.cz fastmail.com fastmail.fm foxmail.com free.fr freenet.de gawab.com gmail.com gmx.at gmx.ch gmx.com gmx.de
    gmx.net googlemail.com hanmail.net hey.com hush.com hushmail.com icloud.com inbox.com inbox.ru interia.pl kakao.com
    laposte.net libero.it list.ru live.at live.be live.ca live.cl live.cn live.co.uk live.com live.com.ar live.com.au
    live.com.mx live.com.pt live.de live.dk live.fr live.ie live.in live.it live.jp live.nl live.no live.ru live.se
    mac.com mail.com mail.de mail.ee mail.ru me.com msn.com nate.com naver.com neuf.fr o2.pl onet.pl op.pl optonline.net
    orange.fr outlook.com pm.me posteo.de posteo.net prodigy.net.mx proton.me protonmail.ch protonmail.com qq.com
    rambler.ru rediffmail.com runbox.com sapo.pt sbcglobal.net seznam.cz sfr.fr shaw.ca sina.cn sina.com skynet.be
    sohu.com t-online.de telenet.be terra.com.br tin.it tiscali.it tuta.com tuta.io tutanota.com tutanota.de uol.com.br
    ukr.net verizon.net virgilio.it vodafone.it wanadoo.fr web.de wp.pl yandex.com yandex.ru yeah.net ymail.com
    zoho.com zohomail.com ziggo.nl"""
)
# These open a domain in many countries: yahoo.co.uk, hotmail.fr, gmx.li.
_FREE_NAMES = _words("gmx hotmail outlook rocketmail yahoo yandex")
_DISPOSABLE = _words(
    """
    10minutemail.com 10minutemail.net 33mail.com anonbox.net burnermail.io discard.email dispostable.com
    dropmail.me emailondeck.com fakeinbox.com fakemailgenerator.com getairmail.com getnada.com grr.la guerrillamail.biz
    guerrillamail.com guerrillamail.de guerrillamail.info guerrillamail.net guerrillamail.org guerrillamailblock.com
    harakirimail.com incognitomail.org inboxkitten.com jetable.org linshiyouxiang.net mail-temp.com mail7.io
    mailcatch.com maildrop.cc mailinator.com mailinator.net mailnesia.com mailnull.com mailpoof.com mailsac.com
    mailtothis.com minutemail.com mintemail.com mohmal.com moakt.com mytemp.email nada.email sharklasers.com spam4.me
    spambog.com spambox.us spamgourmet.com temp-mail.io temp-mail.org tempail.com tempinbox.com tempmail.com
    tempmail.dev tempmail.net tempmailo.com tempr.email throwaway.email throwawaymail.com trash-mail.com trashmail.com
    trashmail.de trashmail.net trbvm.com wegwerfmail.de wegwerfmail.net yopmail.com yopmail.fr yopmail.net"""
)
# A page there is somebody's page, not the site's own company.
_SHARED_SITES = _words(
    """
    about.me bit.ly calendly.com facebook.com fb.com github.com instagram.com linkedin.com linktr.ee medium.com
    pinterest.com t.me tiktok.com twitter.com wa.me x.com xing.com youtube.com"""
)

# Names that neither ISO 3166 nor its translations hold; keys in the form of `_name_key`.
_COUNTRY_ALIASES = {
    "america": "US", "great britain": "GB", "britain": "GB", "uk": "GB", "england": "GB", "scotland": "GB",
    "wales": "GB", "northern ireland": "GB", "holland": "NL", "el": "GR", "uae": "AE", "emirates": "AE", "ksa": "SA",
    "korea": "KR", "rok": "KR", "dprk": "KP", "prc": "CN", "mainland china": "CN", "ivory coast": "CI", "burma": "MM",
    "swaziland": "SZ", "macedonia": "MK", "cape verde": "CV", "czech": "CZ", "russia": "RU", "россия": "RU",
    "turkey": "TR", "turkiye": "TR", "vatican": "VA", "vatican city": "VA", "east timor": "TL", "palestine": "PS",
    "kosovo": "XK", "congo": "CG", "drc": "CD", "dr congo": "CD", "congo kinshasa": "CD", "congo brazzaville": "CG",
    "macau": "MO", "brunei": "BN", "falkland islands": "FK", "eire": "IE", "bharat": "IN", "viet nam": "VN",
    "micronesia": "FM", "st lucia": "LC", "st kitts and nevis": "KN", "st vincent": "VC", "bolivia": "BO",
    "us virgin islands": "VI", "xk": "XK", "grossbritannien": "GB", "grande bretagne": "GB", "gran bretana": "GB",
    "gran bretagna": "GB", "brd": "DE", "oesterreich": "AT", "mejico": "MX",
    "ger": "DE", "sui": "CH", "ned": "NL", "den": "DK", "por": "PT", "gre": "GR", "cro": "HR", "bul": "BG", "rsa": "ZA",
    "inglaterra": "GB", "british virgin islands": "VG",
}  # fmt: skip
# What stands behind a company's name and says only how it is registered; "and" is what "GmbH & Co. KG" leaves.
_LEGAL_FORMS = _words(
    """
    ab ag and aps as asa bv bvba co company corp corporation cv doo eg ek eood ev gbr gesmbh gmbh inc incorporated kft
    kg kgaa kk limited llc llp lp ltd ltda lda mbh nv oe ohg oo ood oy oyj plc private pte pty pvt sa sae sas sarl sarlu
    sca scs se sl slu sp spa spol sprl sro srl ug und z zoo"""
)
# Languages whose names of countries are understood ("Frankreich", "Estados Unidos"), from pycountry's translations.
_LANGUAGES = _words("de fr es it nl pt pt_BR pl sv nb da fi cs hu ro tr el ru uk ja zh_CN zh_TW ko")

# Sales regions. Central Asia and the Caucasus go with EMEA, the Caribbean and Puerto Rico with LATAM, the rest of
# Asia from Afghanistan eastwards with APAC; whoever cuts differently maps `region` from a property of their own.
_REGIONS: dict[Region, str] = {
    "na": "BM CA GL PM UM US",
    "latam": """AG AI AR AW BB BL BO BQ BR BS BZ CL CO CR CU CW DM DO EC FK GD GF GP GS GT GY HN HT JM KN KY LC MF MQ
        MS MX NI PA PE PR PY SR SV SX TC TT UY VC VE VG VI""",
    "apac": """AF AQ AS AU BD BN BT CC CK CN CX FJ FM GU HK HM ID IN IO JP KH KI KP KR LA LK MH MM MN MO MP MV MY NC NF
        NP NR NU NZ PF PG PH PK PN PW SB SG TH TK TL TO TV TW VN VU WF WS""",
    "emea": """AD AE AL AM AO AT AX AZ BA BE BF BG BH BI BJ BV BW BY CD CF CG CH CI CM CV CY CZ DE DJ DK DZ EE EG EH ER
        ES ET FI FO FR GA GB GE GG GH GI GM GN GQ GR GW HR HU IE IL IM IQ IR IS IT JE JO KE KG KM KW KZ LB LI LR LS LT
        LU LV LY MA MC MD ME MG MK ML MR MT MU MW MZ NA NE NG NL NO OM PL PS PT QA RE RO RS RU RW SA SC SD SE SH SI SJ
        SK SL SM SN SO SS ST SY SZ TD TF TG TJ TM TN TR TZ UA UG UZ VA XK YE YT ZA ZM ZW""",
}
_REGION_OF: dict[str, Region] = {code: name for name, codes in _REGIONS.items() for code in codes.split()}


def email(value: str) -> str | None:
    """Lower-case address in normal form, from an address, `mailto:` link or "Name <address>"."""
    import email_validator

    candidate = value.strip().lower().removeprefix("mailto:").rstrip(" .,;")
    if not 0 < len(candidate) <= _LONGEST_EMAIL:
        return None
    try:
        # example.test passes: to stop test leads is the business of a gate, which says so.
        found = email_validator.validate_email(
            candidate, check_deliverability=False, allow_display_name=True, test_environment=True
        )
    except ValueError:
        return None
    host = _ascii_host(found.ascii_domain)
    local = unicodedata.normalize("NFC", found.local_part.lower())
    return f"{local}@{host}" if host is not None and "." in host else None


def email_kind(address: str) -> EmailKind | None:
    """What kind of mailbox an address (in normal form) is; None without a registrable domain."""
    domain = registrable_domain(address)
    if domain is None:
        return None
    if domain in _DISPOSABLE:
        return "disposable"
    return "free" if _is_free(domain) else "business"


def phone(value: str, default_region: str | None = None) -> str | None:
    """E.164 form (+4930123456). A national number needs the country (alpha-2) that it is dialled in."""
    import phonenumbers

    text = value.strip().lower().removeprefix("tel:")
    if not 0 < len(text) <= _LONGEST_PHONE:
        return None
    if default_region is None and re.match(r"00[1-9]", text):
        text = "+" + text[2:]
    # Mexico dropped the 1 of mobile numbers in 2019; address books did not.
    text = re.sub(r"^\+52\W*1(?=(\W*\d){10}$)", "+52", text)
    try:
        number = phonenumbers.parse(text, default_region)
        # Possible, not assigned: numbering plans grow, and one wrong digit still tells leads apart.
        if not phonenumbers.is_possible_number(number):
            return None
        found = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        # A string of zeros loses one each time it is read; what has no stable form is no number.
        again = phonenumbers.format_number(phonenumbers.parse(found), phonenumbers.PhoneNumberFormat.E164)
    except phonenumbers.NumberParseException:
        return None
    return found if again == found and len(found) >= _SHORTEST_PHONE else None


def phone_country(number: str) -> str | None:
    """Country (alpha-2) of a number in E.164 form; None where the number belongs to none or to several."""
    import phonenumbers

    try:
        code = phonenumbers.region_code_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return None
    return code if code in _REGION_OF else None


def dialled(value: str, default_region: str | None) -> bool:
    """Whether somebody in that country (alpha-2) would reach a subscriber by these digits: by its numbering plan."""
    import phonenumbers

    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(value, default_region))
    except phonenumbers.NumberParseException:
        return False


def is_shared_site(host: str) -> bool:
    """Whether pages at the host belong to its users: a network, a shop window of people."""
    return registrable_domain(host) in _SHARED_SITES


def company_key(name: str) -> str | None:
    """A company's name in normal form: small letters, no accents or punctuation, no legal form at its end."""
    words = _name_key(name).split()
    while len(words) > 1 and words[-1] in _LEGAL_FORMS:
        words.pop()
    return " ".join(words) or None


def registrable_domain(value: str) -> str | None:
    """The domain one can register (acme.co.uk), in ASCII, from a URL, host or e-mail address."""
    text = value.strip()
    text = re.sub(r"^[a-zA-Z][a-zA-Z0-9+.-]*:(//)?", "", text) if re.match(r"^[a-zA-Z+.-]+:(//|[^0-9])", text) else text
    text = re.split(r"[/?#\\]", text.removeprefix("//"), maxsplit=1)[0].rsplit("@", 1)[-1]
    host = _ascii_host(re.sub(r":[0-9]*$", "", text))
    if host is None or "." not in host or _is_address(host):
        return None
    found: str | None = _suffixes()(host)
    return found


def company_domain(value: str) -> str | None:
    """The registrable domain of a company's site or address; None for free mail and pages on shared sites."""
    domain = registrable_domain(value)
    if domain is None or domain in _DISPOSABLE or _is_free(domain):
        return None
    is_page = "@" not in value and re.search(r"\w/\w", value.strip()) is not None
    return None if is_page and domain in _SHARED_SITES else domain


def country(value: str) -> str | None:
    """ISO 3166-1 alpha-2 from a code or a name, in English or one of the languages above."""
    key = _name_key(value)
    if not key or len(key) > 80:
        return None
    return _COUNTRY_ALIASES.get(key) or _countries().get(key) or _translated().get(key)


def region(code: str) -> Region:
    """Sales region of a country (alpha-2). Raises ValueError for what is no country."""
    try:
        return _REGION_OF[code]
    except KeyError:
        raise ValueError("not an ISO 3166-1 alpha-2 country") from None


def identity_key(lead: Lead) -> str | None:
    """SHA-256 (hex) of what identifies the person best: e-mail, else phone, else name at a company's domain."""
    if lead.email:
        return digest({"email": _mailbox(lead.email)})
    if lead.phone:
        return digest({"phone": lead.phone})
    if lead.company_domain and lead.last_name:
        names = [_name_key(name) for name in (lead.first_name or "", lead.last_name)]
        return digest({"domain": lead.company_domain, "names": names})
    return None


def _mailbox(address: str) -> str:
    """Google delivers without regard to dots and tags, and says so; others are taken literally."""
    local, _, host = address.rpartition("@")
    if host in {"gmail.com", "googlemail.com"}:
        return f"{local.split('+')[0].replace('.', '')}@gmail.com"
    return address


def _is_free(domain: str) -> bool:
    return domain in _FREE_MAIL or domain.partition(".")[0] in _FREE_NAMES


def _ascii_host(host: str) -> str | None:
    text = host.strip().strip(".").lower()
    if not text.isascii():
        import email_validator

        try:  # IDNA 2008 as browsers do it; Python's own codec makes another domain of "ß"
            text = email_validator.validate_email(f"x@{text}", check_deliverability=False).ascii_domain.lower()
        except ValueError:
            return None
    legal = len(text) <= _LONGEST_HOST and re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", text)
    return text if legal else None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@functools.cache
def _suffixes() -> Callable[[str], Any]:
    from publicsuffixlist import PublicSuffixList

    lookup: Callable[[str], Any] = PublicSuffixList().privatesuffix
    return lookup


def _name_key(value: str) -> str:
    """Name without accents, case, punctuation and a leading "the"; "Korea, Republic of" is "republic of korea"."""
    last, comma, rest = value.partition(",")
    turned = f"{rest} {last}" if comma and rest.strip().casefold().endswith(" of") else value
    if turned.isascii():
        plain = turned.casefold()
    else:
        # Small again afterwards: a raised ᴬ is a capital A only once it is taken apart.
        apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", turned).casefold())
        plain = "".join(c for c in apart if not unicodedata.combining(c))
    words = re.sub(r"[^\w]+", " ", re.sub(r"(?<=\b\w)\.", "", plain.replace("&", " and "))).split()
    return " ".join(words[1:] if words[:1] == ["the"] and len(words) > 1 else words)


def _names() -> Iterator[tuple[str, str]]:
    import pycountry

    for entry in pycountry.countries:
        for attribute in ("alpha_2", "alpha_3", "name", "common_name", "official_name"):
            if (name := getattr(entry, attribute, None)) is not None:
                yield name, entry.alpha_2


@functools.cache
def _countries() -> dict[str, str]:
    names = {_name_key(name): code for name, code in _names()}
    first_words: dict[str, set[str]] = {}
    for name, code in _names():
        first_words.setdefault(_name_key(name.partition(",")[0]), set()).add(code)
    # "Bolivia, Plurinational State of" is Bolivia; what two share ("Virgin Islands") is neither.
    return {**{key: next(iter(codes)) for key, codes in first_words.items() if len(codes) == 1}, **names}


@functools.cache
def _translated() -> dict[str, str]:
    import pycountry

    found: dict[str, set[str]] = {}
    for language in _LANGUAGES:
        translate = gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=[language]).gettext
        for name, code in _names():
            told = translate(name)
            if told != name:  # what a language leaves as it is, codes most of all, is known already
                found.setdefault(_name_key(told), set()).add(code)
    return {key: next(iter(codes)) for key, codes in found.items() if len(codes) == 1}
