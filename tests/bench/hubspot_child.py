"""The HubSpot connector against the sandbox, in a process of its own. Prints one line of JSON.

hubspot_child.py calls HOME URL TOKEN       calls by kind: a first poll with its writes, then echo, reconciliation
hubspot_child.py cpu URL TOKEN              CPU of the connector against a bare requests loop that makes the same calls
hubspot_child.py memory URL TOKEN RECORDS   resident memory after a tenth of the records and after all, read and written
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil
import requests

from tierwise import plugins, sdk, telemetry, wiring
from tierwise import settings as configuration
from tierwise.cli import setup
from tierwise.domain import mapping
from tierwise.sdk import testing
from tierwise.settings.model import ConnectionSettings

NAME = "portal"
FAST = {"calls_per_10_seconds": 100_000, "searches_per_second": 1_000}
ASSOCIATED = ("associations", "batch_read_companies", "batch_read_contacts")
OWN = {
    "tierwise_score": 80, "tierwise_fit": 70, "tierwise_intent": 90, "tierwise_confidence": 91.5,
    "tierwise_reasons": "CONCRETE_NEED: asks for an offer\nCORE_MARKET: Germany", "tierwise_fingerprint": "f" * 64,
}  # fmt: skip
NAMES = ("email", "company", "numemployees", "company_size", "monthly_volume", "message", "country", "createdate")
REPEATS = 3


def calls(home: str, url: str, token: str) -> dict[str, Any]:
    """The whole way of 1,000 leads by the shipped map: poll, decide, write; then the echo and the pass behind."""
    os.environ["TIERWISE_HOME"] = home
    loaded = configuration.load(None)
    given = {"type": "hubspot", "token": token, "base_url": url, **FAST}
    settings = loaded.model_copy(update={"connections": {NAME: ConnectionSettings.model_validate(given)}})
    telemetry.configure("json", "error")
    setup.prepare(settings)
    parts = wiring.Wiring(settings)
    try:
        with parts.connector(NAME) as connector:
            connector.provision(parts.advice_fields(), dry_run=False)
        now = datetime.now(UTC)
        parts.store.connections.ensure(NAME, "hubspot", now=now)
        parts.store.connections.enable(NAME, watermark=now - timedelta(days=120), now=now)
        _post(url, "reset_stats")
        _finish(parts)
        before = _stats(url)
        parts.store.connections.enable(NAME, watermark=now - timedelta(minutes=2), now=now)
        time.sleep(1.1)  # the CRM tells whole seconds
        _finish(parts)
        echo = _stats(url)
        with parts.connector(NAME) as connector:
            names = mapping.properties(parts.field_map(NAME, parts.runnable().policy))
            since = now - timedelta(minutes=2)
            # What `reconcile` reads of the hour in which these leads were written.
            found = sum(len(page.records) for page in connector.changes(since, datetime.now(UTC), properties=names))
        after = _stats(url)
        counts = parts.store.leads.counts(NAME)
        return {
            "leads": counts["leads"],
            "undecided": counts["undecided"],
            "reconciled": found,
            "writes": after["writes"],
            "before_echo": _counted(before),
            "with_echo_and_reconciliation": _counted(after),
            "writes_of_the_echo": echo["writes"] - before["writes"],
        }
    finally:
        parts.close()


def _finish(parts: wiring.Wiring) -> None:
    while (polled := parts.poll(NAME)) is not None and not polled.complete:
        pass
    while (pumped := parts.pump()) is not None and pumped.decided:
        pass
    parts.write_back(NAME)


def _counted(stats: dict[str, Any]) -> dict[str, Any]:
    by_kind = stats["calls"]
    apart = sum(number for kind, number in by_kind.items() if kind in ASSOCIATED)
    return {"calls": sum(by_kind.values()) - apart, "associations": apart, "by_kind": by_kind}


def cpu(url: str, token: str) -> dict[str, Any]:
    """All reads of both, then all writes of both: each finds the portal as the other found it."""
    connector = _connector(url, token)
    connector.provision(testing.fields(), dry_run=False)
    since, until = datetime.now(UTC) - timedelta(days=400), datetime.now(UTC)
    ids: list[str] = []

    def read() -> None:
        ids[:] = [one.id for page in connector.changes(since, until, properties=NAMES) for one in page.records]

    def write() -> None:
        for start in range(0, len(ids), connector.batch_size):
            updates = [sdk.Update(key, OWN, f"bench-{key}") for key in ids[start : start + connector.batch_size]]
            assert all(one.outcome == "written" for one in connector.write(updates))

    bare = _Bare(url, token)
    ends = (int(since.timestamp() * 1000), int(until.timestamp() * 1000))
    sums, made = dict.fromkeys(("connector", "bare"), 0.0), {}
    for name, ours, theirs in (("read", read, lambda: bare.read(*ends)), ("write", write, lambda: bare.write(ids))):
        counts = []
        for who, step in (("connector", ours), ("bare", theirs)):
            _post(url, "reset_stats")
            sums[who] += min(_cpu_of(step) for _ in range(REPEATS))
            counts.append(_stats(url)["calls"])
        assert counts[0] == counts[1], f"not the same calls: {counts}"
        made[name] = {kind: number / REPEATS for kind, number in counts[0].items()}
    return {
        "records": len(ids),
        "calls": made,
        "connector_cpu_ms_per_1000": round(sums["connector"] * 1e6 / len(ids), 1),
        "bare_cpu_ms_per_1000": round(sums["bare"] * 1e6 / len(ids), 1),
        "ratio": round(sums["connector"] / sums["bare"], 2),
    }


class _Bare:
    """The same calls as anybody would write them down: a session, a loop, JSON."""

    def __init__(self, url: str, token: str) -> None:
        self._root = f"{url}/crm/objects/2026-09/contacts"
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"
        self._names = [*NAMES, *(field.name for field in sdk.FIELDS), "lastmodifieddate", "hs_merged_object_ids"]

    def read(self, since: int, until: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        filters = [{"propertyName": "lastmodifieddate", "operator": "BETWEEN", "value": since, "highValue": until}]
        while True:
            body = {
                "filterGroups": [{"filters": filters}],
                "sorts": [{"propertyName": "lastmodifieddate", "direction": "ASCENDING"}],
                "properties": self._names,
                "limit": 200,
            }
            answer = self._post("search", body)
            page = answer["results"]
            found += page
            if answer["total"] <= len(page):
                return found
            last = page[-1]["properties"]["lastmodifieddate"]
            same = [one["id"] for one in page if one["properties"]["lastmodifieddate"] == last]
            filters = [
                {"propertyName": "lastmodifieddate", "operator": "BETWEEN", "value": last, "highValue": until},
                {"propertyName": "hs_object_id", "operator": "NOT_IN", "values": same},
            ]

    def write(self, ids: list[str]) -> None:
        values = {name: str(value) for name, value in OWN.items()}
        for start in range(0, len(ids), 100):
            some = ids[start : start + 100]
            inputs = [{"id": key, "properties": values, "objectWriteTraceId": f"bench-{key}"} for key in some]
            assert len(self._post("batch/update", {"inputs": inputs})["results"]) == len(some)

    def _post(self, path: str, body: Any) -> Any:
        answer = self._session.post(f"{self._root}/{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()


def _cpu_of(step: Callable[[], None]) -> float:
    began = time.process_time()
    step()
    return time.process_time() - began


def memory(url: str, token: str, records: int) -> dict[str, Any]:
    """Each page is written back before the next one is read."""
    connector = _connector(url, token)
    connector.provision(testing.fields(), dry_run=False)
    process = psutil.Process()
    samples: dict[str, Any] = {}
    done, began = 0, time.monotonic()
    since, until = datetime.now(UTC) - timedelta(days=400), datetime.now(UTC)
    for page in connector.changes(since, until, properties=("email", "company")):
        for start in range(0, len(page.records), connector.batch_size):
            some = page.records[start : start + connector.batch_size]
            connector.write([sdk.Update(one.id, OWN, f"bench-{one.id}") for one in some])
        done += len(page.records)
        for mark in (records // 10, records):
            if done >= mark and str(mark) not in samples:
                samples[str(mark)] = {
                    "rss_mb": round(process.memory_info().rss / 1e6, 1),
                    "sockets": len(process.net_connections()),
                }
    return {"records": done, "seconds": round(time.monotonic() - began, 1), "after": samples}


def _connector(url: str, token: str) -> sdk.Connector:
    options = {"base_url": url, **FAST}
    return plugins.open_connector(sdk.Connection(NAME, "hubspot", token, options, testing.FreeLimiter()))


def _stats(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{url}/_sandbox/stats", timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def _post(url: str, door: str) -> None:
    request = urllib.request.Request(f"{url}/_sandbox/{door}", data=b"{}", method="POST")
    urllib.request.urlopen(request, timeout=30).close()


if __name__ == "__main__":
    kind, *rest = sys.argv[1:]
    if kind == "calls":
        found = calls(*rest)
    elif kind == "cpu":
        found = cpu(*rest)
    else:
        found = memory(rest[0], rest[1], int(rest[2]))
    print(json.dumps(found))
