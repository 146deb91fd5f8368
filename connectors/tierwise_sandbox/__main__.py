"""`python -m tierwise_sandbox`: serve the CRM and the models, print one line of JSON when they answer."""

from __future__ import annotations

import argparse
import asyncio
import functools
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tierwise_sandbox import scenario, serving
from tierwise_sandbox.app import hubspot
from tierwise_sandbox.latency import Latency
from tierwise_sandbox.leads import around, files, generator
from tierwise_sandbox.model_server import models
from tierwise_sandbox.portal import Portal
from tierwise_sandbox.recording import recorded
from tierwise_sandbox.salesforce import loading
from tierwise_sandbox.salesforce import scenario as org_scenario
from tierwise_sandbox.salesforce.app import salesforce
from tierwise_sandbox.salesforce.control import Doors, provision
from tierwise_sandbox.salesforce.org import Org


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when stopped, 2 for wrong arguments or files, 3 when a port cannot be had."""
    options = _parser().parse_args(arguments)
    portal = Portal()
    if options.token:
        portal.token = options.token
    org = None if options.salesforce_port is None else Org(faults=portal.faults)
    try:
        if org is not None:
            portal.set_salesforce = functools.partial(org_scenario.apply, org)
            if options.salesforce_provisioned is not None:
                provision(org, Path(options.salesforce_provisioned) if options.salesforce_provisioned else None)
        latency = Latency.parse(options.latency_ms, options.latency_lognormal, seed=options.seed)
        load(portal, org, options.leads, seed=options.seed)
        if options.faults:
            scenario.apply_file(portal, options.faults)
        if options.index_lag_ms is not None:
            portal.set_index_lag(options.index_lag_ms / 1000)
    except (ValueError, OSError) as error:
        return _fail(2, str(error))
    sockets = []
    try:
        for port in (options.hubspot_port, options.model_port, options.salesforce_port):
            if port is not None:
                sockets.append(serving.listen(options.host, port))
    except OSError as error:
        return _fail(3, f"cannot listen on {options.host} port {port}: {error.strerror}; 0 takes any free one")
    urls = [f"http://{_shown(options.host)}:{sock.getsockname()[1]}" for sock in sockets]

    doors = Doors(org).routes() if org else []
    applications = [recorded(hubspot(portal, doors), options.record, vendor="hubspot"), models(portal, latency)]
    line: dict[str, object] = {"hubspot": {"url": urls[0], "token": portal.token}, "model": {"url": urls[1]}}
    if org is not None:
        org.url = urls[2]
        applications.append(recorded(salesforce(org, doors), options.record, vendor="salesforce"))
        line["salesforce"] = org.credentials()

    def ready() -> None:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()

    asyncio.run(serving.serve(list(zip(applications, sockets, strict=True)), ready))
    return 0


def load(portal: Portal, org: Org | None, leads: str, *, seed: int) -> None:
    """The same leads into portal and org: `leads` is a number (generate that many) or a file.

    ValueError or OSError says what is wrong with it.
    """
    if leads.isdecimal():
        made = generator.generate(int(leads), seed=seed, now_ms=int(time.time() * 1000))
        rows: list[files.Row] = [(lead.properties, lead.created_ms, lead.modified_ms, None) for lead in made]
        kinds = [lead.kind for lead in made]
    else:
        made = []
        rows, kinds = files.read(Path(leads), portal.definitions), []
    ids = portal.store.load(rows)
    if made:
        around.populate(portal, made, ids)
    portal.kinds = dict(zip(map(str, ids), kinds, strict=False))
    if org is not None:
        loading.load(org, (row[:3] for row in rows), kinds)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tierwise_sandbox",
        description="A HubSpot-shaped CRM and, if asked, a Salesforce-shaped org with made-up leads, and a "
        "model-shaped server. In memory, for tests.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--hubspot-port", type=int, default=0, metavar="P", help="0 = any free port")
    parser.add_argument("--model-port", type=int, default=0, metavar="P", help="0 = any free port")
    parser.add_argument("--salesforce-port", type=int, metavar="P", help="serve an org too; 0 = any free port")
    parser.add_argument(
        "--salesforce-provisioned",
        nargs="?",
        const="",
        metavar="FOLDER",
        help="the org has the Tierwise fields: those of an SFDX source folder, or a built-in set",
    )
    parser.add_argument("--leads", default="200", metavar="N|FILE", help="number to generate, or a .csv or .jsonl file")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same leads (default %(default)s)")
    parser.add_argument("--token", help="the portal's access token (default: a random one)")
    parser.add_argument("--latency-ms", type=float, metavar="L", help="every model answer takes this long")
    parser.add_argument(
        "--latency-lognormal", metavar="MEAN,CAP", help="model answers take log-normal time in ms, at most CAP"
    )
    parser.add_argument("--index-lag-ms", type=float, metavar="L", help="search sees changes this much later")
    parser.add_argument(
        "--faults",
        type=Path,
        metavar="FILE",
        help=f"JSON: {', '.join(scenario.PARTS)}",
    )
    parser.add_argument(
        "--record",
        type=Path,
        metavar="FILE",
        default=os.environ.get("SANDBOX_RECORD"),
        help="append what the CRMs were asked and answered, as JSON lines (default: SANDBOX_RECORD)",
    )
    return parser


def _shown(host: str) -> str:
    return "127.0.0.1" if host == "0.0.0.0" else f"[{host}]" if ":" in host else host  # noqa: S104 - only shown


def _fail(code: int, message: str) -> int:
    sys.stderr.write(f"tierwise_sandbox: {message}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
