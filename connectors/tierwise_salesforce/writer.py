"""Advice into Salesforce: up to a thousand records in one API call, and what became of every single one.

A row that fails carries no id, so rows are known by their place alone, and an answer is believed only where its
length is that of the request. A backlog goes as a bulk job.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tierwise import sdk
from tierwise_salesforce import bulk, refusals, schema, soql, values
from tierwise_salesforce.client import AUTO_ASSIGN, Client

ROWS = 200  # records that sObject Collections take
PARTS = 5  # of them that one Composite request takes
BATCH = ROWS * PARTS
FLUSH = 10_000  # what Salesforce itself works off as one batch of a job
_MERGED = "the record was merged into another one"
_HOPS = 4  # merges of merges that are followed
_UNMENTIONED = "Salesforce's answer does not tell what became of this row"
_NO_COLUMN = "Field name not found"  # in the error of a whole job

Fates = dict[int, sdk.Written]
"""By the update's place in what was given."""


class Row(NamedTuple):
    """One update in Salesforce's words."""

    place: int
    """Of the update in what `write` was given."""
    update: sdk.Update
    target: str
    """The record's id."""
    fields: Mapping[str, values.Wire]


class Writer:
    """Writing side of one connection."""

    def __init__(
        self,
        client: Client,
        *,
        bulk_above: int | None = None,
        job_bytes: int = bulk.MOST_BYTES,
        job: Callable[[Client, str], bulk.Job] = bulk.Job,
    ) -> None:
        """A flush of more than `bulk_above` rows (else as set) goes as jobs with tables of at most `job_bytes`."""
        self._client = client
        self._bulk_above = client.settings.bulk_above if bulk_above is None else bulk_above
        self._job_bytes = job_bytes
        self._object = client.settings.object_type
        self._job = job

    def write(self, updates: Sequence[sdk.Update]) -> list[sdk.Written]:
        """As Connector.write. Raises only where nothing is known of any update yet."""
        known: Fates = {}
        try:
            for told in self._flush(updates, bulk_above=len(updates)):
                known |= told
        except sdk.RetryLater as later:
            if not known:
                raise
            # Some of the batch is settled already, and that must not be lost.
            left = [place for place in range(len(updates)) if place not in known]
            known |= {place: sdk.Written(updates[place].record_id, "retry", error=str(later)) for place in left}
        return [known[place] for place in range(len(updates))]

    def flush(self, updates: Sequence[sdk.Update]) -> Iterator[Fates]:
        """As Flushes.flush: one API call for a thousand, a bulk job for more than is set."""
        return self._flush(updates, bulk_above=self._bulk_above)

    def _flush(self, updates: Sequence[sdk.Update], *, bulk_above: int) -> Iterator[Fates]:
        refused: Fates = {}
        rows = list(_rows(updates, refused))
        if refused:
            yield refused
        for several in _rounds(rows):
            if len(several) > bulk_above:
                yield from self._delivered(several, self._in_bulk)
            else:
                yield from self._delivered(several, self._in_calls)

    def _delivered(
        self, rows: Sequence[Row], send: Callable[[Sequence[Row], list[Row]], Iterator[Fates]]
    ) -> Iterator[Fates]:
        """Rows of distinct records, and where those live on that were merged."""
        deleted: list[Row] = []
        yield from send(rows, deleted)
        if deleted:
            heirs = self._heirs([row.target for row in deleted])
            gone = refusals.sentence([refusals.Problem(refusals.DELETED, "")])
            yield {
                # Nothing is written there: it may well have advice of its own, which only Tierwise knows.
                row.place: sdk.Written(row.update.record_id, "retry", new_id=heirs[row.target], error=_MERGED)
                if row.target in heirs
                else _refused(row, gone)
                for row in deleted
            }

    def _in_bulk(self, rows: Sequence[Row], deleted: list[Row]) -> Iterator[Fates]:
        """As jobs, as far as a table can carry the rows."""
        tabled = [row for row in rows if bulk.fits(row.fields)]
        for some in _tables(tabled, most_bytes=self._job_bytes):
            job = self._job(self._client, self._object)
            try:
                with contextlib.closing(job.run({row.target: row.fields for row in some})) as steps:
                    for _ in steps:
                        yield {}
            except bulk.Unavailable:
                yield from self._in_calls(some, deleted)
                continue
            if _NO_COLUMN in job.error:
                self._stop_if_hopeless([refusals.Problem("INVALID_FIELD", job.error)])
            fates: Fates = {}
            for row in some:
                found = job.fates.get(row.target)
                if found:
                    self._note(row, found, fates, deleted=deleted)
                else:
                    fates[row.place] = _written(row) if found == [] else _retry(row, job.error or _UNMENTIONED)
            yield fates
        if rest := [row for row in rows if not bulk.fits(row.fields)]:
            yield from self._in_calls(rest, deleted)

    def _in_calls(self, rows: Sequence[Row], deleted: list[Row]) -> Iterator[Fates]:
        """A thousand to a call. Rows whose record was deleted are added to `deleted`, and not told of."""
        # In the order of ids, so that two writers never wait for each other's locks.
        ordered = sorted(rows, key=lambda row: row.target)
        pending = [ordered[start : start + ROWS] for start in range(0, len(ordered), ROWS)]
        while pending:
            parts, pending = pending[:PARTS], pending[PARTS:]
            fates: Fates = {}
            for part, answer in zip(parts, self._composite(parts), strict=True):
                pending += self._settle(part, answer, fates, deleted=deleted)
            yield fates

    def _composite(self, parts: Sequence[Sequence[Row]]) -> list[Mapping[str, Any]]:
        """One API call; an answer for each part, an empty one where there is none."""
        body = {
            "allOrNone": False,
            "compositeRequest": [
                {
                    "method": "PATCH",
                    "url": self._client.path("composite/sobjects"),
                    "referenceId": f"part{number}",
                    # A subrequest inherits only Accept, Authorization and Content-Type from the request around it.
                    "httpHeaders": AUTO_ASSIGN,
                    "body": {"allOrNone": False, "records": [self._record(row) for row in part]},
                }
                for number, part in enumerate(parts)
            ],
        }
        answer = self._client.call("POST", "composite", body)
        listed = answer.get("compositeResponse") if isinstance(answer, dict) else None
        by_name = {str(one.get("referenceId")): one for one in listed or () if isinstance(one, dict)}
        return [by_name.get(f"part{number}", {}) for number in range(len(parts))]

    def _record(self, row: Row) -> dict[str, Any]:
        return {"attributes": {"type": self._object}, "id": row.target, **row.fields}

    def _settle(
        self, part: Sequence[Row], answer: Mapping[str, Any], fates: Fates, *, deleted: list[Row]
    ) -> list[list[Row]]:
        """Note what the answer says of each row; returns what is to be sent again in smaller parts."""
        body = answer.get("body")
        if int(answer.get("httpStatusCode") or 0) == 200:
            results = body if isinstance(body, list) and len(body) == len(part) else [{}] * len(part)
            for row, result in zip(part, results, strict=True):
                self._judge(row, result if isinstance(result, dict) else {}, fates, deleted=deleted)
            return []
        found = refusals.problems(body)
        self._stop_if_hopeless(found)
        if not found or refusals.passing(found):
            told = refusals.sentence(found) if found else _UNMENTIONED
            fates |= {row.place: _retry(row, told) for row in part}
            return []
        if len(part) == 1:
            fates[part[0].place] = _refused(part[0], refusals.sentence(found))
            return []
        # One row that cannot be read fails all: the halves, down to the culprit.
        middle = len(part) // 2
        return [list(part[:middle]), list(part[middle:])]

    def _judge(self, row: Row, result: Mapping[str, Any], fates: Fates, *, deleted: list[Row]) -> None:
        if result.get("success") is True and result.get("id", row.target) == row.target:
            fates[row.place] = _written(row)
        elif found := refusals.problems(result.get("errors") or []):
            self._note(row, found, fates, deleted=deleted)
        else:
            fates[row.place] = _retry(row, _UNMENTIONED)

    def _note(self, row: Row, found: list[refusals.Problem], fates: Fates, *, deleted: list[Row]) -> None:
        """A row that was not written."""
        self._stop_if_hopeless(found)
        if any(problem.code == refusals.DELETED for problem in found):
            deleted.append(row)
        elif refusals.passing(found):
            fates[row.place] = _retry(row, refusals.sentence(found))
        else:
            fates[row.place] = _refused(row, refusals.sentence(found))

    def _heirs(self, ids: Sequence[str]) -> dict[str, str]:
        """The records that these live on in, for those that do: through merges of merges."""
        masters: dict[str, str] = {}
        asked = list(ids)
        for _ in range(_HOPS):
            found: list[str] = []
            for start in range(0, len(asked), ROWS):
                soql_ = soql.masters(asked[start : start + ROWS], object_type=self._object)
                told = {
                    str(one["Id"]): one["MasterRecordId"] for one in self._client.query(soql_, deleted=True)["records"]
                }
                masters |= {key: str(master or "") for key, master in told.items()}
                found += [str(master) for master in told.values() if master]
            asked = [key for key in dict.fromkeys(found) if key not in masters]
            if not asked:
                break
        heirs = {}
        for key in ids:
            heir = key
            while masters.get(heir):
                heir = masters[heir]
            # A record that was asked about and answered is deleted, and nobody's heir.
            if heir != key and heir not in masters:
                heirs[key] = heir
        return heirs

    def _stop_if_hopeless(self, found: Sequence[refusals.Problem]) -> None:
        """A field of ours that is missing, hidden or read-only fails every update alike."""
        told = [problem for problem in found if problem.code in refusals.NO_FIELD]
        ours = sorted(name for name in values.OWN if any(name in (*one.fields, *_words(one)) for one in told))
        if ours:
            schema.forget()
            raise sdk.PauseConnection(
                f"Salesforce has no field {', '.join(ours)} that the user may write",
                place=self._client.place,
                remedy=f"{schema.DEPLOY}; {schema.GRANT}",
            )


