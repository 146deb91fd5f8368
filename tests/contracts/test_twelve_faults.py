"""The twelve instructive faults of other integrations, and where it is tested that ours has none of them.

A test named as naive shows the fault on the obvious implementation, so that the others cannot pass by accident.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HUBSPOT, SALESFORCE = "connectors/tierwise_hubspot", "connectors/tierwise_salesforce"
NAIVE = "naive"

# The fault, then file -> tests.
FAULTS: dict[str, dict[str, tuple[str, ...]]] = {
    "1 more records in one millisecond than a search shows: the cursor never moves": {
        f"{HUBSPOT}/test_windows.py": (
            "test_a_month_end_job_in_one_millisecond_ends_and_costs_two_calls_a_page",
            "test_an_answer_without_sense_stops_the_read",
        ),
        f"{HUBSPOT}/test_reader.py": ("test_more_records_in_one_millisecond_than_a_page",),
    },
    "2 a filter lost between pages: the same records for ever": {
        f"{HUBSPOT}/test_windows.py": (
            "test_every_record_of_the_window_comes_exactly_once",
            "test_the_same_where_ids_sort_as_text",
        ),
    },
    "3 the search index lags: leads are missing": {
        "contracts/test_nothing_is_lost.py": (
            "test_every_change_is_decided_once_at_its_last_state",
            "naive:test_without_the_second_pass_late_records_are_lost",
        ),
        "contracts/test_faults_of_records.py": ("test_what_search_shows_late_is_counted_apart",),
    },
    "4 edited during the sync: a bookmark of the last change seen passes them": {
        f"{HUBSPOT}/test_reader.py": ("test_a_person_who_edits_during_the_read_hides_nobody",),
        f"{HUBSPOT}/test_windows.py": (
            "test_what_is_written_while_we_read_hides_nothing",
            "naive:test_paging_by_offset_does_hide_records",
        ),
    },
    "5 one bad row fails its whole batch": {
        f"{HUBSPOT}/test_writer.py": (
            "test_a_batch_that_is_refused_as_a_whole_is_halved_down_to_the_culprits",
            "test_an_error_that_names_nobody_is_found_by_sending_again_apart",
        ),
        f"{SALESFORCE}/test_writer.py": ("test_a_row_that_makes_its_part_unreadable_is_found_by_halves",),
    },
    "6 COMPLETE with no results: nothing was written": {
        f"{HUBSPOT}/test_writer.py": (
            "test_complete_without_results_means_that_nothing_was_written",
            "test_a_batch_of_which_half_is_carried_out_silently",
        ),
    },
    "7 a retry that skips POST and PATCH": {
        "worker/sdk/test_http.py": (
            "test_a_429_is_retried_whatever_the_method",
            "naive:test_the_retry_that_clients_recommend_does_not_do_that",
        ),
    },
    "8 partial success that nobody reads": {
        f"{HUBSPOT}/test_writer.py": ("test_partial_success_is_read_whatever_the_status",),
        f"{SALESFORCE}/test_writer.py": ("test_failed_rows_carry_no_id_and_are_known_by_place",),
    },
    "9 a row that is committed late is skipped for ever": {
        f"{SALESFORCE}/test_reader.py": (
            "test_a_row_of_a_long_transaction_is_met_by_the_next_poll",
            "naive:test_without_the_overlap_leads_are_missed",
        ),
    },
    "10 rows of one stamp are skipped at the edge of a page": {
        f"{SALESFORCE}/test_reader.py": (
            "test_rows_of_one_second_are_all_read_whatever_the_page",
            "test_every_lead_is_read_at_its_last_state_whatever_people_do",
        ),
    },
    "11 writing a score changes the owner": {
        f"{SALESFORCE}/test_writer.py": (
            "test_owners_stay_with_assignment_rules_on",
            "test_owners_stay_when_the_session_ends_under_way",
        ),
        "contracts/test_faults_of_records.py": ("test_owners_stay_although_assignment_rules_are_on",),
    },
    "12 an expired session ends a long read, or login is hammered": {
        f"{SALESFORCE}/test_client.py": (
            "test_an_ended_session_is_renewed_once_and_the_call_repeated",
            "test_a_storm_of_401_ends_after_two_calls_and_a_few_logins",
        ),
        f"{SALESFORCE}/test_tokens.py": ("test_many_threads_with_one_stale_token_renew_it_once",),
    },
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.split(" ")[0])
def test_every_fault_is_tested_where_it_is_said(fault: str) -> None:
    for file, names in FAULTS[fault].items():
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        found = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert {name.removeprefix(f"{NAIVE}:") for name in names} <= found, file


def test_there_are_twelve() -> None:
    assert [int(fault.split(" ")[0]) for fault in FAULTS] == list(range(1, 13))
