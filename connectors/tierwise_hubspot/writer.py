"""Advice into HubSpot: batches of a hundred, and what became of every single update.

A batch is all or nothing in some answers, partial in others, and silently empty in a third kind; none is believed
without counting.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tierwise import sdk
from tierwise.sdk import http
from tierwise_hubspot import refusals, values
from tierwise_hubspot.client import Client

BATCH = 100  # inputs that batch/update takes
_UNMENTIONED = "HubSpot's answer does not mention this update"


class _Input(NamedTuple):
    """One update in HubSpot's words."""

    update: sdk.Update
    properties: Mapping[str, str]

    def body(self) -> dict[str, Any]:
        # No idProperty: HubSpot refuses one for its own record id.
        return {
            "id": self.update.record_id,
            "properties": dict(self.properties),
            "objectWriteTraceId": self.update.trace_id,
        }


class Writer:
    """Writing side of one connection."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def write(self, updates: Sequence[sdk.Update]) -> list[sdk.Written]:
        """As Connector.write. Raises only where nothing is known of any update yet."""
        known: dict[str, sdk.Written] = {}
        inputs = []
        for update in updates:
            try:
                wire = {name: values.to_wire(name, value) for name, value in update.values.items()}
            except ValueError as error:
                known[update.trace_id] = _refused(update, str(error))
            else:
                inputs.append(_Input(update, wire))
        for start in range(0, len(inputs), BATCH):
            self._deliver(inputs[start : start + BATCH], known)
        return [known[update.trace_id] for update in updates]

    def _deliver(self, batch: Sequence[_Input], known: dict[str, sdk.Written]) -> None:
        """Send a batch; where it is refused as a whole, its halves, down to the culprits."""
        refused_values: set[tuple[str, str]] = set()
        pending = [list(batch)]
        while pending:
            chunk = _without(refused_values, pending.pop(), known)
            if not chunk:
                continue
            try:
                answer = self._client.call(
                    "POST", self._client.objects("batch/update"), {"inputs": [one.body() for one in chunk]}
                )
            except http.HttpRefused as refused:
                self._stop_if_hopeless(refusals.problems(refused.document))
                if len(chunk) == 1:
                    _learn(refused_values, chunk[0], refusals.problems(refused.document))
                    known[chunk[0].update.trace_id] = _refused(chunk[0].update, refusals.sentence(refused))
                else:
                    pending += _halves(chunk)
            except sdk.RetryLater as later:
                if not known:
                    raise
                # Some of the batch is settled already, and that must not be lost.
                left = [one for several in (chunk, *pending) for one in several]
                known |= {one.update.trace_id: _retry(one.update, str(later)) for one in left}
                return
            else:
                unclear = self._settle(chunk, answer, known)
                # An error that names no record: sent alone, each update gets an answer of its own.
                pending += _halves(unclear) if len(unclear) > 1 else [unclear] if unclear else []

    def _settle(self, chunk: Sequence[_Input], answer: Any, known: dict[str, sdk.Written]) -> list[_Input]:
        """Note what the answer (200 and 207 alike) says of each; returns those to send again on their own."""
        answer = answer if isinstance(answer, dict) else {}
        results = [one for one in answer.get("results") or () if isinstance(one, dict)]
        faults = [one for one in answer.get("errors") or () if isinstance(one, dict)]
        self._stop_if_hopeless(problem for fault in faults for problem in refusals.problems(fault))
        left = {one.update.trace_id: one for one in chunk}
        for place, result in enumerate(results):
            trace = self._trace_of(result, left, chunk, place if len(results) == len(chunk) else None)
            if trace is not None:
                known[trace] = _written(left.pop(trace).update, result)
        unnamed = []
        for fault in faults:
            traces = [trace for trace in refusals.traces(fault, _sent(chunk)) if trace in left]
            if not traces:
                unnamed.append(fault)
            for trace in traces:
                update = left.pop(trace).update
                told = refusals.sentence_of(fault)
                known[trace] = _retry(update, told) if refusals.passing(fault) else _refused(update, told)
        if unnamed and left and len(chunk) > 1:
            return list(left.values())
        for trace, one in left.items():
            if unnamed:
                told = refusals.sentence_of(unnamed[0])
                known[trace] = _retry(one.update, told) if refusals.passing(unnamed[0]) else _refused(one.update, told)
            else:
                known[trace] = _retry(one.update, _UNMENTIONED)
        return []

    @staticmethod
    def _trace_of(
        result: Mapping[str, Any], left: Mapping[str, _Input], chunk: Sequence[_Input], place: int | None
    ) -> str | None:
        """By trace id, else by record id, else (after a merge) by place in an answer that has all of them."""
        trace = result.get("objectWriteTraceId")
        if isinstance(trace, str) and trace in left:
            return trace
        key = str(result.get("id", ""))
        for trace, one in left.items():
            if one.update.record_id == key:
                return trace
        if place is not None and chunk[place].update.trace_id in left:
            return chunk[place].update.trace_id
        return None

    def _stop_if_hopeless(self, problems: Iterable[refusals.Problem]) -> None:
        """A field of ours that is not in the portal fails every update alike."""
        unknown = {one.property for one in problems if one.code in refusals.NO_SUCH_PROPERTY}
        missing = sorted(unknown & set(values.KINDS))
        if missing:
            name = self._client.place.removeprefix("connections.")
            raise sdk.PauseConnection(
                f"HubSpot has no property {', '.join(missing)}",
                place=self._client.place,
                remedy=f"tierwise connections provision {name}",
            )


def _sent(chunk: Sequence[_Input]) -> list[tuple[str, str]]:
    """(trace id, record id) of each."""
    return [(one.update.trace_id, one.update.record_id) for one in chunk]


def _without(
    refused_values: set[tuple[str, str]], chunk: Sequence[_Input], known: dict[str, sdk.Written]
) -> list[_Input]:
    """The chunk without updates that carry a value which HubSpot refused in this very batch already."""
    kept = []
    for one in chunk:
        bad = sorted(name for name, value in one.properties.items() if (name, value) in refused_values)
        if bad:
            told = f"INVALID_OPTION on {', '.join(bad)}: the property has no such option ({refusals.PROVISION})"
            known[one.update.trace_id] = _refused(one.update, told)
        else:
            kept.append(one)
    return kept


def _learn(refused_values: set[tuple[str, str]], one: _Input, problems: Iterable[refusals.Problem]) -> None:
    """A missing option fails every update that uses it: found once, not by 199 calls for each batch."""
    for problem in problems:
        if problem.code in refusals.NO_SUCH_OPTION and problem.property in one.properties:
            refused_values.add((problem.property, one.properties[problem.property]))


def _halves(chunk: list[_Input]) -> Iterator[list[_Input]]:
    middle = len(chunk) // 2
    yield chunk[middle:]
    yield chunk[:middle]


def _written(update: sdk.Update, result: Mapping[str, Any]) -> sdk.Written:
    key = str(result.get("id") or update.record_id)
    return sdk.Written(update.record_id, "written", new_id=key if key != update.record_id else None)


def _retry(update: sdk.Update, error: str) -> sdk.Written:
    return sdk.Written(update.record_id, "retry", error=error)


def _refused(update: sdk.Update, error: str) -> sdk.Written:
    return sdk.Written(update.record_id, "refused", error=error)
