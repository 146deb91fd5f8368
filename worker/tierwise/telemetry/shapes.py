"""The shapes of personal data and secrets in text, and how each is masked.

Every pattern runs in time linear in the text: it reads what strangers wrote. Order matters: wider shapes first.
"""

from __future__ import annotations

import re

MASK = "[redacted]"
EMAIL = "[email]"
PHONE = "[phone]"

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
CONTROL_OR_BREAK = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")

_CREDENTIAL_WORD = (
    r"tokens?|secret|passw(?:or)?d|passwd|passphrase|pwd|api[-_ ]?key|hapikey|authori[sz]ation|credentials?|cookie"
    r"|private[-_ ]?key|session[-_ ]?id|signature"
)
_PERSONAL_WORD = (
    r"e[-_]?mails?|phone(?:[-_ ]?number)?|mobile|fax"
    r"|(?:first|last|full|given|family|middle|contact|display)[-_ ]?name|surname"
    r"|street|postal[-_ ]?address|birth[-_ ]?date|date[-_ ]of[-_ ]birth"
)
_TELLING_KEY = re.compile(rf"(?:{_CREDENTIAL_WORD}|{_PERSONAL_WORD})", re.IGNORECASE)
_WHOLE_KEYS = frozenset({"message", "body", "payload", "properties", "headers", "args", "kwargs", "params"})
"""Keys whose values are somebody's text or a bag of anything."""
_HARMLESS_KEYS = frozenset({"email_kind", "token_file"})

_PEM = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)", re.DOTALL)
_ADDRESS = re.compile(r"[^\s\"'<>]+")
# What libraries add to their errors: pydantic's input, SQLAlchemy's parameters, PostgreSQL's offending row.
_QUOTED_INPUT = re.compile(r"input_value=.*?(?=, input_type=|\n|\Z)", re.DOTALL)
_PARAMETERS = "[parameters: "
_DETAIL = re.compile(r"\bDETAIL:[^\n]*")
_ASSIGNED = re.compile(
    rf"(?P<key>(?:{_CREDENTIAL_WORD}|{_PERSONAL_WORD})[\w-]{{0,24}}\\?[\"']?\s{{0,3}}(?:=>|=|:)\s{{0,3}})"
    r"(?P<value>(?:bearer|basic)\s+[^\s\"',;]+|\\\"[^\"]{0,2000}\\\"|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'"
    r"|(?!\[redacted\])[^\s,;&}\])>]+)",
    re.IGNORECASE,
)
_EMPTY_VALUE = re.compile(r"none|null|true|false|\"\"|''|\*+", re.IGNORECASE)
_BEARER = re.compile(
    r"\b(?P<word>bearer|basic|token|apikey)(?P<gap>\s+)(?P<value>[A-Za-z0-9._~+/=-]{8,})", re.IGNORECASE
)
_KNOWN_TOKEN = re.compile(
    r"\bpat-[a-z]{2,4}\d{0,2}-[\w-]{8,}"  # HubSpot private app
    r"|\b(?:sk|pk|rk)-[\w-]{8,}"  # OpenAI, Anthropic and their like
    r"|\b(?:gh[opsur]|github_pat|glpat|xox[abeprs])[-_][\w-]{8,}"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{12,}"
    r"|\bAIza[\w-]{20,}"
    r"|\beyJ[\w-]{8,}(?:\.[\w-]*){0,4}"  # JWT
    r"|\b00D\w{9,15}![\w.!-]+"  # Salesforce session
)
_WORD = re.compile(r"[A-Za-z0-9_+~=-]{24,}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_QUOTED_LOCAL = re.compile(r"\"[^\"\n]{1,64}\"(?=@)")
_MAIL_WORD = re.compile(r"[^\s<>\"(),;]+")
_IS_MAIL = re.compile(r"(?:@|%40)(?:[^@\s.]*\.|\[)")

