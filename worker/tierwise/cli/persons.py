"""What is stored of one person: given out, or erased. The CRM is the master: what stands there comes back."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import typer

from tierwise import wiring
from tierwise.cli import output, session
from tierwise.domain import identity
from tierwise.errors import Misconfigured, RejectRecord
from tierwise.wiring import Wiring

Identity = Annotated[str, typer.Argument(help="E-mail address, phone number with its country code, or CONNECTION:ID.")]


class Asked(NamedTuple):
    """Whom a command is about."""

    records: list[tuple[str, str]]
    needles: list[str]
    """Addresses and numbers to look for wherever they may stand."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(erase)
    app.command("export-person")(export_person)


def erase(
    who: Identity,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell whose records they are and erase nothing.")] = False,
    json: output.Json = False,
) -> None:
    """Erase what is stored of a person, from every table. Erase them in the CRM first, or they come back with the next
    change there. Decisions stay in their chain, without anything that tells of whom they were.
    """
    with session.opened() as parts:
        by, asked = session.actor(parts), _asked(parts, who)
        told: dict[str, object] = {"records": [":".join(record) for record in asked.records], "erased": False}
        if not dry_run:
            done = parts.store.persons.erase(
                asked.records, needles=asked.needles, by=by, reason=reason, now=wiring.clock()
            )
            told |= {"erased": True, "tables": dict(done.tables)}
    if json:
        output.print_json(told)
        return
    output.say(f"{'would erase' if dry_run else 'erased'} {len(asked.records)} records: {', '.join(told['records'])}")  # type: ignore[arg-type]


def export_person(who: Identity) -> None:
    """Everything that is stored of a person, as JSON by table."""
    with session.opened() as parts:
        by, asked = session.actor(parts), _asked(parts, who)
        rows = parts.store.persons.export(asked.records)
        parts.store.admin_events.add(
            by, "person.export", "person", reason="", now=wiring.clock(), after={"records": len(asked.records)}
        )
    output.print_json(rows)


def _asked(parts: Wiring, who: str) -> Asked:
    address = identity.email(who) if "@" in who else None
    number = identity.phone(who) if address is None and who.lstrip().startswith("+") else None
    record = None
    if address is None and number is None:
        connection, _, key = who.rpartition(":")
        if not connection or not key:
            raise Misconfigured(
                "this is no address, number or record", place="IDENTITY", remedy="ada@acme.com, +4930123456 or emea:17"
            )
        record = (connection, key)
    needles = [text for text in (address, number) if text]
    records = parts.store.persons.find(needles=needles, record=record)
    known = [one for name, key in records for one in parts.store.leads.story(name, key)]
    if not known:
        raise RejectRecord("nothing is stored of that person", place="IDENTITY")
    # Their address may stand elsewhere, too; a number may be a whole company's.
    needles += [one.lead.email for one in known if one.lead is not None and one.lead.email]
    return Asked(records, sorted(set(needles)))
