from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from tierwise_sandbox.salesforce.org import ADMIN, Org

INGEST = "/services/data/v59.0/jobs/ingest"


class Run:
    """One job, step by step."""

    def __init__(self, sf: Any, operation: str = "update", **more: Any) -> None:
        self.sf = sf
        body = {"object": "Lead", "operation": operation, "contentType": "CSV", "lineEnding": "LF", **more}
        self.key = sf.call("POST", INGEST, body)["id"]

    def upload(self, text: str, *, status: int = 201, kind: str = "text/csv; charset=UTF-8") -> Any:
        path = f"{INGEST}/{self.key}/batches"
        answer = self.sf.http.put(path, content=text.encode(), headers={"Content-Type": kind})
        assert answer.status_code == status, answer.text
        return answer

    def close(self, state: str = "UploadComplete", *, status: int = 200) -> Any:
        return self.sf.call("PATCH", f"{INGEST}/{self.key}", {"state": state}, status=status)

    def info(self) -> Any:
        return self.sf.call("GET", f"{INGEST}/{self.key}")

    def rows(self, which: str) -> list[dict[str, str]]:
        answer = self.sf.http.get(f"{INGEST}/{self.key}/{which}")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/csv")
        return list(csv.DictReader(io.StringIO(answer.text)))


def test_a_job_goes_its_way_and_tells_what_became_of_each_row(sf: Any, org: Org, leads: list[str], clock: Any) -> None:
    org.switches.bulk_seconds = 30
    sf.door("convert", {"id": leads[1]})
    run = Run(sf)
    assert run.info()["state"] == "Open"
    run.upload(f"Id,Title,Phone\n{leads[0]},CEO,\n{leads[1]},CFO,1\nnonsense,x,1\n")
    assert run.close()["state"] == "UploadComplete"
    assert run.info()["state"] == "InProgress"
    assert sf.call("GET", f"{INGEST}/{run.key}/failedResults", status=400)[0]["errorCode"] == "INVALIDJOBSTATE"
    clock.seconds += 30
    info = run.info()
    assert (info["state"], info["numberRecordsProcessed"], info["numberRecordsFailed"]) == ("JobComplete", 3, 2)
    (good,) = run.rows("successfulResults")
    assert (good["sf__Id"], good["sf__Created"], good["Title"]) == (leads[0], "false", "CEO")
    bad = run.rows("failedResults")
    assert [row["sf__Id"] for row in bad] == [leads[1], ""]
    assert bad[0]["sf__Error"].startswith("CANNOT_UPDATE_CONVERTED_LEAD:")
    assert run.rows("unprocessedrecords") == []


def test_an_empty_cell_leaves_and_na_clears(sf: Any, org: Org, leads: list[str]) -> None:
    sf.collection([{"id": leads[0], "Title": "old", "Phone": "1", "NumberOfEmployees": 5}])
    run = Run(sf)
    run.upload(f"Id,Title,Phone,NumberOfEmployees\n{leads[0]},,#N/A,7\n")
    run.close()
    run.info()
    row = org.records.get(leads[0])
    assert row is not None
    assert [row.values.get(name) for name in ("Title", "Phone", "NumberOfEmployees")] == ["old", None, 7]


def test_assignment_rules_run_only_when_the_job_names_one(sf: Any, org: Org, leads: list[str]) -> None:
    for key, more in ((leads[0], {}), (leads[1], {"assignmentRuleId": "01Q000000000001AAA"})):
        run = Run(sf, **more)
        run.upload(f"Id,Title\n{key},x\n")
        run.close()
        run.info()
    rows = [org.records.get(key) for key in leads[:2]]
    assert [row is not None and row.values["OwnerId"] == ADMIN for row in rows] == [True, False]


def test_rows_that_a_job_never_came_to_are_told_apart(sf: Any, org: Org, leads: list[str]) -> None:
    org.switches.bulk_failures = 1
    run = Run(sf)
    run.upload("Id,Title\n" + "".join(f"{key},x\n" for key in leads[:4]))
    run.close()
    info = run.info()
    assert (info["state"], info["numberRecordsProcessed"]) == ("Failed", 2)
    assert info["errorMessage"].startswith("InternalServerError")
    assert [row["sf__Id"] for row in run.rows("successfulResults")] == leads[:2]
    assert [row["Id"] for row in run.rows("unprocessedrecords")] == leads[2:4]


def test_a_column_that_is_not_there_fails_the_job(sf: Any, org: Org, leads: list[str]) -> None:
    org.schema.secure(hidden=["Lead.Title"])
    run = Run(sf)
    run.upload(f"Id,Title\n{leads[0]},x\n")
    run.close()
    info = run.info()
    assert info["state"] == "Failed"
    assert info["errorMessage"] == "InvalidBatch : Field name not found : Title"
    assert len(run.rows("unprocessedrecords")) == 1
    assert org.stats()["writes"] == 0