_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_DIGITS = re.compile(
    # What has many digits and is no phone number is recognised first and kept.
    r"(?P<keep>"
    r"(?<![\w+(.-])(?:19|20)\d\d-(?:0[1-9]|1[0-2])-[0-3]\d"
    r"(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?(?![\d-])"
    r"|\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"
    rf"|(?<![\d.])(?:{_OCTET}\.){{3}}{_OCTET}(?::\d{{1,5}})?(?![\d.])"
    r"|(?<![\w.])(?:0|[1-9]\d{0,5})\.\d{1,6}(?![\d.\-/ (])"
    r"|(?<![\w.])0\.\d+(?![\d.])"
    r"|\b0x[0-9a-f]+\b"
    r"|\b(?=[0-9]{0,31}[a-f])(?=[a-f]{0,31}[0-9])[0-9a-f]{8,31}\b"
    r"|\b20\d\d-(?:0[1-9]|1[0-2])(?=/)"
    r")"
    r"|\+?\(?\d(?:[\s().\-/\u2010-\u2015]{0,3}\d){6,}"
)


def telling(key: str) -> bool:
    """Whether the value under this key is masked whatever it is."""
    key = key.lower()
    return key in _WHOLE_KEYS or (key not in _HARMLESS_KEYS and _TELLING_KEY.search(key) is not None)


def mask(text: str) -> str:
    """The text with everything that has one of the shapes masked."""
    if "PRIVATE KEY" in text:
        text = _PEM.sub(MASK, text)
    if "://" in text and "@" in text:
        text = _ADDRESS.sub(_userinfo, text)
    if "input_value=" in text:
        text = _QUOTED_INPUT.sub(f"input_value={MASK}", text)
    if _PARAMETERS in text:
        text = _parameters(text)
    if "DETAIL:" in text:
        text = _DETAIL.sub(f"DETAIL: {MASK}", text)
    if "=" in text or ":" in text:
        text = _ASSIGNED.sub(_assigned, text)
    text = _BEARER.sub(_bearer, text)
    text = _KNOWN_TOKEN.sub(MASK, text)
    text = _WORD.sub(_opaque, text)
    if "@" in text or "%40" in text:
        text = _MAIL_WORD.sub(_mail, _QUOTED_LOCAL.sub("x", text))
    return _DIGITS.sub(lambda found: found["keep"] or PHONE, text)


def _assigned(found: re.Match[str]) -> str:
    key, value = found["key"], found["value"]
    if _EMPTY_VALUE.fullmatch(value) or (value.isdigit() and len(value) < 7 and "tokens" in key.lower()):
        return found[0]
    return f"{key}{MASK}"


def _bearer(found: re.Match[str]) -> str:
    value = found["value"]
    # "token refreshed" and "basic authentication" are prose.
    if found["word"].lower() != "bearer" and value.isalpha() and value[1:].islower():
        return found[0]
    return f"{found['word']}{found['gap']}{MASK}"


def _opaque(found: re.Match[str]) -> str:
    """Long words that no person writes: random letters and digits, long hex."""
    word = found[0]
    if _UUID.fullmatch(word) or not any(mark.isdigit() for mark in word):
        return word
    if any(mark.islower() for mark in word) and any(mark.isupper() for mark in word):
        return MASK
    parts = re.split(r"[-_+~=]", word)
    return MASK if any(len(part) >= 20 and not part.isalpha() and not part.isdigit() for part in parts) else word


def _mail(found: re.Match[str]) -> str:
    word = found[0]
    rest = word.replace(f"://{MASK}@", "").lstrip("@")
    return EMAIL if _IS_MAIL.search(rest) else word


def _userinfo(found: re.Match[str]) -> str:
    """scheme://user:password@host: a password may itself hold @ and /, so up to the last one."""
    word = found[0]
    scheme, separator, rest = word.partition("://")
    if not separator or "@" not in rest:
        return word
    return f"{scheme}://{MASK}@{rest.rpartition('@')[2]}"


def _parameters(text: str) -> str:
    """SQLAlchemy's are written on one line, line breaks in them escaped."""
    first, *rest = text.split(_PARAMETERS)
    for piece in rest:
        end = piece.find("]\n")
        if end < 0:
            end = piece.rfind("]")
        first += f"{_PARAMETERS}{MASK}{piece[end:] if end >= 0 else ']'}"
    return first
