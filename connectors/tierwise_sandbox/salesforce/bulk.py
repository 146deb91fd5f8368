"""Bulk API 2.0 ingest: a job is opened, fed once, closed, worked off in its own time, and then tells three ways.

Only updates and inserts. A job goes on whether or not anybody looks at it, row by row; what is done when it is aborted
stays done. Rows that a job never came to are in `unprocessedrecords`, and in neither other result.
"""

from __future__ import annotations

import csv
import io
import re
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
    lines: list[list[str]] = field(default_factory=list)
    """Those that are still to be worked off."""
    whole: int = 0
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
        allowed = {"Open"} if state == "UploadComplete" else {"Open", "UploadComplete", "InProgress"}
        if self._worked(key).state not in allowed:
            raise Refusal("INVALIDJOBSTATE", f"The job is {job.state}")
        job.state = str(state)
        if state == "Aborted":
            job.untouched, job.lines = job.lines, []
        else:
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

    def go_on(self) -> None:
        """Work off whatever jobs have come to by now."""
        for job in list(self.org.jobs.values()):
            self._work(job)

    def _worked(self, key: str) -> Job:
        job = self._job(key)
        self._work(job)
        return job

    def _begin(self, job: Job) -> None:
        """Look at the table as a whole, once it is there."""
        other = {"\n": "\r\n", "\r\n": "\n"}[_ENDINGS[job.ending]]
        outside = re.sub(r'"(?:[^"]|"")*"', "", job.data)
        if other in outside.replace("\r\n", "" if other == "\n" else "\r\n"):
            self._fail(job, "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is "
                            f"{job.ending}", [])  # fmt: skip
            return
        rows = list(csv.reader(io.StringIO(job.data, newline=""), delimiter=_DELIMITERS[job.delimiter]))
        job.header, lines = (rows[0], rows[1:]) if rows else ([], [])
        wrong = [name for name in job.header if name != "Id" and self.org.schema.field(job.kind, name) is None]
        if not rows or wrong or (job.operation == "update" and "Id" not in job.header):
            told = f"Field name not found : {wrong[0]}" if wrong else "no Id column"
            self._fail(job, f"InvalidBatch : {told}", lines)
            return
        job.lines, job.whole = lines, len(lines)

    @staticmethod
    def _fail(job: Job, error: str, untouched: list[list[str]]) -> None:
        job.state, job.error, job.untouched, job.lines = "Failed", error, untouched, []

    def _work(self, job: Job) -> None:
        """As many rows as the time since the job was closed is enough for."""
        if job.state not in {"UploadComplete", "InProgress"}:
            return
        if job.state == "UploadComplete":
            job.state = "InProgress"
            self._begin(job)
        if job.state != "InProgress":
            return
        switches = self.org.switches
        since = self.org.time() - job.closed
        over = since >= switches.bulk_seconds
        reached = job.whole if over else int(job.whole * since / switches.bulk_seconds)
        fails = over and switches.take("bulk_failures")
        if over:
            share = switches.bulk_unprocessed_share or (0.5 if fails else 0.0)
            reached -= int(job.whole * share)
        now, job.lines = self._split(job, reached)
        for cells in now:
            self._row(job, cells)
        if over:
            job.untouched, job.lines = job.lines, []
            job.state = "Failed" if fails else "JobComplete"
            job.error = "InternalServerError : the job ran out of retries" if fails else ""

    @staticmethod
    def _split(job: Job, reached: int) -> tuple[list[list[str]], list[list[str]]]:
        new = max(0, reached - (job.whole - len(job.lines)))
        return job.lines[:new], job.lines[new:]

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
