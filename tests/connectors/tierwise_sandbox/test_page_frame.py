from __future__ import annotations

from tierwise_sandbox.catalogue import contact_definitions
from tierwise_sandbox.page_frame import framed, shown_moment, shown_value

KNOWN = {held["name"]: held for held in contact_definitions()}


def test_a_page_has_no_script_and_loads_nothing_from_elsewhere() -> None:
    page = framed("A & <b>", "<p>body</p>")
    assert "<title>A &amp; &lt;b&gt; · Sandbox CRM</title>" in page
    assert '<html lang="en">' in page
    for word in ("<script", "http://", "https://", "@import", "url("):
        assert word not in page


def test_values_are_shown_as_people_read_them() -> None:
    assert shown_value(KNOWN["lifecyclestage"], "salesqualifiedlead") == "Sales qualified lead"
    assert shown_value(KNOWN["company"], "<Acme & Co>") == "&lt;Acme &amp; Co&gt;"
    assert shown_value(KNOWN["createdate"], "0") == (
        '<time datetime="1970-01-01T00:00:00.000Z">1 Jan 1970, 00:00 UTC</time>'
    )
    assert shown_moment("<soon>") == "&lt;soon&gt;"


def test_several_choices_are_shown_with_their_labels() -> None:
    several = {"type": "enumeration", "fieldType": "checkbox", "options": [{"value": "a", "label": "First"}]}
    assert shown_value(several, "a;b") == "First, b"
