"""One file, nothing from outside, and nothing of a stranger's as markup."""

from __future__ import annotations

from tierwise.cli import pages


def test_a_document_escapes_and_asks_for_nothing() -> None:
    made = pages.document("<b>", pages.table(["<i>"], [["<script>", None, 3]]) + pages.plot("a < b", "<svg></svg>"))
    assert "<title>&lt;b&gt;</title>" in made
    assert "<th>&lt;i&gt;</th>" in made
    assert "<td>&lt;script&gt;</td><td>–</td><td>3</td>" in made
    assert "a &lt; b" in made
    for asked in ("http:", "https:", "url(", "@import", "src=", "<script"):
        assert asked not in made
    assert "prefers-color-scheme:dark" in made
    assert "@media print" in made


def test_a_table_of_many_columns_is_set_smaller() -> None:
    assert pages.table("abcdefgh", []).startswith("<table><thead>")
    assert pages.table("abcdefghi", []).startswith("<table class=wide><thead>")
