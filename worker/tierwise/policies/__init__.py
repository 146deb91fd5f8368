"""The files of sales ops: read with places, checked, tested, compiled into what decides a lead.

The steps are load, check, test, compile; publishing and activating what came out is the store's.
"""

from __future__ import annotations

from collections.abc import Mapping

from tierwise.domain.policy import Policy
from tierwise.policies import examples, placing, trials
from tierwise.policies.analysis import NOT_ANALYSED, Analysis, Finding, analyse, blocking, prove
from tierwise.policies.checking import check, checked, faults, read
from tierwise.policies.compiling import compile
from tierwise.policies.importing import Imported, import_sheet
from tierwise.policies.loading import Loaded, load
from tierwise.policies.maps import read_map
from tierwise.policies.problems import Problem
from tierwise.policies.trials import TestResult

__all__ = [
    "NOT_ANALYSED",
    "Analysis",
    "Finding",
    "Imported",
    "Loaded",
    "Problem",
    "TestResult",
    "analyse",
    "blocking",
    "check",
    "checked",
    "compile",
    "faults",
    "import_sheet",
    "load",
    "located",
    "prove",
    "read",
    "read_map",
    "run_tests",
    "test_places",
]


def located(loaded: Loaded, finding: Finding) -> Problem:
    """The finding at its place in the files."""
    return placing.problem(loaded, finding)


def test_places(loaded: Loaded) -> Mapping[tuple[str, str], Problem]:
    """Where each test stands, by subject and name."""
    return placing.tests(loaded)


def run_tests(policy: Policy) -> tuple[TestResult, ...]:
    """Every test inside the files, in order. Raises Misconfigured where an expression does not compile."""
    return trials.run_tests(policy, examples.run)
