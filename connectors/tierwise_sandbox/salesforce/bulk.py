"""Bulk API 2.0 ingest: a job is opened, fed once, closed, worked off in its own time, and then tells three ways.

Only updates and inserts. Rows that a job never came to are in `unprocessedrecords`, and in neither other result.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tierwise_sandbox.salesforce import spelling, values
from tierwise_sandbox.salesforce.calls import Answer, Call
from tierwise_sandbox.salesforce.org import API_USER, Org
from tierwise_sandbox.salesforce.refusals import Refusal, not_found
from tierwise_sandbox.salesforce.writing import Writing

MAX_BYTES = 150_000_000
_DELIMITERS = {
    "COMMA": ",", "TAB": "\t", "SEMICOLON": ";", "PIPE": "|", "CARET": "^", "BACKQUOTE": "`",
}  # fmt: skip
_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
_DONE = ("JobComplete", "Failed", "Aborted")


@dataclass
class Job:
    id: str
    number: int
    kind: str
    operation: str
    delimiter: str
    ending: str
    made: float
    rule: str = ""
    state: str = "Open"
    closed: float = 0.0
    data: str = ""
    error: str = ""
    header: list[str] = field(default_factory=list)
    good: list[list[str]] = field(default_factory=list)
    bad: list[list[str]] = field(default_factory=list)
    untouched: list[list[str]] = field(default_factory=list)


class Bulk:
    """Handlers over one org. Jobs are worked off when somebody looks, once their time has come."""

    def __init__(self, org: Org) -> None:
        self.org = org
        self.writing = Writing(org)

    def create(self, call: Call) -> Answer:
        body = call.object()
        operation = body.get("operation")
        if operation not in {"update", "insert"}:
            raise Refusal("INVALIDJOB", f"Operation {operation!r} is not supported here: update or insert")
        if body.get("contentType", "CSV") != "CSV":
            raise Refusal("INVALIDJOB", "contentType must be CSV")
        try:
            kind = self.org.schema.kind(str(body.get("object")))
        except Refusal:
            raise Refusal("INVALIDENTITY", f"Unsupported entity: {body.get('object')}") from None
        delimiter, ending = str(body.get("columnDelimiter", "COMMA")), str(body.get("lineEnding", "LF"))
        if delimiter not in _DELIMITERS or ending not in _ENDINGS:
            raise Refusal("INVALIDJOB", "unknown columnDelimiter or lineEnding")
        number = len(self.org.jobs) + 1
        job = Job(
            spelling.record_id("750", number), number, kind, operation, delimiter, ending, self.org.time(),
            rule=str(body.get("assignmentRuleId") or ""),
        )  # fmt: skip
        self.org.jobs[job.id] = job
        return Answer(200, self._info(job, call, brief=True))

    def upload(self, call: Call, key: str) -> Answer:
        job = self._job(key)
        if job.state != "Open" or job.data:
            raise Refusal("INVALIDJOBSTATE", f"Data can be uploaded once, to an open job; this is {job.state}")
        if not call.headers.get("content-type", "").startswith("text/csv"):
            raise Refusal("INVALIDCONTENTTYPE", "The content type of the data must be text/csv", status=415)
        if len(call.body) > MAX_BYTES:
            raise Refusal("PAYLOAD_TOO_LARGE", f"The data is larger than {MAX_BYTES} bytes", status=413)
        job.data = call.body.decode("utf-8", "replace")
        return Answer(201)

    def change(self, call: Call, key: str) -> Answer:
        """Close (UploadComplete) or abort a job."""
        job = self._job(key)
        state = call.object().get("state")
        if state not in {"UploadComplete", "Aborted"}:
            raise Refusal("INVALIDJOB", f"state {state!r}: UploadComplete or Aborted is expected")
        if job.state != "Open":
            raise Refusal("INVALIDJOBSTATE", f"The job is {job.state}")
        job.state = str(state)
        job.closed = self.org.time()
        return Answer(200, self._info(job, call, brief=True))

    def get(self, call: Call, key: str) -> Answer:
        return Answer(200, self._info(self._worked(key), call))

    def every(self, call: Call) -> Answer:
        jobs = [self._info(self._worked(key), call, brief=True) for key in self.org.jobs]
        return Answer(200, {"done": True, "records": jobs, "nextRecordsUrl": None})

    def delete(self, _call: Call, key: str) -> Answer:
        if self._worked(key).state not in _DONE:
            raise Refusal("INVALIDJOBSTATE", "Only a finished job can be deleted")
        del self.org.jobs[spelling.long_id(key)]
        return Answer(204)

    def results(self, _call: Call, key: str, which: str) -> Answer:
        job = self._worked(key)
        if job.state not in _DONE:
            raise Refusal("INVALIDJOBSTATE", f"Results are there when the job is finished; it is {job.state}")
        if which == "successfulResults":
            return Answer(200, _text(job, ["sf__Id", "sf__Created", *job.header], job.good))
        if which == "failedResults":
            return Answer(200, _text(job, ["sf__Id", "sf__Error", *job.header], job.bad))
        if which == "unprocessedrecords":
            return Answer(200, _text(job, job.header, job.untouched))
        raise not_found()

    def _job(self, key: str) -> Job:
        job = self.org.jobs.get(spelling.long_id(key))
        if not isinstance(job, Job):
            raise not_found()
        return job

    def _worked(self, key: str) -> Job:
        job = self._job(key)
        now = self.org.time()
        if job.state == "UploadComplete":
            job.state = "InProgress"
        if job.state == "InProgress" and now >= job.closed + self.org.switches.bulk_seconds:
            self._work(job)
        return job

    def _work(self, job: Job) -> None:
        rows = list(csv.reader(io.StringIO(job.data, newline=""), delimiter=_DELIMITERS[job.delimiter]))
        job.header, lines = (rows[0], rows[1:]) if rows else ([], [])
        wrong = [name for name in job.header if name != "Id" and self.org.schema.field(job.kind, name) is None]
        if not rows or wrong or (job.operation == "update" and "Id" not in job.header):
            job.state = "Failed"
            job.error = f"InvalidBatch : Field name not found : {wrong[0]}" if wrong else "InvalidBatch : no Id column"
            job.untouched = lines
            return
        fails = self.org.switches.take("bulk_failures")
        share = self.org.switches.bulk_unprocessed_share or (0.5 if fails else 0.0)
        stop = len(lines) - int(len(lines) * share)
        for cells in lines[:stop]:
            self._row(job, cells)
        job.untouched = lines[stop:]
        job.state = "Failed" if fails else "JobComplete"
        job.error = "InternalServerError : the job ran out of retries" if fails else ""

    def _row(self, job: Job, cells: list[str]) -> None:
        given: dict[str, Any] = {}
        key = ""
        try:
            if len(cells) != len(job.header):
                raise Refusal("INVALID_CSV", "the row has another number of cells than the header")
            for name, cell in zip(job.header, cells, strict=True):
                field = self.org.schema.field(job.kind, name)
                if name == "Id":
                    key = spelling.long_id(cell)
                elif cell != "" and field is not None:  # an empty cell leaves the value as it is
                    given[field.name] = values.from_text(field, cell)
            if job.operation == "insert":
                key = self.writing.create(job.kind, given)
            elif not key:
                raise Refusal("MALFORMED_ID", f"{job.kind} ID: id value of incorrect type")
            else:
                # Assignment rules run in a bulk job only when it names one.
                self.writing.update(job.kind, key, given, assign=bool(job.rule))
            job.good.append([key, "true" if job.operation == "insert" else "false", *cells])
        except Refusal as refusal:
            job.bad.append([key, refusal.text(), *cells])

    def _info(self, job: Job, call: Call, *, brief: bool = False) -> dict[str, Any]:
        info: dict[str, Any] = {
            "id": job.id,
            "operation": job.operation,
            "object": job.kind,
            "createdById": API_USER,
            "createdDate": spelling.moment(int(job.made * 1000)),
            "systemModstamp": spelling.moment(int(max(job.made, job.closed) * 1000)),
            "state": job.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(call.version),
            "contentUrl": f"{call.root.lstrip('/')}/jobs/ingest/{job.id}/batches",
            "lineEnding": job.ending,
            "columnDelimiter": job.delimiter,
        }
        if not brief:
            info |= {
                "jobType": "V2Ingest",
                "numberRecordsProcessed": len(job.good) + len(job.bad),
                "numberRecordsFailed": len(job.bad),
                "retries": 0,
                "totalProcessingTime": 1,
            }
            if job.error:
                info["errorMessage"] = job.error
        return info


def _text(job: Job, header: Iterable[str], rows: Iterable[list[str]]) -> str:
    stream = io.StringIO(newline="")
    writer = csv.writer(
        stream, delimiter=_DELIMITERS[job.delimiter], lineterminator=_ENDINGS[job.ending], quoting=csv.QUOTE_ALL
    )
    writer.writerow(header)
    writer.writerows(rows)
    return stream.getvalue()
