"""The org's door for tests: counts, journal, switches, deployments, and what people do in an org.

Without a session and therefore for loopback only. Nothing here exists in a real org.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tierwise_sandbox.loopback import is_local
from tierwise_sandbox.salesforce import loading, scenario, source_folder, spelling, values
from tierwise_sandbox.salesforce.org import ADMIN, Org
from tierwise_sandbox.salesforce.records import Row
from tierwise_sandbox.salesforce.refusals import Refusal
from tierwise_sandbox.salesforce.writing import named

_ROOT = "/_sandbox/salesforce"
_HISTORY = ("CreatedDate", "SystemModstamp", "CompletedDateTime")


class Doors:
    """Handlers over one org."""

    def __init__(self, org: Org) -> None:
        self.org = org

    def routes(self) -> list[Route]:
        """Given to both servers: whoever knows one of them reaches the org."""
        reads = {"stats": self.stats, "journal": self.journal, "kinds": self.kinds, "switches": self.switches}
        acts = {
            "reset_stats": self.reset_stats,
            "switches": self.set_switches,
            "deploy": self.deploy,
            "records": self.records,
            "burst": self.burst,
            "delete": self.delete,
            "merge": self.merge,
            "convert": self.convert,
            "commit": self.commit,
            "expire_sessions": self.expire_sessions,
        }
        return [
            *(Route(f"{_ROOT}/{name}", _local(handler), methods=["GET"]) for name, handler in reads.items()),
            *(Route(f"{_ROOT}/{name}", _local(handler), methods=["POST"]) for name, handler in acts.items()),
        ]

    async def stats(self, _request: Request) -> Any:
        return self.org.stats()

    async def journal(self, request: Request) -> Any:
        """`?since=N` leaves out the first N writes."""
        since = request.query_params.get("since", "0")
        return {"writes": self.org.records.journal(int(since) if since.isdigit() else 0)}

    async def kinds(self, _request: Request) -> Any:
        return self.org.kinds

    async def switches(self, _request: Request) -> Any:
        return self.org.switches.shown()

    async def reset_stats(self, _request: Request) -> Any:
        self.org.reset_stats()
        return {"ok": True}

    async def set_switches(self, request: Request) -> Any:
        """The `salesforce` part of a `--faults` file; the switches as they now are."""
        scenario.apply(self.org, await request.json())
        return self.org.switches.shown()

    async def deploy(self, request: Request) -> Any:
        """`{"folder": PATH, "assign": true}`: what `sf project deploy start` and assigning the sets would do."""
        given = await request.json()
        return {"fields": provision(self.org, Path(str(given["folder"])), assign=given.get("assign", True) is True)}

    async def records(self, request: Request) -> Any:
        """A record or a list: `{"object": "Lead", "id"?, "values": {...}}`, created or edited as a person does it.

        New ones may bring CreatedDate and SystemModstamp (ISO). Both commit as late as the switch says.
        """
        given = await request.json()
        items = given if isinstance(given, list) else [given]
        written = [self._written(item) for item in items]
        return written if isinstance(given, list) else written[0]

    async def burst(self, request: Request) -> Any:
        """`{"leads": N}`: N new leads with one stamp."""
        return {"ids": loading.burst(self.org, int((await request.json())["leads"]))}

    async def delete(self, request: Request) -> Any:
        row = self._row(str((await request.json())["id"]))
        self.org.records.put(replace(row, deleted=True), by=ADMIN, delay=self.org.switches.commit_delay())
        return {"ok": True}

    async def merge(self, request: Request) -> Any:
        """`{"master": ID, "loser": ID}`: the loser is deleted and names its master, which takes what it lacked."""
        given = await request.json()
        master, loser = self._row(str(given["master"])), self._row(str(given["loser"]))
        if master.id == loser.id or master.kind != loser.kind:
            raise ValueError("merge: two different records of one kind are needed")
        delay = self.org.switches.commit_delay()
        gaps = {name: value for name, value in loser.values.items() if master.values.get(name) is None}
        kept = Row(master.kind, master.id, named({**master.values, **gaps}, master.kind))
        gone = Row(loser.kind, loser.id, {**loser.values, "MasterRecordId": master.id}, deleted=True)
        self.org.records.put(kept, by=ADMIN, delay=delay)
        self.org.records.put(gone, by=ADMIN, delay=delay)
        return {"ok": True}

    async def convert(self, request: Request) -> Any:
        """`{"id": LEAD, "amount"?: N, "stage"?: S}`: account, contact and opportunity come of it."""
        given = await request.json()
        lead = self._row(str(given["id"]))
        held, records = lead.values, self.org.records
        if lead.kind != "Lead" or held.get("IsConverted"):
            raise ValueError(f"convert: {lead.id} is no lead that can be converted")
        day = spelling.moment(int(self.org.time() * 1000))[:10]
        owner = held.get("OwnerId")
        account = records.load("Account", {"Name": held.get("Company"), "OwnerId": owner}, by=ADMIN)
        person = {name: held.get(name) for name in ("FirstName", "LastName", "Email", "Phone", "Title")}
        contact = records.load(
            "Contact", named({**person, "AccountId": account, "OwnerId": owner}, "Contact"), by=ADMIN
        )
        deal = {
            "Name": f"{held.get('Company')} - Tierwise sandbox",
            "StageName": given.get("stage", "Prospecting"),
            "Amount": given.get("amount"),
            "CloseDate": day,
            "AccountId": account,
            "OwnerId": owner,
        }
        opportunity = records.load("Opportunity", named(deal, "Opportunity"), by=ADMIN)
        converted = {
            "IsConverted": True,
            "ConvertedDate": day,
            "ConvertedAccountId": account,
            "ConvertedContactId": contact,
            "ConvertedOpportunityId": opportunity,
            "Status": "Closed - Converted",
        }
        role = {"OpportunityId": opportunity, "ContactId": contact, "Role": "Decision Maker", "IsPrimary": True}
        records.load("OpportunityContactRole", role, by=ADMIN)
        row = Row("Lead", lead.id, {**held, **converted})
        records.put(row, by=ADMIN, delay=self.org.switches.commit_delay())
        # What was done with the lead is the contact's history from now on.
        for kind in ("Task", "Event"):
            for activity in records.window(kind, None, None):
                if activity.values.get("WhoId") == lead.id and not activity.deleted:
                    records.put(replace(activity, values={**activity.values, "WhoId": contact}), by=ADMIN)
        return {"account": account, "contact": contact, "opportunity": opportunity}

    async def commit(self, _request: Request) -> Any:
        """Every transaction that is still open commits now."""
        self.org.records.commit_all()
        return {"ok": True}

    async def expire_sessions(self, _request: Request) -> Any:
        self.org.expire_sessions()
        return {"ok": True}

    def _row(self, key: str) -> Row:
        row = self.org.records.latest(key)
        if row is None or row.deleted:
            raise ValueError(f"there is no record {key}")
        return row

    def _written(self, item: Mapping[str, Any]) -> dict[str, Any]:
        org = self.org
        kind, given = org.schema.kind(str(item.get("object", "Lead"))), dict(item["values"])
        history = {
            name: values.check(org.schema.every(kind)[name], given.pop(name)) for name in _HISTORY if name in given
        }
        kept = values.accept(org.schema, kind, given, by_person=True)
        if item.get("id"):
            row = self._row(str(item["id"]))
            new = Row(kind, row.id, self._completed(named({**row.values, **kept}, kind)))
            written = org.records.put(new, by=ADMIN, delay=org.switches.commit_delay())
        else:
            kept.setdefault("OwnerId", ADMIN)
            if kind == "Lead":
                kept = {"Status": "Open - Not Contacted", "IsConverted": False, **kept}
            new_values = self._completed(named({**kept, **history}, kind))
            key = org.records.load(kind, new_values, by=ADMIN, delay=org.switches.commit_delay())
            found = org.records.latest(key)
            assert found is not None
            written = found
        org.records.note(written, kept, by="person", changed=True)
        return {"id": written.id, "values": _shown(org, written)}

    def _completed(self, held: dict[str, Any]) -> dict[str, Any]:
        """A task that is closed knows since when."""
        if held.get("Status") == "Completed":
            held.setdefault("CompletedDateTime", int(self.org.time()) * 1000)
        return held


def provision(org: Org, folder: Path | None, *, assign: bool = True) -> list[str]:
    """Deploy a source folder (or the built-in fields); the names of the fields.

    Without `assign` nobody has the permission sets, and so nobody sees the fields: they are in the org all the same.
    """
    if folder is None:
        added = list(source_folder.built_in())
        org.schema.deploy("Lead", added, granted=[held.name for held in added] if assign else ())
        return [held.name for held in added]
    deployment = source_folder.read(folder)
    names = []
    for kind, held in deployment.fields.items():
        if kind not in org.schema.kinds():
            raise ValueError(f"{folder}: fields of {kind}, which this org does not have")
        editable, readable = (
            [name.partition(".")[2] for name in given if name.startswith(f"{kind}.")] if assign else []
            for given in (deployment.editable, deployment.readable)
        )
        org.schema.deploy(kind, held, granted=editable, readable=readable)
        names += [f"{kind}.{field.name}" for field in held]
    return names


def _shown(org: Org, row: Row) -> dict[str, Any]:
    return {name: values.shown(field, row.values.get(name)) for name, field in org.schema.every(row.kind).items()}


def _local(handler: Callable[[Request], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
    async def guarded(request: Request) -> Response:
        if not is_local(request):
            return JSONResponse({"message": "The control door is open to loopback only."}, 403)
        try:
            return JSONResponse(await handler(request))
        except (ValueError, KeyError, TypeError, OSError) as error:
            return JSONResponse({"message": f"{request.url.path}: {error}"}, 400)
        except Refusal as refusal:
            return JSONResponse(refusal.body(), refusal.status)

    return guarded
