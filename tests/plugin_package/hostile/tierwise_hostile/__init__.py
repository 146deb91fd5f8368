"""A stranger's plugin that does everything wrong that code can do, as its options say. Its CRM is a JSON file."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import BaseModel

from tierwise import sdk

SECRET = "hostile-secret-token"
HUGE = 100_000
NEVER = threading.Event()


class Settings(BaseModel):
    file: str = "crm.json"
    fault: str = ""
    page_size: int = 4


def misbehave(fault, where):
    """Whatever was asked for, with a secret and an address in every message."""
    text = f"{SECRET} of jane.doe@example.org in {where}"
    errors = {
        "raise": ValueError(text),
        "exit": SystemExit(text),
        "interrupt": KeyboardInterrupt(),
        "stop": StopIteration(),
        "generator": GeneratorExit(),
        "memory": MemoryError(text),
        "family": sdk.RetryLater("down for now"),
    }
    kind, _, place = fault.partition(":")
    if place == where and kind == "hang":
        NEVER.wait()
    if place == where and kind in errors:
        raise errors[kind]


class Hostile:
    batch_size = 100

    def __init__(self, connection):
        self.file = Path(connection.options["file"])
        self.fault = connection.options["fault"]
        self.size = connection.options["page_size"]
        misbehave(self.fault, "open")

    def load(self):
        return json.loads(self.file.read_text())

    def now(self):
        misbehave(self.fault, "now")
        value = datetime.now(UTC)
        return value.replace(tzinfo=None) if self.fault == "naive:now" else value

    def changes(self, since, until, *, properties, position=None):
        misbehave(self.fault, "changes")
        start = position["start"] if position else 0
        held = sorted(self.load().items())
        while True:
            misbehave(self.fault, "page" if start else "first page")
            part = held[start : start + self.size]
            records = [self.record(number, *one) for number, one in enumerate(part, start)]
            start += len(part)
            if self.fault == "duplicates":
                records = [*records, *records[::-1], self.record(0, *held[0])]
            last = start >= len(held)
            at = None if last else {"start": start}
            if self.fault == "position" and not last:
                at = {"start": start, "self": self}
            if self.fault == "not a page":
                yield [records, at]
            else:
                yield sdk.Page(tuple(records), at)
            if last or self.fault == "ends early":
                return

    def record(self, number, key, held):
        at = datetime.now(UTC)
        properties = {**held["properties"]}
        own = held.get("own", {})
        if self.fault == "backwards":
            at -= timedelta(days=300 * number)
        elif self.fault == "far away":
            at = [datetime.min, datetime.max][number % 2].replace(tzinfo=UTC)
        elif self.fault == "naive":
            at = at.replace(tzinfo=None)
        elif self.fault == "huge":
            properties = {name: str(value) + "x" * HUGE for name, value in properties.items() if name != "email"}
            properties |= {"email": held["properties"]["email"], "unasked": "y" * HUGE}
            own = {**own, "tierwise_reasons": "z" * HUGE, "not_ours": "z" * HUGE}
        elif self.fault == "odd values":
            odd = [{"deep": [1]}, float("nan"), b"bytes", object(), "nul\x00 and \ud800", 10**400]
            properties["company"], properties["message"] = odd[number % len(odd)], odd[(number + 1) % len(odd)]
            own = {**own, "tierwise_reasons": "nul\x00 and \ud800", "tierwise_score": object()}
        elif self.fault == "long id" and number == 5:
            key = key * 1000
        elif self.fault == "no id" and number == 5:
            key = None
        return sdk.Record(key, at, properties, own)

    def read(self, record_ids, *, properties):
        misbehave(self.fault, "read")
        return [self.record(0, key, held) for key, held in self.load().items() if key in record_ids]

    def write(self, updates):
        misbehave(self.fault, "write")
        held = self.load()
        for update in updates:
            own = {**held[update.record_id].get("own", {}), **update.values}
            held[update.record_id]["own"] = {name: value for name, value in own.items() if value is not None}
        self.file.write_text(json.dumps(held))
        results = [sdk.Written(update.record_id, "written") for update in updates]
        return {"too few": results[:-1], "reversed": results[::-1], "nothing": None}.get(self.fault, results)

    def check(self, *, properties, fields):
        misbehave(self.fault, "check")
        return [sdk.Check("all", True, "trust me")]

    def provision(self, fields, *, dry_run):
        return []

    def describe(self):
        return {}

    def close(self):
        misbehave(self.fault, "close")


@sdk.hookimpl
def tierwise_connector_types():
    return [sdk.ConnectorType("hostile", "Trouble", Hostile, Settings, needs_token=False)]


class Liar:
    reads = ("company",)
    gives = ("industry", "employee_count")

    def __init__(self, enriching):
        self.fault = enriching.options["fault"]

    def enrich(self, known):
        misbehave(self.fault, "enrich")
        return {
            "industry": ["x"] * HUGE,
            "employee_count": "y" * HUGE,
            "tierwise_score": 100,
            "email": "me@evil.example",
        }

    def close(self):
        misbehave(self.fault, "close")


@sdk.hookimpl
def tierwise_enrichers():
    return [sdk.EnricherType("liar", "Lies", Liar, Settings)]
