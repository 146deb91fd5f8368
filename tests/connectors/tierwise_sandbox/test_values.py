from __future__ import annotations

from typing import Any

import pytest

from tierwise_sandbox import values


def definition(kind: str, field_type: str = "text", *, name: str = "p", options: str = "") -> dict[str, Any]:
    listed = [{"label": option.upper(), "value": option} for option in options.split()]
    return {"name": name, "type": kind, "fieldType": field_type, "options": listed, "externalOptions": False}


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        (definition("number"), "1234.5", "1234.5"),
        (definition("number"), 12, "12"),
        (definition("number"), 12.0, "12"),
        (definition("number"), "-1e3", "-1e3"),
        (definition("string"), 5, "5"),
        (definition("string"), True, "true"),
        (definition("string", name="email"), " A@B.example ", "a@b.example"),
        (definition("enumeration", "select", options="a b"), "b", "b"),
        (definition("enumeration", "checkbox", options="a b"), "b;a;b", "b;a"),
        (definition("bool"), "TRUE", "true"),
        (definition("datetime"), "0", "1970-01-01T00:00:00.000Z"),
        (definition("datetime"), "2026-11-21T09:00:00+01:00", "2026-11-21T08:00:00.000Z"),
        (definition("date"), "2026-11-21", "2026-11-21"),
        (definition("date"), "86400000", "1970-01-02"),
        (definition("number"), None, ""),
        (definition("enumeration", "select", options="a"), "", ""),
    ],
)
def test_values_that_fit_are_kept_as_text(kind: dict[str, Any], given: Any, kept: str) -> None:
    assert values.check(kind, given) == (kept, None)


@pytest.mark.parametrize(
    ("kind", "given", "code"),
    [
        (definition("number"), "1,234", "INVALID_INTEGER"),
        (definition("number"), "1.234.567", "INVALID_INTEGER"),
        (definition("number"), "12k", "INVALID_INTEGER"),
        (definition("number"), "NaN", "INVALID_INTEGER"),
        (definition("string"), "x" * 65_537, "INVALID_STRING_LENGTH"),
        (definition("string"), ["x"], "INVALID_STRING"),
        (definition("string", name="email"), "not an address", "INVALID_EMAIL"),
        (definition("enumeration", "select", options="a b"), "A", "INVALID_OPTION"),
        (definition("enumeration", "select", options="a b"), "a;b", "INVALID_OPTION"),
        (definition("enumeration", "checkbox", options="a b"), "a;c", "INVALID_OPTION"),
        ({**definition("enumeration", "select"), "externalOptions": True}, "anna", "INVALID_INTEGER"),
        (definition("bool"), "yes", "INVALID_BOOLEAN"),
        (definition("datetime"), "yesterday", "INVALID_LONG"),
        (definition("date"), "2026-11-21T01:00:00Z", "INVALID_DATE"),
    ],
)
def test_values_that_do_not_fit_are_named(kind: dict[str, Any], given: Any, code: str) -> None:
    _, problem = values.check(kind, given)
    assert problem is not None
    assert problem[:2] == (kind["name"], code)
