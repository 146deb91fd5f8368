"""The Salesforce connector against the sandbox org: API calls per 1,000 leads, and client CPU beside bare requests.

One flush is what write-back hands over when a thousand leads, or a backlog, are due. Re-reads of the overlap apart.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import requests

from tierwise import sdk
from tierwise.sdk import testing
from tierwise_salesforce import values
from tierwise_salesforce.connector import Salesforce

PROPERTIES = ("Email", "Company", "Phone", "Title", "Description", "LeadSource", "Country", "Website", "CreatedDate")
ADVICE = {
    "tierwise_score": 50, "tierwise_tier": "A", "tierwise_reasons": "x" * 200, "tierwise_reason_codes": ("A", "B"),
}  # fmt: skip


def measure(scale: float) -> dict[str, Any]:
    """Everything, over ten thousand leads times `scale`."""
    leads = max(1000, int(10_000 * scale) // 1000 * 1000)
    with _org(leads) as org:
        connector = Salesforce(_connection(org))
        try:
            return _measured(connector, org, leads)
        finally:
            connector.close()


def _measured(connector: Salesforce, org: dict[str, str], leads: int) -> dict[str, Any]:
    connector.describe()
    updates: list[sdk.Update] = []
    read = _charged(org, lambda: updates.extend(_read(connector, leads)))
    by_calls = _charged(org, lambda: _write(connector, updates, 1000))
    again = _charged(org, lambda: list(connector.changes(connector.now(), connector.now(), properties=PROPERTIES)))
    together = _charged(org, lambda: _write(connector, updates, connector.flush_size))
    # In turns, on the same full records, the best of each: other work on the machine hits both.
    ours, bare = [], []
    # What the rest of the bench has imported is not to be looked through again with every collection.
    gc.collect()
    gc.freeze()
    for _ in range(3):
        began = time.process_time()
        _write(connector, _read(connector, leads), 1000)
        ours.append(time.process_time() - began)
        bare.append(_bare(org, leads))
    return {
        "leads": leads,
        "api_calls_per_1000": {
            "read": read * 1000 / leads,
            "flushes of a thousand": by_calls * 1000 / leads,
            "both": (read + by_calls) * 1000 / leads,
            "flushes of all that may be": together * 1000 / leads,
            "overlap read again": again * 1000 / leads,
        },
        "client_cpu_ms_per_1000": min(ours) * 1_000_000 / leads,
        "bare_cpu_ms_per_1000": min(bare) * 1_000_000 / leads,
        "cpu_ratio": min(ours) / min(bare),
    }


def _read(connector: Salesforce, leads: int) -> list[sdk.Update]:
    """All leads, as the updates that are to follow."""
    now = connector.now()
    pages = connector.changes(now - timedelta(days=4000), now, properties=PROPERTIES)
    found = [sdk.Update(record.id, ADVICE, record.id) for page in pages for record in page.records]
    assert len(found) == leads
    return found


def _write(connector: Salesforce, updates: list[sdk.Update], size: int) -> None:
    for start in range(0, len(updates), size):
        some = updates[start : start + size]
        told = [one for step in connector.flush(some) for one in step.values()]
        assert [one.outcome for one in told] == ["written"] * len(some)


def _charged(org: dict[str, str], work: Callable[[], object]) -> int:
    before = _used(org)
    work()
    return _used(org) - before


def _bare(org: dict[str, str], leads: int) -> float:
    """CPU seconds of the same calls through nothing but requests."""
    form = {"grant_type": "client_credentials", "client_id": org["client_id"], "client_secret": org["client_secret"]}
    token = requests.post(org["token_url"], data=form, timeout=30).json()["access_token"]
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    root = f"{org['url']}/services/data/v66.0"
    columns = ", ".join(["Id", "SystemModstamp", *PROPERTIES, *values.OWN])
    began = time.process_time()
    found: list[dict[str, Any]] = []
    while True:
        after = f"WHERE Id > '{found[-1]['Id']}'" if found else ""
        soql = f"SELECT {columns} FROM Lead {after} ORDER BY Id LIMIT 2000"
        page = session.get(f"{root}/query", params={"q": soql}, timeout=60).json()["records"]
        found += page
        if len(page) < 2000:
            break
    assert len(found) == leads
    sent = {values.NAMES[name]: values.to_wire(name, value) for name, value in ADVICE.items()}
    for start in range(0, leads, 1000):
        parts = [found[start + offset : start + offset + 200] for offset in range(0, 1000, 200)]
        body = {
            "compositeRequest": [
                {
                    "method": "PATCH",
                    "url": "/services/data/v66.0/composite/sobjects",
                    "referenceId": f"part{number}",
                    "httpHeaders": {"Sforce-Auto-Assign": "FALSE"},
                    "body": {"records": [{"attributes": {"type": "Lead"}, "id": one["Id"], **sent} for one in part]},
                }
                for number, part in enumerate(parts)
            ]
        }
        answer = session.post(f"{root}/composite", json=body, timeout=60).json()
        assert all(row["success"] for part in answer["compositeResponse"] for row in part["body"])
    return time.process_time() - began


def _used(org: dict[str, str]) -> int:
    with urllib.request.urlopen(f"{org['url']}/_sandbox/salesforce/stats", timeout=30) as answer:
        return int(json.loads(answer.read())["api_calls"])


def _connection(org: dict[str, str]) -> sdk.Connection:
    options = {"my_domain": org["url"], "client_id": org["client_id"], "username": org["username"]}
    return sdk.Connection("bench", "salesforce", org["private_key"], options, testing.FreeLimiter())


@contextmanager
def _org(leads: int) -> Iterator[dict[str, str]]:
    argv = [
        sys.executable, "-m", "tierwise_sandbox", "--hubspot-port", "0", "--model-port", "0", "--salesforce-port", "0",
        "--salesforce-provisioned", "--leads", str(leads),
    ]  # fmt: skip
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            found = json.loads(process.stdout.readline())["salesforce"]
            assert isinstance(found, dict)
            yield found
        finally:
            process.terminate()
