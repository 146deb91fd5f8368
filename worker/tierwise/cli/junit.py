"""Results of a policy's tests as JUnit XML, which every CI reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree as xml

from tierwise.cli import output
from tierwise.policies import Problem, TestResult

# Characters that XML 1.0 cannot hold; a lead of a test can.
_ALLOWED = {"\t", "\n", "\r"}


def write(path: Path, results: Sequence[TestResult], places: Mapping[tuple[str, str], Problem]) -> None:
    """One suite for each rule, map and the examples. Raises Misconfigured where it cannot be written."""
    root = xml.Element("testsuites", {"name": "tierwise policy", **_counts(results)})
    for subject in dict.fromkeys(result.subject for result in results):
        mine = [result for result in results if result.subject == subject]
        suite = xml.SubElement(root, "testsuite", {"name": _text(subject), **_counts(mine)})
        for result in mine:
            case = xml.SubElement(
                suite, "testcase", classname=_text(subject), name=_text(result.name), time=f"{result.seconds:.6f}"
            )
            at = places.get((result.subject, result.name))
            if at is not None:
                case.set("file", at.file)
                case.set("line", str(at.line))
            if not result.passed:
                failure = xml.SubElement(case, "failure", message=_text(result.message))
                failure.text = _text(result.message)
    xml.indent(root)
    output.write_text(path, xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n")


def _counts(results: Sequence[TestResult]) -> dict[str, str]:
    failed = sum(not result.passed for result in results)
    seconds = sum(result.seconds for result in results)
    return {"tests": str(len(results)), "failures": str(failed), "errors": "0", "time": f"{seconds:.6f}"}


def _text(value: str) -> str:
    return "".join(char if char in _ALLOWED or char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in value)
