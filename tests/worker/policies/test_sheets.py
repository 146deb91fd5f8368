"""Points sheets as people keep them: parted, headed and written in many ways."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tierwise.errors import Misconfigured
from tierwise.policies import sheets


def parse(text: str) -> sheets.Sheet:
    return sheets.parse(text, place="sheet.csv")


@pytest.mark.parametrize(
    "text",
    [
        "Criteria,Points\nEmployees > 200,20\nFree email,-10\n",
        "Employees > 200,20\nFree email,-10\n",  # no header
        "Bedingung;Punkte\r\nEmployees > 200;20\r\nFree email;-10\r\n",
        "Score\tSignal\n+20\tEmployees > 200\n\u221210 pts\tFree email\n",  # points first, a real minus
        'Condition,Weight,Remark\n"Employees > 200",20 points,"big ones, please"\nFree email,(10),private\n',
    ],
)
def test_the_same_sheet_in_many_forms(text: str) -> None:
    rows = parse(text).rows
    assert [(row.text, row.points) for row in rows] == [("Employees > 200", 20), ("Free email", -10)]


def test_attribute_and_value_in_columns_of_their_own_are_one_condition() -> None:
    rows = parse("Attribute,Value,Score\nIndustry,SaaS,15\nCountry,Germany,5\n").rows
    assert [row.text for row in rows] == ["Industry = SaaS", "Country = Germany"]


def test_thresholds_totals_and_what_says_nothing() -> None:
    sheet = parse(
        "x,y\nHas budget,10\nMQL threshold,60\nTier A,≥ 80\nCut-off: hot,90\nTotal,110\nLow budget,-5\nNo effect,0\n"
        "Decider,lots\n,7\nCompetitor,Disqualify\nB,40\n"
    )
    assert [(item.name, item.points) for item in sheet.thresholds] == [("MQL", 60), ("A", 80), ("hot", 90), ("B", 40)]
    assert [(row.text, row.points, row.out) for row in sheet.rows] == [
        ("Has budget", 10, False), ("Low budget", -5, False), ("Competitor", 0, True),
    ]  # fmt: skip
    assert [(item.line, item.why) for item in sheet.skipped] == [
        (6, "a total, no condition"), (8, "it gives no points"), (9, "'lots' is no number"),
        (10, "there is no condition"),
    ]  # fmt: skip


def test_decimals_of_other_countries() -> None:
    assert parse("a;b\nHas budget;7,5\n").rows[0].points == 7.5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column of points"),
        ("only words,and words\n", "no column of points"),
        ("Tier A,80\n", "no row gives points"),
        ("a,1\n" * 301, "at most 300"),
    ],
)
def test_what_is_no_sheet_is_told(text: str, message: str) -> None:
    with pytest.raises(Misconfigured, match=message):
        parse(text)


def test_files_are_read_as_spreadsheets_save_them(tmp_path: Path) -> None:
    file = tmp_path / "sheet.csv"
    file.write_bytes("\ufeffa,b\nGröße bekannt,5\n".encode())
    assert sheets.read(file).rows[0].text == "Größe bekannt"
    file.write_bytes("a;b\nGröße bekannt;5\n".encode("cp1252"))
    assert sheets.read(file).rows[0].text == "Größe bekannt"
    with pytest.raises(Misconfigured, match="cannot be read"):
        sheets.read(tmp_path / "none.csv")


def test_a_quote_that_is_never_closed() -> None:
    limit = csv.field_size_limit(131_072)  # what reads leads may have raised it
    try:
        with pytest.raises(Misconfigured, match="no table"):
            parse('Condition,Points\n"Employees > 200,20\n' + "x" * 140_000)
    finally:
        csv.field_size_limit(limit)
