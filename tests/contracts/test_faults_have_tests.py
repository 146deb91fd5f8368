"""Every fault that the sandboxes can be switched to, and where it is tested what we do, how it is seen, what is lost.

A name in quotes is one of test_every_fault.py, where the metric, the account's health, doctor, page and log are looked
at; others are tests. What the sandboxes learn to do next is missing here until somebody has written its test.
"""

from __future__ import annotations

import ast
from dataclasses import fields
from pathlib import Path

import pytest

from tierwise_sandbox import faults, limits, scenario, unrest
from tierwise_sandbox.salesforce import switches

TESTS = Path(__file__).parents[1]
HUBSPOT, SALESFORCE = "connectors/tierwise_hubspot", "connectors/tierwise_salesforce"
LOST = "contracts/test_nothing_is_lost.py::test_every_change_is_decided_once_at_its_last_state"
LOST_SALESFORCE = "contracts/test_nothing_is_lost_salesforce.py::test_every_change_is_decided_once_at_its_last_state"
STORM = "contracts/test_nothing_is_lost.py::test_a_mass_import_of_one_millisecond_comes_through_whole"
STORM_SALESFORCE = "contracts/test_nothing_is_lost_salesforce.py::test_a_mass_import_of_one_second_comes_through_whole"
GONE = "contracts/test_faults_of_records.py::test_a_record_that_is_deleted_before_it_is_written"
CONVERTED = "contracts/test_faults_of_records.py::test_a_lead_that_is_converted_before_it_is_written"
MERGED = (
    "contracts/test_faults_of_records.py::test_a_record_that_is_merged_before_it_is_written_is_served_under_its_new_id"
)
OWNERS = "contracts/test_faults_of_records.py::test_owners_stay_although_assignment_rules_are_on"
PAGING = "contracts/test_faults_of_records.py::test_people_at_work_while_we_page_hide_nobody"
JOBS = "contracts/test_nothing_is_lost_salesforce.py::test_a_job_that_fails_or_leaves_rows_out_loses_nothing"
LATE = "contracts/test_faults_of_records.py::test_what_search_shows_late_is_counted_apart"

# What any HTTP service can do, by either vendor; `status` stands for 5xx, 429 and a whole batch refused.
ACTIONS: dict[str, tuple[str, ...]] = {
    "status": (
        "'one 503'", "'503 for good'", "'503 until left in peace'", "'429 with Retry-After'",
        "'429 without Retry-After for good'", "'a whole batch refused'",
    ),
    "delay": ("'no answer in time'",),
    "drop": ("'a connection reset'", "'connections reset for good'", "'reset after it was carried out'"),
    "truncate": ("'an answer cut in half'", "'answers cut in half for good'"),
    "partial": ("'COMPLETE with nothing in it'", "'half a batch carried out'"),
    "drip": ("'a slow body'",),
    "unauthorized": ("'a token that is refused'", "'a token that is refused while we write'"),
}  # fmt: skip

# Parts of a scenario for the portal; `limits.` and `while_paging.` are what these two parts hold.
PORTAL: dict[str, tuple[str, ...]] = {
    "index_lag_seconds": (LATE, LOST),
    "scopes": ("'a scope that is missing'",),
    "burst": (STORM,),
    "limits.search_per_second": ("'too many searches a second'",),
    "limits.burst": ("'too many calls in ten seconds'",),
    "limits.daily": ("\"the day's calls used up\"",),
    "while_paging.edits": (PAGING, f"{HUBSPOT}/test_reader.py::test_a_person_who_edits_during_the_read_hides_nobody"),
    "while_paging.merges": (PAGING, MERGED, LOST),
    "while_paging.deletes": (PAGING, GONE, LOST),
}  # fmt: skip

