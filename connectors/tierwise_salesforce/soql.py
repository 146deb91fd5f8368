"""The plan of a read: which query comes next, from the last row. Pure; its state is the page token.

By the pair (SystemModstamp, Id), never by offset and never by stamp alone: thousands of rows share one second, and a
row that is written while we page leaves the window without moving the others.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from tierwise_salesforce import values

STAMP = "SystemModstamp"
_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")


class Stuck(Exception):
    """The answer makes no sense for the query: asking again later is all that is safe."""


class State(NamedTuple):
    """What is still to be read: (after_stamp, after_id) up to `until`; texts as SOQL spells them."""

    since: str
    until: str
    after_id: str = ""
    """Id of the last row read, whose stamp is `since`; "" before the first page."""

    def position(self) -> dict[str, Any]:
        """As JSON."""
        return self._asdict()


class Source(NamedTuple):
    """What is read by the time of its change."""

    object_type: str
    stamp: str = STAMP
    """Path to the time stamp: the object's own, or that of a record it refers to."""
    only: str = ""
    """A condition of ours."""


def leads(object_type: str) -> Source:
    """Those to be scored: a converted lead is read-only for us, an outcome, and no longer a lead."""
    return Source(object_type, only="IsConverted = false" if object_type == "Lead" else "")


class Row(NamedTuple):
    """One row, as far as the plan needs it."""

    id: str
    at: datetime


def is_id(text: str) -> bool:
    """Whether it has the form of a record id."""
    return bool(_ID.fullmatch(text))


def is_name(text: str) -> bool:
    """Whether it has the form of a field's API name; nothing else may get into a query."""
    return bool(_NAME.fullmatch(text))


def restored(position: Mapping[str, Any]) -> State:
    """The state from JSON; ValueError for what is none of ours."""
    try:
        state = State(str(position["since"]), str(position["until"]), str(position["after_id"]))
        values.moment(state.since)
        values.moment(state.until)
    except (KeyError, TypeError) as error:
        raise ValueError("not a position of this connector") from error
    if state.after_id and not is_id(state.after_id):
        raise ValueError("not a position of this connector")
    return state


def page(state: State, names: Iterable[str], *, source: Source, limit: int) -> str:
    """The query for the next rows, oldest first."""
    stamp = source.stamp
    if state.after_id:
        start = f"(({stamp} = {state.since} AND Id > '{state.after_id}') OR {stamp} > {state.since})"
    else:
        start = f"{stamp} >= {state.since}"
    only = f"{source.only} AND " if source.only else ""
    where = f"{only}{start} AND {stamp} <= {state.until}"
    select = _select([stamp, *names], source.object_type)
    return f"{select} WHERE {where} ORDER BY {stamp}, Id LIMIT {limit}"


def stamped(found: Mapping[str, Any], source: Source) -> Row:
    """Id and stamp of a record. KeyError, TypeError or ValueError where it has none."""
    if source.stamp == STAMP:
        held: Any = found[STAMP]
    else:
        held = found
        for step in source.stamp.split("."):
            held = held[step]
    return Row(str(found["Id"]), values.moment(str(held)))


def by_ids(ids: Sequence[str], names: Iterable[str], *, object_type: str) -> str:
    """The query for rows with these ids, which must be ids (`is_id`)."""
    return f"{_select([STAMP, *names], object_type)} WHERE Id IN ({_listed(ids)})"


def masters(ids: Sequence[str], *, object_type: str) -> str:
    """The query, to be sent for deleted rows too, that tells into which records these were merged."""
    return f"{_select(['MasterRecordId'], object_type)} WHERE Id IN ({_listed(ids)}) AND IsDeleted = true"


def converted(contacts: Sequence[str]) -> str:
    """The query for the leads that became these contacts."""
    among = f"ConvertedContactId IN ({_listed(contacts)})"
    return f"{_select(['ConvertedContactId'], 'Lead')} WHERE IsConverted = true AND {among}"


def advance(state: State, rows: Sequence[Row], *, done: bool, limit: int) -> State | None:
    """What is left to read after these rows; None when that is all. Raises Stuck.

    `done` is Salesforce's word that no row was held back: it makes pages smaller when rows are wide.
    """
    if any(later.at < row.at for row, later in itertools.pairwise(rows)):
        raise Stuck("the rows are not in the order of change")
    if done and len(rows) < limit:
        return None
    if not rows:
        raise Stuck("rows were held back, but none was returned")
    last = rows[-1]
    following = State(values.datetime_text(last.at), state.until, last.id)
    if following == state or last.at < values.moment(state.since):
        raise Stuck("the last row is not behind the one before")
    return following


def _select(names: Iterable[str], object_type: str) -> str:
    columns = ", ".join(dict.fromkeys(["Id", *names]))
    return f"SELECT {columns} FROM {object_type}"  # noqa: S608  (SOQL; names and ids are checked)


def _listed(ids: Iterable[str]) -> str:
    return ", ".join(f"'{key}'" for key in ids)
