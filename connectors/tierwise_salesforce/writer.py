"""Advice into Salesforce: up to a thousand records in one API call, and what became of every single one.

A row that fails carries no id, so rows are known by their place alone, and an answer is believed only where its
length is that of the request.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tierwise import sdk
from tierwise_salesforce import refusals, schema, soql, values
from tierwise_salesforce.client import AUTO_ASSIGN, Client

ROWS = 200  # records that sObject Collections take
PARTS = 5  # of them that one Composite request takes
BATCH = ROWS * PARTS
_HOPS = 3  # merges of merges that are followed
_UNMENTIONED = "Salesforce's answer does not tell what became of this row"


class Row(NamedTuple):
    """One update in Salesforce's words."""

    place: int
    """Of the update in what `write` was given."""
    update: sdk.Update
    target: str
    """Id to write to: the record's, or that of the one it was merged into."""
    fields: Mapping[str, values.Wire]


class Writer:
    """Writing side of one connection."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._object = client.settings.object_type

    def write(self, updates: Sequence[sdk.Update]) -> list[sdk.Written]:
        """As Connector.write. Raises only where nothing is known of any update yet."""
        known: dict[int, sdk.Written] = {}
        rows = list(_rows(updates, known))
        for several in _rounds(rows):
            self._deliver(several, known)
        return [known[place] for place in range(len(updates))]

    def _deliver(self, rows: Sequence[Row], known: dict[int, sdk.Written]) -> None:
        for _ in range(_HOPS):
            deleted = self._send(rows, known)
            try:
                rows = self._merged(deleted)
            except sdk.RetryLater as later:
                known |= {row.place: _retry(row, str(later)) for row in deleted}
                return
            if not rows:
                return

    def _send(self, rows: Sequence[Row], known: dict[int, sdk.Written]) -> list[Row]:
        """Send rows of distinct records; returns those whose record was deleted, noted as refused meanwhile."""
        # In the order of ids, so that two writers never wait for each other's locks.
        ordered = sorted(rows, key=lambda row: row.target)
        pending = [ordered[start : start + ROWS] for start in range(0, len(ordered), ROWS)]
        deleted: list[Row] = []
        while pending:
            parts, pending = pending[:PARTS], pending[PARTS:]
            try:
                answers = self._composite(parts)
            except sdk.RetryLater as later:
                if not known:
                    raise
                # Some of the batch is settled already, and that must not be lost.
                known |= {row.place: _retry(row, str(later)) for part in (*parts, *pending) for row in part}
                return deleted
            for part, answer in zip(parts, answers, strict=True):
                pending += self._settle(part, answer, known, deleted=deleted)
        return deleted

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
        self, part: Sequence[Row], answer: Mapping[str, Any], known: dict[int, sdk.Written], *, deleted: list[Row]
    ) -> list[list[Row]]:
        """Note what the answer says of each row; returns what is to be sent again in smaller parts."""
        body = answer.get("body")
        if int(answer.get("httpStatusCode") or 0) == 200:
            results = body if isinstance(body, list) and len(body) == len(part) else [{}] * len(part)
            for row, result in zip(part, results, strict=True):
                known[row.place] = self._written(row, result if isinstance(result, dict) else {}, deleted=deleted)
            return []
        found = refusals.problems(body)
        self._stop_if_hopeless(found)
        if not found or refusals.passing(found):
            told = refusals.sentence(found) if found else _UNMENTIONED
            known |= {row.place: _retry(row, told) for row in part}
            return []
        if len(part) == 1:
            known[part[0].place] = _refused(part[0], refusals.sentence(found))
            return []
        # One row that cannot be read fails all: the halves, down to the culprit.
        middle = len(part) // 2
        return [list(part[:middle]), list(part[middle:])]

    def _written(self, row: Row, result: Mapping[str, Any], *, deleted: list[Row]) -> sdk.Written:
        if result.get("success") is True and result.get("id", row.target) == row.target:
            merged = row.target if row.target != row.update.record_id else None
            return sdk.Written(row.update.record_id, "written", new_id=merged)
        found = refusals.problems(result.get("errors") or [])
        if not found:
            return _retry(row, _UNMENTIONED)
        self._stop_if_hopeless(found)
        if any(problem.code == refusals.DELETED for problem in found):
            deleted.append(row)
        told = refusals.sentence(found)
        return _retry(row, told) if refusals.passing(found) else _refused(row, told)

    def _merged(self, deleted: Sequence[Row]) -> list[Row]:
        """Those of the rows whose record lives on in another one, to be sent there."""
        masters: dict[str, str] = {}
        for start in range(0, len(deleted), ROWS):
            ids = [row.target for row in deleted[start : start + ROWS]]
            answer = self._client.query(soql.masters(ids, object_type=self._object), deleted=True)
            masters |= {
                str(one["Id"]): str(one["MasterRecordId"]) for one in answer["records"] if one["MasterRecordId"]
            }
        return [row._replace(target=masters[row.target]) for row in deleted if row.target in masters]

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


def _rows(updates: Sequence[sdk.Update], known: dict[int, sdk.Written]) -> Iterator[Row]:
    for place, update in enumerate(updates):
        try:
            if not soql.is_id(update.record_id):
                raise ValueError("this is no record id of Salesforce")
            fields = {values.NAMES[name]: values.to_wire(name, value) for name, value in update.values.items()}
        except (KeyError, ValueError) as error:
            told = f"Tierwise has no field {error}" if isinstance(error, KeyError) else str(error)
            known[place] = sdk.Written(update.record_id, "refused", error=told)
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


def _retry(row: Row, error: str) -> sdk.Written:
    return sdk.Written(row.update.record_id, "retry", error=error)


def _refused(row: Row, error: str) -> sdk.Written:
    return sdk.Written(row.update.record_id, "refused", error=error)