ORG: dict[str, tuple[str, ...]] = {
    "late_commit_seconds": (
        "'transactions that commit late'", LOST_SALESFORCE,
        f"{SALESFORCE}/test_reader.py::test_a_row_of_a_long_transaction_is_met_by_the_next_poll",
    ),
    "assignment_rules": (OWNERS, f"{SALESFORCE}/test_writer.py::test_owners_stay_with_assignment_rules_on"),
    "lock_rows": ("'rows that are locked for a moment'", STORM_SALESFORCE),
    "lock_share": ("'rows that stay locked'", LOST_SALESFORCE),
    "trigger_lock_rows": ("'a trigger that trips over a lock'", STORM_SALESFORCE),
    "transient_rows": ("'a server busy with other rows'", STORM_SALESFORCE),
    "session_calls": ("'sessions that end with every call'", "'sessions that end while we write'"),
    "session_storm": (
        "'a storm of refused sessions'",
        f"{SALESFORCE}/test_client.py::test_a_storm_of_401_ends_after_two_calls_and_a_few_logins",
    ),
    "daily_requests": ("\"the day's calls used up\"",),
    "per_app_usage": ("\"the app's own calls used up\"", f"{SALESFORCE}/test_quota.py::test_both_forms_are_understood"),
    "page_rows": (f"{SALESFORCE}/test_reader.py::test_a_page_that_salesforce_cuts_short_is_not_the_last",),
    "broken_locators": ("'a cursor that is lost'",),
    "bulk_seconds": (
        f"{SALESFORCE}/test_bulk.py::test_a_job_that_takes_too_long_is_aborted_and_what_it_did_counts",
        "contracts/test_nothing_is_lost_salesforce.py::test_a_job_that_outlives_its_worker_is_put_right",
    ),
    "bulk_unprocessed_share": (f"{SALESFORCE}/test_bulk.py::test_rows_that_the_job_did_not_come_to_are_sent_again",
                               JOBS),
    "bulk_failures": (f"{SALESFORCE}/test_bulk.py::test_without_a_bulk_api_calls_of_a_thousand_carry_it",
                      JOBS),
    "clock_skew_seconds": ("'a clock that is wrong'", "contracts/test_clocks_that_differ.py::test_salesforce"),
    "required_when_written": ("\"a rule of the admin's that refuses rows\"",),
    "edits_while_paging": ("'edits while we page'",
                           f"{SALESFORCE}/test_reader.py::test_rows_that_change_while_we_page_move_nobody_out"),
    "hidden_fields": ("'a field of ours that is hidden'", "'a mapped field that is hidden'"),
    "read_only_fields": ("'a field of ours that is read-only'",),
    "burst": (STORM_SALESFORCE,),
    # What people do there.
    "converted leads": (CONVERTED, LOST_SALESFORCE),
    "deletes": (GONE, LOST_SALESFORCE),
    "merges": (LOST_SALESFORCE, f"{SALESFORCE}/test_bulk.py::test_merged_twice_and_broken_ids_find_their_way"),
}  # fmt: skip
NO_FAULTS = frozenset({"faults", "rate_limits", "while_paging", "models", "batches", "truth", "salesforce"})
"""Parts that hold others, and those of the models."""


def test_every_switch_of_the_sandboxes_is_in_the_table() -> None:
    assert set(ACTIONS) == set(faults.ACTIONS)
    portal = {name for name in scenario.PARTS if name not in NO_FAULTS}
    portal |= {f"limits.{one.name}" for one in fields(limits.Limits)[:3]}
    portal |= {f"while_paging.{one.name}" for one in fields(unrest.Unrest)[:3]}
    assert set(PORTAL) == portal
    org = {*switches._CHECKS, "hidden_fields", "read_only_fields", "burst"}
    assert set(ORG) == org | {"converted leads", "deletes", "merges"}


@pytest.mark.parametrize(
    ("vendor", "fault"),
    [
        *(("hubspot", name) for name in [*ACTIONS, *PORTAL]),
        *(("salesforce", name) for name in [*ACTIONS, *ORG] if name != "partial"),
    ],
)
def test_every_switch_has_tests_that_are_there(vendor: str, fault: str) -> None:
    table = ACTIONS if fault in ACTIONS else PORTAL if vendor == "hubspot" else ORG
    of_vendor, of_any = _played(vendor)
    for told in table[fault]:
        if told[0] in "'\"":
            # Of what any service does, some is one vendor's only: how it refuses a batch, or a token.
            assert ast.literal_eval(told) in (of_any if fault in ACTIONS else of_vendor), told
        else:
            file, _, name = told.partition("::")
            assert name in _functions(TESTS / file), told


def _played(vendor: str) -> tuple[set[str], set[str]]:
    """Names of the faults in test_every_fault.py: the vendor's with those of any service, and all."""
    tree = ast.parse((TESTS / "contracts/test_every_fault.py").read_text(encoding="utf-8"))
    found: dict[str, set[str]] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            place = node.name
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            place = node.targets[0].id
        else:
            continue
        found[place] = {
            str(call.args[0].value)
            for call in ast.walk(node)
            if isinstance(call, ast.Call)
            and isinstance(call.func, ast.Name)
            and call.func.id == "Fault"
            and isinstance(call.args[0], ast.Constant)
        }
    any_service = found["_transport"]
    assert len(any_service) > 10
    return found[vendor.upper()] | any_service, set().union(*found.values())


def _functions(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