def test_inserts_delimiters_and_the_list(sf: Any) -> None:
    run = Run(sf, "insert", columnDelimiter="PIPE", lineEnding="CRLF")
    run.upload("LastName|Company\r\nBulk|B Ltd\r\n")
    run.close()
    assert run.info()["numberRecordsFailed"] == 0
    assert sf.ids("SELECT Id FROM Lead WHERE LastName = 'Bulk'") != []
    assert [job["id"] for job in sf.call("GET", INGEST)["records"]] == [run.key]
    sf.call("DELETE", f"{INGEST}/{run.key}", status=204)
    assert sf.call("GET", f"{INGEST}/{run.key}", status=404)[0]["errorCode"] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"operation": "upsert"}, "INVALIDJOB"),
        ({"contentType": "JSON"}, "INVALIDJOB"),
        ({"object": "Leed"}, "INVALIDENTITY"),
        ({"columnDelimiter": "DOT"}, "INVALIDJOB"),
    ],
)
def test_a_job_that_cannot_be_is_refused(sf: Any, body: dict[str, str], code: str) -> None:
    given = {"object": "Lead", "operation": "update", "contentType": "CSV", **body}
    assert sf.call("POST", INGEST, given, status=400)[0]["errorCode"] == code


def test_steps_out_of_order_are_refused(sf: Any, leads: list[str]) -> None:
    run = Run(sf)
    run.upload("Id\n", status=415, kind="application/json")
    run.upload(f"Id,Title\n{leads[0]},x\n")
    run.upload("Id\n", status=400)
    sf.call("DELETE", f"{INGEST}/{run.key}", status=400)
    run.close("Aborted")
    run.close(status=400)
    run.upload("Id\n", status=400)
    assert run.info()["state"] == "Aborted"


def test_a_job_goes_on_though_nobody_looks_and_what_is_done_when_it_is_aborted_stays(
    sf: Any, org: Org, leads: list[str], clock: Any
) -> None:
    org.switches.bulk_seconds = 40
    run = Run(sf)
    run.upload("Id,Title\n" + "".join(f"{key},x\n" for key in leads[:4]))
    assert run.close()["state"] == "UploadComplete"
    clock.seconds += 20
    assert len(sf.ids("SELECT Id FROM Lead WHERE Title = 'x'")) == 2
    assert run.info()["numberRecordsProcessed"] == 2
    assert run.close("Aborted")["state"] == "Aborted"
    clock.seconds += 40
    assert [row["Id"] for row in run.rows("successfulResults")] == leads[:2]
    assert [row["Id"] for row in run.rows("unprocessedrecords")] == leads[2:4]
    assert len(sf.ids("SELECT Id FROM Lead WHERE Title = 'x'")) == 2


@pytest.mark.parametrize(
    ("ending", "table", "state"),
    [
        ("LF", "Id,Title\r\n{key},x\r\n", "Failed"),
        ("CRLF", "Id,Title\n{key},x\n", "Failed"),
        ("LF", 'Id,Title\n{key},"one\r\ntwo"\n', "JobComplete"),
        ("CRLF", 'Id,Title\r\n{key},"one\ntwo ""three"""\r\n', "JobComplete"),
    ],
)
def test_lines_end_as_the_job_says(sf: Any, leads: list[str], ending: str, table: str, state: str) -> None:
    run = Run(sf, lineEnding=ending)
    run.upload(table.format(key=leads[0]))
    run.close()
    info = run.info()
    assert info["state"] == state
    assert ("LineEnding is invalid" in info.get("errorMessage", "")) == (state == "Failed")


def test_another_delimiter_is_an_unknown_column(sf: Any, leads: list[str]) -> None:
    run = Run(sf)
    run.upload(f"Id;Title\n{leads[0]};x\n")
    run.close()
    assert run.info()["errorMessage"] == "InvalidBatch : Field name not found : Id;Title"


def test_a_locked_row_fails_alone(sf: Any, org: Org, leads: list[str]) -> None:
    org.switches.lock_rows = 1
    run = Run(sf)
    run.upload("Id,Title\n" + "".join(f"{key},x\n" for key in leads[:3]))
    run.close()
    assert run.info()["state"] == "JobComplete"
    (bad,) = run.rows("failedResults")
    assert (bad["Id"], bad["sf__Error"].partition(":")[0]) == (leads[0], "UNABLE_TO_LOCK_ROW")
