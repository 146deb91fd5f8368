from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as xml

from tierwise import policies
from tierwise.cli import junit


def test_every_test_is_a_case_and_every_failure_says_what_came(tmp_path: Path) -> None:
    path = tmp_path / "report.xml"
    junit.write(
        path,
        [
            policies.TestResult("rule a", "works", passed=True, seconds=0.25),
            policies.TestResult("rule a", "fails <&> \x07", passed=False, message="expected match, got unknown"),
            policies.TestResult("map b", "works", passed=True),
        ],
        {("map b", "works"): policies.Problem("rules/maps/b.yaml", 7, 5, "", "")},
    )
    root = xml.fromstring(path.read_text())
    assert (root.get("tests"), root.get("failures"), root.get("time")) == ("3", "1", "0.250000")
    assert [(suite.get("name"), suite.get("tests"), suite.get("failures")) for suite in root] == [
        ("rule a", "2", "1"),
        ("map b", "1", "0"),
    ]
    (failure,) = root.iter("failure")
    assert failure.text == "expected match, got unknown"
    assert [case.get("name") for case in root.iter("testcase")][1] == "fails <&> \N{REPLACEMENT CHARACTER}"
    placed = [case for case in root.iter("testcase") if case.get("file")]
    assert [(case.get("file"), case.get("line")) for case in placed] == [("rules/maps/b.yaml", "7")]