def _words(problem: refusals.Problem) -> list[str]:
    """The message names the field too, in some answers only there."""
    return problem.message.replace("'", " ").replace(",", " ").replace(".", " ").split()


def _rows(updates: Sequence[sdk.Update], refused: Fates) -> Iterator[Row]:
    known, to_wire = values.NAMES, values.to_wire
    for place, update in enumerate(updates):
        try:
            if not soql.is_id(update.record_id):
                raise ValueError("this is no record id of Salesforce")
            fields = {
                known.get(name) or values.api_name(name): to_wire(name, value) for name, value in update.values.items()
            }
        except ValueError as error:
            refused[place] = sdk.Written(update.record_id, "refused", error=str(error))
        else:
            yield Row(place, update, update.record_id, fields)


def _rounds(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """One record is refused twice in one request: its second update goes into the next round."""
    left = list(rows)
    while left:
        first: dict[str, Row] = {}
        again = []
        for row in left:
            if first.setdefault(row.target, row) is not row:
                again.append(row)
        yield list(first.values())
        left = again


def _tables(rows: Sequence[Row], *, most_bytes: int) -> Iterator[list[Row]]:
    """In the order of ids, each small enough for one job."""
    some: list[Row] = []
    size = 0
    for row in sorted(rows, key=lambda row: row.target):
        wide = sum(len(bulk.cell(value).encode()) + 3 for value in row.fields.values()) + 20
        if some and size + wide > most_bytes:
            yield some
            some, size = [], 0
        some.append(row)
        size += wide
    if some:
        yield some


def _written(row: Row) -> sdk.Written:
    return sdk.Written(row.update.record_id, "written")


def _retry(row: Row, error: str) -> sdk.Written:
    return sdk.Written(row.update.record_id, "retry", error=error)


def _refused(row: Row, error: str) -> sdk.Written:
    return sdk.Written(row.update.record_id, "refused", error=error)
