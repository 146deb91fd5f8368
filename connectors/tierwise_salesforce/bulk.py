"""Bulk API 2.0: thousands of records as one job, which Salesforce works off in its own time and tells in three tables.

Rows come back in any order, so they are known by their id, of which a job holds each once. What no table names, and
what the job never came to, is sent again. A job that nobody waits for any more is aborted.
"""

from __future__ import annotations

import contextlib
import csv
import io
import re
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any

from tierwise import sdk
from tierwise.sdk import http
from tierwise_salesforce import refusals, values
from tierwise_salesforce.client import Client

MOST_BYTES = 100_000_000
"""Of a job's table: Salesforce takes 150 MB, counted as base64."""
EMPTY = "#N/A"
"""Empties a field; an empty cell leaves it as it is."""
_JOBS = "jobs/ingest"
_ID = "Id"
_STEP = 5.0  # seconds of sleep at most between two signs of life
_FIRST_LOOK, _LONGEST_LOOK = 1.0, 30.0  # seconds between two looks at a job: each costs an API call
_CODE = re.compile(r"[A-Z][A-Z0-9_]+")
_UNTOUCHED = "the bulk job did not come to this row"

Fields = Mapping[str, values.Wire]


class Unavailable(Exception):
    """This user has no Bulk API; nothing was sent."""


class Job:
    """One update of rows with different ids."""

    def __init__(
        self,
        client: Client,
        object_type: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._client = client
        self._object = object_type
        self._clock, self._sleep = clock, sleep
        self._path = ""
        self._over = False
        self.fates: dict[str, list[refusals.Problem]] = {}
        """Once `run` is through: id -> what is wrong with it, nothing where it was written. No others are known of."""
        self.error = ""
        """Why the job did not come to all rows; "" where it did."""

    def run(self, rows: Mapping[str, Fields]) -> Generator[None]:
        """Carry it out, a step every few seconds. Closed early, the job is aborted.

        Raises Unavailable before anything was sent, and the families.
        """
        self._open()
        try:
            self._client.send_table(f"{self._path}/batches", table(rows))
            self._client.call("PATCH", self._path, {"state": "UploadComplete"})
            yield from self._wait()
            self._read(rows)
        except http.HttpRefused as refused:
            raise sdk.RetryLater(f"bulk job: {refused.message}", place=self._client.place) from None
        finally:
            if not self._over:
                self._abort()

    def _open(self) -> None:
        body = {
            "object": self._object,
            "operation": "update",
            "contentType": "CSV",
            "columnDelimiter": "COMMA",
            "lineEnding": "LF",
        }
        try:
            answer = self._client.call("POST", _JOBS, body)
        except http.HttpRefused as refused:
            raise Unavailable(refused.message) from None
        key = answer.get("id") if isinstance(answer, dict) else None
        if not isinstance(key, str) or not key.isalnum():
            raise sdk.RetryLater("bulk job: the answer has no id", place=self._client.place)
        self._path = f"{_JOBS}/{key}"

    def _wait(self) -> Iterator[None]:
        """Until the job is over, however it ends; for as long as the settings say."""
        longest = self._client.settings.bulk_seconds
        give_up = self._clock() + longest
        pause = _FIRST_LOOK
        while not self._ended():
            if self._clock() >= give_up:
                self._abort()
                self.error = f"the bulk job did not end within {longest:g} s"
                return
            until = self._clock() + pause
            pause = min(_LONGEST_LOOK, pause * 2)
            while (left := until - self._clock()) > 0:
                self._sleep(min(_STEP, left))
                yield

    def _ended(self) -> bool:
        info = self._client.call("GET", self._path)
        info = info if isinstance(info, dict) else {}
        state = info.get("state")
        self._over = state in {"JobComplete", "Failed", "Aborted"}
        if self._over and state != "JobComplete":
            self.error = f"the bulk job ended as {state}: {info.get('errorMessage') or 'no reason was given'}"
        return self._over

    def _abort(self) -> None:
        self._over = True
        with contextlib.suppress(sdk.TierwiseError):  # it may have ended meanwhile, or nobody can be reached
            self._client.call("PATCH", self._path, {"state": "Aborted"})

    def _read(self, rows: Mapping[str, Fields]) -> None:
        for entry in self._rows("successfulResults"):
            key = entry.get(_ID, "")
            if key in rows and entry.get("sf__Id") == key:
                self.fates[key] = []
        if len(self.fates) < len(rows):
            for entry in self._rows("failedResults"):
                key = entry.get(_ID, "")
                if key in rows and key not in self.fates:
                    self.fates[key] = [problem(entry.get("sf__Error") or "")]
        if len(self.fates) < len(rows):
            for entry in self._rows("unprocessedrecords"):
                key = entry.get(_ID, "")
                if key in rows and key not in self.fates:
                    self.fates[key] = [refusals.Problem(refusals.UNTOUCHED, self.error or _UNTOUCHED)]

    def _rows(self, which: str) -> list[dict[str, Any]]:
        text = self._client.table(f"{self._path}/{which}/")
        try:
            return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
        except csv.Error:
            raise sdk.RetryLater(f"bulk job: {which} is no table", place=self._client.place) from None


def table(rows: Mapping[str, Fields]) -> str:
    """CSV of these rows, with a column for every field of any of them."""
    columns = list(dict.fromkeys(name for fields in rows.values() for name in fields))
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([_ID, *columns])
    for key, fields in rows.items():
        writer.writerow([key, *(cell(fields[name]) if name in fields else "" for name in columns)])
    return stream.getvalue()


def cell(value: values.Wire) -> str:
    """One value as a job takes it."""
    if value is None:
        return EMPTY
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def fits(fields: Fields) -> bool:
    """Whether a table can carry these values: a text that spells the sign for an empty field cannot be told from it."""
    return EMPTY not in fields.values()


def problem(text: str) -> refusals.Problem:
    """Of the error column, CODE:message:fields --."""
    code, _, rest = text.partition(":")
    if not _CODE.fullmatch(code):
        return refusals.Problem("", text)
    message, _, names = rest.rpartition(":")
    fields = tuple(name.strip() for name in names.rstrip("- ").split(",") if name.strip())
    return refusals.Problem(code, message or rest, fields)
